// scores[m, j] = Σ_u v[u] · tanh(keys[j, m, u] + query[m, u]); LANES invocations a score.
struct Params { keys: u32, query: u32, vector: u32, scores: u32, states: u32, rows: u32, units: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> keys: array<f32>;
@group(0) @binding(2) var<storage, read> query: array<f32>;
@group(0) @binding(3) var<storage, read> vector: array<f32>;
@group(0) @binding(4) var<storage, read_write> scores: array<f32>;

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
