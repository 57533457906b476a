// y[n, c, y, x] (+)= Σ_{r,s} w[c, r, s] x[n, c, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left] + bias[c],
// within bounds if there are any; reads outside the image are 0. An invocation computes tiles of four neighbouring columns times HELD rows, APART
// from one another so that they share the rows they read: a row is loaded once, its columns slide through a
// register, and each held row takes them with another row of weights. The tiles of one channel lie in a line, image
// after image, and a workgroup takes WORKGROUP · TILES of them, so that its weights are the same for all lanes.
// Written out instead of in arrays and loops, which a software driver keeps in memory.
override WORKGROUP: u32 = 64;
override ROWS: u32 = 3;
override COLUMNS: u32 = 3;
override STRIDE_ROWS: u32 = 1;
override STRIDE_COLUMNS: u32 = 1;
override DILATION_ROWS: u32 = 1;
override DILATION_COLUMNS: u32 = 1;
override HELD: u32 = 1;
// Two rows of y this far apart read rows of x that are SHIFT taps apart.
override APART: u32 = 1;
override SHIFT: u32 = 1;

// What lies outside is 0. With & instead of &&: branches here cost, and some compilers take minutes over them.
fn value(line: u32, column: u32, row_inside: bool) -> f32 {
    let inside = row_inside & (column < p.width);
    return select(0.0, x[select(0u, line + column, inside)], inside);
}

// What the four columns read for a tap, whose first column is `at`.
fn four(line: u32, at: u32, inside: bool) -> vec4<f32> {
    return vec4(value(line, at, inside), value(line, at + STRIDE_COLUMNS, inside),
                value(line, at + 2u * STRIDE_COLUMNS, inside), value(line, at + 3u * STRIDE_COLUMNS, inside));
}

// The same for the tap after that which read `v`.
fn next(v: vec4<f32>, line: u32, at: u32, inside: bool) -> vec4<f32> {
    if (STRIDE_COLUMNS == DILATION_COLUMNS) { return vec4(v.yzw, value(line, at + 3u * STRIDE_COLUMNS, inside)); }
    if (2u * STRIDE_COLUMNS == DILATION_COLUMNS) {
        return vec4(v.zw, value(line, at + 2u * STRIDE_COLUMNS, inside), value(line, at + 3u * STRIDE_COLUMNS, inside));
    }
    return four(line, at, inside);
}

// A weight; 0 for rows that the window doesn't have.
fn tap(weights: u32, r: u32, c: u32) -> vec4<f32> {
    return vec4(select(0.0, w[weights + min(r, ROWS - 1u) * COLUMNS + c], r < ROWS));
}

fn put(at: u32, value: f32) {
    if (p.accumulate != 0u) { y[at] = bounded(y[at] + value); } else { y[at] = bounded(value); }
}

fn store(at: u32, row: u32, column: u32, v: vec4<f32>) {
    if (row >= p.out_height) { return; }
    let to = at + row * p.out_width + column;
    let n = p.out_width - column;
    put(to, v.x);
    if (n > 1u) { put(to + 1u, v.y); }
    if (n > 2u) { put(to + 2u, v.z); }
    if (n > 3u) { put(to + 3u, v.w); }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let across = (p.out_width + 3u) / 4u;
    let down = (p.out_height + HELD * APART - 1u) / (HELD * APART) * APART;
    let tiles = across * down;
    let count = tiles * p.batch;
    let chunks = (count + WORKGROUP * TILES - 1u) / (WORKGROUP * TILES);
    let number = linear(group, groups);
    let channel = number / chunks;
    if (channel >= p.channels) { return; }
    let weights = p.weight + channel * (ROWS * COLUMNS);
    let offset = select(0.0, bias[p.bias + channel], p.has_bias != 0u);
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
        let image = p.input + plane * p.height * p.width;
        // Unsigned: what lies before the image is a huge number.
        let top = row * STRIDE_ROWS - u32(p.pad_top);
        let left = column * STRIDE_COLUMNS - u32(p.pad_left);
        var a = vec4(offset);
        var b = a;
        var c = a;
        var d = a;
        for (var t = 0u; t < ROWS + (HELD - 1u) * SHIFT; t++) {
            let y = top + t * DILATION_ROWS;
            let inside = y < p.height;
            let line = image + y * p.width;
            var v = four(line, left, inside);
            a = fma(tap(weights, t, 0u), v, a);
            if (HELD > 1u) { b = fma(tap(weights, t - SHIFT, 0u), v, b); }
            if (HELD > 2u) { c = fma(tap(weights, t - 2u * SHIFT, 0u), v, c); }
            if (HELD > 3u) { d = fma(tap(weights, t - 3u * SHIFT, 0u), v, d); }
            if (COLUMNS > 1u) {
                v = next(v, line, left + 1u * DILATION_COLUMNS, inside);
                a = fma(tap(weights, t, 1u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, t - SHIFT, 1u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, t - 2u * SHIFT, 1u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, t - 3u * SHIFT, 1u), v, d); }
            }
            if (COLUMNS > 2u) {
                v = next(v, line, left + 2u * DILATION_COLUMNS, inside);
                a = fma(tap(weights, t, 2u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, t - SHIFT, 2u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, t - 2u * SHIFT, 2u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, t - 3u * SHIFT, 2u), v, d); }
            }
            if (COLUMNS > 3u) {
                v = next(v, line, left + 3u * DILATION_COLUMNS, inside);
                a = fma(tap(weights, t, 3u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, t - SHIFT, 3u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, t - 2u * SHIFT, 3u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, t - 3u * SHIFT, 3u), v, d); }
            }
            if (COLUMNS > 4u) {
                v = next(v, line, left + 4u * DILATION_COLUMNS, inside);
                a = fma(tap(weights, t, 4u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, t - SHIFT, 4u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, t - 2u * SHIFT, 4u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, t - 3u * SHIFT, 4u), v, d); }
            }
            for (var s = 5u; s < COLUMNS; s++) {
                v = next(v, line, left + s * DILATION_COLUMNS, inside);
                a = fma(tap(weights, t, s), v, a);
                if (HELD > 1u) { b = fma(tap(weights, t - SHIFT, s), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, t - 2u * SHIFT, s), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, t - 3u * SHIFT, s), v, d); }
            }
        }
        if (base + lane >= count) { return; }
        let to = p.output + plane * p.out_height * p.out_width;
        store(to, row, column, a);
        if (HELD > 1u) { store(to, row + APART, column, b); }
        if (HELD > 2u) { store(to, row + 2u * APART, column, c); }
        if (HELD > 3u) { store(to, row + 3u * APART, column, d); }
    }
}
