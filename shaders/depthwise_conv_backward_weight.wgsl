// dw[c, r, s] (+)= Σ_{n,y,x} dy[n, c, y, x] x[n, c, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left].
// A workgroup computes one row r of one channel's weights: each invocation sums every WORKGROUP-th
// pixel, then a tree in workgroup memory adds the sums up.
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 128u;
var<workgroup> shared_sums: array<f32, WORKGROUP * COLUMNS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let channel = number / p.kernel_rows;
    let r = number % p.kernel_rows;
    if (channel >= p.channels) { return; }
    let out_pixels = p.out_height * p.out_width;
    let pixels = p.batch * out_pixels;
    var total: array<f32, COLUMNS>;
    for (var c = 0u; c < COLUMNS; c++) { total[c] = 0.0; }
    for (var chain = lane; chain < pixels; chain += WORKGROUP * CHAIN) {
        var sum: array<f32, COLUMNS>;
        for (var c = 0u; c < COLUMNS; c++) { sum[c] = 0.0; }
        let end = min(pixels, chain + WORKGROUP * CHAIN);
        for (var at = chain; at < end; at += WORKGROUP) {
            let plane = at / out_pixels * p.channels + channel;
            let pixel = at % out_pixels;
            let g = dy[p.output + plane * out_pixels + pixel];
            // Unsigned: what lies before the image is a huge number.
            let row = pixel / p.out_width * p.stride_rows + r * p.dilation_rows - u32(p.pad_top);
            let left = pixel % p.out_width * p.stride_columns - u32(p.pad_left);
            let image = p.input + plane * p.height * p.width;
            for (var c = 0u; c < COLUMNS; c++) {
                let column = left + c * p.dilation_columns;
                let inside = row < p.height && column < p.width;
                let value = x[select(image, image + row * p.width + column, inside)];
                sum[c] = fma(g, select(0.0, value, inside), sum[c]);
            }
        }
        for (var c = 0u; c < COLUMNS; c++) { total[c] += sum[c]; }
    }
    for (var c = 0u; c < COLUMNS; c++) { shared_sums[c * WORKGROUP + lane] = total[c]; }
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            for (var c = 0u; c < COLUMNS; c++) {
                shared_sums[c * WORKGROUP + lane] += shared_sums[c * WORKGROUP + lane + half];
            }
        }
    }
    workgroupBarrier();
    for (var c = lane; c < COLUMNS; c += WORKGROUP) {
        let to = p.weight + number * COLUMNS + c;
        let sum = shared_sums[c * WORKGROUP];
        if (p.accumulate != 0u) { dw[to] += sum; } else { dw[to] = sum; }
    }
}
