// [Σ dy·x̂ | Σ dy] over batch and pixels, of each term and channel. A workgroup takes one channel of up to
// TOGETHER (1 or 4) neighbouring terms of the same buffer: where these share dy, they share its loads.
// Blocks of BLOCK elements are summed first, then the blocks of an invocation, then a tree over the
// invocations.

const NONE = 0xffffffffu;

struct Place { n: u32, i: u32 }
// Σ dy · (v − mean) of each of some terms, and Σ dy.
struct Found1 { products: f32, sum: f32 }
struct Found2 { products: vec2<f32>, sum: f32 }
struct Found4 { products: vec4<f32>, sum: f32 }

fn next(place: ptr<function, Place>) -> Place {
    let now = *place;
    // WORKGROUP elements further: no division.
    var n = now.n + WORKGROUP / p.pixels;
    var i = now.i + WORKGROUP % p.pixels;
    if (i >= p.pixels) {
        i -= p.pixels;
        n += 1u;
    }
    *place = Place(n, i);
    return now;
}

fn inside1(at0: u32, image: u32, dy_at: u32, dy_image: u32, mean: f32, lane: u32) -> Found1 {
    let count = p.batch * p.pixels;
    var place = Place(lane / p.pixels, lane % p.pixels);
    var product = 0.0;
    var sum = 0.0;
    var k = lane;
    while (k < count) {
        var products = 0.0;
        var block = 0.0;
        let end = min(count, k + BLOCK * WORKGROUP);
        for (; k < end; k += WORKGROUP) {
            let l = next(&place);
            let g = dy[dy_at + l.n * dy_image + l.i];
            let at = at0 + l.n * image + l.i;
            products += (z[at] - mean) * g;
            block += g;
        }
        product += products;
        sum += block;
    }
    return Found1(product, sum);
}

fn outside1(at0: u32, image: u32, dy_at: u32, dy_image: u32, mean: f32, lane: u32) -> Found1 {
    let count = p.batch * p.pixels;
    var place = Place(lane / p.pixels, lane % p.pixels);
    var product = 0.0;
    var sum = 0.0;
    var k = lane;
    while (k < count) {
        var products = 0.0;
        var block = 0.0;
        let end = min(count, k + BLOCK * WORKGROUP);
        for (; k < end; k += WORKGROUP) {
            let l = next(&place);
            let g = dy[dy_at + l.n * dy_image + l.i];
            let at = at0 + l.n * image + l.i;
            products += (x[at] - mean) * g;
            block += g;
        }
        product += products;
        sum += block;
    }
    return Found1(product, sum);
}

fn inside2(at0: vec2<u32>, image: vec2<u32>, dy_at: u32, dy_image: u32, mean: vec2<f32>, lane: u32) -> Found2 {
    let count = p.batch * p.pixels;
    var place = Place(lane / p.pixels, lane % p.pixels);
    var product = vec2(0.0);
    var sum = 0.0;
    var k = lane;
    while (k < count) {
        var products = vec2(0.0);
        var block = 0.0;
        let end = min(count, k + BLOCK * WORKGROUP);
        for (; k < end; k += WORKGROUP) {
            let l = next(&place);
            let g = dy[dy_at + l.n * dy_image + l.i];
            let at = at0 + l.n * image + l.i;
            products += (vec2(z[at.x], z[at.y]) - mean) * g;
            block += g;
        }
        product += products;
        sum += block;
    }
    return Found2(product, sum);
}

fn inside4(at0: vec4<u32>, image: vec4<u32>, dy_at: u32, dy_image: u32, mean: vec4<f32>, lane: u32) -> Found4 {
    let count = p.batch * p.pixels;
    var place = Place(lane / p.pixels, lane % p.pixels);
    var product = vec4(0.0);
    var sum = 0.0;
    var k = lane;
    while (k < count) {
        var products = vec4(0.0);
        var block = 0.0;
        let end = min(count, k + BLOCK * WORKGROUP);
        for (; k < end; k += WORKGROUP) {
            let l = next(&place);
            let g = dy[dy_at + l.n * dy_image + l.i];
            let at = at0 + l.n * image + l.i;
            products += (vec4(z[at.x], z[at.y], z[at.z], z[at.w]) - mean) * g;
            block += g;
        }
        product += products;
        sum += block;
    }
    return Found4(product, sum);
}

const BLOCK = 32u;

