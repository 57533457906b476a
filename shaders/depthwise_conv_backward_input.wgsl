// dx[n, c, i, j] (+)= Σ_{r,s} w[c, r, s] dy[n, c, (i + pad_top − r·dilation) / stride, (j + pad_left − s·dilation) / stride]
// over the taps where the divisions leave no remainder. Which taps these are depends only on i and j modulo the
// strides, the phase: within one, every STEP-th tap counts and the next one reads dy MOVE columns or APART rows
// further on. An invocation computes tiles of one phase: four columns (of the phase) times HELD rows, APART from one
// another so that they share the rows they read, as in depthwise_conv_forward. A workgroup takes WORKGROUP · TILES
// tiles of one channel and phase.
override WORKGROUP: u32 = 64;
override ROWS: u32 = 3;
override COLUMNS: u32 = 3;
override STRIDE_ROWS: u32 = 1;
override STRIDE_COLUMNS: u32 = 1;
override DILATION_ROWS: u32 = 1;
override DILATION_COLUMNS: u32 = 1;
// From one tap that counts to the next, in taps and in elements of dy.
override STEP_ROWS: u32 = 1;
override STEP_COLUMNS: u32 = 1;
override APART: u32 = 1;
override MOVE: u32 = 1;
override HELD: u32 = 1;

// What lies outside is 0. With & instead of &&: branches here cost, and some compilers take minutes over them.
fn value(line: u32, column: u32, row_inside: bool) -> f32 {
    let inside = row_inside & (column < p.out_width);
    return select(0.0, dy[select(0u, line + column, inside)], inside);
}

// What the four columns read for a tap, the first of them at `at`.
fn four(line: u32, at: u32, inside: bool) -> vec4<f32> {
    return vec4(value(line, at, inside), value(line, at + 1u, inside),
                value(line, at + 2u, inside), value(line, at + 3u, inside));
}

// The same for the tap that counts next.
fn next(v: vec4<f32>, line: u32, at: u32, inside: bool) -> vec4<f32> {
    if (MOVE == 1u) { return vec4(v.yzw, value(line, at + 3u, inside)); }
    if (MOVE == 2u) { return vec4(v.zw, value(line, at + 2u, inside), value(line, at + 3u, inside)); }
    return four(line, at, inside);
}

// A weight; 0 for taps that the window doesn't have.
fn tap(weights: u32, r: u32, c: u32) -> vec4<f32> {
    let inside = (r < ROWS) & (c < COLUMNS);
    return vec4(select(0.0, w[select(weights, weights + r * COLUMNS + c, inside)], inside));
}

fn store(at: u32, row: u32, column: u32, v: vec4<f32>) {
    if (row >= p.height || column >= p.width) { return; }
    let to = at + row * p.width + column;
    let n = p.width - column;
    if (p.accumulate != 0u) {
        dx[to] += v.x;
        if (n > STRIDE_COLUMNS) { dx[to + STRIDE_COLUMNS] += v.y; }
        if (n > 2u * STRIDE_COLUMNS) { dx[to + 2u * STRIDE_COLUMNS] += v.z; }
        if (n > 3u * STRIDE_COLUMNS) { dx[to + 3u * STRIDE_COLUMNS] += v.w; }
    } else {
        dx[to] = v.x;
        if (n > STRIDE_COLUMNS) { dx[to + STRIDE_COLUMNS] = v.y; }
        if (n > 2u * STRIDE_COLUMNS) { dx[to + 2u * STRIDE_COLUMNS] = v.z; }
        if (n > 3u * STRIDE_COLUMNS) { dx[to + 3u * STRIDE_COLUMNS] = v.w; }
    }
}

