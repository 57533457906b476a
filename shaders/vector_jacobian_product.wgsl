// dx[r, j] (+)= Σ_i jacobian[r, i, j] dy[r, i] for each row r.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let at = linear(group, groups) * WORKGROUP + lane;
    if (at >= p.rows * p.columns) { return; }
    let row = at / p.columns;
    let column = at - row * p.columns;
    var sum = 0.0;
    for (var i = 0u; i < p.columns; i++) {
        sum += jacobian[p.jacobian + (row * p.columns + i) * p.columns + column] * dy[p.dy + row * p.columns + i];
    }
    if (p.accumulate != 0u) { sum += dx[p.dx + at]; }
    dx[p.dx + at] = sum;
}
