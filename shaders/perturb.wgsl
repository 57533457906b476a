// result = w + scale·direction/norm: a step of length |scale| along a direction whose L2 norm is `norm`.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    result[p.result + i] = weight[p.weight + i] + p.scale / scalars[p.norm] * direction[p.direction + i];
}
