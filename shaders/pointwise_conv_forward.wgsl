// y[n, g, o, p] (+)= Σ_i w[g, o, i] x[n, g, i, p] + bias[g, o], within bounds if there are any.
// An invocation computes CHANNELS (4, 8 or 16) of a group's channels of four pixels (eight if WIDE), WORKGROUP apart, so
// that neighbours read neighbouring pixels; a workgroup shares its weights. Written out instead of in arrays and loops,
// which a software driver keeps in memory.

fn put(at: u32, inside: bool, v: f32) {
    if (inside) {
        if (ACCUMULATE != 0u) { y[at] = bounded(y[at] + v); } else { y[at] = bounded(v); }
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
    var s0 = Two();
    var s1 = Two();
    var s2 = Two();
    var s3 = Two();
    var s4 = Two();
    var s5 = Two();
    var s6 = Two();
    var s7 = Two();
    var s8 = Two();
    var s9 = Two();
    var s10 = Two();
    var s11 = Two();
    var s12 = Two();
    var s13 = Two();
    var s14 = Two();
    var s15 = Two();
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
    keep(0u, s0);
    keep(1u, s1);
    keep(2u, s2);
    keep(3u, s3);
    if (CHANNELS > 4u) {
        keep(4u, s4);
        keep(5u, s5);
        keep(6u, s6);
        keep(7u, s7);
    }
    if (CHANNELS > 8u) {
        keep(8u, s8);
        keep(9u, s9);
        keep(10u, s10);
        keep(11u, s11);
        keep(12u, s12);
        keep(13u, s13);
        keep(14u, s14);
        keep(15u, s15);
    }
    // Not from 0 to a constant: compilers would write the loop out.
    for (var o = first; o < min(first + CHANNELS, p.outputs); o++) {
        let v = kept[o % CHANNELS];
        let offset = vec4(select(0.0, bias[p.bias + g * p.outputs + o], p.has_bias != 0u));
        store(o, to, to_b, pixels, Two(v.a + offset, v.b + offset));
    }
}
