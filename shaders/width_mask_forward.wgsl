// mask[c] = Σ_k weights[k] · [c < width_k].
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let c = linear(group, groups) * WORKGROUP + lane;
    if (c >= p.channels) { return; }
    var widths = array(p.width0, p.width1, p.width2, p.width3, p.width4, p.width5, p.width6, p.width7);
    var sum = 0.0;
    for (var k = 0u; k < min(p.options, 8u); k += 1u) {
        if (c < widths[k]) { sum += weights[p.weights + k]; }
    }
    mask[p.mask + c] = sum;
}
