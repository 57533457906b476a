// dw[g, o, i] (+)= Σ_{n,p} dy[n, g, o, p] x[n, g, i, p]. A workgroup computes BLOCK × BLOCK (2, 4 or 8) weights: each
// invocation sums every WORKGROUP-th pixel, then workgroup memory brings the sums together. Written out instead of in
// arrays and loops, which a software driver keeps in memory.
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 128u;
const WEIGHTS: u32 = BLOCK * BLOCK;
// Invocations for each weight, when all sums are there.
const SEGMENTS: u32 = max(WORKGROUP / WEIGHTS, 1u);
// What each invocation found of each weight.
var<workgroup> found: array<f32, WORKGROUP * WEIGHTS>;

// Of the four weights from (row, column) of the block on.
fn leave(lane: u32, row: u32, column: u32, v: vec4<f32>) {
    let at = (row * BLOCK + column) * WORKGROUP + lane;
    found[at] = v.x;
    found[at + WORKGROUP] = v.y;
    if (BLOCK > 2u) {
        found[at + 2u * WORKGROUP] = v.z;
        found[at + 3u * WORKGROUP] = v.w;
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.inputs + BLOCK - 1u) / BLOCK;
    let rows = (p.outputs + BLOCK - 1u) / BLOCK;
    let first_o = number / blocks % rows * BLOCK;
    let first_i = number % blocks * BLOCK;
    let g = number / blocks / rows;
    if (g >= p.groups) { return; }
    let columns = p.batch * p.pixels;
    let exact = p.pixels % WORKGROUP == 0u;
    // Channels beyond the last repeat it; they are not stored.
    let last_o = p.outputs - 1u;
    let last_i = p.inputs - 1u;
    let all_o = p.output + g * p.outputs * p.pixels;
    let all_i = p.input + g * p.inputs * p.pixels;
    let o0 = all_o + first_o * p.pixels;
    let o1 = all_o + min(first_o + 1u, last_o) * p.pixels;
    let o2 = all_o + min(first_o + 2u, last_o) * p.pixels;
    let o3 = all_o + min(first_o + 3u, last_o) * p.pixels;
    let o4 = all_o + min(first_o + 4u, last_o) * p.pixels;
    let o5 = all_o + min(first_o + 5u, last_o) * p.pixels;
    let o6 = all_o + min(first_o + 6u, last_o) * p.pixels;
    let o7 = all_o + min(first_o + 7u, last_o) * p.pixels;
    let i0 = all_i + first_i * p.pixels;
    let i1 = all_i + min(first_i + 1u, last_i) * p.pixels;
    let i2 = all_i + min(first_i + 2u, last_i) * p.pixels;
    let i3 = all_i + min(first_i + 3u, last_i) * p.pixels;
    let i4 = all_i + min(first_i + 4u, last_i) * p.pixels;
    let i5 = all_i + min(first_i + 5u, last_i) * p.pixels;
    let i6 = all_i + min(first_i + 6u, last_i) * p.pixels;
    let i7 = all_i + min(first_i + 7u, last_i) * p.pixels;
    var t0a = vec4(0.0);
    var t0b = vec4(0.0);
    var t1a = vec4(0.0);
    var t1b = vec4(0.0);
    var t2a = vec4(0.0);
    var t2b = vec4(0.0);
    var t3a = vec4(0.0);
    var t3b = vec4(0.0);
    var t4a = vec4(0.0);
    var t4b = vec4(0.0);
    var t5a = vec4(0.0);
    var t5b = vec4(0.0);
    var t6a = vec4(0.0);
    var t6b = vec4(0.0);
    var t7a = vec4(0.0);
    var t7b = vec4(0.0);
    for (var chain = 0u; chain < columns; chain += WORKGROUP * CHAIN) {
        var s0a = vec4(0.0);
        var s0b = vec4(0.0);
        var s1a = vec4(0.0);
        var s1b = vec4(0.0);
        var s2a = vec4(0.0);
        var s2b = vec4(0.0);
        var s3a = vec4(0.0);
        var s3b = vec4(0.0);
        var s4a = vec4(0.0);
        var s4b = vec4(0.0);
        var s5a = vec4(0.0);
        var s5b = vec4(0.0);
        var s6a = vec4(0.0);
        var s6b = vec4(0.0);
        var s7a = vec4(0.0);
        var s7b = vec4(0.0);
        let stop = min(columns, chain + WORKGROUP * CHAIN);
        for (var base = chain; base < stop; base += WORKGROUP) {
            // Lanes beyond the last column add nothing.
            let column = min(base + lane, columns - 1u);
            let inside = vec4(base + lane < columns);
            // Where a workgroup's pixels never straddle two images, one division does for all.
            var n = base / p.pixels;
            if (!exact) { n = column / p.pixels; }
            let pixel = column - n * p.pixels;
            let at_o = n * p.groups * p.outputs * p.pixels + pixel;
            let at_i = n * p.groups * p.inputs * p.pixels + pixel;
            var a = vec4(x[i0 + at_i], x[i1 + at_i], 0.0, 0.0);
            if (BLOCK > 2u) { a = vec4(a.xy, x[i2 + at_i], x[i3 + at_i]); }
            var b = vec4(0.0);
            if (BLOCK > 4u) { b = vec4(x[i4 + at_i], x[i5 + at_i], x[i6 + at_i], x[i7 + at_i]); }
            if (!exact) {
                a = select(vec4(0.0), a, inside);
                b = select(vec4(0.0), b, inside);
            }
            let g0 = vec4(dy[o0 + at_o]);
            s0a = fma(g0, a, s0a);
            if (BLOCK > 4u) { s0b = fma(g0, b, s0b); }
            let g1 = vec4(dy[o1 + at_o]);
            s1a = fma(g1, a, s1a);
            if (BLOCK > 4u) { s1b = fma(g1, b, s1b); }
            if (BLOCK > 2u) {
                let g2 = vec4(dy[o2 + at_o]);
                s2a = fma(g2, a, s2a);
                if (BLOCK > 4u) { s2b = fma(g2, b, s2b); }
                let g3 = vec4(dy[o3 + at_o]);
                s3a = fma(g3, a, s3a);
                if (BLOCK > 4u) { s3b = fma(g3, b, s3b); }
            }
            if (BLOCK > 4u) {
                let g4 = vec4(dy[o4 + at_o]);
                s4a = fma(g4, a, s4a);
                s4b = fma(g4, b, s4b);
                let g5 = vec4(dy[o5 + at_o]);
                s5a = fma(g5, a, s5a);
                s5b = fma(g5, b, s5b);
                let g6 = vec4(dy[o6 + at_o]);
                s6a = fma(g6, a, s6a);
                s6b = fma(g6, b, s6b);
                let g7 = vec4(dy[o7 + at_o]);
                s7a = fma(g7, a, s7a);
                s7b = fma(g7, b, s7b);
            }
        }
        t0a += s0a;
        t1a += s1a;
        if (BLOCK > 2u) {
            t2a += s2a;
            t3a += s3a;
        }
        if (BLOCK > 4u) {
            t0b += s0b;
            t1b += s1b;
            t2b += s2b;
            t3b += s3b;
            t4a += s4a;
            t4b += s4b;
            t5a += s5a;
            t5b += s5b;
            t6a += s6a;
            t6b += s6b;
            t7a += s7a;
            t7b += s7b;
        }
    }
    leave(lane, 0u, 0u, t0a);
    leave(lane, 1u, 0u, t1a);
    if (BLOCK > 2u) {
        leave(lane, 2u, 0u, t2a);
        leave(lane, 3u, 0u, t3a);
    }
    if (BLOCK > 4u) {
        leave(lane, 0u, 4u, t0b);
        leave(lane, 1u, 4u, t1b);
        leave(lane, 2u, 4u, t2b);
        leave(lane, 3u, 4u, t3b);
        leave(lane, 4u, 0u, t4a);
        leave(lane, 4u, 4u, t4b);
        leave(lane, 5u, 0u, t5a);
        leave(lane, 5u, 4u, t5b);
        leave(lane, 6u, 0u, t6a);
        leave(lane, 6u, 4u, t6b);
        leave(lane, 7u, 0u, t7a);
        leave(lane, 7u, 4u, t7b);
    }
    // Few barriers: a software driver takes its time to compile one where so much is under way.
    workgroupBarrier();
    let size = WORKGROUP / SEGMENTS;
    if (SEGMENTS > 1u) {
        // Each adds up a segment of one weight's sums, in its first place.
        if (lane < WEIGHTS * SEGMENTS) {
            let at = lane / SEGMENTS * WORKGROUP + lane % SEGMENTS * size;
            var sum = 0.0;
            for (var k = 0u; k < size; k++) { sum += found[at + k]; }
            found[at] = sum;
        }
        workgroupBarrier();
    }
    for (var k = lane; k < WEIGHTS; k += WORKGROUP) {
        let o = first_o + k / BLOCK;
        let i = first_i + k % BLOCK;
        var sum = 0.0;
        if (SEGMENTS > 1u) {
            for (var part = 0u; part < SEGMENTS; part++) { sum += found[k * WORKGROUP + part * size]; }
        } else {
            for (var other = 0u; other < WORKGROUP; other++) { sum += found[k * WORKGROUP + other]; }
        }
        if ((o < p.outputs) & (i < p.inputs)) {
            let to = p.weight + (g * p.outputs + o) * p.inputs + i;
            if (p.accumulate != 0u) { dw[to] += sum; } else { dw[to] = sum; }
        }
    }
}
