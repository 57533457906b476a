// dweights[k] (+)= Σ_{c < width_k} dmask[c]; LANES invocations an option.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let k = linear(group, groups) * (WORKGROUP / LANES) + lane / LANES;
    var widths = array(p.width0, p.width1, p.width2, p.width3, p.width4, p.width5, p.width6, p.width7);
    let width = min(widths[min(k, 7u)], p.channels);
    var sum = 0.0;
    for (var c = lane % LANES; c < width; c += LANES) { sum += dmask[p.dmask + c]; }
    sum = tree_sum(sum, lane);
    if (lane % LANES == 0u && k < min(p.options, 8u)) {
        if (p.accumulate != 0u) { sum += dweights[p.dweights + k]; }
        dweights[p.dweights + k] = sum;
    }
}
