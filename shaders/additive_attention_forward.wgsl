// scores[m, j] = Σ_u v[u] · tanh(keys[j, m, u] + query[m, u]); LANES invocations a score.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * (WORKGROUP / LANES) + lane / LANES;
    // Scores beyond the last have no units: all invocations must reach the barriers.
    let inside = i < p.rows * p.states;
    let units = select(0u, p.units, inside);
    let row = i / p.states;
    let key = p.keys + (i % p.states * p.rows + row) * p.units;
    let asked = p.query + row * p.units;
    var sum = 0.0;
    for (var u = lane % LANES; u < units; u += LANES) {
        sum += vector[p.vector + u] * tanh(clamp(keys[key + u] + query[asked + u], -20.0, 20.0));
    }
    sum = tree_sum(sum, lane);
    if (inside && lane % LANES == 0u) { scores[p.scores + i] = sum; }
}
