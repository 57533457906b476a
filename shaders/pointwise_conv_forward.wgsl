// y[n, o, p] (+)= Σ_i w[o, i] x[n, i, p] + bias[o]. An invocation computes CHANNELS channels of PIXELS
// pixels, WORKGROUP apart, so that neighbours read neighbouring pixels; a workgroup shares its weights.
struct Params { input: u32, weight: u32, bias: u32, output: u32, batch: u32, inputs: u32, outputs: u32, pixels: u32,
                has_bias: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.outputs + CHANNELS - 1u) / CHANNELS;
    let first = number % blocks * CHANNELS;
    let start = number / blocks * (WORKGROUP * PIXELS) + lane;
    let columns = p.batch * p.pixels;
    if (start >= columns) { return; }
    // Columns and channels beyond the last repeat it; they are not stored.
    var place: array<u32, PIXELS>;
    for (var j = 0u; j < PIXELS; j++) {
        let column = min(start + j * WORKGROUP, columns - 1u);
        place[j] = p.input + column / p.pixels * p.inputs * p.pixels + column % p.pixels;
    }
    var row: array<u32, CHANNELS>;
    var sum: array<array<f32, PIXELS>, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) {
        let channel = min(first + c, p.outputs - 1u);
        row[c] = p.weight + channel * p.inputs;
        var begin = 0.0;
        if (p.has_bias != 0u) { begin = bias[p.bias + channel]; }
        for (var j = 0u; j < PIXELS; j++) { sum[c][j] = begin; }
    }
    for (var i = 0u; i < p.inputs; i++) {
        var value: array<f32, PIXELS>;
        for (var j = 0u; j < PIXELS; j++) { value[j] = x[place[j] + i * p.pixels]; }
        for (var c = 0u; c < CHANNELS; c++) {
            let weight = w[row[c] + i];
            for (var j = 0u; j < PIXELS; j++) { sum[c][j] = fma(weight, value[j], sum[c][j]); }
        }
    }
    for (var j = 0u; j < PIXELS; j++) {
        let column = start + j * WORKGROUP;
        if (column >= columns) { break; }
        for (var c = 0u; c < CHANNELS; c++) {
            if (first + c >= p.outputs) { break; }
            let to = p.output + (column / p.pixels * p.outputs + first + c) * p.pixels + column % p.pixels;
            if (p.accumulate != 0u) { y[to] += sum[c][j]; } else { y[to] = sum[c][j]; }
        }
    }
}
