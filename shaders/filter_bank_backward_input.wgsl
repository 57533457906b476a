// dx[n, ch, i, j] (+)= [the ReLU's argument > 0] Σ over the branches b that read channel ch, over r, s, of
// w_b[c, r, s] dy[n, b·C + c, (i + pad − r·dilation) / stride, (j + pad − s·dilation) / stride],
// where the divisions leave no remainder. Which taps these are depends only on i and j modulo the stride, the phase: of
// a kind, every SHIFT-th tap counts and the next one reads dy APART rows (or columns) before. An invocation computes
// tiles of one phase: four columns (of the phase) times HELD neighbouring rows, with WALK up to ROWS (STRIDE 1, HELD a
// multiple of APART); a workgroup takes WORKGROUP · TILES tiles of one channel and phase.
override WORKGROUP: u32 = 64;
override HELD: u32 = 1;
override WALK: u32 = 0;

// What lies outside is 0. With & instead of &&: branches here cost, and some compilers take minutes over them.
fn value(line: u32, column: u32, row_inside: bool) -> f32 {
    let inside = row_inside & (column < p.out_width);
    // What lies elsewhere is read, but not used.
    return select(0.0, dy[line + column], inside);
}

// What the four columns read for a tap, the first of them at `at`.
fn four(line: u32, at: u32, inside: bool) -> vec4<f32> {
    return vec4(value(line, at, inside), value(line, at + 1u, inside),
                value(line, at + 2u, inside), value(line, at + 3u, inside));
}

// The same for the tap that counts next.
fn next(v: vec4<f32>, line: u32, at: u32, inside: bool, apart: u32) -> vec4<f32> {
    if (apart == 1u) { return vec4(v.yzw, value(line, at + 3u, inside)); }
    if (apart == 2u) { return vec4(v.zw, value(line, at + 2u, inside), value(line, at + 3u, inside)); }
    return four(line, at, inside);
}

// A weight; 0 for taps that the window doesn't have.
fn tap(weights: u32, kernel: u32, r: u32, c: u32) -> vec4<f32> {
    let inside = (r < kernel) & (c < kernel);
    return vec4(select(0.0, w[select(weights, weights + r * kernel + c, inside)], inside));
}

// Sums of four rows.
struct Rows { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32> }

