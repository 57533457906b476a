// y[n, b·C + c] (+)= Σ_{r,s} w_b[c, r, s] f(x[n, ch, i·stride + r·dilation − pad, j·stride + s·dilation − pad]), f the
// ReLU of x or of its normalised values, 0 outside the image. A workgroup takes WORKGROUP · TILES tiles of one branch
// and channel, image after image, each of four neighbouring columns times HELD rows, APART from one another so that
// they share the rows they read, as in depthwise_conv_forward. With WALK a tile's rows are all those of the plane that
// are a multiple of APART away.
override WORKGROUP: u32 = 64;
override HELD: u32 = 1;
override WALK: u32 = 0;

// With & instead of &&: branches here cost, and some compilers take minutes over them.
fn value(line: u32, column: u32, row_inside: bool, norm: Norm) -> f32 {
    let inside = row_inside & (column < p.width);
    // What lies elsewhere is read, but not used.
    let v = argument(x[line + column], norm);
    // Not max, which may turn a NaN into 0.
    return select(v, 0.0, (v < 0.0) | !inside);
}

// What the four columns read for a tap, whose first column is `at`.
fn four(line: u32, at: u32, inside: bool, norm: Norm) -> vec4<f32> {
    return vec4(value(line, at, inside, norm), value(line, at + STRIDE, inside, norm),
                value(line, at + 2u * STRIDE, inside, norm), value(line, at + 3u * STRIDE, inside, norm));
}

// The same for the tap after that which read `v`.
fn next(v: vec4<f32>, line: u32, at: u32, inside: bool, norm: Norm, dilation: u32) -> vec4<f32> {
    if (dilation == STRIDE) { return vec4(v.yzw, value(line, at + 3u * STRIDE, inside, norm)); }
    if (dilation == 2u * STRIDE) {
        return vec4(v.zw, value(line, at + 2u * STRIDE, inside, norm), value(line, at + 3u * STRIDE, inside, norm));
    }
    return four(line, at, inside, norm);
}

// A weight; 0 for rows that the window doesn't have.
fn tap(weights: u32, kernel: u32, r: u32, c: u32) -> vec4<f32> {
    return vec4(select(0.0, w[weights + min(r, kernel - 1u) * kernel + c], r < kernel));
}

fn store(at: u32, row: u32, column: u32, v: vec4<f32>) {
    if (row >= p.out_height) { return; }
    let to = at + row * p.out_width + column;
    let n = p.out_width - column;
    // What was there is read apart: what is stored twice is compiled twice.
    var before = vec4(0.0);
    if (p.accumulate != 0u) {
        let last = to + min(n, 4u) - 1u;
        before = vec4(y[to], y[min(to + 1u, last)], y[min(to + 2u, last)], y[last]);
    }
    y[to] = before.x + v.x;
    if (n > 1u) { y[to + 1u] = before.y + v.y; }
    if (n > 2u) { y[to + 2u] = before.z + v.z; }
    if (n > 3u) { y[to + 3u] = before.w + v.w; }
}

// Tiles of one channel and image.
fn tiles(apart: u32) -> u32 {
    if (WALK != 0u) { return (p.out_width + 3u) / 4u * apart; }
    return (p.out_width + 3u) / 4u * ((p.out_height + HELD * apart - 1u) / (HELD * apart) * apart);
}

