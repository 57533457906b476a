// dx (+)= Σ dy / (pixels counted) over the windows that a pixel lies in.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// The first window that reaches place `at` (counted with padding).
fn first_window(at: u32) -> u32 {
    return (max(at + STRIDE, KERNEL) - KERNEL) / STRIDE;
}

// Rows or columns that window `i` counts, in an image of `size`.
fn counted(i: u32, size: u32) -> u32 {
    let margin = select(p.padding, 0u, p.count_padding != 0u);
    return min(i * STRIDE + KERNEL, size + 2u * p.padding - margin) - max(i * STRIDE, margin);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let pixels = p.height * p.width;
    let at = chunk(linear(group, groups), pixels);
    if (at.plane >= p.planes) { return; }
    let plane = p.output + at.plane * p.out_height * p.out_width;
    let end = min(at.first + WORKGROUP * ELEMENTS, pixels);
    for (var i = at.first + lane; i < end; i += WORKGROUP) {
        let row = i / p.width + p.padding;
        let column = i % p.width + p.padding;
        let last_row = min(row / STRIDE + 1u, p.out_height);
        let last_column = min(column / STRIDE + 1u, p.out_width);
        var sum = 0.0;
        for (var r = first_window(row); r < last_row; r += 1u) {
            let high = counted(r, p.height);
            for (var c = first_window(column); c < last_column; c += 1u) {
                sum += dy[plane + r * p.out_width + c] / f32(high * counted(c, p.width));
            }
        }
        let place = p.input + at.plane * pixels + i;
        if (p.accumulate != 0u) { sum += dx[place]; }
        dx[place] = sum;
    }
}
