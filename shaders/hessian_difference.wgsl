// gradient −= lr·(plus − minus)·norm/(2ε): a Hessian product by central differences, where plus and
// minus are gradients at ±ε along a direction of L2 norm `norm`.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    let factor = bitcast<f32>(step[p.learning_rate]) * (scalars[p.norm] / (2.0 * p.epsilon));
    gradient[p.gradient + i] -= factor * (plus[p.plus + i] - minus[p.minus + i]);
}
