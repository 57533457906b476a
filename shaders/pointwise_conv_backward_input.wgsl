// dx[n, g, i, p] (+)= Σ_o w[g, o, i] dy[n, g, o, p].
// An invocation computes CHANNELS (4, 8 or 16) of a group's channels of four pixels, WORKGROUP apart, so that
// neighbours read neighbouring pixels; a workgroup shares its weights. Written out instead of in arrays and loops,
// which a software driver keeps in memory.
struct Params { input: u32, weight: u32, bias: u32, output: u32, batch: u32, inputs: u32, outputs: u32, groups: u32,
                pixels: u32, has_bias: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
override WORKGROUP: u32 = 64;

fn store(channel: u32, to: vec4<u32>, inside: vec4<bool>, v: vec4<f32>) {
    if (channel >= p.inputs) { return; }
    let at = to + vec4(channel * p.pixels);
    if (p.accumulate != 0u) {
        dx[at.x] += v.x;
        if (inside.y) { dx[at.y] += v.y; }
        if (inside.z) { dx[at.z] += v.z; }
        if (inside.w) { dx[at.w] += v.w; }
    } else {
        dx[at.x] = v.x;
        if (inside.y) { dx[at.y] = v.y; }
        if (inside.z) { dx[at.z] = v.z; }
        if (inside.w) { dx[at.w] = v.w; }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.inputs + CHANNELS - 1u) / CHANNELS;
    let first = number % blocks * CHANNELS;
    let g = number / blocks % p.groups;
    let tile = number / blocks / p.groups * (WORKGROUP * 4u);
    let columns = p.batch * p.pixels;
    let wanted = vec4(tile + lane) + vec4(0u, 1u, 2u, 3u) * WORKGROUP;
    if (wanted.x >= columns) { return; }
    // Columns and channels beyond the last repeat it; they are not stored.
    let inside = wanted < vec4(columns);
    let column = min(wanted, vec4(columns - 1u));
    // Where tiles never straddle two images, one division does for a workgroup.
    var n = vec4(tile / p.pixels);
    if (p.pixels % (WORKGROUP * 4u) != 0u) { n = column / p.pixels; }
    let pixel = column - n * p.pixels;
    let image = n * p.groups + vec4(g);
    var at = vec4(p.output) + image * (p.outputs * p.pixels) + pixel;
    let to = vec4(p.input) + image * (p.inputs * p.pixels) + pixel;
    let last = p.inputs - 1u;
    let weights = p.weight + g * p.outputs * p.inputs;
    let w0 = weights + first;
    let w1 = weights + min(first + 1u, last);
    let w2 = weights + min(first + 2u, last);
    let w3 = weights + min(first + 3u, last);
    let w4 = weights + min(first + 4u, last);
    let w5 = weights + min(first + 5u, last);
    let w6 = weights + min(first + 6u, last);
    let w7 = weights + min(first + 7u, last);
    let w8 = weights + min(first + 8u, last);
    let w9 = weights + min(first + 9u, last);
    let w10 = weights + min(first + 10u, last);
    let w11 = weights + min(first + 11u, last);
    let w12 = weights + min(first + 12u, last);
    let w13 = weights + min(first + 13u, last);
    let w14 = weights + min(first + 14u, last);
    let w15 = weights + min(first + 15u, last);
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    var s4 = vec4(0.0);
    var s5 = vec4(0.0);
    var s6 = vec4(0.0);
    var s7 = vec4(0.0);
    var s8 = vec4(0.0);
    var s9 = vec4(0.0);
    var s10 = vec4(0.0);
    var s11 = vec4(0.0);
    var s12 = vec4(0.0);
    var s13 = vec4(0.0);
    var s14 = vec4(0.0);
    var s15 = vec4(0.0);
    for (var o = 0u; o < p.outputs; o++) {
        let v = vec4(dy[at.x], dy[at.y], dy[at.z], dy[at.w]);
        let row = o * p.inputs;
        s0 = fma(vec4(w[w0 + row]), v, s0);
        s1 = fma(vec4(w[w1 + row]), v, s1);
        s2 = fma(vec4(w[w2 + row]), v, s2);
        s3 = fma(vec4(w[w3 + row]), v, s3);
        if (CHANNELS > 4u) {
            s4 = fma(vec4(w[w4 + row]), v, s4);
            s5 = fma(vec4(w[w5 + row]), v, s5);
            s6 = fma(vec4(w[w6 + row]), v, s6);
            s7 = fma(vec4(w[w7 + row]), v, s7);
        }
        if (CHANNELS > 8u) {
            s8 = fma(vec4(w[w8 + row]), v, s8);
            s9 = fma(vec4(w[w9 + row]), v, s9);
            s10 = fma(vec4(w[w10 + row]), v, s10);
            s11 = fma(vec4(w[w11 + row]), v, s11);
            s12 = fma(vec4(w[w12 + row]), v, s12);
            s13 = fma(vec4(w[w13 + row]), v, s13);
            s14 = fma(vec4(w[w14 + row]), v, s14);
            s15 = fma(vec4(w[w15 + row]), v, s15);
        }
        at += vec4(p.pixels);
    }
    store(first, to, inside, s0);
    store(first + 1u, to, inside, s1);
    store(first + 2u, to, inside, s2);
    store(first + 3u, to, inside, s3);
    if (CHANNELS > 4u) {
        store(first + 4u, to, inside, s4);
        store(first + 5u, to, inside, s5);
        store(first + 6u, to, inside, s6);
        store(first + 7u, to, inside, s7);
    }
    if (CHANNELS > 8u) {
        store(first + 8u, to, inside, s8);
        store(first + 9u, to, inside, s9);
        store(first + 10u, to, inside, s10);
        store(first + 11u, to, inside, s11);
        store(first + 12u, to, inside, s12);
        store(first + 13u, to, inside, s13);
        store(first + 14u, to, inside, s14);
        store(first + 15u, to, inside, s15);
    }
}
