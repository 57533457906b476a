// y (+)= Σ x / pixels of each plane; LANES invocations a plane.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let plane = linear(group, groups) * (WORKGROUP / LANES) + lane / LANES;
    // Planes beyond the last have no pixels: all invocations must reach the barriers.
    let pixels = select(0u, p.pixels, plane < p.planes);
    let first = p.input + plane * p.pixels;
    var total = 0.0;
    var i = lane % LANES;
    while (i < pixels) {
        // Blocks first: a long chain of additions would lose digits.
        var block = 0.0;
        for (let end = min(pixels, i + 32u * LANES); i < end; i += LANES) { block += x[first + i]; }
        total += block;
    }
    var mean = tree_sum(total, lane) / f32(p.pixels);
    if (lane % LANES == 0u && plane < p.planes) {
        if (p.accumulate != 0u) { mean += y[p.output + plane]; }
        y[p.output + plane] = mean;
    }
}
