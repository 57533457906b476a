// c[rows, columns] (+)= op(a)·op(b) + bias[column]; op(a) is a, or its transpose if a is stored
// [inner, rows]; likewise op(b), stored [columns, inner].
//
// An invocation computes ROWS neighbouring rows × COLUMNS columns that lie ACROSS apart, in registers; a
// workgroup is DOWN × ACROSS invocations. With DOWN = 1 all invocations read the same elements of a: one
// load for all where the compiler sees it.
struct Params {
    a: u32, b: u32, bias: u32, c: u32, rows: u32, columns: u32, inner: u32, transpose_a: u32, transpose_b: u32,
    has_bias: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(ACROSS, DOWN)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_id) lane: vec3<u32>) {
    let blocks = (p.columns + ACROSS * COLUMNS - 1u) / (ACROSS * COLUMNS);
    let block = linear(group, groups);
    let down = select(lane.y, 0u, DOWN == 1u);
    let row = (block / blocks * DOWN + down) * ROWS;
    let column = block % blocks * (ACROSS * COLUMNS) + lane.x;
    if (row >= p.rows) { return; }

    // Steps from one k, one row and one column to the next.
    let a_inner = select(1u, p.rows, p.transpose_a != 0u);
    let a_row = select(p.inner, 1u, p.transpose_a != 0u);
    let b_inner = select(p.columns, 1u, p.transpose_b != 0u);
    let b_column = select(1u, p.inner, p.transpose_b != 0u);
    // Rows and columns beyond the edge read the last ones again; their results are not written.
    var a_at: array<u32, ROWS>;
    var b_at: array<u32, COLUMNS>;
    for (var r = 0u; r < ROWS; r += 1u) { a_at[r] = p.a + min(row + r, p.rows - 1u) * a_row; }
    for (var s = 0u; s < COLUMNS; s += 1u) { b_at[s] = p.b + min(column + s * ACROSS, p.columns - 1u) * b_column; }

    var sums: array<array<f32, COLUMNS>, ROWS>;
    for (var k = 0u; k < p.inner; k += 1u) {
        var right: array<f32, COLUMNS>;
        for (var s = 0u; s < COLUMNS; s += 1u) { right[s] = b[b_at[s] + k * b_inner]; }
        for (var r = 0u; r < ROWS; r += 1u) {
            let left = a[a_at[r] + k * a_inner];
            for (var s = 0u; s < COLUMNS; s += 1u) { sums[r][s] = fma(left, right[s], sums[r][s]); }
        }
    }

    for (var s = 0u; s < COLUMNS; s += 1u) {
        let j = column + s * ACROSS;
        if (j >= p.columns) { continue; }
        var shift = 0.0;
        if (p.has_bias != 0u) { shift = bias[p.bias + j]; }
        for (var r = 0u; r < ROWS; r += 1u) {
            if (row + r >= p.rows) { continue; }
            let at = p.c + (row + r) * p.columns + j;
            let value = sums[r][s] + shift;
            if (p.accumulate != 0u) { c[at] += value; } else { c[at] = value; }
        }
    }
}
