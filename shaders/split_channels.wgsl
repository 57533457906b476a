// x_k[n, c, p] = y[n, first + k·C + c, p] for k < 4 and c < C: the reverse of join_channels.
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
    let source = p.y + (n * p.y_channels + p.first + k * p.channels) * p.pixels;
    let first = part % parts * size;
    let end = min(first + size, run);
    switch (k) {
        case 0u: { for (var i = first + lane; i < end; i += WORKGROUP) { x0[p.x0 + n * run + i] = y[source + i]; } }
        case 1u: { for (var i = first + lane; i < end; i += WORKGROUP) { x1[p.x1 + n * run + i] = y[source + i]; } }
        case 2u: { for (var i = first + lane; i < end; i += WORKGROUP) { x2[p.x2 + n * run + i] = y[source + i]; } }
        default: { for (var i = first + lane; i < end; i += WORKGROUP) { x3[p.x3 + n * run + i] = y[source + i]; } }
    }
}
