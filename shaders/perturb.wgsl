// result = w + scale·direction/norm: a step of length |scale| along a direction whose L2 norm is `norm`.
struct Params { weight: u32, direction: u32, result: u32, count: u32, norm: u32, scale: f32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<storage, read> direction: array<f32>;
@group(0) @binding(3) var<storage, read> scalars: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    result[p.result + i] = weight[p.weight + i] + p.scale / scalars[p.norm] * direction[p.direction + i];
}
