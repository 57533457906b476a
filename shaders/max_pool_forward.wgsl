// y = maximum of each window, indices = where in the plane: the first of equals, the last NaN.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
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
        let row = i / p.out_width;
        let column = i - row * p.out_width;
        // Where nothing exceeds −∞ the first pixel of the window is named.
        let top = i32(row * STRIDE) - i32(p.padding);
        let left = i32(column * STRIDE) - i32(p.padding);
        var best = 0xff800000u;
        var where_ = u32(clamp(top, 0, i32(p.height) - 1)) * p.width + u32(clamp(left, 0, i32(p.width) - 1));
        for (var r = 0u; r < KERNEL; r += 1u) {
            let y_ = top + i32(r);
            if (y_ < 0 || y_ >= i32(p.height)) { continue; }
            for (var c = 0u; c < KERNEL; c += 1u) {
                let x_ = left + i32(c);
                if (x_ < 0 || x_ >= i32(p.width)) { continue; }
                let index = u32(y_) * p.width + u32(x_);
                let value = bitcast<u32>(x[plane + index]);
                // By bits, because compilers may assume that there are no NaNs.
                let nan = (value & 0x7fffffffu) > 0x7f800000u;
                let found = (best & 0x7fffffffu) > 0x7f800000u;
                if (nan || (!found && bitcast<f32>(value) > bitcast<f32>(best))) {
                    best = value;
                    where_ = index;
                }
            }
        }
        y[p.output + at.plane * pixels + i] = bitcast<f32>(best);
        indices[p.indices + at.plane * pixels + i] = where_;
    }
}
