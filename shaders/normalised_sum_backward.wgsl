// z_t ← w_t · inverse · (dy − Σdy/m − x̂ · Σ(dy·x̂)/m) in its place, or w_t · dy where the term has no mean:
// see include/fours.wgsl. A workgroup takes up to TOGETHER neighbouring terms: where these share dy, they
// share its loads.

const NONE = 0xffffffffu;

// (dy − Σdy/m − (z − mean) · slope) · factor
// or, if plain, dy · factor.
struct Rule { mean: f32, slope: f32, gradient: f32, factor: f32, plain: bool }

fn gradient(at: u32, image: u32, f: Four) -> vec4<f32> {
    let i = at + f.n * image + f.i;
    return vec4(dy[i.x], dy[i.y], dy[i.z], dy[i.w]);
}

fn put(n: u32, at: u32, value: f32) {
    if (n < p.batch) { z[at] = value; }
}

// Replaces what lies there by what comes of it and dy.
fn replace(at: u32, image: u32, f: Four, g: vec4<f32>, r: Rule) {
    let c = clamped(f);
    let i = at + c.n * image + c.i;
    let normal = g - r.gradient - (vec4(z[i.x], z[i.y], z[i.z], z[i.w]) - r.mean) * r.slope;
    let v = select(normal, g, r.plain) * r.factor;
    put(f.n.x, i.x, v.x);
    put(f.n.y, i.y, v.y);
    put(f.n.z, i.z, v.z);
    put(f.n.w, i.w, v.w);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let run = WORKGROUP * 4u * BLOCKS;
    let chunks = (p.batch * p.pixels + run - 1u) / run;
    let index = linear(group, groups);
    let parts = (p.terms + TOGETHER - 1u) / TOGETHER;
    let unit = index / chunks;
    let c = unit / parts;
    if (c >= p.channels) { return; }
    let first_term = (unit - c * parts) * TOGETHER;
    let first = (index - unit * chunks) * run + lane;
    var place = Place(first / p.pixels, first % p.pixels);
    let f0 = four(&place);
    let f1 = four(&place);
    let share = 1.0 / f32(p.batch * p.pixels);
    var g0 = vec4(0.0);
    var g1 = vec4(0.0);
    var loaded = NONE;
    var loaded_image = 0u;
    let end = min(first_term + TOGETHER, p.terms);
    for (var t = first_term; t < end; t += 1u) {
        let row = p.table + t * 8u;
        let dy_at = table[row + 5u] + c * p.pixels;
        let dy_image = table[row + 6u];
        if (dy_at != loaded || dy_image != loaded_image) {
            loaded = dy_at;
            loaded_image = dy_image;
            g0 = gradient(dy_at, dy_image, clamped(f0));
            if (BLOCKS > 1u) { g1 = gradient(dy_at, dy_image, clamped(f1)); }
        }
        let at = table[row] + c * p.pixels;
        let image = table[row + 1u];
        var factor = 1.0;
        if (table[row + 4u] != NONE) { factor = weights[table[row + 4u]]; }
        let mean_at = table[row + 2u];
        // One way for both kinds of terms: what is written twice is compiled twice.
        var rule = Rule(0.0, 0.0, 0.0, factor, mean_at == NONE);
        if (mean_at != NONE) {
            let inverse = saved[table[row + 3u] + c];
            let sums_at = table[row + 7u] + c;
            rule.mean = saved[mean_at + c];
            rule.slope = inverse * sums[sums_at] * share;
            rule.gradient = sums[sums_at + p.channels] * share;
            rule.factor = factor * inverse;
        }
        replace(at, image, f0, g0, rule);
        if (BLOCKS > 1u) { replace(at, image, f1, g1, rule); }
    }
}
