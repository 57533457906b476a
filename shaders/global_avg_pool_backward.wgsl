// dx (+)= dy / pixels: a workgroup works within one plane.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let at = chunk(linear(group, groups), p.pixels);
    if (at.plane >= p.planes) { return; }
    let share = dy[p.output + at.plane] / f32(p.pixels);
    let plane = p.input + at.plane * p.pixels;
    let end = min(at.first + WORKGROUP * ELEMENTS, p.pixels);
    for (var i = at.first + lane; i < end; i += WORKGROUP) {
        var value = share;
        if (p.accumulate != 0u) { value += dx[plane + i]; }
        dx[plane + i] = value;
    }
}
