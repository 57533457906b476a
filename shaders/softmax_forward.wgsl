// y = exp(x − max) / Σ exp(x − max) of each row; LANES invocations a row.
var<workgroup> largest: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = linear(group, groups) * (WORKGROUP / LANES) + lane / LANES;
    // Rows beyond the last have no columns: all invocations must reach the barriers.
    let columns = select(0u, p.columns, row < p.rows);
    let first = row * p.columns;
    var highest = -3.4028234e38;
    for (var i = lane % LANES; i < columns; i += LANES) { highest = max(highest, x[p.x + first + i]); }
    if (LANES > 1u) {
        largest[lane] = highest;
        workgroupBarrier();
        for (var half = LANES / 2u; half > 0u; half /= 2u) {
            if (lane % LANES < half) { largest[lane] = max(largest[lane], largest[lane + half]); }
            workgroupBarrier();
        }
        highest = largest[lane - lane % LANES];
    }
    var sum = 0.0;
    for (var i = lane % LANES; i < columns; i += LANES) { sum += exp(x[p.x + first + i] - highest); }
    sum = tree_sum(sum, lane);
    for (var i = lane % LANES; i < columns; i += LANES) {
        y[p.y + first + i] = exp(x[p.x + first + i] - highest) / sum;
    }
}
