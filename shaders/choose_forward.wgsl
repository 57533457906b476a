// One choice a row from softmax(l), l = reach·tanh(slope·score) + bias: drawn by a uniform number, or given.
// weights: 1 for what is chosen, 0 for the rest; after = before + (−log p, entropy, 0). One row an invocation.
override WORKGROUP: u32 = 64;

fn logit(row: u32, k: u32) -> f32 {
    let l = p.reach * squashed(scores[p.scores + row * p.options + k]);
    if (p.has_bias == 0u) { return l; }
    return l + bias[p.bias + k];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = linear(group, groups) * WORKGROUP + lane;
    if (row >= p.rows) { return; }
    var largest = -3.4028234e38;
    for (var k = 0u; k < p.options; k += 1u) { largest = max(largest, logit(row, k)); }
    var sum = 0.0;
    var moment = 0.0;
    for (var k = 0u; k < p.options; k += 1u) {
        let l = logit(row, k) - largest;
        sum += exp(l);
        moment += exp(l) * l;
    }
    let pick = picks[p.picks + row];
    var taken = min(pick, p.options - 1u);
    if (p.drawn != 0u) {
        // The last option, should rounding leave nothing of the sum for it.
        taken = p.options - 1u;
        var reached = 0.0;
        for (var k = 0u; k < p.options; k += 1u) {
            reached += exp(logit(row, k) - largest);
            if (bitcast<f32>(pick) * sum < reached) {
                taken = k;
                break;
            }
        }
    }
    for (var k = 0u; k < p.options; k += 1u) {
        weights[p.weights + row * p.options + k] = select(0.0, 1.0, k == taken);
    }
    let surprise = log(sum) - (logit(row, taken) - largest);
    let entropy = select(log(sum) - moment / sum, surprise * exp(-surprise), p.of_choice != 0u);
    answers[p.answers + row] = taken;
    after[p.after + 3u * row] = before[p.before + 3u * row] + surprise;
    after[p.after + 3u * row + 1u] = before[p.before + 3u * row + 1u] + entropy;
    after[p.after + 3u * row + 2u] = before[p.before + 3u * row + 2u];
}
