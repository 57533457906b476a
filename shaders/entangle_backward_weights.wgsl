// dweights[column of k] += Σ W · dy over the middle size_k × size_k of all planes: one workgroup an option.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let k = linear(group, groups);
    if (k >= min(p.options, 8u)) { return; }
    let within = byte_of(p.sizes0, p.sizes1, k);
    var total = 0.0;
    for (var i = lane; i < p.planes * p.size * p.size; i += WORKGROUP) {
        if (reaches(p.size, within, i)) { total += x[p.x + i] * dy[p.dy + i]; }
    }
    let sum = tree_sum(total, lane);
    if (lane == 0u) { dweights[p.dweights + byte_of(p.columns0, p.columns1, k)] += sum; }
}
