// y[n, g, o, p] (+)= Σ_i w[g, o, i] x[n, g, i, p] + bias[g, o].
// An invocation computes CHANNELS (4, 8 or 16) of a group's channels of four pixels (eight if WIDE), WORKGROUP apart, so
// that neighbours read neighbouring pixels; a workgroup shares its weights. Written out instead of in arrays and loops,
// which a software driver keeps in memory.
struct Params { input: u32, weight: u32, bias: u32, output: u32, batch: u32, inputs: u32, outputs: u32, groups: u32,
                pixels: u32, has_bias: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;

// The bias of a channel of the group.
fn start(g: u32, channel: u32) -> Two {
    let value = vec4(select(0.0, bias[p.bias + g * p.outputs + channel], p.has_bias != 0u));
    return Two(value, value);
}

fn put(at: u32, inside: bool, v: f32) {
    if (inside) {
        if (ACCUMULATE != 0u) { y[at] += v; } else { y[at] = v; }
    }
}

fn put4(at: vec4<u32>, inside: vec4<bool>, v: vec4<f32>) {
    put(at.x, inside.x, v.x);
    put(at.y, inside.y, v.y);
    put(at.z, inside.z, v.z);
    put(at.w, inside.w, v.w);
}

// Into a channel, where channel 0 of the pixels lies at a and b.
fn store(channel: u32, a: vec4<u32>, b: vec4<u32>, pixels: Pixels, v: Two) {
    if (channel >= p.outputs) { return; }
    put4(a + vec4(channel * p.pixels), pixels.a_inside, v.a);
    if (WIDE != 0u) { put4(b + vec4(channel * p.pixels), pixels.b_inside, v.b); }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.outputs + CHANNELS - 1u) / CHANNELS;
    let first = number % blocks * CHANNELS;
    let g = number / blocks % p.groups;
    let pixels = pixels_of(number / blocks / p.groups, lane, g);
    if (!pixels.a_inside.x) { return; }
    // Channels beyond the last repeat it; they are not stored.
    var at = places(p.input, p.inputs, pixels.image_a, pixels.pixel_a);
    var at_b = places(p.input, p.inputs, pixels.image_b, pixels.pixel_b);
    let to = places(p.output, p.outputs, pixels.image_a, pixels.pixel_a);
    let to_b = places(p.output, p.outputs, pixels.image_b, pixels.pixel_b);
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
        var v = Two();
        v.a = vec4(x[at.x], x[at.y], x[at.z], x[at.w]);
        if (WIDE != 0u) { v.b = vec4(x[at_b.x], x[at_b.y], x[at_b.z], x[at_b.w]); }
        s0 = grow(s0, w[w0 + i], v);
        s1 = grow(s1, w[w1 + i], v);
        s2 = grow(s2, w[w2 + i], v);
        s3 = grow(s3, w[w3 + i], v);
        if (CHANNELS > 4u) {
            s4 = grow(s4, w[w4 + i], v);
            s5 = grow(s5, w[w5 + i], v);
            s6 = grow(s6, w[w6 + i], v);
            s7 = grow(s7, w[w7 + i], v);
        }
        if (CHANNELS > 8u) {
            s8 = grow(s8, w[w8 + i], v);
            s9 = grow(s9, w[w9 + i], v);
            s10 = grow(s10, w[w10 + i], v);
            s11 = grow(s11, w[w11 + i], v);
            s12 = grow(s12, w[w12 + i], v);
            s13 = grow(s13, w[w13 + i], v);
            s14 = grow(s14, w[w14 + i], v);
            s15 = grow(s15, w[w15 + i], v);
        }
        at += vec4(p.pixels);
        at_b += vec4(p.pixels);
    }
    store(first, to, to_b, pixels, s0);
    store(first + 1u, to, to_b, pixels, s1);
    store(first + 2u, to, to_b, pixels, s2);
    store(first + 3u, to, to_b, pixels, s3);
    if (CHANNELS > 4u) {
        store(first + 4u, to, to_b, pixels, s4);
        store(first + 5u, to, to_b, pixels, s5);
        store(first + 6u, to, to_b, pixels, s6);
        store(first + 7u, to, to_b, pixels, s7);
    }
    if (CHANNELS > 8u) {
        store(first + 8u, to, to_b, pixels, s8);
        store(first + 9u, to, to_b, pixels, s9);
        store(first + 10u, to, to_b, pixels, s10);
        store(first + 11u, to, to_b, pixels, s11);
        store(first + 12u, to, to_b, pixels, s12);
        store(first + 13u, to, to_b, pixels, s13);
        store(first + 14u, to, to_b, pixels, s14);
        store(first + 15u, to, to_b, pixels, s15);
    }
}