// The last tap of a window of `taps` that pixels `place` (with padding) meet, or `taps` if there is none.
fn last(place: i32, taps: u32, step: u32, stride: u32, dilation: u32) -> u32 {
    var met = taps;
    for (var tap = taps - min(step, taps); tap < taps; tap++) {
        if ((place - i32(tap * dilation)) % i32(stride) == 0) { met = tap; }
    }
    return met;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let across = (p.width + 4u * STRIDE_COLUMNS - 1u) / (4u * STRIDE_COLUMNS);
    let rows = (p.height + STRIDE_ROWS - 1u) / STRIDE_ROWS;
    let tiles = across * ((rows + HELD * APART - 1u) / (HELD * APART) * APART);
    let count = tiles * p.batch;
    let chunks = (count + WORKGROUP * TILES - 1u) / (WORKGROUP * TILES);
    let number = linear(group, groups);
    let part = number / chunks;
    let phase = part % (STRIDE_ROWS * STRIDE_COLUMNS);
    let channel = part / (STRIDE_ROWS * STRIDE_COLUMNS);
    if (channel >= p.channels) { return; }
    let weights = p.weight + channel * (ROWS * COLUMNS);
    let first_row = phase / STRIDE_COLUMNS;
    let first_column = phase % STRIDE_COLUMNS;
    let y = i32(first_row) + p.pad_top;
    let x = i32(first_column) + p.pad_left;
    var r = ROWS - 1u;
    var c = COLUMNS - 1u;
    if (STRIDE_ROWS > 1u) { r = last(y, ROWS, STEP_ROWS, STRIDE_ROWS, DILATION_ROWS); }
    if (STRIDE_COLUMNS > 1u) { c = last(x, COLUMNS, STEP_COLUMNS, STRIDE_COLUMNS, DILATION_COLUMNS); }
    let met = r < ROWS && c < COLUMNS;
    // Unsigned: what lies before the image is a huge number.
    let down = u32((y - i32(r * DILATION_ROWS)) / i32(STRIDE_ROWS));
    let right = u32((x - i32(c * DILATION_COLUMNS)) / i32(STRIDE_COLUMNS));
    let first = number % chunks * (WORKGROUP * TILES);
    let end = min(first + WORKGROUP * TILES, count);
    for (var base = first; base < end; base += WORKGROUP) {
        // Lanes beyond the last tile repeat it, so that the loop is the same for all; they don't store.
        let i = min(base + lane, count - 1u);
        let n = i / tiles;
        let tile = i - n * tiles;
        let line = tile / across;
        let column = (tile - line * across) * 4u;
        let row = line / APART * (HELD * APART) + line % APART;
        let plane = n * p.channels + channel;
        let image = p.output + plane * p.out_height * p.out_width;
        let left = column + right;
        var sum0 = vec4(0.0);
        var sum1 = sum0;
        var sum2 = sum0;
        var sum3 = sum0;
        if (met) {
            for (var t = 0u; t < (ROWS + STEP_ROWS - 1u) / STEP_ROWS + HELD - 1u; t++) {
                let y = row + down + t * APART;
                let inside = y < p.out_height;
                let line = image + y * p.out_width;
                let above = r - t * STEP_ROWS;
                var v = four(line, left, inside);
                sum0 = fma(tap(weights, above, c), v, sum0);
                if (HELD > 1u) { sum1 = fma(tap(weights, above + STEP_ROWS, c), v, sum1); }
                if (HELD > 2u) { sum2 = fma(tap(weights, above + 2u * STEP_ROWS, c), v, sum2); }
                if (HELD > 3u) { sum3 = fma(tap(weights, above + 3u * STEP_ROWS, c), v, sum3); }
                if (COLUMNS > 1u * STEP_COLUMNS) {
                    v = next(v, line, left + 1u * MOVE, inside);
                    sum0 = fma(tap(weights, above, c - 1u * STEP_COLUMNS), v, sum0);
                    if (HELD > 1u) { sum1 = fma(tap(weights, above + STEP_ROWS, c - 1u * STEP_COLUMNS), v, sum1); }
                    if (HELD > 2u) { sum2 = fma(tap(weights, above + 2u * STEP_ROWS, c - 1u * STEP_COLUMNS), v, sum2); }
                    if (HELD > 3u) { sum3 = fma(tap(weights, above + 3u * STEP_ROWS, c - 1u * STEP_COLUMNS), v, sum3); }
                }
                if (COLUMNS > 2u * STEP_COLUMNS) {
                    v = next(v, line, left + 2u * MOVE, inside);
                    sum0 = fma(tap(weights, above, c - 2u * STEP_COLUMNS), v, sum0);
                    if (HELD > 1u) { sum1 = fma(tap(weights, above + STEP_ROWS, c - 2u * STEP_COLUMNS), v, sum1); }
                    if (HELD > 2u) { sum2 = fma(tap(weights, above + 2u * STEP_ROWS, c - 2u * STEP_COLUMNS), v, sum2); }
                    if (HELD > 3u) { sum3 = fma(tap(weights, above + 3u * STEP_ROWS, c - 2u * STEP_COLUMNS), v, sum3); }
                }
                if (COLUMNS > 3u * STEP_COLUMNS) {
                    v = next(v, line, left + 3u * MOVE, inside);
                    sum0 = fma(tap(weights, above, c - 3u * STEP_COLUMNS), v, sum0);
                    if (HELD > 1u) { sum1 = fma(tap(weights, above + STEP_ROWS, c - 3u * STEP_COLUMNS), v, sum1); }
                    if (HELD > 2u) { sum2 = fma(tap(weights, above + 2u * STEP_ROWS, c - 3u * STEP_COLUMNS), v, sum2); }
                    if (HELD > 3u) { sum3 = fma(tap(weights, above + 3u * STEP_ROWS, c - 3u * STEP_COLUMNS), v, sum3); }
                }
                if (COLUMNS > 4u * STEP_COLUMNS) {
                    v = next(v, line, left + 4u * MOVE, inside);
                    sum0 = fma(tap(weights, above, c - 4u * STEP_COLUMNS), v, sum0);
                    if (HELD > 1u) { sum1 = fma(tap(weights, above + STEP_ROWS, c - 4u * STEP_COLUMNS), v, sum1); }
                    if (HELD > 2u) { sum2 = fma(tap(weights, above + 2u * STEP_ROWS, c - 4u * STEP_COLUMNS), v, sum2); }
                    if (HELD > 3u) { sum3 = fma(tap(weights, above + 3u * STEP_ROWS, c - 4u * STEP_COLUMNS), v, sum3); }
                }
                for (var s = 5u; s * STEP_COLUMNS < COLUMNS; s++) {
                    v = next(v, line, left + s * MOVE, inside);
                    sum0 = fma(tap(weights, above, c - s * STEP_COLUMNS), v, sum0);
                    if (HELD > 1u) { sum1 = fma(tap(weights, above + STEP_ROWS, c - s * STEP_COLUMNS), v, sum1); }
                    if (HELD > 2u) { sum2 = fma(tap(weights, above + 2u * STEP_ROWS, c - s * STEP_COLUMNS), v, sum2); }
                    if (HELD > 3u) { sum3 = fma(tap(weights, above + 3u * STEP_ROWS, c - s * STEP_COLUMNS), v, sum3); }
                }
            }
        }
        if (base + lane >= count) { return; }
        let to = p.input + plane * p.height * p.width;
        let to_row = first_row + row * STRIDE_ROWS;
        let to_column = first_column + column * STRIDE_COLUMNS;
        store(to, to_row, to_column, sum0);
        if (HELD > 1u) { store(to, to_row + APART * STRIDE_ROWS, to_column, sum1); }
        if (HELD > 2u) { store(to, to_row + 2u * APART * STRIDE_ROWS, to_column, sum2); }
        if (HELD > 3u) { store(to, to_row + 3u * APART * STRIDE_ROWS, to_column, sum3); }
    }
}
