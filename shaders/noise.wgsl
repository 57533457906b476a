// Standard normal numbers from the words w of philox(key, [i/4, stream, step[counter], 3]), others in each step:
// elements 0 and 1 of a block are the pair made of w₀ and w₁ (include/normal.wgsl), elements 2 and 3 that of w₂ and w₃.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let counter = step[p.counter];
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, (p.count + 3u) / 4u);
    for (var block = first + lane; block < end; block += WORKGROUP) {
        let i = block * 4u;
        let w = philox(vec2<u32>(p.seed_low, p.seed_high), vec4<u32>(block, p.stream, counter, 3u));
        let v = vec4<f32>(pair(w.x, w.y), pair(w.z, w.w));
        y[p.y + i] = v.x;
        if (i + 1u < p.count) { y[p.y + i + 1u] = v.y; }
        if (i + 2u < p.count) { y[p.y + i + 2u] = v.z; }
        if (i + 3u < p.count) { y[p.y + i + 3u] = v.w; }
    }
}
