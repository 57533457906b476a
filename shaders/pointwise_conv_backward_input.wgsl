// dx[n, i, p] (+)= Σ_o w[o, i] dy[n, o, p]. An invocation computes CHANNELS channels of PIXELS pixels,
// WORKGROUP apart, so that neighbours read neighbouring pixels; a workgroup shares its weights.
struct Params { input: u32, weight: u32, bias: u32, output: u32, batch: u32, inputs: u32, outputs: u32, pixels: u32,
                has_bias: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.inputs + CHANNELS - 1u) / CHANNELS;
    let first = number % blocks * CHANNELS;
    let start = number / blocks * (WORKGROUP * PIXELS) + lane;
    let columns = p.batch * p.pixels;
    if (start >= columns) { return; }
    // Columns and channels beyond the last repeat it; they are not stored.
    var place: array<u32, PIXELS>;
    for (var j = 0u; j < PIXELS; j++) {
        let column = min(start + j * WORKGROUP, columns - 1u);
        place[j] = p.output + column / p.pixels * p.outputs * p.pixels + column % p.pixels;
    }
    var at: array<u32, CHANNELS>;
    var sum: array<array<f32, PIXELS>, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) {
        at[c] = p.weight + min(first + c, p.inputs - 1u);
        for (var j = 0u; j < PIXELS; j++) { sum[c][j] = 0.0; }
    }
    for (var o = 0u; o < p.outputs; o++) {
        var value: array<f32, PIXELS>;
        for (var j = 0u; j < PIXELS; j++) { value[j] = dy[place[j] + o * p.pixels]; }
        for (var c = 0u; c < CHANNELS; c++) {
            let weight = w[at[c] + o * p.inputs];
            for (var j = 0u; j < PIXELS; j++) { sum[c][j] = fma(weight, value[j], sum[c][j]); }
        }
    }
    for (var j = 0u; j < PIXELS; j++) {
        let column = start + j * WORKGROUP;
        if (column >= columns) { break; }
        for (var c = 0u; c < CHANNELS; c++) {
            if (first + c >= p.inputs) { break; }
            let to = p.input + (column / p.pixels * p.inputs + first + c) * p.pixels + column % p.pixels;
            if (p.accumulate != 0u) { dx[to] += sum[c][j]; } else { dx[to] = sum[c][j]; }
        }
    }
}
