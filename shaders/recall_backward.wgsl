// dstates[j, m, u] (+)= weights[m, j] · dy[m, u]; ELEMENTS elements of dstates an invocation, WORKGROUP apart.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let elements = p.rows * p.units;
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count * elements);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let at = i % elements;
        var d = weights[p.weights + at / p.units * p.count + i / elements] * dy[p.dy + at];
        if (p.accumulate != 0u) { d += dstates[p.dstates + i]; }
        dstates[p.dstates + i] = d;
    }
}
