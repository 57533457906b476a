// dw_b[c, r, s] (+)= Σ_{n,i,j} dy[n, b·C + c, i, j] f(x[n, ch, i·stride + r·dilation − pad, j·stride + s·dilation − pad]),
// f as in filter_bank_forward. A workgroup computes up to five weights of one row r of one branch and channel: each
// invocation sums every WORKGROUP-th tile of four neighbouring columns, then a tree in workgroup memory adds them up.
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read> saved: array<f32>;
@group(0) @binding(4) var<storage, read> parameters: array<f32>;
@group(0) @binding(5) var<storage, read_write> dw: array<f32>;
const COLUMNS: u32 = 5u;
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 64u;
var<workgroup> shared_sums: array<f32, WORKGROUP * COLUMNS>;

// With & instead of &&: branches here cost, and some compilers take minutes over them.
fn value(line: u32, column: u32, row_inside: bool, norm: Norm) -> f32 {
    let inside = row_inside & (column < p.width);
    let v = argument(x[select(0u, line + column, inside)], norm);
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
    return select(0.0, dy[select(0u, at + column, column < count)], column < count);
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

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // The number among the workgroups of a kind, which this is, its planes before, and where its weights lie.
    var part = linear(group, groups);
    var kind = 0u;
    var kernel = KERNEL0;
    var before = 0u;
    var weights = p.weight0;
    var parts = p.branches0 * p.channels * KERNEL0 * ((KERNEL0 + COLUMNS - 1u) / COLUMNS);
    if (part >= parts) {
        part -= parts;
        before += p.branches0 * p.channels;
        kind = 1u;
        kernel = KERNEL1;
        weights = p.weight1;
        parts = p.branches1 * p.channels * KERNEL1 * ((KERNEL1 + COLUMNS - 1u) / COLUMNS);
        if (part >= parts) {
            part -= parts;
            before += p.branches1 * p.channels;
            kind = 2u;
            kernel = KERNEL2;
            weights = p.weight2;
            parts = p.branches2 * p.channels * KERNEL2 * ((KERNEL2 + COLUMNS - 1u) / COLUMNS);
            if (part >= parts) {
                part -= parts;
                before += p.branches2 * p.channels;
                kind = 3u;
                kernel = KERNEL3;
                weights = p.weight3;
                parts = p.branches3 * p.channels * KERNEL3 * ((KERNEL3 + COLUMNS - 1u) / COLUMNS);
            }
        }
    }
    if (part >= parts) { return; }
    let blocks = (kernel + COLUMNS - 1u) / COLUMNS;
    let s = part % blocks * COLUMNS;
    let line = part / blocks;
    let r = line % kernel;
    let plane = line / kernel;
    let to_plane = before + plane;
    var from_plane = to_plane;
    if (p.shared_ != 0u) { from_plane = to_plane % p.channels; }
    var total: Sums;
    switch (kind) {
        case 0u: { total = window(KERNEL0, DILATION0, from_plane, to_plane, r, s, lane); }
        case 1u: { total = window(KERNEL1, DILATION1, from_plane, to_plane, r, s, lane); }
        case 2u: { total = window(KERNEL2, DILATION2, from_plane, to_plane, r, s, lane); }
        default: { total = window(KERNEL3, DILATION3, from_plane, to_plane, r, s, lane); }
    }
    shared_sums[lane] = total.a;
    shared_sums[WORKGROUP + lane] = total.b;
    shared_sums[2u * WORKGROUP + lane] = total.c;
    shared_sums[3u * WORKGROUP + lane] = total.d;
    shared_sums[4u * WORKGROUP + lane] = total.e;
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
        let to = weights + line * kernel + s + c;
        let sum = shared_sums[c * WORKGROUP];
        if (p.accumulate != 0u) { dw[to] += sum; } else { dw[to] = sum; }
    }
}
