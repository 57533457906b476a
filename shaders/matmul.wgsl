// c[rows, columns] (+)= op(a)·op(b) + bias[column]; op(a) is a, or its transpose if a is stored
// [inner, rows]; likewise op(b), stored [columns, inner].
//
// An invocation computes 4 neighbouring rows × 4 columns that lie ACROSS apart, in registers; a workgroup
// is DOWN × ACROSS invocations. With DOWN = 1 all invocations read the same elements of a: one load for
// all where the compiler sees it. Vectors instead of arrays and loops: no compiler leaves them in memory.
override DOWN: u32 = 4;
override ACROSS: u32 = 16;

// Writes four columns of one row, where they are within c.
fn store(row: u32, columns: vec4<u32>, sums: vec4<f32>) {
    if (row >= p.rows) { return; }
    let at = p.c + row * p.columns;
    if (columns.x < p.columns) { put(at + columns.x, columns.x, sums.x); }
    if (columns.y < p.columns) { put(at + columns.y, columns.y, sums.y); }
    if (columns.z < p.columns) { put(at + columns.z, columns.z, sums.z); }
    if (columns.w < p.columns) { put(at + columns.w, columns.w, sums.w); }
}

fn put(at: u32, column: u32, sum: f32) {
    var value = sum;
    if (p.has_bias != 0u) { value += bias[p.bias + column]; }
    if (p.accumulate != 0u) { value += c[at]; }
    c[at] = value;
}

@compute @workgroup_size(ACROSS, DOWN)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_id) lane: vec3<u32>) {
    let blocks = (p.columns + ACROSS * 4u - 1u) / (ACROSS * 4u);
    let block = linear(group, groups);
    let down = select(lane.y, 0u, DOWN == 1u);
    let row = (block / blocks * DOWN + down) * 4u;
    let columns = block % blocks * (ACROSS * 4u) + lane.x + vec4<u32>(0u, 1u, 2u, 3u) * ACROSS;
    if (row >= p.rows) { return; }

    // Steps from one k, one row and one column to the next.
    let a_inner = select(1u, p.rows, p.transpose_a != 0u);
    let a_row = select(p.inner, 1u, p.transpose_a != 0u);
    let b_inner = select(p.columns, 1u, p.transpose_b != 0u);
    let b_column = select(1u, p.inner, p.transpose_b != 0u);
    // Rows and columns beyond the edge read the last ones again; their results are not written.
    var left = p.a + min(row + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(p.rows - 1u)) * a_row;
    var right = p.b + min(columns, vec4<u32>(p.columns - 1u)) * b_column;

    var s0 = vec4<f32>();
    var s1 = vec4<f32>();
    var s2 = vec4<f32>();
    var s3 = vec4<f32>();
    for (var k = 0u; k < p.inner; k += 1u) {
        let v = vec4<f32>(b[right.x], b[right.y], b[right.z], b[right.w]);
        s0 = fma(vec4<f32>(a[left.x]), v, s0);
        s1 = fma(vec4<f32>(a[left.y]), v, s1);
        s2 = fma(vec4<f32>(a[left.z]), v, s2);
        s3 = fma(vec4<f32>(a[left.w]), v, s3);
        left += vec4<u32>(a_inner);
        right += vec4<u32>(b_inner);
    }
    store(row, columns, s0);
    store(row + 1u, columns, s1);
    store(row + 2u, columns, s2);
    store(row + 3u, columns, s3);
}
