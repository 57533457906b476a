// result = w − lr·(momentum·v + g + weight_decay·w): the weights one SGD step ahead, w and v untouched.
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
