// correct (+)= the number of rows whose largest logit (the first of equals) is the label's.
// One workgroup; each invocation takes every LANES-th row.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    if (linear(group, groups) != 0u) { return; }
    var mine = 0.0;
    for (var n = lane; n < p.batch; n += LANES) {
        let z = p.logits + n * p.classes;
        var best = 0u;
        var top = logits[z];
        for (var k = 1u; k < p.classes; k += 1u) {
            let v = logits[z + k];
            if (v > top) {
                top = v;
                best = k;
            }
        }
        mine += select(0.0, 1.0, best == labels[p.labels + n]);
    }
    let all = workgroup_sum(lane, mine);
    if (lane == 0u) {
        if (p.accumulate != 0u) { correct[p.correct] += all; } else { correct[p.correct] = all; }
    }
}
