// y (+)= Σ weights[k] · x_k over the stacked candidates that `active_options` names.
struct Params { weights: u32, x: u32, y: u32, active_options: u32, stride: u32, count: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        var sum = 0.0;
        var at = p.x + i;
        for (var left = p.active_options; left != 0u; left &= left - 1u) {
            sum += weights[p.weights + countTrailingZeros(left)] * x[at];
            at += p.stride;
        }
        if (p.accumulate != 0u) { sum += y[p.y + i]; }
        y[p.y + i] = sum;
    }
}
