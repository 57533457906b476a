// y[n, y_first + c, p] (+)= x[n, x_first + c, p] for c < channels.
//
// Neighbouring channels of one image are one contiguous run in x and in y: a workgroup copies
// WORKGROUP · ELEMENTS elements of one run, so that finding the image is a division for the workgroup, not for each element.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let run = p.channels * p.pixels;
    let size = WORKGROUP * ELEMENTS;
    let parts = (run + size - 1u) / size;
    let part = linear(group, groups);
    let n = part / parts;
    if (n >= p.batch) { return; }
    let source = p.x + (n * p.x_channels + p.x_first) * p.pixels;
    let sink = p.y + (n * p.y_channels + p.y_first) * p.pixels;
    let first = part % parts * size;
    let end = min(first + size, run);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let value = x[source + i];
        if (p.accumulate != 0u) { y[sink + i] += value; } else { y[sink + i] = value; }
    }
}
