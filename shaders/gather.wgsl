// x[s] = augment(normalise(image indices[s])), y[s] = its label. One element of x an invocation; the
// first of each sample also writes the label.
//
// All of a sample's choices come from one Philox block w: crop row w₀ mod (2·padding+1), crop column
// w₁ mod (2·padding+1), flip the top bit of w₀, centre of the cutout (w₂ mod height, w₃ mod width), and by chance whether there is one,
// the upper 24 bits of w₁.
override WORKGROUP: u32 = 64;

// Whether `at` is one of the 2·half places around `centre`: centre − half … centre + half − 1.
fn around(at: u32, centre: u32, half: u32) -> bool {
    return at + half >= centre && at < centre + half;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    let pixels = p.height * p.width;
    let size = p.channels * pixels;
    if (i >= p.batch * size) { return; }
    let s = i / size;
    let image = indices[p.indices + s];
    if (i % size == 0u) { y[p.y + s] = labels[image]; }
    let channel = i % size / pixels;
    let row = i % pixels / p.width;
    let column = i % p.width;
    var source = vec2<u32>(row, column);
    var cut = false;
    if (p.padding != 0u || p.flip != 0u || p.cutout != 0u) {
        let w = philox(vec2<u32>(p.seed_low, p.seed_high), vec4<u32>(s, p.stream, step[p.counter], 2u));
        let shifts = 2u * p.padding + 1u;
        if (p.flip != 0u && (w.x >> 31u) == 1u) { source.y = p.width - 1u - column; }
        // Places outside the image wrap around to large numbers.
        source = source + vec2<u32>(w.x % shifts, w.y % shifts) - vec2<u32>(p.padding, p.padding);
        var half = p.cutout / 2u;
        if (p.by_chance != 0u) {
            let cuts = f32(w.y >> 8u) * (1.0 / 16777216.0) < bitcast<f32>(step[p.chance]);
            half = select(0u, half, cuts);
        }
        cut = around(row, w.z % p.height, half) && around(column, w.w % p.width, half);
    }
    var byte = 0u;
    if (source.x < p.height && source.y < p.width) {
        let at = image * size + channel * pixels + source.x * p.width + source.y;
        byte = (images[at / 4u] >> (at % 4u * 8u)) & 0xffu;
    }
    let value = (f32(byte) * (1.0 / 255.0) - normal[channel]) * normal[p.channels + channel];
    x[p.x + i] = select(value, 0.0, cut);
}
