// dw_b[c, r, s] (+)= Σ_{n,i,j} dy[n, b·C + c, i, j] f(x[n, ch, i·stride + r·dilation − pad, j·stride + s·dilation − pad]),
// f as in filter_bank_forward. A workgroup computes up to five weights of one row r of one branch and channel or, with
// WHOLE, all of a window of at most five rows and columns: then rows of dy share the rows of x that they meet, each of
// which is loaded once. Each invocation sums every WORKGROUP-th tile of four neighbouring columns, then workgroup
// memory brings them together.
const COLUMNS: u32 = 5u;
// Only where SHIFT is 1 for every kind.
const WHOLE: bool = SUMS > COLUMNS;
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 64u;
var<workgroup> shared_sums: array<f32, WORKGROUP * SUMS>;

// With & instead of &&: branches here cost, and some compilers take minutes over them.
fn value(line: u32, column: u32, row_inside: bool, norm: Norm) -> f32 {
    let inside = row_inside & (column < p.width);
    // What lies elsewhere is read, but not used.
    let v = argument(x[line + column], norm);
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

// Sums of one invocation, for five weights.
struct Sums { a: f32, b: f32, c: f32, d: f32, e: f32 }

fn sum(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

fn gradient(at: u32, count: u32, column: u32) -> f32 {
    return select(0.0, dy[at + column], column < count);
}

fn add(a: Sums, b: Sums) -> Sums { return Sums(a.a + b.a, a.b + b.b, a.c + b.c, a.d + b.d, a.e + b.e); }

// What the taps of a row meet.
struct Line { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>, e: vec4<f32> }

// Sums of five rows.
struct Rows { a: Sums, b: Sums, c: Sums, d: Sums, e: Sums }

fn meet(kernel: u32, to: Sums, g: vec4<f32>, v: Line) -> Sums {
    var sums = to;
    sums.a += dot(g, v.a);
    if (kernel > 1u) { sums.b += dot(g, v.b); }
    if (kernel > 2u) { sums.c += dot(g, v.c); }
    if (kernel > 3u) { sums.d += dot(g, v.d); }
    if (kernel > 4u) { sums.e += dot(g, v.e); }
    return sums;
}

// All rows of the window between planes `from_plane` of x and `to_plane` of dy. Tiles are columns of rows of dy `apart`
// from one another: the j-th of them meets, at row r of the window, row j + r of those of x, a dilation from one another.
fn whole(kernel: u32, dilation: u32, apart: u32, from_plane: u32, to_plane: u32, lane: u32) -> Rows {
    var total = Rows();
    let across = (p.out_width + 3u) / 4u;
    let tiles = across * apart;
    let count = tiles * p.batch;
    let rows = (p.out_height + apart - 1u) / apart;
    let norm = norm_of(from_plane);
    let pad = dilation * (kernel - 1u) / 2u;
    for (var i = lane; i < count; i += WORKGROUP) {
        let n = i / tiles;
        let tile = i - n * tiles;
        let first = tile / across;
        let column = (tile - first * across) * 4u;
        let from_dy = p.output + (n * p.out_channels + to_plane) * p.out_height * p.out_width;
        let image = p.input + (n * p.in_channels + from_plane) * p.height * p.width;
        // Unsigned: what lies before the image is a huge number.
        let left = column * STRIDE - pad;
        var y = first * STRIDE - pad;
        var s = Rows();
        // Rows of dy, the newest first: a loaded one meets the window's rows one after the other.
        var g0 = vec4(0.0);
        var g1 = g0;
        var g2 = g0;
        var g3 = g0;
        var g4 = g0;
        for (var t = 0u; t < rows + kernel - 1u; t++) {
            g4 = g3;
            g3 = g2;
            g2 = g1;
            g1 = g0;
            g0 = gradients(from_dy, first + t * apart, column);
            let v = line_of(kernel, dilation, image, y, left, norm);
            s.a = meet(kernel, s.a, g0, v);
            if (kernel > 1u) { s.b = meet(kernel, s.b, g1, v); }
            if (kernel > 2u) { s.c = meet(kernel, s.c, g2, v); }
            if (kernel > 3u) { s.d = meet(kernel, s.d, g3, v); }
            if (kernel > 4u) { s.e = meet(kernel, s.e, g4, v); }
            y += dilation;
        }
        total = Rows(add(total.a, s.a), add(total.b, s.b), add(total.c, s.c), add(total.d, s.d), add(total.e, s.e));
    }
    return total;
}

fn gradients(plane: u32, row: u32, column: u32) -> vec4<f32> {
    let at = plane + row * p.out_width;
    // Of a row below the image nothing counts.
    let count = select(0u, p.out_width, row < p.out_height);
    return vec4(gradient(at, count, column), gradient(at, count, column + 1u), gradient(at, count, column + 2u),
                gradient(at, count, column + 3u));
}

fn line_of(kernel: u32, dilation: u32, image: u32, y: u32, left: u32, norm: Norm) -> Line {
    let inside = y < p.height;
    let line = image + y * p.width;
    var v = Line();
    v.a = four(line, left, inside, norm);
    if (kernel > 1u) { v.b = next(v.a, line, left + dilation, inside, norm, dilation); }
    if (kernel > 2u) { v.c = next(v.b, line, left + 2u * dilation, inside, norm, dilation); }
    if (kernel > 3u) { v.d = next(v.c, line, left + 3u * dilation, inside, norm, dilation); }
    if (kernel > 4u) { v.e = next(v.d, line, left + 4u * dilation, inside, norm, dilation); }
    return v;
}

// Row r, from tap s on, of the window between planes `from_plane` of x and `to_plane` of dy.
fn window(kernel: u32, dilation: u32, from_plane: u32, to_plane: u32, r: u32, s: u32, lane: u32) -> Sums {
    var total = Sums(0.0, 0.0, 0.0, 0.0, 0.0);
    let across = (p.out_width + 3u) / 4u;
    let tiles = across * p.out_height;
    let count = tiles * p.batch;
    let norm = norm_of(from_plane);
    let pad = dilation * (kernel - 1u) / 2u;
    for (var chain = lane; chain < count; chain += WORKGROUP * CHAIN) {
        var a = vec4(0.0);
        var b = a;
        var c = a;
        var d = a;
        var e = a;
        let end = min(count, chain + WORKGROUP * CHAIN);
        for (var i = chain; i < end; i += WORKGROUP) {
            let n = i / tiles;
            let tile = i - n * tiles;
            let row = tile / across;
            let column = (tile - row * across) * 4u;
            let from_dy = p.output + ((n * p.out_channels + to_plane) * p.out_height + row) * p.out_width;
            let g = vec4(gradient(from_dy, p.out_width, column), gradient(from_dy, p.out_width, column + 1u),
                         gradient(from_dy, p.out_width, column + 2u), gradient(from_dy, p.out_width, column + 3u));
            // Unsigned: what lies before the image is a huge number.
            let y = row * STRIDE + r * dilation - pad;
            let left = column * STRIDE + s * dilation - pad;
            let inside = y < p.height;
            let line = p.input + ((n * p.in_channels + from_plane) * p.height + y) * p.width;
            var v = four(line, left, inside, norm);
            a = fma(g, v, a);
            if (kernel > 1u) {
                v = next(v, line, left + dilation, inside, norm, dilation);
                b = fma(g, v, b);
            }
            if (kernel > 2u) {
                v = next(v, line, left + 2u * dilation, inside, norm, dilation);
                c = fma(g, v, c);
            }
            if (kernel > 3u) {
                v = next(v, line, left + 3u * dilation, inside, norm, dilation);
                d = fma(g, v, d);
            }
            if (kernel > 4u) {
                v = next(v, line, left + 4u * dilation, inside, norm, dilation);
                e = fma(g, v, e);
            }
        }
        total = Sums(total.a + sum(a), total.b + sum(b), total.c + sum(c), total.d + sum(d), total.e + sum(e));
    }
    return total;
}

// Workgroups of a kind.
fn parts_of(kernel: u32, branches: u32) -> u32 {
    if (WHOLE) { return select(0u, branches * p.channels, kernel > 0u); }
    return branches * p.channels * kernel * ((kernel + COLUMNS - 1u) / COLUMNS);
}

fn leave(lane: u32, first: u32, sums: Sums) {
    let at = first * COLUMNS * WORKGROUP + lane;
    shared_sums[at] = sums.a;
    shared_sums[at + WORKGROUP] = sums.b;
    shared_sums[at + 2u * WORKGROUP] = sums.c;
    shared_sums[at + 3u * WORKGROUP] = sums.d;
    shared_sums[at + 4u * WORKGROUP] = sums.e;
}

fn put(to: u32, sum: f32) {
    if (p.accumulate != 0u) { dw[to] += sum; } else { dw[to] = sum; }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // The number among the workgroups of a kind, which this is, its planes before, and where its weights lie.
    var part = linear(group, groups);
    var kind = 0u;
    var kernel = KERNEL0;
    var before = 0u;
    var weights = p.weight0;
    var parts = parts_of(KERNEL0, p.branches0);
    if (part >= parts) {
        part -= parts;
        before += p.branches0 * p.channels;
        kind = 1u;
        kernel = KERNEL1;
        weights = p.weight1;
        parts = parts_of(KERNEL1, p.branches1);
        if (part >= parts) {
            part -= parts;
            before += p.branches1 * p.channels;
            kind = 2u;
            kernel = KERNEL2;
            weights = p.weight2;
            parts = parts_of(KERNEL2, p.branches2);
            if (part >= parts) {
                part -= parts;
                before += p.branches2 * p.channels;
                kind = 3u;
                kernel = KERNEL3;
                weights = p.weight3;
                parts = parts_of(KERNEL3, p.branches3);
            }
        }
    }
    if (part >= parts) { return; }
    if (WHOLE) {
        let to_plane = before + part;
        let from_plane = select(to_plane, to_plane % p.channels, p.shared_input != 0u);
        var rows: Rows;
        switch (kind) {
            case 0u: { rows = whole(KERNEL0, DILATION0, APART0, from_plane, to_plane, lane); }
            case 1u: { rows = whole(KERNEL1, DILATION1, APART1, from_plane, to_plane, lane); }
            case 2u: { rows = whole(KERNEL2, DILATION2, APART2, from_plane, to_plane, lane); }
            default: { rows = whole(KERNEL3, DILATION3, APART3, from_plane, to_plane, lane); }
        }
        leave(lane, 0u, rows.a);
        leave(lane, 1u, rows.b);
        leave(lane, 2u, rows.c);
        leave(lane, 3u, rows.d);
        leave(lane, 4u, rows.e);
        workgroupBarrier();
        // One barrier: each invocation adds up what the others found of some weights.
        for (var tap = lane; tap < kernel * kernel; tap += WORKGROUP) {
            let at = (tap / kernel * COLUMNS + tap % kernel) * WORKGROUP;
            var sum = 0.0;
            // Not from 0 to a constant: compilers would write the loop out.
            for (var other = at; other < at + WORKGROUP; other++) { sum += shared_sums[other]; }
            put(weights + part * kernel * kernel + tap, sum);
        }
        return;
    }
    let blocks = (kernel + COLUMNS - 1u) / COLUMNS;
    let s = part % blocks * COLUMNS;
    let line = part / blocks;
    let r = line % kernel;
    let plane = line / kernel;
    let to_plane = before + plane;
    var from_plane = to_plane;
    if (p.shared_input != 0u) { from_plane = to_plane % p.channels; }
    var total: Sums;
    switch (kind) {
        case 0u: { total = window(KERNEL0, DILATION0, from_plane, to_plane, r, s, lane); }
        case 1u: { total = window(KERNEL1, DILATION1, from_plane, to_plane, r, s, lane); }
        case 2u: { total = window(KERNEL2, DILATION2, from_plane, to_plane, r, s, lane); }
        default: { total = window(KERNEL3, DILATION3, from_plane, to_plane, r, s, lane); }
    }
    leave(lane, 0u, total);
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            for (var c = 0u; c < COLUMNS; c++) {
                shared_sums[c * WORKGROUP + lane] += shared_sums[c * WORKGROUP + lane + half];
            }
        }
    }
    workgroupBarrier();
    // The last block of a row may be narrower.
    for (var c = lane; c < min(COLUMNS, kernel - s); c += WORKGROUP) {
        put(weights + line * kernel + s + c, shared_sums[c * WORKGROUP]);
    }
}
