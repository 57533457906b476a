// dw[o, c] (+)= Σ_{n,i,j} dy[n, o, i, j] max(x[n, c, 2i + h, 2j + h], 0) with h = (o / block) mod 2; reads outside
// are 0. A workgroup computes 4 × 4 weights of one half (of the outputs with the same h): each invocation sums every
// WORKGROUP-th pixel, then a tree in workgroup memory adds the sums up.
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 128u;
var<workgroup> cells: array<mat4x4<f32>, WORKGROUP>;

// The channel of y that is output `row` of a half.
fn channel(h: u32, row: u32) -> u32 {
    let r = min(row, p.outputs / 2u - 1u);
    return (r / p.block * 2u + h) * p.block + r % p.block;
}

fn put(o: u32, c: u32, v: f32) {
    if (c >= p.inputs) { return; }
    let to = p.weight + o * p.inputs + c;
    if (p.accumulate != 0u) { dw[to] += v; } else { dw[to] = v; }
}

fn store(h: u32, row: u32, c: u32, v: vec4<f32>) {
    if (row >= p.outputs / 2u) { return; }
    let o = channel(h, row);
    put(o, c, v.x);
    put(o, c + 1u, v.y);
    put(o, c + 2u, v.z);
    put(o, c + 3u, v.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.inputs + 3u) / 4u;
    let rows = (p.outputs / 2u + 3u) / 4u;
    let first_c = number % blocks * 4u;
    let first_r = number / blocks % rows * 4u;
    let h = number / blocks / rows;
    if (h > 1u) { return; }
    let across = (p.width + 1u) / 2u;
    let pixels = (p.height + 1u) / 2u * across;
    let columns = p.batch * pixels;
    let plane = p.height * p.width;
    // Channels beyond the last repeat it; they are not stored.
    let o0 = p.output + channel(h, first_r) * pixels;
    let o1 = p.output + channel(h, first_r + 1u) * pixels;
    let o2 = p.output + channel(h, first_r + 2u) * pixels;
    let o3 = p.output + channel(h, first_r + 3u) * pixels;
    let c0 = p.input + first_c * plane;
    let c1 = p.input + min(first_c + 1u, p.inputs - 1u) * plane;
    let c2 = p.input + min(first_c + 2u, p.inputs - 1u) * plane;
    let c3 = p.input + min(first_c + 3u, p.inputs - 1u) * plane;
    var t0 = vec4(0.0);
    var t1 = t0;
    var t2 = t0;
    var t3 = t0;
    for (var chain = 0u; chain < columns; chain += WORKGROUP * CHAIN) {
        var s0 = vec4(0.0);
        var s1 = s0;
        var s2 = s0;
        var s3 = s0;
        let end = min(columns, chain + WORKGROUP * CHAIN);
        for (var base = chain; base < end; base += WORKGROUP) {
            // Lanes beyond the last column add nothing.
            let column = min(base + lane, columns - 1u);
            let n = column / pixels;
            let pixel = column - n * pixels;
            let i = pixel / across;
            let row = 2u * i + h;
            let col = 2u * (pixel - i * across) + h;
            let inside = (base + lane < columns) & (row < p.height) & (col < p.width);
            let at = n * p.inputs * plane + select(0u, row * p.width + col, inside);
            let place = n * p.outputs * pixels + pixel;
            let v = select(vec4(0.0), max(vec4(x[c0 + at], x[c1 + at], x[c2 + at], x[c3 + at]), vec4(0.0)), vec4(inside));
            s0 = fma(vec4(dy[o0 + place]), v, s0);
            s1 = fma(vec4(dy[o1 + place]), v, s1);
            s2 = fma(vec4(dy[o2 + place]), v, s2);
            s3 = fma(vec4(dy[o3 + place]), v, s3);
        }
        t0 += s0;
        t1 += s1;
        t2 += s2;
        t3 += s3;
    }
    cells[lane] = mat4x4(t0, t1, t2, t3);
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) { cells[lane] += cells[lane + half]; }
    }
    workgroupBarrier();
    if (lane == 0u) {
        store(h, first_r, first_c, cells[0][0]);
        store(h, first_r + 1u, first_c, cells[0][1]);
        store(h, first_r + 2u, first_c, cells[0][2]);
        store(h, first_r + 3u, first_c, cells[0][3]);
    }
}
