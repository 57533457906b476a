// dscores (+)= d(−log p) · (softmax(l)_k − weights_k) · reach·slope·(1 − tanh²), row by row: the gradient of REINFORCE.
// An entropy has no gradient: it counts as a reward. One row an invocation.
override WORKGROUP: u32 = 64;

fn logit(k: u32, t: f32) -> f32 {
    if (p.has_bias == 0u) { return p.reach * t; }
    return p.reach * t + bias[p.bias + k];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = linear(group, groups) * WORKGROUP + lane;
    if (row >= p.rows) { return; }
    let first = row * p.options;
    var largest = -3.4028234e38;
    for (var k = 0u; k < p.options; k += 1u) { largest = max(largest, logit(k, squashed(scores[p.scores + first + k]))); }
    var sum = 0.0;
    for (var k = 0u; k < p.options; k += 1u) { sum += exp(logit(k, squashed(scores[p.scores + first + k])) - largest); }
    let factor = dafter[p.dafter + 3u * row] * p.reach * p.slope;
    for (var k = 0u; k < p.options; k += 1u) {
        let t = squashed(scores[p.scores + first + k]);
        var d = factor * (exp(logit(k, t) - largest) / sum - weights[p.weights + first + k]) * (1.0 - t * t);
        if (p.accumulate != 0u) { d += dscores[p.dscores + first + k]; }
        dscores[p.dscores + first + k] = d;
    }
}
