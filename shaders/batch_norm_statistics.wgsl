// Mean and variance of a channel over batch and pixels: one workgroup a channel.
// Each invocation takes BLOCK elements at a time in registers, gives them a mean and a sum of squared
// deviations of their own, and merges that into its total (Chan's formula); a tree merges the totals.
// Values are taken relative to one element of the channel, so that a large mean costs no digits.

// Number of elements, their mean, their sum of squared deviations.
struct Moments { count: f32, mean: f32, squares: f32 }
var<workgroup> totals: array<Moments, WORKGROUP>;

fn merge(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    let share = b.count / max(count, 1.0);
    let d = b.mean - a.mean;
    return Moments(count, a.mean + d * share, a.squares + b.squares + d * d * (a.count * share));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let channel = linear(group, groups);
    if (channel >= p.channels) { return; }
    let count = p.batch * p.pixels;
    let shift = x[p.x + channel * p.pixels];
    var w = walk(lane, channel, p.channels, p.pixels);
    var total = Moments(0.0, 0.0, 0.0);
    var i = lane;
    while (i + (BLOCK - 1u) * WORKGROUP < count) {
        var values: array<f32, BLOCK>;
        var sum = 0.0;
        for (var b = 0u; b < BLOCK; b += 1u) {
            values[b] = x[p.x + w.at] - shift;
            sum += values[b];
            advance(&w);
        }
        let mean = sum / f32(BLOCK);
        var squares = 0.0;
        for (var b = 0u; b < BLOCK; b += 1u) {
            let d = values[b] - mean;
            squares += d * d;
        }
        total = merge(total, Moments(f32(BLOCK), mean, squares));
        i += BLOCK * WORKGROUP;
    }
    for (; i < count; i += WORKGROUP) {
        total = merge(total, Moments(1.0, x[p.x + w.at] - shift, 0.0));
        advance(&w);
    }
    totals[lane] = total;
    workgroupBarrier();
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        if (lane < half) { totals[lane] = merge(totals[lane], totals[lane + half]); }
        workgroupBarrier();
    }
    if (lane == 0u) {
        let mean = shift + totals[0].mean;
        let squares = totals[0].squares;
        saved[p.saved + channel] = mean;
        saved[p.saved + p.channels + channel] = 1.0 / sqrt(squares / f32(count) + p.epsilon);
        moments[p.mean + channel] = mean;
        moments[p.variance + channel] = squares / f32(max(count, 2u) - 1u);
    }
}
