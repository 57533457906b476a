// y (+)= Σ weights[k] · x_k over the stacked candidates that `active_options` names.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var sum = 0.0;
        var at = p.x + i;
        for (var left = p.active_options; left != 0u; left &= left - 1u) {
            sum += weights[p.weights + countTrailingZeros(left)] * x[at];
            at += p.stride;
        }
        if (p.accumulate != 0u) { sum += y[p.y + i]; }
        y[p.y + i] = sum;
    }
}
