// y (+)= average of each window; padding counts only with count_padding.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let pixels = p.out_height * p.out_width;
    let at = chunk(linear(group, groups), pixels);
    if (at.plane >= p.planes) { return; }
    let plane = p.input + at.plane * p.height * p.width;
    let end = min(at.first + WORKGROUP * ELEMENTS, pixels);
    for (var i = at.first + lane; i < end; i += WORKGROUP) {
        // Rows and columns are counted with padding.
        let top = i / p.out_width * STRIDE;
        let left = i % p.out_width * STRIDE;
        let start = max(vec2(top, left), vec2(p.padding));
        let stop = min(vec2(top, left) + KERNEL, vec2(p.height, p.width) + p.padding);
        var sum = 0.0;
        for (var r = start.x; r < stop.x; r += 1u) {
            for (var c = start.y; c < stop.y; c += 1u) {
                sum += x[plane + (r - p.padding) * p.width + c - p.padding];
            }
        }
        var size = max(stop, start) - start;
        if (p.count_padding != 0u) {
            size = min(vec2(top, left) + KERNEL, vec2(p.height, p.width) + 2u * p.padding) - vec2(top, left);
        }
        sum /= f32(max(size.x * size.y, 1u));
        let place = p.output + at.plane * pixels + i;
        if (p.accumulate != 0u) { sum += y[place]; }
        y[place] = sum;
    }
}
