// dx (+)= w/σ · (dy − Σdy/m − x̂ · Σ(dy·x̂)/m): a workgroup works within one channel.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let count = p.batch * p.pixels;
    let parts = (count + WORKGROUP * ELEMENTS - 1u) / (WORKGROUP * ELEMENTS);
    let part = linear(group, groups);
    let c = part / parts;
    if (c >= p.channels) { return; }
    let l = line(c);
    let first = part % parts * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, count);
    var w = walk(first + lane, c, p.channels, p.pixels);
    if (p.training == 0u) {
        for (var i = first + lane; i < end; i += WORKGROUP) {
            var value = passed(dy[p.dy + w.at], x[p.x + w.at], l) * l.factor;
            if (p.accumulate != 0u) { value += dx[p.dx + w.at]; }
            dx[p.dx + w.at] = value;
            advance(&w);
        }
        return;
    }
    let elements = f32(count);
    let slope = saved[p.saved + p.channels + c] * sums[p.sums + c] / elements;
    let gradient = sums[p.sums + p.channels + c] / elements;
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let v = x[p.x + w.at];
        var value = (passed(dy[p.dy + w.at], v, l) - gradient - (v - l.mean) * slope) * l.factor;
        if (p.accumulate != 0u) { value += dx[p.dx + w.at]; }
        dx[p.dx + w.at] = value;
        advance(&w);
    }
}
