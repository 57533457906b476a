// dw[o, i] (+)= Σ_{n,p} dy[n, o, p] x[n, i, p]. A workgroup computes BLOCK × BLOCK weights: each
// invocation sums every WORKGROUP-th pixel, then a tree in workgroup memory adds the sums up.
struct Params { input: u32, weight: u32, bias: u32, output: u32, batch: u32, inputs: u32, outputs: u32, pixels: u32,
                has_bias: u32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dw: array<f32>;
const SUMS: u32 = BLOCK * BLOCK;
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 128u;
var<workgroup> shared_sums: array<f32, WORKGROUP * SUMS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.inputs + BLOCK - 1u) / BLOCK;
    let first_o = number / blocks * BLOCK;
    let first_i = number % blocks * BLOCK;
    if (first_o >= p.outputs) { return; }
    let columns = p.batch * p.pixels;
    // Channels beyond the last repeat it; they are not stored.
    var row_o: array<u32, BLOCK>;
    var row_i: array<u32, BLOCK>;
    for (var k = 0u; k < BLOCK; k++) {
        row_o[k] = p.output + min(first_o + k, p.outputs - 1u) * p.pixels;
        row_i[k] = p.input + min(first_i + k, p.inputs - 1u) * p.pixels;
    }
    var total: array<f32, SUMS>;
    for (var s = 0u; s < SUMS; s++) { total[s] = 0.0; }
    for (var chain = lane; chain < columns; chain += WORKGROUP * CHAIN) {
        var sum: array<f32, SUMS>;
        for (var s = 0u; s < SUMS; s++) { sum[s] = 0.0; }
        let end = min(columns, chain + WORKGROUP * CHAIN);
        for (var column = chain; column < end; column += WORKGROUP) {
            let n = column / p.pixels;
            let pixel = column - n * p.pixels;
            let at_o = n * p.outputs * p.pixels + pixel;
            let at_i = n * p.inputs * p.pixels + pixel;
            var value: array<f32, BLOCK>;
            for (var k = 0u; k < BLOCK; k++) { value[k] = x[row_i[k] + at_i]; }
            for (var o = 0u; o < BLOCK; o++) {
                let g = dy[row_o[o] + at_o];
                for (var i = 0u; i < BLOCK; i++) { sum[o * BLOCK + i] = fma(g, value[i], sum[o * BLOCK + i]); }
            }
        }
        for (var s = 0u; s < SUMS; s++) { total[s] += sum[s]; }
    }
    for (var s = 0u; s < SUMS; s++) { shared_sums[s * WORKGROUP + lane] = total[s]; }
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            for (var s = 0u; s < SUMS; s++) {
                shared_sums[s * WORKGROUP + lane] += shared_sums[s * WORKGROUP + lane + half];
            }
        }
    }
    workgroupBarrier();
    if (lane < SUMS) {
        let o = first_o + lane / BLOCK;
        let i = first_i + lane % BLOCK;
        if (o < p.outputs && i < p.inputs) {
            let to = p.weight + o * p.inputs + i;
            let sum = shared_sums[lane * WORKGROUP];
            if (p.accumulate != 0u) { dw[to] += sum; } else { dw[to] = sum; }
        }
    }
}
