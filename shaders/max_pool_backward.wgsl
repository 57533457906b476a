// dx (+)= dy of the windows whose maximum lies there: every pixel looks at the windows it lies in.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// The first window that reaches place `at` (counted with padding).
fn first_window(at: u32) -> u32 {
    return (max(at + STRIDE, KERNEL) - KERNEL) / STRIDE;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let pixels = p.height * p.width;
    let at = chunk(linear(group, groups), pixels);
    if (at.plane >= p.planes) { return; }
    let plane = at.plane * p.out_height * p.out_width;
    let end = min(at.first + WORKGROUP * ELEMENTS, pixels);
    for (var i = at.first + lane; i < end; i += WORKGROUP) {
        let row = i / p.width + p.padding;
        let column = i % p.width + p.padding;
        let last_row = min(row / STRIDE + 1u, p.out_height);
        let last_column = min(column / STRIDE + 1u, p.out_width);
        var sum = 0.0;
        for (var r = first_window(row); r < last_row; r += 1u) {
            for (var c = first_window(column); c < last_column; c += 1u) {
                let out = plane + r * p.out_width + c;
                if (indices[p.indices + out] == i) { sum += dy[p.output + out]; }
            }
        }
        let place = p.input + at.plane * pixels + i;
        if (p.accumulate != 0u) { sum += dx[place]; }
        dx[place] = sum;
    }
}
