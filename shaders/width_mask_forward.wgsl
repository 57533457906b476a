// mask[c] = Σ_k weights[k] · [c < width_k].
struct Params {
    weights: u32, mask: u32, channels: u32, options: u32,
    width0: u32, width1: u32, width2: u32, width3: u32, width4: u32, width5: u32, width6: u32, width7: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read_write> mask: array<f32>;
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
