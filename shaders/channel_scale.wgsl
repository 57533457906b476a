// y (+)= x · scale[c]: a workgroup works within one plane.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let at = chunk(linear(group, groups), p.pixels);
    if (at.plane >= p.batch * p.channels) { return; }
    let factor = scale[p.scale + at.plane % p.channels];
    let plane = at.plane * p.pixels;
    let end = min(at.first + WORKGROUP * ELEMENTS, p.pixels);
    for (var i = at.first + lane; i < end; i += WORKGROUP) {
        var value = x[p.x + plane + i] * factor;
        if (p.accumulate != 0u) { value += y[p.y + plane + i]; }
        y[p.y + plane + i] = value;
    }
}
