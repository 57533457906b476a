// y = (x − mean)/σ · w + b, within bounds if there are any: a workgroup works within one channel.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let count = p.batch * p.pixels;
    let parts = (count + WORKGROUP * ELEMENTS - 1u) / (WORKGROUP * ELEMENTS);
    let part = linear(group, groups);
    let c = part / parts;
    if (c >= p.channels) { return; }
    let mean = saved[p.saved + c];
    var factor = saved[p.saved + p.channels + c];
    var bias = 0.0;
    if (p.affine != 0u) {
        factor *= parameters[p.weight + c];
        bias = parameters[p.bias + c];
    }
    let first = part % parts * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, count);
    var w = walk(first + lane, c, p.channels, p.pixels);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        y[p.y + w.at] = bounded((x[p.x + w.at] - mean) * factor + bias);
        advance(&w);
    }
}
