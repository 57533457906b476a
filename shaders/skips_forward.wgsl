// For each of several layers yes or no from softmax(−l, l), l = reach·tanh(slope·score): drawn, or given.
// weights: 1 / (1 + number of yes) for each yes; after = before + (−log p, entropy, Σ σ(∓l)·log(σ(∓l)/target)).
// One row an invocation.
override WORKGROUP: u32 = 64;

// σ(l) · log(σ(l) / goal).
fn excess(l: f32, goal: f32) -> f32 {
    let log_sigmoid = -softplus(-l);
    return exp(log_sigmoid) * (log_sigmoid - log(goal));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = linear(group, groups) * WORKGROUP + lane;
    if (row >= p.rows) { return; }
    var surprises = 0.0;
    var entropy = 0.0;
    var penalty = 0.0;
    var chosen = 0u;
    for (var j = 0u; j < p.layers; j += 1u) {
        let l = p.reach * squashed(scores[p.scores + row * p.layers + j]);
        // −log p of no and of yes.
        let no = softplus(2.0 * l);
        let yes = softplus(-2.0 * l);
        let pick = picks[p.picks + j * p.rows + row];
        var taken = min(pick, 1u);
        if (p.drawn != 0u) { taken = select(0u, 1u, bitcast<f32>(pick) >= exp(-no)); }
        let surprise = select(no, yes, taken == 1u);
        surprises += surprise;
        entropy += select(no * exp(-no) + yes * exp(-yes), surprise * exp(-surprise), p.of_choice != 0u);
        penalty += excess(-l, p.target_no) + excess(l, p.target_yes);
        answers[p.answers + j * p.rows + row] = taken;
        weights[p.weights + row * p.layers + j] = f32(taken);
        chosen += taken;
    }
    for (var j = 0u; j < p.layers; j += 1u) { weights[p.weights + row * p.layers + j] /= f32(1u + chosen); }
    after[p.after + 3u * row] = before[p.before + 3u * row] + surprises;
    after[p.after + 3u * row + 1u] = before[p.before + 3u * row + 1u] + entropy;
    after[p.after + 3u * row + 2u] = before[p.before + 3u * row + 2u] + penalty;
}
