// y[n, o, i, j] (+)= Σ_c w[o, c] max(x[n, c, 2i + h, 2j + h], 0) with h = (o / block) mod 2; reads outside are 0.
// An invocation computes eight channels of one half (of those with the same h) of four pixels, WORKGROUP apart; a
// workgroup shares its weights. Written out instead of in arrays and loops, which a software driver keeps in memory.
override WORKGROUP: u32 = 64;

// The channel of y that is output `row` of a half.
fn channel(h: u32, row: u32) -> u32 {
    let r = min(row, p.outputs / 2u - 1u);
    return (r / p.block * 2u + h) * p.block + r % p.block;
}

// Where a pixel of y is read, counted from the first channel's plane of its image; and whether that is inside.
struct Place { at: u32, image: u32, pixel: u32, inside: bool }

fn place(h: u32, column: u32) -> Place {
    let across = (p.width + 1u) / 2u;
    let pixels = (p.height + 1u) / 2u * across;
    let n = column / pixels;
    let pixel = column - n * pixels;
    let i = pixel / across;
    let row = 2u * i + h;
    let col = 2u * (pixel - i * across) + h;
    let inside = (row < p.height) & (col < p.width);
    return Place(p.input + n * p.inputs * p.height * p.width + select(0u, row * p.width + col, inside), n, pixel, inside);
}

fn put(to: u32, v: f32) {
    if (p.accumulate != 0u) { y[to] += v; } else { y[to] = v; }
}

fn store(row: u32, h: u32, v: vec4<f32>, start: u32, a: Place, b: Place, c: Place, d: Place) {
    if (row >= p.outputs / 2u) { return; }
    let pixels = (p.height + 1u) / 2u * ((p.width + 1u) / 2u);
    let columns = p.batch * pixels;
    let to = p.output + channel(h, row) * pixels;
    let image = p.outputs * pixels;
    put(to + a.image * image + a.pixel, v.x);
    if (start + WORKGROUP < columns) { put(to + b.image * image + b.pixel, v.y); }
    if (start + 2u * WORKGROUP < columns) { put(to + c.image * image + c.pixel, v.z); }
    if (start + 3u * WORKGROUP < columns) { put(to + d.image * image + d.pixel, v.w); }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.outputs / 2u + 7u) / 8u;
    let first = number % blocks * 8u;
    let h = number / blocks % 2u;
    let start = number / blocks / 2u * (WORKGROUP * 4u) + lane;
    let columns = p.batch * ((p.height + 1u) / 2u) * ((p.width + 1u) / 2u);
    if (start >= columns) { return; }
    // Columns and channels beyond the last repeat it; they are not stored.
    let a = place(h, start);
    let b = place(h, min(start + WORKGROUP, columns - 1u));
    let c = place(h, min(start + 2u * WORKGROUP, columns - 1u));
    let d = place(h, min(start + 3u * WORKGROUP, columns - 1u));
    let inside = vec4(a.inside, b.inside, c.inside, d.inside);
    let w0 = p.weight + channel(h, first) * p.inputs;
    let w1 = p.weight + channel(h, first + 1u) * p.inputs;
    let w2 = p.weight + channel(h, first + 2u) * p.inputs;
    let w3 = p.weight + channel(h, first + 3u) * p.inputs;
    let w4 = p.weight + channel(h, first + 4u) * p.inputs;
    let w5 = p.weight + channel(h, first + 5u) * p.inputs;
    let w6 = p.weight + channel(h, first + 6u) * p.inputs;
    let w7 = p.weight + channel(h, first + 7u) * p.inputs;
    let plane = p.height * p.width;
    var s0 = vec4(0.0);
    var s1 = s0;
    var s2 = s0;
    var s3 = s0;
    var s4 = s0;
    var s5 = s0;
    var s6 = s0;
    var s7 = s0;
    for (var i = 0u; i < p.inputs; i++) {
        let at = i * plane;
        let v = select(vec4(0.0), max(vec4(x[a.at + at], x[b.at + at], x[c.at + at], x[d.at + at]), vec4(0.0)), inside);
        s0 = fma(vec4(w[w0 + i]), v, s0);
        s1 = fma(vec4(w[w1 + i]), v, s1);
        s2 = fma(vec4(w[w2 + i]), v, s2);
        s3 = fma(vec4(w[w3 + i]), v, s3);
        s4 = fma(vec4(w[w4 + i]), v, s4);
        s5 = fma(vec4(w[w5 + i]), v, s5);
        s6 = fma(vec4(w[w6 + i]), v, s6);
        s7 = fma(vec4(w[w7 + i]), v, s7);
    }
    store(first, h, s0, start, a, b, c, d);
    store(first + 1u, h, s1, start, a, b, c, d);
    store(first + 2u, h, s2, start, a, b, c, d);
    store(first + 3u, h, s3, start, a, b, c, d);
    store(first + 4u, h, s4, start, a, b, c, d);
    store(first + 5u, h, s5, start, a, b, c, d);
    store(first + 6u, h, s6, start, a, b, c, d);
    store(first + 7u, h, s7, start, a, b, c, d);
}
