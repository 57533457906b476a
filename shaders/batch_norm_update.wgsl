// running = (1 − momentum) · running + momentum · moments, unless a guard is not finite.
// Words, because compilers may assume that floats are finite.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    for (var k = 0u; k < p.guards; k += 1u) {
        if ((scalars[p.scalars + k] & 0x7f800000u) == 0x7f800000u) { return; }
    }
    running[p.running + i] = (1.0 - p.momentum) * running[p.running + i] + p.momentum * moments[p.moments + i];
}
