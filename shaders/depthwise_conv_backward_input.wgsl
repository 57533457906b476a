// dx[n, c, i, j] (+)= Σ_{r,s} w[c, r, s] dy[n, c, (i + pad_top − r·dilation) / stride, (j + pad_left − s·dilation) / stride]
// over the taps where the divisions leave no remainder. A workgroup computes WORKGROUP · PIXELS pixels of
// one plane and shares its weights.
struct Params { input: u32, weight: u32, output: u32, batch: u32, channels: u32, height: u32, width: u32, out_height: u32,
                out_width: u32, kernel_rows: u32, kernel_columns: u32, stride_rows: u32, stride_columns: u32,
                dilation_rows: u32, dilation_columns: u32, pad_top: i32, pad_left: i32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
override WORKGROUP: u32 = 64;
override ROWS: u32 = 3;
override COLUMNS: u32 = 3;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let pixels = p.height * p.width;
    let tiles = (pixels + WORKGROUP * PIXELS - 1u) / (WORKGROUP * PIXELS);
    let number = linear(group, groups);
    let plane = number / tiles;
    if (plane >= p.batch * p.channels) { return; }
    let start = number % tiles * (WORKGROUP * PIXELS) + lane;
    let image = p.output + plane * p.out_height * p.out_width;
    let weights = p.weight + plane % p.channels * (ROWS * COLUMNS);
    var down: array<i32, PIXELS>;
    var right: array<i32, PIXELS>;
    var sum: array<f32, PIXELS>;
    for (var j = 0u; j < PIXELS; j++) {
        let pixel = start + j * WORKGROUP;
        down[j] = i32(pixel / p.width) + p.pad_top;
        right[j] = i32(pixel % p.width) + p.pad_left;
        sum[j] = 0.0;
    }
    for (var r = 0u; r < ROWS; r++) {
        for (var c = 0u; c < COLUMNS; c++) {
            let weight = w[weights + r * COLUMNS + c];
            for (var j = 0u; j < PIXELS; j++) {
                let d = down[j] - i32(r * p.dilation_rows);
                let e = right[j] - i32(c * p.dilation_columns);
                // Negative ones become huge, so that their quotients lie outside.
                let row = u32(d) / p.stride_rows;
                let column = u32(e) / p.stride_columns;
                let inside = d >= 0 && e >= 0 && row < p.out_height && column < p.out_width
                    && row * p.stride_rows == u32(d) && column * p.stride_columns == u32(e);
                let value = dy[select(image, image + row * p.out_width + column, inside)];
                sum[j] = fma(weight, select(0.0, value, inside), sum[j]);
            }
        }
    }
    for (var j = 0u; j < PIXELS; j++) {
        let pixel = start + j * WORKGROUP;
        if (pixel >= pixels) { break; }
        let to = p.input + plane * pixels + pixel;
        if (p.accumulate != 0u) { dx[to] += sum[j]; } else { dx[to] = sum[j]; }
    }
}
