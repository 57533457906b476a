// dx[n, c, 2i + h, 2j + h] (+)= [x > 0] Σ w[o, c] dy[n, o, i, j] over the o with (o / block) mod 2 = h; 0 elsewhere.
// An invocation takes eight channels of four pixels (i, j), WORKGROUP apart, for one h, and writes both columns of
// row 2i + h. Written out instead of in arrays and loops, which a software driver keeps in memory.
override WORKGROUP: u32 = 64;

// Where dy is read, counted from the first channel's plane of its image; what is written, counted from the
// beginning of x: the column with a gradient and the one without, if they are inside.
struct Place { dy: u32, to: u32, other: u32, inside: bool, other_inside: bool }

fn place(h: u32, column: u32, columns: u32) -> Place {
    let across = (p.width + 1u) / 2u;
    let pixels = (p.height + 1u) / 2u * across;
    let at = min(column, columns - 1u);
    let n = at / pixels;
    let pixel = at - n * pixels;
    let i = pixel / across;
    let row = 2u * i + h;
    let col = 2u * (pixel - i * across);
    let to = (n * p.inputs * p.height + row) * p.width + col;
    let here = (row < p.height) & (column < columns);
    return Place(p.output + n * p.outputs * pixels + pixel, to + h, to + 1u - h, here & (col + h < p.width),
        here & (col + 1u - h < p.width));
}

fn put(channel: u32, v: f32, at: Place) {
    let plane = channel * p.height * p.width;
    if (at.inside) {
        let value = select(0.0, v, x[p.input + plane + at.to] > 0.0);
        let to = p.gradient + plane + at.to;
        if (p.accumulate != 0u) { dx[to] += value; } else { dx[to] = value; }
    }
    if (at.other_inside & (p.accumulate == 0u)) { dx[p.gradient + plane + at.other] = 0.0; }
}

fn store(channel: u32, v: vec4<f32>, a: Place, b: Place, c: Place, d: Place) {
    if (channel >= p.inputs) { return; }
    put(channel, v.x, a);
    put(channel, v.y, b);
    put(channel, v.z, c);
    put(channel, v.w, d);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.inputs + 7u) / 8u;
    let first = number % blocks * 8u;
    let h = number / blocks % 2u;
    let start = number / blocks / 2u * (WORKGROUP * 4u) + lane;
    let pixels = (p.height + 1u) / 2u * ((p.width + 1u) / 2u);
    let columns = p.batch * pixels;
    if (start >= columns) { return; }
    let a = place(h, start, columns);
    let b = place(h, start + WORKGROUP, columns);
    let c = place(h, start + 2u * WORKGROUP, columns);
    let d = place(h, start + 3u * WORKGROUP, columns);
    // Channels beyond the last repeat it; they are not stored.
    let last = p.inputs - 1u;
    let c1 = min(first + 1u, last);
    let c2 = min(first + 2u, last);
    let c3 = min(first + 3u, last);
    let c4 = min(first + 4u, last);
    let c5 = min(first + 5u, last);
    let c6 = min(first + 6u, last);
    let c7 = min(first + 7u, last);
    var s0 = vec4(0.0);
    var s1 = s0;
    var s2 = s0;
    var s3 = s0;
    var s4 = s0;
    var s5 = s0;
    var s6 = s0;
    var s7 = s0;
    for (var r = 0u; r < p.outputs / 2u; r++) {
        let o = (r / p.block * 2u + h) * p.block + r % p.block;
        let at = o * pixels;
        let weight = p.weight + o * p.inputs;
        let v = vec4(dy[a.dy + at], dy[b.dy + at], dy[c.dy + at], dy[d.dy + at]);
        s0 = fma(vec4(w[weight + first]), v, s0);
        s1 = fma(vec4(w[weight + c1]), v, s1);
        s2 = fma(vec4(w[weight + c2]), v, s2);
        s3 = fma(vec4(w[weight + c3]), v, s3);
        s4 = fma(vec4(w[weight + c4]), v, s4);
        s5 = fma(vec4(w[weight + c5]), v, s5);
        s6 = fma(vec4(w[weight + c6]), v, s6);
        s7 = fma(vec4(w[weight + c7]), v, s7);
    }
    store(first, s0, a, b, c, d);
    store(first + 1u, s1, a, b, c, d);
    store(first + 2u, s2, a, b, c, d);
    store(first + 3u, s3, a, b, c, d);
    store(first + 4u, s4, a, b, c, d);
    store(first + 5u, s5, a, b, c, d);
    store(first + 6u, s6, a, b, c, d);
    store(first + 7u, s7, a, b, c, d);
}
