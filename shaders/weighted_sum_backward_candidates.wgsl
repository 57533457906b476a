// dx_k = weights[k] · dy for the stacked candidates that `active_options` names.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let g = dy[p.dy + i];
        var at = p.dx + i;
        for (var left = p.active_options; left != 0u; left &= left - 1u) {
            dx[at] = weights[p.weights + countTrailingZeros(left)] * g;
            at += p.stride;
        }
    }
}
