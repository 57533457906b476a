// y[n, c, y, x] (+)= Σ_{r,s} w[c, r, s] x[n, c, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left],
// reads outside the image are 0. A workgroup computes WORKGROUP · PIXELS pixels of one plane and shares its weights.
struct Params { input: u32, weight: u32, output: u32, batch: u32, channels: u32, height: u32, width: u32, out_height: u32,
                out_width: u32, kernel_rows: u32, kernel_columns: u32, stride_rows: u32, stride_columns: u32,
                dilation_rows: u32, dilation_columns: u32, pad_top: i32, pad_left: i32, accumulate: u32 }
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> w: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
override WORKGROUP: u32 = 64;
override ROWS: u32 = 3;
override COLUMNS: u32 = 3;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let pixels = p.out_height * p.out_width;
    let tiles = (pixels + WORKGROUP * PIXELS - 1u) / (WORKGROUP * PIXELS);
    let number = linear(group, groups);
    let plane = number / tiles;
    if (plane >= p.batch * p.channels) { return; }
    let start = number % tiles * (WORKGROUP * PIXELS) + lane;
    let image = p.input + plane * p.height * p.width;
    let weights = p.weight + plane % p.channels * (ROWS * COLUMNS);
    // Where the window of each pixel begins; unsigned: what lies before the image is a huge number.
    var top: array<u32, PIXELS>;
    var left: array<u32, PIXELS>;
    var sum: array<f32, PIXELS>;
    for (var j = 0u; j < PIXELS; j++) {
        let pixel = start + j * WORKGROUP;
        top[j] = pixel / p.out_width * p.stride_rows - u32(p.pad_top);
        left[j] = pixel % p.out_width * p.stride_columns - u32(p.pad_left);
        sum[j] = 0.0;
    }
    for (var r = 0u; r < ROWS; r++) {
        for (var c = 0u; c < COLUMNS; c++) {
            let weight = w[weights + r * COLUMNS + c];
            for (var j = 0u; j < PIXELS; j++) {
                let row = top[j] + r * p.dilation_rows;
                let column = left[j] + c * p.dilation_columns;
                let inside = row < p.height && column < p.width;
                let value = x[select(image, image + row * p.width + column, inside)];
                sum[j] = fma(weight, select(0.0, value, inside), sum[j]);
            }
        }
    }
    for (var j = 0u; j < PIXELS; j++) {
        let pixel = start + j * WORKGROUP;
        if (pixel >= pixels) { break; }
        let to = p.output + plane * pixels + pixel;
        if (p.accumulate != 0u) { y[to] += sum[j]; } else { y[to] = sum[j]; }
    }
}
