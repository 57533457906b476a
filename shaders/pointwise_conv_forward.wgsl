// y[n, g, o, p] (+)= Σ_i w[g, o, i] x[n, g, i, p] + bias[g, o].
// An invocation computes CHANNELS (4, 8 or 16) of a group's channels of four pixels, WORKGROUP apart, so that
// neighbours read neighbouring pixels; a workgroup shares its weights. Written out instead of in arrays and loops,
// which a software driver keeps in memory.
struct Params { input: u32, weight: u32, bias: u32, output: u32, batch: u32, inputs: u32, outputs: u32, groups: u32,
                pixels: u32, has_bias: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override WORKGROUP: u32 = 64;

// The bias of a channel of the group.
fn start(g: u32, channel: u32) -> vec4<f32> {
    return vec4(select(0.0, bias[p.bias + g * p.outputs + channel], p.has_bias != 0u));
}

fn store(channel: u32, to: vec4<u32>, inside: vec4<bool>, v: vec4<f32>) {
    if (channel >= p.outputs) { return; }
    let at = to + vec4(channel * p.pixels);
    if (p.accumulate != 0u) {
        y[at.x] += v.x;
        if (inside.y) { y[at.y] += v.y; }
        if (inside.z) { y[at.z] += v.z; }
        if (inside.w) { y[at.w] += v.w; }
    } else {
        y[at.x] = v.x;
        if (inside.y) { y[at.y] = v.y; }
        if (inside.z) { y[at.z] = v.z; }
        if (inside.w) { y[at.w] = v.w; }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.outputs + CHANNELS - 1u) / CHANNELS;
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
    var at = vec4(p.input) + image * (p.inputs * p.pixels) + pixel;
    let to = vec4(p.output) + image * (p.outputs * p.pixels) + pixel;
    let last = p.outputs - 1u;
    let weights = p.weight + g * p.outputs * p.inputs;
    let w0 = weights + first * p.inputs;
    let w1 = weights + min(first + 1u, last) * p.inputs;
    let w2 = weights + min(first + 2u, last) * p.inputs;
    let w3 = weights + min(first + 3u, last) * p.inputs;
    let w4 = weights + min(first + 4u, last) * p.inputs;
    let w5 = weights + min(first + 5u, last) * p.inputs;
    let w6 = weights + min(first + 6u, last) * p.inputs;
    let w7 = weights + min(first + 7u, last) * p.inputs;
    let w8 = weights + min(first + 8u, last) * p.inputs;
    let w9 = weights + min(first + 9u, last) * p.inputs;
    let w10 = weights + min(first + 10u, last) * p.inputs;
    let w11 = weights + min(first + 11u, last) * p.inputs;
    let w12 = weights + min(first + 12u, last) * p.inputs;
    let w13 = weights + min(first + 13u, last) * p.inputs;
    let w14 = weights + min(first + 14u, last) * p.inputs;
    let w15 = weights + min(first + 15u, last) * p.inputs;
    var s0 = start(g, first);
    var s1 = start(g, min(first + 1u, last));
    var s2 = start(g, min(first + 2u, last));
    var s3 = start(g, min(first + 3u, last));
    var s4 = start(g, min(first + 4u, last));
    var s5 = start(g, min(first + 5u, last));
    var s6 = start(g, min(first + 6u, last));
    var s7 = start(g, min(first + 7u, last));
    var s8 = start(g, min(first + 8u, last));
    var s9 = start(g, min(first + 9u, last));
    var s10 = start(g, min(first + 10u, last));
    var s11 = start(g, min(first + 11u, last));
    var s12 = start(g, min(first + 12u, last));
    var s13 = start(g, min(first + 13u, last));
    var s14 = start(g, min(first + 14u, last));
    var s15 = start(g, min(first + 15u, last));
    for (var i = 0u; i < p.inputs; i++) {
        let v = vec4(x[at.x], x[at.y], x[at.z], x[at.w]);
        s0 = fma(vec4(w[w0 + i]), v, s0);
        s1 = fma(vec4(w[w1 + i]), v, s1);
        s2 = fma(vec4(w[w2 + i]), v, s2);
        s3 = fma(vec4(w[w3 + i]), v, s3);
        if (CHANNELS > 4u) {
            s4 = fma(vec4(w[w4 + i]), v, s4);
            s5 = fma(vec4(w[w5 + i]), v, s5);
            s6 = fma(vec4(w[w6 + i]), v, s6);
            s7 = fma(vec4(w[w7 + i]), v, s7);
        }
        if (CHANNELS > 8u) {
            s8 = fma(vec4(w[w8 + i]), v, s8);
            s9 = fma(vec4(w[w9 + i]), v, s9);
            s10 = fma(vec4(w[w10 + i]), v, s10);
            s11 = fma(vec4(w[w11 + i]), v, s11);
            s12 = fma(vec4(w[w12 + i]), v, s12);
            s13 = fma(vec4(w[w13 + i]), v, s13);
            s14 = fma(vec4(w[w14 + i]), v, s14);
            s15 = fma(vec4(w[w15 + i]), v, s15);
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
