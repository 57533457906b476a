// [Σ dy·x̂ | Σ dy] over batch and pixels: one workgroup a channel; blocks of BLOCK elements are summed
// first, then the blocks of an invocation, then a tree over the invocations.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let channel = linear(group, groups);
    if (channel >= p.channels) { return; }
    let count = p.batch * p.pixels;
    let l = line(channel);
    var w = walk(lane, channel, p.channels, p.pixels);
    var total = vec2(0.0);
    var i = lane;
    while (i < count) {
        var block = vec2(0.0);
        let end = min(count, i + BLOCK * WORKGROUP);
        for (; i < end; i += WORKGROUP) {
            let v = x[p.x + w.at];
            let g = passed(dy[p.dy + w.at], v, l);
            block += vec2((v - l.mean) * g, g);
            advance(&w);
        }
        total += block;
    }
    let product = tree_sum(total.x, lane);
    let sum = tree_sum(total.y, lane);
    if (lane == 0u) {
        sums[p.sums + channel] = product * saved[p.saved + p.channels + channel];
        sums[p.sums + p.channels + channel] = sum;
    }
}
