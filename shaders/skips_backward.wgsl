// dscores (+)= (d(−log p)·2(σ(2l) − yes) + dpenalty·(e(l, yes) − e(−l, no))) · reach·slope·(1 − tanh²), where
// e(s, target) = σ(s)(1 − σ(s))·(log(σ(s)/target) + 1). An entropy has no gradient. One score an element; ELEMENTS of
// them an invocation, WORKGROUP apart.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

fn slope_of_excess(l: f32, goal: f32) -> f32 {
    let log_sigmoid = -softplus(-l);
    let sigmoid = exp(log_sigmoid);
    return sigmoid * (1.0 - sigmoid) * (log_sigmoid - log(goal) + 1.0);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.rows * p.layers);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let t = squashed(scores[p.scores + i]);
        let l = p.reach * t;
        let yes = select(0.0, 1.0, weights[p.weights + i] > 0.0);
        let at = p.dafter + 3u * (i / p.layers);
        var d = dafter[at] * 2.0 * (exp(-softplus(-2.0 * l)) - yes);
        d += dafter[at + 2u] * (slope_of_excess(l, p.target_yes) - slope_of_excess(-l, p.target_no));
        d *= p.reach * p.slope * (1.0 - t * t);
        if (p.accumulate != 0u) { d += dscores[p.dscores + i]; }
        dscores[p.dscores + i] = d;
    }
}
