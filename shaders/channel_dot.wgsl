// dscale[c] (+)= Σ x · dy over batch and pixels: one workgroup a channel; blocks of BLOCK products are
// summed first, then the blocks of an invocation, then a tree over the invocations.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let channel = linear(group, groups);
    if (channel >= p.channels) { return; }
    let count = p.batch * p.pixels;
    var w = walk(lane, channel, p.channels, p.pixels);
    var total = 0.0;
    var i = lane;
    while (i < count) {
        var block = 0.0;
        if (i + (BLOCK - 1u) * WORKGROUP < count) {
            for (var b = 0u; b < BLOCK; b += 1u) {
                block += x[p.x + w.at] * dy[p.dy + w.at];
                advance(&w);
            }
            i += BLOCK * WORKGROUP;
        } else {
            for (; i < count; i += WORKGROUP) {
                block += x[p.x + w.at] * dy[p.dy + w.at];
                advance(&w);
            }
        }
        total += block;
    }
    var sum = tree_sum(total, lane);
    if (lane == 0u) {
        if (p.accumulate != 0u) { sum += dscale[p.dscale + channel]; }
        dscale[p.dscale + channel] = sum;
    }
}
