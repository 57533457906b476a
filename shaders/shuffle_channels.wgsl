// y[n, c·G + g, p] (+)= x[n, g·(C/G) + c, p] with C channels in G groups.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    // A workgroup takes a part of one plane, so that finding the plane is a division for the workgroup.
    let size = WORKGROUP * ELEMENTS;
    let parts = (p.pixels + size - 1u) / size;
    let part = linear(group, groups);
    let plane = part / parts;
    let n = plane / p.channels;
    if (n >= p.batch) { return; }
    let channel = plane - n * p.channels;
    let source = channel % p.groups * (p.channels / p.groups) + channel / p.groups;
    let read = p.x + (n * p.channels + source) * p.pixels;
    let written = p.y + plane * p.pixels;
    let first = part % parts * size;
    let end = min(first + size, p.pixels);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var value = x[read + i];
        if (p.accumulate != 0u) { value += y[written + i]; }
        y[written + i] = value;
    }
}
