// result = w − lr·(momentum·v + g + weight_decay·w): the weights one SGD step ahead, w and v untouched.
struct Params {
    weight: u32, gradient: u32, velocity: u32, result: u32, count: u32, learning_rate: u32,
    momentum: f32, weight_decay: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> gradient: array<f32>;
@group(0) @binding(3) var<storage, read> velocity: array<f32>;
@group(0) @binding(4) var<storage, read> step: array<u32>;
@group(0) @binding(5) var<storage, read_write> result: array<f32>;
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    let w = weight[p.weight + i];
    let v = p.momentum * velocity[p.velocity + i] + gradient[p.gradient + i] + p.weight_decay * w;
    result[p.result + i] = w - bitcast<f32>(step[p.learning_rate]) * v;
}
