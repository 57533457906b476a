// p = max(p · exp(−η·g), floor) / Σ of the row. One row an invocation: rows have a handful of columns.
// Nothing is written where a guard is not finite.
override WORKGROUP: u32 = 64;

fn moved(at: u32, rate: f32) -> f32 {
    // Beyond ±80 the exponential leaves float32's range.
    let exponent = clamp(-rate * gradient[p.gradient + at], -80.0, 80.0);
    return max(weight[p.weight + at] * exp(exponent), p.floor);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = linear(group, groups) * WORKGROUP + lane;
    if (row >= p.rows || any_not_finite(p.guard, p.guards)) { return; }
    let rate = bitcast<f32>(step[p.learning_rate]);
    let first = row * p.columns;
    var sum = 0.0;
    for (var i = first; i < first + p.columns; i += 1u) { sum += moved(i, rate); }
    for (var i = first; i < first + p.columns; i += 1u) { weight[p.weight + i] = moved(i, rate) / sum; }
}
