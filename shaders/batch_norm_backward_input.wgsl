// dx (+)= w/σ · (dy − Σdy/m − x̂ · Σ(dy·x̂)/m): a workgroup works within one channel.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let count = p.batch * p.pixels;
    let parts = (count + WORKGROUP * ELEMENTS - 1u) / (WORKGROUP * ELEMENTS);
    let part = linear(group, groups);
    let c = part / parts;
    if (c >= p.channels) { return; }
    let inverse = saved[p.saved + p.channels + c];
    var factor = inverse;
    if (p.affine != 0u) { factor *= parameters[p.weight + c]; }
    let first = part % parts * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, count);
    var w = walk(first + lane, c, p.channels, p.pixels);
    if (p.training == 0u) {
        for (var i = first + lane; i < end; i += WORKGROUP) {
            var value = dy[p.dy + w.at] * factor;
            if (p.accumulate != 0u) { value += dx[p.dx + w.at]; }
            dx[p.dx + w.at] = value;
            advance(&w);
        }
        return;
    }
    let elements = f32(count);
    let mean = saved[p.saved + c];
    let slope = inverse * sums[p.sums + c] / elements;
    let gradient = sums[p.sums + p.channels + c] / elements;
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var value = (dy[p.dy + w.at] - gradient - (x[p.x + w.at] - mean) * slope) * factor;
        if (p.accumulate != 0u) { value += dx[p.dx + w.at]; }
        dx[p.dx + w.at] = value;
        advance(&w);
    }
}
