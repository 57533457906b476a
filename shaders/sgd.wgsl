// g = gradient·c + weight_decay·w;  v = momentum·v + g;  w −= lr·(nesterov ? g + momentum·v : v),
// where c = min(1, clip / (norm + 1e-6)). One element an invocation; nothing where a guard is not finite.
struct Params {
    weight: u32, gradient: u32, velocity: u32, count: u32, learning_rate: u32, norm: u32, guard: u32, guards: u32,
    nesterov: u32, clip: f32, momentum: f32, weight_decay: f32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> gradient: array<f32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read> scalars: array<f32>;
@group(0) @binding(4) var<storage, read_write> weight: array<f32>;
@group(0) @binding(5) var<storage, read_write> velocity: array<f32>;
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count || any_not_finite(p.guard, p.guards)) { return; }
    var c = 1.0;
    if (p.norm != 0xffffffffu) { c = min(1.0, p.clip / (scalars[p.norm] + 1e-6)); }
    let w = weight[p.weight + i];
    let g = gradient[p.gradient + i] * c + p.weight_decay * w;
    let v = p.momentum * velocity[p.velocity + i] + g;
    let direction = select(v, g + p.momentum * v, p.nesterov != 0u);
    velocity[p.velocity + i] = v;
    weight[p.weight + i] = w - bitcast<f32>(step[p.learning_rate]) * direction;
}