// The windows of one branch, for `held` rows `apart` from one another, the first of which meets its last tap, (r, c),
// at (row, left) of plane `image` of dy. Held to apart are constants.
fn windows(held: u32, kernel: u32, shift: u32, apart: u32, weights: u32, image: u32, row: u32, left: u32,
           r: u32, c: u32) -> Rows {
    var sums = Rows(vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
    for (var t = 0u; t < (kernel + shift - 1u) / shift + held - 1u; t++) {
        let y = row + t * apart;
        let inside = y < p.out_height;
        let line = image + y * p.out_width;
        let above = r - t * shift;
        var v = four(line, left, inside);
        sums.a = fma(tap(weights, kernel, above, c), v, sums.a);
        if (held > 1u) { sums.b = fma(tap(weights, kernel, above + shift, c), v, sums.b); }
        if (held > 2u) { sums.c = fma(tap(weights, kernel, above + 2u * shift, c), v, sums.c); }
        if (held > 3u) { sums.d = fma(tap(weights, kernel, above + 3u * shift, c), v, sums.d); }
        if (kernel > 1u * shift) {
            let s = c - 1u * shift;
            v = next(v, line, left + 1u * apart, inside, apart);
            sums.a = fma(tap(weights, kernel, above, s), v, sums.a);
            if (held > 1u) { sums.b = fma(tap(weights, kernel, above + shift, s), v, sums.b); }
            if (held > 2u) { sums.c = fma(tap(weights, kernel, above + 2u * shift, s), v, sums.c); }
            if (held > 3u) { sums.d = fma(tap(weights, kernel, above + 3u * shift, s), v, sums.d); }
        }
        if (kernel > 2u * shift) {
            let s = c - 2u * shift;
            v = next(v, line, left + 2u * apart, inside, apart);
            sums.a = fma(tap(weights, kernel, above, s), v, sums.a);
            if (held > 1u) { sums.b = fma(tap(weights, kernel, above + shift, s), v, sums.b); }
            if (held > 2u) { sums.c = fma(tap(weights, kernel, above + 2u * shift, s), v, sums.c); }
            if (held > 3u) { sums.d = fma(tap(weights, kernel, above + 3u * shift, s), v, sums.d); }
        }
        if (kernel > 3u * shift) {
            let s = c - 3u * shift;
            v = next(v, line, left + 3u * apart, inside, apart);
            sums.a = fma(tap(weights, kernel, above, s), v, sums.a);
            if (held > 1u) { sums.b = fma(tap(weights, kernel, above + shift, s), v, sums.b); }
            if (held > 2u) { sums.c = fma(tap(weights, kernel, above + 2u * shift, s), v, sums.c); }
            if (held > 3u) { sums.d = fma(tap(weights, kernel, above + 3u * shift, s), v, sums.d); }
        }
        for (var m = 4u; m * shift < kernel; m++) {
            let s = c - m * shift;
            v = next(v, line, left + m * apart, inside, apart);
            sums.a = fma(tap(weights, kernel, above, s), v, sums.a);
            if (held > 1u) { sums.b = fma(tap(weights, kernel, above + shift, s), v, sums.b); }
            if (held > 2u) { sums.c = fma(tap(weights, kernel, above + 2u * shift, s), v, sums.c); }
            if (held > 3u) { sums.d = fma(tap(weights, kernel, above + 3u * shift, s), v, sums.d); }
        }
    }
    return sums;
}

// The last tap of a window that pixels `place` (with padding) meet, or `kernel` if there is none.
fn last(place: i32, kernel: u32, shift: u32, dilation: u32) -> u32 {
    if (STRIDE == 1u) { return kernel - 1u; }
    var met = kernel;
    for (var tap = kernel - min(shift, kernel); tap < kernel; tap++) {
        if ((place - i32(tap * dilation)) % i32(STRIDE) == 0) { met = tap; }
    }
    return met;
}

// `to` plus the windows of the branches of a kind whose weights begin at `weights` and whose planes of dy at `image`.
fn branches(to: Rows, kernel: u32, dilation: u32, shift: u32, apart: u32, count: u32, weights: u32, image: u32,
            phase: vec2<u32>, row: u32, column: u32) -> Rows {
    var sums = to;
    if (kernel == 0u) { return sums; }
    let y = i32(phase.x + dilation * (kernel - 1u) / 2u);
    let x = i32(phase.y + dilation * (kernel - 1u) / 2u);
    let r = last(y, kernel, shift, dilation);
    let c = last(x, kernel, shift, dilation);
    if (r == kernel || c == kernel) { return sums; }
    // Unsigned: what lies before the image is a huge number.
    let top = row + u32((y - i32(r * dilation)) / i32(STRIDE));
    let left = column + u32((x - i32(c * dilation)) / i32(STRIDE));
    for (var b = 0u; b < count; b++) {
        let at = weights + b * p.channels * kernel * kernel;
        let from_plane = image + b * p.channels * p.out_height * p.out_width;
        if (apart == 1u) {
            let rows = windows(HELD, kernel, shift, apart, at, from_plane, top, left, r, c);
            sums = Rows(sums.a + rows.a, sums.b + rows.b, sums.c + rows.c, sums.d + rows.d);
        } else if (apart == 2u) {
            let pair = (HELD + 1u) / 2u;
            let even = windows(pair, kernel, shift, apart, at, from_plane, top, left, r, c);
            sums.a += even.a;
            sums.c += even.b;
            if (HELD > 1u) {
                let odd = windows(pair, kernel, shift, apart, at, from_plane, top + 1u, left, r, c);
                sums.b += odd.a;
                sums.d += odd.b;
            }
        } else {
            sums.a += windows(1u, kernel, shift, apart, at, from_plane, top, left, r, c).a;
            if (HELD > 1u) { sums.b += windows(1u, kernel, shift, apart, at, from_plane, top + 1u, left, r, c).a; }
            if (HELD > 2u) { sums.c += windows(1u, kernel, shift, apart, at, from_plane, top + 2u, left, r, c).a; }
            if (HELD > 3u) { sums.d += windows(1u, kernel, shift, apart, at, from_plane, top + 3u, left, r, c).a; }
        }
    }
    return sums;
}

// Sums of a tile's rows, with WALK. In memory, because a software driver takes long to compile so many values under way.
const ROWS: u32 = 32u;
var<private> sums: array<vec4<f32>, ROWS>;

// As branches, by walking.
fn walk(kernel: u32, dilation: u32, count: u32, weights: u32, image: u32, row: u32, column: u32) {
    if (kernel == 0u) { return; }
    let pad = dilation * (kernel - 1u) / 2u;
    // Unsigned: what lies before the image is a huge number.
    let left = column - pad;
    for (var b = 0u; b < count; b++) {
        load_taps(weights + b * p.channels * kernel * kernel, kernel, true);
        let plane = image + b * p.channels * p.out_height * p.out_width;
        for (var phase = 0u; phase < dilation; phase++) {
            var y = row + phase - pad;
            var results = Results();
            for (var t = 0u; t < HELD / dilation + kernel - 1u; t++) {
                results = onward(results);
                let inside = y < p.out_height;
                let line = plane + y * p.out_width;
                var v = four(line, left, inside);
                results = meet(kernel, results, 0u, v);
                if (kernel > 1u) {
                    v = next(v, line, left + dilation, inside, dilation);
                    results = meet(kernel, results, 1u, v);
                }
                if (kernel > 2u) {
                    v = next(v, line, left + 2u * dilation, inside, dilation);
                    results = meet(kernel, results, 2u, v);
                }
                if (kernel > 3u) {
                    v = next(v, line, left + 3u * dilation, inside, dilation);
                    results = meet(kernel, results, 3u, v);
                }
                if (kernel > 4u) {
                    v = next(v, line, left + 4u * dilation, inside, dilation);
                    results = meet(kernel, results, 4u, v);
                }
                y += dilation;
                if (t + 1u >= kernel) { sums[phase + (t + 1u - kernel) * dilation] += finished(kernel, results); }
            }
        }
    }
}

fn put(to: u32, v: f32, passes: bool) {
    // What was there is read apart: what is stored twice is compiled twice.
    var before = 0.0;
    if (p.accumulate != 0u) { before = dx[to]; }
    dx[to] = before + select(0.0, v, passes);
}

fn store(from_plane: u32, to_plane: u32, row: u32, column: u32, v: vec4<f32>, norm: Norm) {
    if (row >= p.height || column >= p.width) { return; }
    let from_pixel = from_plane + row * p.width + column;
    let to = to_plane + row * p.width + column;
    let n = p.width - column;
    put(to, v.x, argument(x[from_pixel], norm) > 0.0);
    if (n > STRIDE) { put(to + STRIDE, v.y, argument(x[from_pixel + STRIDE], norm) > 0.0); }
    if (n > 2u * STRIDE) { put(to + 2u * STRIDE, v.z, argument(x[from_pixel + 2u * STRIDE], norm) > 0.0); }
    if (n > 3u * STRIDE) { put(to + 3u * STRIDE, v.w, argument(x[from_pixel + 3u * STRIDE], norm) > 0.0); }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let across = (p.width + 4u * STRIDE - 1u) / (4u * STRIDE);
    let rows = (p.height + STRIDE - 1u) / STRIDE;
    let tiles = across * ((rows + HELD - 1u) / HELD);
    let count = tiles * p.batch;
    let chunks = (count + WORKGROUP * TILES - 1u) / (WORKGROUP * TILES);
    let number = linear(group, groups);
    let part = number / chunks;
    let phase = vec2(part % (STRIDE * STRIDE) / STRIDE, part % STRIDE);
    let channel = part / (STRIDE * STRIDE);
    let end0 = p.branches0 * p.channels;
    let end1 = end0 + p.branches1 * p.channels;
    let end2 = end1 + p.branches2 * p.channels;
    let end3 = end2 + p.branches3 * p.channels;
    // Branches of each kind that read the channel, and the first one's plane in the kind.
    var branches0 = p.branches0;
    var branches1 = p.branches1;
    var branches2 = p.branches2;
    var branches3 = p.branches3;
    var first0 = channel;
    var first1 = channel;
    var first2 = channel;
    var first3 = channel;
    var planes = p.channels;
    if (p.shared_input == 0u) {
        branches0 = select(0u, 1u, channel < end0);
        branches1 = select(0u, 1u, channel >= end0 && channel < end1);
        branches2 = select(0u, 1u, channel >= end1 && channel < end2);
        branches3 = select(0u, 1u, channel >= end2);
        first1 -= end0;
        first2 -= end1;
        first3 -= end2;
        planes = end3;
    }
    if (channel >= planes) { return; }
    let norm = norm_of(channel);
    let out_pixels = p.out_height * p.out_width;
    let first = number % chunks * (WORKGROUP * TILES);
    let end = min(first + WORKGROUP * TILES, count);
    for (var base = first; base < end; base += WORKGROUP) {
        // Lanes beyond the last tile repeat it, so that the loop is the same for all; they don't store.
        let i = min(base + lane, count - 1u);
        let n = i / tiles;
        let tile = i - n * tiles;
        let strip = tile / across;
        let column = (tile - strip * across) * 4u;
        let row = strip * HELD;
        let image = p.output + n * p.out_channels * out_pixels;
        let pixels = p.height * p.width;
        let from_plane = p.input + (n * p.in_channels + channel) * pixels;
        let to_plane = p.gradient + (n * planes + channel) * pixels;
        let to_row = phase.x + row * STRIDE;
        let to_column = phase.y + column * STRIDE;
        let image0 = image + first0 * out_pixels;
        let image1 = image + (end0 + first1) * out_pixels;
        let image2 = image + (end1 + first2) * out_pixels;
        let image3 = image + (end2 + first3) * out_pixels;
        if (WALK != 0u) {
            for (var r = 0u; r < HELD; r++) { sums[r] = vec4(0.0); }
            walk(KERNEL0, DILATION0, branches0, p.weight0 + first0 * KERNEL0 * KERNEL0, image0, row, column);
            walk(KERNEL1, DILATION1, branches1, p.weight1 + first1 * KERNEL1 * KERNEL1, image1, row, column);
            walk(KERNEL2, DILATION2, branches2, p.weight2 + first2 * KERNEL2 * KERNEL2, image2, row, column);
            walk(KERNEL3, DILATION3, branches3, p.weight3 + first3 * KERNEL3 * KERNEL3, image3, row, column);
            if (base + lane >= count) { return; }
            // Not from 0 to a constant: compilers would write the loop out.
            for (var r = row; r < min(row + HELD, p.height); r++) {
                store(from_plane, to_plane, r, to_column, sums[r - row], norm);
            }
            continue;
        }
        var sums = Rows(vec4(0.0), vec4(0.0), vec4(0.0), vec4(0.0));
        sums = branches(sums, KERNEL0, DILATION0, SHIFT0, APART0, branches0, p.weight0 + first0 * KERNEL0 * KERNEL0,
                        image0, phase, row, column);
        sums = branches(sums, KERNEL1, DILATION1, SHIFT1, APART1, branches1, p.weight1 + first1 * KERNEL1 * KERNEL1,
                        image1, phase, row, column);
        sums = branches(sums, KERNEL2, DILATION2, SHIFT2, APART2, branches2, p.weight2 + first2 * KERNEL2 * KERNEL2,
                        image2, phase, row, column);
        sums = branches(sums, KERNEL3, DILATION3, SHIFT3, APART3, branches3, p.weight3 + first3 * KERNEL3 * KERNEL3,
                        image3, phase, row, column);
        if (base + lane >= count) { return; }
        store(from_plane, to_plane, to_row, to_column, sums.a, norm);
        if (HELD > 1u) { store(from_plane, to_plane, to_row + STRIDE, to_column, sums.b, norm); }
        if (HELD > 2u) { store(from_plane, to_plane, to_row + 2u * STRIDE, to_column, sums.c, norm); }
        if (HELD > 3u) { store(from_plane, to_plane, to_row + 3u * STRIDE, to_column, sums.d, norm); }
    }
}
