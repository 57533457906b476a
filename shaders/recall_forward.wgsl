// y[m, u] = Σ_j weights[m, j] · states[j, m, u]; ELEMENTS elements of y an invocation, WORKGROUP apart.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let elements = p.rows * p.units;
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, elements);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var sum = 0.0;
        for (var j = 0u; j < p.count; j += 1u) {
            sum += weights[p.weights + i / p.units * p.count + j] * states[p.states + j * elements + i];
        }
        y[p.y + i] = sum;
    }
}
