// y[n, first + k·C + c, p] = x_k[n, c, p] for k < 4 and c < C. A workgroup copies WORKGROUP · ELEMENTS elements of one
// image of one x, as in copy_channels.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let run = p.channels * p.pixels;
    let size = WORKGROUP * ELEMENTS;
    let parts = (run + size - 1u) / size;
    let part = linear(group, groups);
    let n = part / parts / 4u;
    if (n >= p.batch) { return; }
    let k = part / parts % 4u;
    let sink = p.y + (n * p.y_channels + p.first + k * p.channels) * p.pixels;
    let first = part % parts * size;
    let end = min(first + size, run);
    // The same branch for a whole workgroup.
    switch (k) {
        case 0u: { for (var i = first + lane; i < end; i += WORKGROUP) { y[sink + i] = x0[p.x0 + n * run + i]; } }
        case 1u: { for (var i = first + lane; i < end; i += WORKGROUP) { y[sink + i] = x1[p.x1 + n * run + i]; } }
        case 2u: { for (var i = first + lane; i < end; i += WORKGROUP) { y[sink + i] = x2[p.x2 + n * run + i]; } }
        default: { for (var i = first + lane; i < end; i += WORKGROUP) { y[sink + i] = x3[p.x3 + n * run + i]; } }
    }
}
