// m = β₁m + (1−β₁)g;  v = β₂v + (1−β₂)g²;  w −= lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε), or, with `epsilon_hat`,
// w −= lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε).
// Weight decay is added to g (Adam), or shrinks w by lr·decay beforehand (AdamW, `decoupled`).
// One element an invocation; nothing is written where a guard is not finite.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count || any_not_finite(p.guard, p.guards)) { return; }
    let rate = bitcast<f32>(step[p.learning_rate]);
    var w = weight[p.weight + i];
    var g = gradient[p.gradient + i];
    if (p.decoupled != 0u) { w -= rate * p.weight_decay * w; } else { g += p.weight_decay * w; }
    let m = p.beta1 * first[p.first + i] + (1.0 - p.beta1) * g;
    let v = p.beta2 * second[p.second + i] + (1.0 - p.beta2) * g * g;
    let size = rate / bitcast<f32>(step[p.corrections]);
    let correction = sqrt(bitcast<f32>(step[p.corrections + 1u]));
    var root = sqrt(v) / correction + p.epsilon;
    if (p.epsilon_hat != 0u) { root = (sqrt(v) + p.epsilon) / correction; }
    first[p.first + i] = m;
    second[p.second + i] = v;
    weight[p.weight + i] = w - size * (m / root);
}
