// g = gradient·c + weight_decay·w;  v = momentum·v + g;  w −= lr·(nesterov ? g + momentum·v : v),
// where c = min(1, clip / (norm + 1e-6)). One element an invocation; nothing where a guard is not finite.
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
