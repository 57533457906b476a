// dx (+)= y · (dy − Σ y·dy) of each row; LANES invocations a row.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let row = linear(group, groups) * (WORKGROUP / LANES) + lane / LANES;
    // Rows beyond the last have no columns: all invocations must reach the barriers.
    let columns = select(0u, p.columns, row < p.rows);
    let first = row * p.columns;
    var sum = 0.0;
    for (var i = lane % LANES; i < columns; i += LANES) { sum += y[p.y + first + i] * dy[p.dy + first + i]; }
    sum = tree_sum(sum, lane);
    for (var i = lane % LANES; i < columns; i += LANES) {
        var value = y[p.y + first + i] * (dy[p.dy + first + i] - sum);
        if (p.accumulate != 0u) { value += dx[p.dx + first + i]; }
        dx[p.dx + first + i] = value;
    }
}
