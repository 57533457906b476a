// y (+)= x/(1 − q) where kept, else 0. Element i follows decision d = i/group: kept if
// uniform(word 0 of philox(key, [d, stream, step[counter], 1])) ≥ q; q is `probability`, or a float of the
// step buffer.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    var q = p.probability;
    if (p.probability_at != 0xffffffffu) { q = bitcast<f32>(step[p.probability_at]); }
    // Without dropping, exactly the identity: a device's 1/1 need not be 1.
    let scale = select(1.0 / (1.0 - q), 1.0, q == 0.0);
    let counter = step[p.counter];
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var decision = i;
        if (p.group != 1u) { decision /= p.group; }
        let w = philox(vec2<u32>(p.seed_low, p.seed_high), vec4<u32>(decision, p.stream, counter, 1u));
        let keep = f32(w.x >> 8u) * (1.0 / 16777216.0) >= q;
        let value = select(0.0, x[p.x + i] * scale, keep);
        if (p.accumulate != 0u) { y[p.y + i] += value; } else { y[p.y + i] = value; }
    }
}
