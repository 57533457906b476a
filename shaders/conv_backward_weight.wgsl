// dw[o, i, r, s] (+)= Σ_{n,y,x} dy[n, o, y, x] x[n, i, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left].
// A workgroup computes one tap of BLOCK × BLOCK outputs and inputs of a group: each invocation sums every
// WORKGROUP-th pixel, then a tree in workgroup memory adds the sums up.
const SUMS: u32 = BLOCK * BLOCK;
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 128u;
var<workgroup> shared_sums: array<f32, WORKGROUP * SUMS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let inputs = p.inputs / p.groups;
    let outputs = p.outputs / p.groups;
    let taps = p.kernel_rows * p.kernel_columns;
    let tap = number % taps;
    let blocks_i = (inputs + BLOCK - 1u) / BLOCK;
    let blocks_o = (outputs + BLOCK - 1u) / BLOCK;
    let first_i = number / taps % blocks_i * BLOCK;
    let first_o = number / taps / blocks_i % blocks_o * BLOCK;
    let part = number / taps / blocks_i / blocks_o;
    if (part >= p.groups) { return; }
    let pixels = p.height * p.width;
    let out_pixels = p.out_height * p.out_width;
    let columns = p.batch * out_pixels;
    // Unsigned: what lies before the image is a huge number.
    let down = tap / p.kernel_columns * p.dilation_rows - u32(p.pad_top);
    let right = tap % p.kernel_columns * p.dilation_columns - u32(p.pad_left);
    // Channels beyond the last repeat it; they are not stored.
    var row_o: array<u32, BLOCK>;
    var row_i: array<u32, BLOCK>;
    for (var k = 0u; k < BLOCK; k++) {
        row_o[k] = p.output + (part * outputs + min(first_o + k, outputs - 1u)) * out_pixels;
        row_i[k] = p.input + (part * inputs + min(first_i + k, inputs - 1u)) * pixels;
    }
    var total: array<f32, SUMS>;
    for (var s = 0u; s < SUMS; s++) { total[s] = 0.0; }
    for (var chain = lane; chain < columns; chain += WORKGROUP * CHAIN) {
        var sum: array<f32, SUMS>;
        for (var s = 0u; s < SUMS; s++) { sum[s] = 0.0; }
        let end = min(columns, chain + WORKGROUP * CHAIN);
        for (var column = chain; column < end; column += WORKGROUP) {
            let n = column / out_pixels;
            let pixel = column - n * out_pixels;
            let row = pixel / p.out_width * p.stride_rows + down;
            let across = pixel % p.out_width * p.stride_columns + right;
            let inside = row < p.height && across < p.width;
            let at_o = n * p.outputs * out_pixels + pixel;
            let at_i = n * p.inputs * pixels + select(0u, row * p.width + across, inside);
            var value: array<f32, BLOCK>;
            for (var k = 0u; k < BLOCK; k++) { value[k] = select(0.0, x[row_i[k] + at_i], inside); }
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
        if (o < outputs && i < inputs) {
            let to = p.weight + ((part * outputs + o) * inputs + i) * taps + tap;
            let sum = shared_sums[lane * WORKGROUP];
            if (p.accumulate != 0u) { dw[to] += sum; } else { dw[to] = sum; }
        }
    }
}