// The tiles from `first` on of plane `to` of y. Kernel to apart are constants, by kind.
fn filters(kernel: u32, dilation: u32, shift: u32, apart: u32, weights: u32, to_plane: u32, lane: u32, first: u32) {
    let across = (p.out_width + 3u) / 4u;
    let tiles = tiles(apart);
    let count = tiles * p.batch;
    let end = min(first + WORKGROUP * TILES, count);
    var from_plane = to_plane;
    if (p.shared_input != 0u) { from_plane = to_plane % p.channels; }
    let norm = norm_of(from_plane);
    let pad = dilation * (kernel - 1u) / 2u;
    for (var base = first; base < end; base += WORKGROUP) {
        // Lanes beyond the last tile repeat it, so that the loop is the same for all; they don't store.
        let i = min(base + lane, count - 1u);
        let n = i / tiles;
        let tile = i - n * tiles;
        let strip = tile / across;
        let column = (tile - strip * across) * 4u;
        let row = strip / apart * (HELD * apart) + strip % apart;
        let image = p.input + (n * p.in_channels + from_plane) * p.height * p.width;
        // Unsigned: what lies before the image is a huge number.
        let top = row * STRIDE - pad;
        let left = column * STRIDE - pad;
        var a = vec4(0.0);
        var b = a;
        var c = a;
        var d = a;
        for (var t = 0u; t < kernel + (HELD - 1u) * shift; t++) {
            let y = top + t * dilation;
            let inside = y < p.height;
            let line = image + y * p.width;
            var v = four(line, left, inside, norm);
            a = fma(tap(weights, kernel, t, 0u), v, a);
            if (HELD > 1u) { b = fma(tap(weights, kernel, t - shift, 0u), v, b); }
            if (HELD > 2u) { c = fma(tap(weights, kernel, t - 2u * shift, 0u), v, c); }
            if (HELD > 3u) { d = fma(tap(weights, kernel, t - 3u * shift, 0u), v, d); }
            if (kernel > 1u) {
                v = next(v, line, left + 1u * dilation, inside, norm, dilation);
                a = fma(tap(weights, kernel, t, 1u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, kernel, t - shift, 1u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, kernel, t - 2u * shift, 1u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, kernel, t - 3u * shift, 1u), v, d); }
            }
            if (kernel > 2u) {
                v = next(v, line, left + 2u * dilation, inside, norm, dilation);
                a = fma(tap(weights, kernel, t, 2u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, kernel, t - shift, 2u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, kernel, t - 2u * shift, 2u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, kernel, t - 3u * shift, 2u), v, d); }
            }
            if (kernel > 3u) {
                v = next(v, line, left + 3u * dilation, inside, norm, dilation);
                a = fma(tap(weights, kernel, t, 3u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, kernel, t - shift, 3u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, kernel, t - 2u * shift, 3u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, kernel, t - 3u * shift, 3u), v, d); }
            }
            if (kernel > 4u) {
                v = next(v, line, left + 4u * dilation, inside, norm, dilation);
                a = fma(tap(weights, kernel, t, 4u), v, a);
                if (HELD > 1u) { b = fma(tap(weights, kernel, t - shift, 4u), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, kernel, t - 2u * shift, 4u), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, kernel, t - 3u * shift, 4u), v, d); }
            }
            for (var s = 5u; s < kernel; s++) {
                v = next(v, line, left + s * dilation, inside, norm, dilation);
                a = fma(tap(weights, kernel, t, s), v, a);
                if (HELD > 1u) { b = fma(tap(weights, kernel, t - shift, s), v, b); }
                if (HELD > 2u) { c = fma(tap(weights, kernel, t - 2u * shift, s), v, c); }
                if (HELD > 3u) { d = fma(tap(weights, kernel, t - 3u * shift, s), v, d); }
            }
        }
        if (base + lane >= count) { return; }
        let to = p.output + (n * p.out_channels + to_plane) * p.out_height * p.out_width;
        store(to, row, column, a);
        if (HELD > 1u) { store(to, row + apart, column, b); }
        if (HELD > 2u) { store(to, row + 2u * apart, column, c); }
        if (HELD > 3u) { store(to, row + 3u * apart, column, d); }
    }
}