// What the invocations found, to be added up: of each, four products and four sums.
var<workgroup> found: array<f32, WORKGROUP * 8u>;

fn mean_of(row: u32, c: u32) -> f32 {
    let at = table[row + 2u];
    if (at == NONE) { return 0.0; }
    return saved[at + c];
}

fn finish(row: u32, c: u32, second: bool, value: f32) {
    let at = table[row + 7u] + c;
    if (second) {
        sums[at + p.channels] = value;
        return;
    }
    var inverse = 1.0;
    if (table[row + 2u] != NONE) { inverse = saved[table[row + 3u] + c]; }
    sums[at] = value * inverse;
}

fn shares(row: u32, other: u32) -> bool {
    return table[row + 5u] == table[other + 5u] && table[row + 6u] == table[other + 6u];
}

fn single(row: u32, c: u32, lane: u32, within: bool) -> Found1 {
    let at = table[row] + c * p.pixels;
    let dy_at = table[row + 5u] + c * p.pixels;
    if (within) { return inside1(at, table[row + 1u], dy_at, table[row + 6u], mean_of(row, c), lane); }
    return outside1(at, table[row + 1u], dy_at, table[row + 6u], mean_of(row, c), lane);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let before = (p.inside + TOGETHER - 1u) / TOGETHER;
    let parts = before + (p.terms - p.inside + TOGETHER - 1u) / TOGETHER;
    let index = linear(group, groups);
    let part = index / p.channels;
    if (part >= parts) { return; }
    let c = index - part * p.channels;
    let within = part < before;
    var first = part * TOGETHER;
    var end = min(first + TOGETHER, p.inside);
    if (!within) {
        first = p.inside + (part - before) * TOGETHER;
        end = min(first + TOGETHER, p.terms);
    }
    let row = p.table + first * 8u;
    if (TOGETHER == 1u) {
        let one = single(row, c, lane, within);
        let product = tree_sum(one.products, lane);
        let sum = tree_sum(one.sum, lane);
        if (lane == 0u) {
            finish(row, c, false, product);
            finish(row, c, true, sum);
        }
        return;
    }
    // Of fewer than four terms, the last one counts for those that are missing.
    let count = end - first;
    let rows = row + min(vec4(0u, 1u, 2u, 3u), vec4(count - 1u)) * 8u;
    let together = within && count > 1u && shares(rows.x, rows.y) && shares(rows.x, rows.z) && shares(rows.x, rows.w);
    var products = vec4(0.0);
    var totals = vec4(0.0);
    if (together) {
        let at = vec4(table[rows.x], table[rows.y], table[rows.z], table[rows.w]) + c * p.pixels;
        let image = vec4(table[rows.x + 1u], table[rows.y + 1u], table[rows.z + 1u], table[rows.w + 1u]);
        let mean = vec4(mean_of(rows.x, c), mean_of(rows.y, c), mean_of(rows.z, c), mean_of(rows.w, c));
        let dy_at = table[rows.x + 5u] + c * p.pixels;
        let dy_image = table[rows.x + 6u];
        if (count > 2u) {
            let four = inside4(at, image, dy_at, dy_image, mean, lane);
            products = four.products;
            totals = vec4(four.sum);
        } else {
            let two = inside2(at.xy, image.xy, dy_at, dy_image, mean.xy, lane);
            products = vec4(two.products, 0.0, 0.0);
            totals = vec4(two.sum);
        }
    } else {
        for (var k = 0u; k < count; k += 1u) {
            let one = single(row + k * 8u, c, lane, within);
            let here = vec4(0u, 1u, 2u, 3u) == vec4(k);
            products = select(products, vec4(one.products), here);
            totals = select(totals, vec4(one.sum), here);
        }
    }
    let at = lane * 8u;
    found[at] = products.x;
    found[at + 1u] = products.y;
    found[at + 2u] = products.z;
    found[at + 3u] = products.w;
    found[at + 4u] = totals.x;
    found[at + 5u] = totals.y;
    found[at + 6u] = totals.z;
    found[at + 7u] = totals.w;
    workgroupBarrier();
    // One barrier: each invocation adds up one of the eight.
    let k = lane & 3u;
    if (lane < 8u && k < count) {
        var value = 0.0;
        // Not from 0 to a constant: compilers would write the loop out.
        for (var at = lane; at < 8u * WORKGROUP; at += 8u) { value += found[at]; }
        finish(row + k * 8u, c, lane >= 4u, value);
    }
}
