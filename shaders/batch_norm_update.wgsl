// running = (1 − momentum) · running + momentum · moments, unless a guard is not finite.
struct Params { moments: u32, running: u32, scalars: u32, count: u32, guards: u32, momentum: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> moments: array<f32>;
// Words, because compilers may assume that floats are finite.
@group(0) @binding(2) var<storage, read> scalars: array<u32>;
@group(0) @binding(3) var<storage, read_write> running: array<f32>;
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
