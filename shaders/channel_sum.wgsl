// y[c] (+)= Σ over n and p of x[n, c, p]. A workgroup a channel; each of its LANES invocations takes
// every LANES-th element of the channel, in runs of 32 that are summed apart: long sums of float32 would
// lose bits.

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let c = linear(group, groups);
    if (c >= p.channels) { return; }
    // LANES elements further is `images` images and `pixels` pixels further: no division in the loop.
    let images = LANES / p.pixels;
    let pixels = LANES % p.pixels;
    var n = lane / p.pixels;
    var i = lane % p.pixels;
    var total = 0.0;
    while (n < p.batch) {
        var run = 0.0;
        for (var k = 0u; k < 32u && n < p.batch; k += 1u) {
            run += x[p.x + (n * p.channels + c) * p.pixels + i];
            n += images;
            i += pixels;
            if (i >= p.pixels) {
                i -= p.pixels;
                n += 1u;
            }
        }
        total += run;
    }
    let all = workgroup_sum(lane, total);
    if (lane == 0u) {
        if (p.accumulate != 0u) { y[p.y + c] += all; } else { y[p.y + c] = all; }
    }
}
