// y (+)= Σ_t w_t · (v_t − mean) · inverse over the terms of a table: see include/fours.wgsl.

const NONE = 0xffffffffu;

// Where the channel begins in the first image, the distance of images, and v ↦ (v − mean) · factor.
struct Term { at: u32, image: u32, mean: f32, factor: f32 }

fn term(t: u32, c: u32) -> Term {
    let row = p.table + t * 8u;
    let mean_at = table[row + 2u];
    let weight = table[row + 4u];
    var mean = 0.0;
    var factor = 1.0;
    if (mean_at != NONE) {
        mean = saved[mean_at + c];
        factor = saved[table[row + 3u] + c];
    }
    if (weight != NONE) { factor *= weights[weight]; }
    return Term(table[row] + c * p.pixels, table[row + 1u], mean, factor);
}

fn inside(t: Term, f: Four) -> vec4<f32> {
    let at = t.at + f.n * t.image + f.i;
    return (vec4(z[at.x], z[at.y], z[at.z], z[at.w]) - t.mean) * t.factor;
}

fn outside(t: Term, f: Four) -> vec4<f32> {
    let at = t.at + f.n * t.image + f.i;
    return (vec4(x[at.x], x[at.y], x[at.z], x[at.w]) - t.mean) * t.factor;
}

fn put(n: u32, at: u32, value: f32) {
    if (n < p.batch) {
        // What was there is read apart: what is stored twice is compiled twice.
        var before = 0.0;
        if (p.accumulate != 0u) { before = y[at]; }
        y[at] = before + value;
    }
}

fn put4(c: u32, f: Four, v: vec4<f32>) {
    let at = p.y + (f.n * p.channels + c) * p.pixels + f.i;
    put(f.n.x, at.x, v.x);
    put(f.n.y, at.y, v.y);
    put(f.n.z, at.z, v.z);
    put(f.n.w, at.w, v.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let run = WORKGROUP * 4u * BLOCKS;
    let chunks = (p.batch * p.pixels + run - 1u) / run;
    let part = linear(group, groups);
    let c = part / chunks;
    if (c >= p.channels) { return; }
    let first = (part - c * chunks) * run + lane;
    var place = Place(first / p.pixels, first % p.pixels);
    let f0 = four(&place);
    let f1 = four(&place);
    let l0 = clamped(f0);
    let l1 = clamped(f1);
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    for (var t = 0u; t < p.inside; t += 1u) {
        let e = term(t, c);
        s0 += inside(e, l0);
        if (BLOCKS > 1u) { s1 += inside(e, l1); }
    }
    for (var t = p.inside; t < p.terms; t += 1u) {
        let e = term(t, c);
        s0 += outside(e, l0);
        if (BLOCKS > 1u) { s1 += outside(e, l1); }
    }
    put4(c, f0, s0);
    if (BLOCKS > 1u) { put4(c, f1, s1); }
}
