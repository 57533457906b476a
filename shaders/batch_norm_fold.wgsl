// saved = [mean | 1/√(var + ε)] of running means and variances.
struct Params { mean: u32, variance: u32, saved: u32, channels: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> running: array<f32>;
@group(0) @binding(2) var<storage, read_write> saved: array<f32>;
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let c = linear(group, groups) * WORKGROUP + lane;
    if (c >= p.channels) { return; }
    saved[p.saved + c] = running[p.mean + c];
    saved[p.saved + p.channels + c] = 1.0 / sqrt(running[p.variance + c] + p.epsilon);
}
