// probabilities = softmax(logits); losses[n] = −Σ_k t_k log p_k with t = (1 − s)·[k = label] + s/classes:
//   (1 − s)·(L − z_label) + s·(L − mean z),  L = log Σ exp z.
// A workgroup a row. A label that is no class makes the row's loss a NaN.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let n = linear(group, groups);
    if (n >= p.batch) { return; }
    let z = p.logits + n * p.classes;
    let out = p.probabilities + n * p.classes;
    var mine = logits[z];
    for (var k = lane; k < p.classes; k += LANES) { mine = larger(mine, logits[z + k]); }
    let top = workgroup_max(lane, mine);
    var exponentials = 0.0;
    // Of distances from the largest: logits may be large, their distances are what counts.
    var distances = 0.0;
    for (var k = lane; k < p.classes; k += LANES) {
        let distance = logits[z + k] - top;
        exponentials += exp(distance);
        distances += distance;
    }
    let total = workgroup_sum(lane, exponentials);
    let mean = workgroup_sum(lane, distances) / f32(p.classes);
    for (var k = lane; k < p.classes; k += LANES) { probabilities[out + k] = exp(logits[z + k] - top) / total; }
    if (lane == 0u) {
        let label = labels[p.labels + n];
        let own = logits[z + min(label, p.classes - 1u)] - top;
        var loss = log(total) - (1.0 - p.smoothing) * own;
        // A logit of −∞ is fine as long as no target falls on it.
        if (p.smoothing != 0.0) { loss -= p.smoothing * mean; }
        losses[p.losses + n] = select(loss, bitcast<f32>(label | 0x7fc00000u), label >= p.classes);
    }
}
