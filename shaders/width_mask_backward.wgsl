// dweights[k] (+)= Σ_{c < width_k} dmask[c]; LANES invocations an option.
struct Params {
    dmask: u32, dweights: u32, channels: u32, options: u32,
    width0: u32, width1: u32, width2: u32, width3: u32, width4: u32, width5: u32, width6: u32, width7: u32,
    accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dmask: array<f32>;
@group(0) @binding(2) var<storage, read_write> dweights: array<f32>;

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
