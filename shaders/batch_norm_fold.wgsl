// saved = [mean | 1/√(var + ε)] of running means and variances.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let c = linear(group, groups) * WORKGROUP + lane;
    if (c >= p.channels) { return; }
    saved[p.saved + c] = running[p.mean + c];
    saved[p.saved + p.channels + c] = 1.0 / sqrt(running[p.variance + c] + p.epsilon);
}
