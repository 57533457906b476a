// y (+)= W · Σ_k weights[column of k] · [the entry lies in the middle size_k × size_k of its plane].
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.planes * p.size * p.size);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var factor = 0.0;
        for (var k = 0u; k < min(p.options, 8u); k += 1u) {
            if (reaches(p.size, byte_of(p.sizes0, p.sizes1, k), i)) {
                factor += weights[p.weights + byte_of(p.columns0, p.columns1, k)];
            }
        }
        let product = x[p.x + i] * factor;
        if (p.accumulate != 0u) { y[p.y + i] += product; } else { y[p.y + i] = product; }
    }
}