// As filters, by walking.
fn walk(kernel: u32, dilation: u32, apart: u32, weights: u32, to_plane: u32, lane: u32, first: u32) {
    let across = (p.out_width + 3u) / 4u;
    let tiles = tiles(apart);
    let count = tiles * p.batch;
    let end = min(first + WORKGROUP * TILES, count);
    let rows = (p.out_height + apart - 1u) / apart;
    var from_plane = to_plane;
    if (p.shared_input != 0u) { from_plane = to_plane % p.channels; }
    let norm = norm_of(from_plane);
    let pad = dilation * (kernel - 1u) / 2u;
    load_taps(weights, kernel, false);
    for (var base = first; base < end; base += WORKGROUP) {
        let i = min(base + lane, count - 1u);
        let n = i / tiles;
        let tile = i - n * tiles;
        let row = tile / across;
        let column = (tile - row * across) * 4u;
        let image = p.input + (n * p.in_channels + from_plane) * p.height * p.width;
        let to = p.output + (n * p.out_channels + to_plane) * p.out_height * p.out_width;
        let left = column * STRIDE - pad;
        var y = row * STRIDE - pad;
        var results = Results();
        for (var t = 0u; t < rows + kernel - 1u; t++) {
            results = onward(results);
            let inside = y < p.height;
            let line = image + y * p.width;
            var v = four(line, left, inside, norm);
            results = meet(kernel, results, 0u, v);
            if (kernel > 1u) {
                v = next(v, line, left + dilation, inside, norm, dilation);
                results = meet(kernel, results, 1u, v);
            }
            if (kernel > 2u) {
                v = next(v, line, left + 2u * dilation, inside, norm, dilation);
                results = meet(kernel, results, 2u, v);
            }
            if (kernel > 3u) {
                v = next(v, line, left + 3u * dilation, inside, norm, dilation);
                results = meet(kernel, results, 3u, v);
            }
            if (kernel > 4u) {
                v = next(v, line, left + 4u * dilation, inside, norm, dilation);
                results = meet(kernel, results, 4u, v);
            }
            y += dilation;
            if (t + 1u >= kernel && base + lane < count) {
                store(to, row + (t + 1u - kernel) * apart, column, finished(kernel, results));
            }
        }
    }
}

// One kind's tiles from `first` on.
fn kind(kernel: u32, dilation: u32, shift: u32, apart: u32, weights: u32, to_plane: u32, lane: u32, first: u32) {
    if (WALK != 0u) {
        walk(kernel, dilation, apart, weights, to_plane, lane, first);
    } else {
        filters(kernel, dilation, shift, apart, weights, to_plane, lane, first);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // Of the kinds that have branches.
    var most = select(0u, tiles(APART0), p.branches0 > 0u);
    most = max(most, select(0u, tiles(APART1), p.branches1 > 0u));
    most = max(most, select(0u, tiles(APART2), p.branches2 > 0u));
    most = max(most, select(0u, tiles(APART3), p.branches3 > 0u));
    let chunks = (most * p.batch + WORKGROUP * TILES - 1u) / (WORKGROUP * TILES);
    let number = linear(group, groups);
    let plane = number / chunks;
    let first = number % chunks * (WORKGROUP * TILES);
    // Planes of y before the second, third and fourth kind, and of all kinds.
    let end0 = p.branches0 * p.channels;
    let end1 = end0 + p.branches1 * p.channels;
    let end2 = end1 + p.branches2 * p.channels;
    let end3 = end2 + p.branches3 * p.channels;
    if (plane < end0) {
        kind(KERNEL0, DILATION0, SHIFT0, APART0, p.weight0 + plane * KERNEL0 * KERNEL0, plane, lane, first);
    } else if (plane < end1) {
        kind(KERNEL1, DILATION1, SHIFT1, APART1, p.weight1 + (plane - end0) * KERNEL1 * KERNEL1, plane, lane, first);
    } else if (plane < end2) {
        kind(KERNEL2, DILATION2, SHIFT2, APART2, p.weight2 + (plane - end1) * KERNEL2 * KERNEL2, plane, lane, first);
    } else if (plane < end3) {
        kind(KERNEL3, DILATION3, SHIFT3, APART3, p.weight3 + (plane - end2) * KERNEL3 * KERNEL3, plane, lane, first);
    }
}
