// y = maximum of each window, indices = where in the plane: the first of equals, the last NaN.
// Rows of a window first, then their maxima: windows below each other share rows.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> indices: array<u32>;
override WORKGROUP: u32 = 64;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// A value's bits and its place.
struct Found { bits: u32, at: u32 }

// By bits, because compilers may assume that there are no NaNs.
fn is_nan(bits: u32) -> bool { return (bits & 0x7fffffffu) > 0x7f800000u; }

fn prefer(a: Found, b: Found) -> Found {
    let take = is_nan(b.bits) || (!is_nan(a.bits) && bitcast<f32>(b.bits) > bitcast<f32>(a.bits));
    return Found(select(a.bits, b.bits, take), select(a.at, b.at, take));
}

// The pixel at a place that may lie outside the image: −∞ there, at the nearest pixel.
fn pixel(plane: u32, row: i32, column: i32) -> Found {
    let size = vec2(i32(p.height), i32(p.width));
    let place = vec2(row, column);
    let inside = clamp(place, vec2(0), size - 1);
    let at = u32(inside.x) * p.width + u32(inside.y);
    return Found(select(0xff800000u, bitcast<u32>(x[p.input + plane * p.height * p.width + at]), all(inside == place)), at);
}

fn row_maximum(plane: u32, row: i32, column: i32) -> Found {
    var best = pixel(plane, row, column);
    for (var c = 1u; c < KERNEL; c += 1u) { best = prefer(best, pixel(plane, row, column + i32(c))); }
    return best;
}

fn put(s: Strip, row: u32, best: Found) {
    let place = (s.plane * p.out_height + row) * p.out_width + s.column;
    y[p.output + place] = bitcast<f32>(best.bits);
    indices[p.indices + place] = best.at;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let s = strip(linear(group, groups) * WORKGROUP + lane, p.out_height, p.out_width);
    if (s.plane >= p.planes) { return; }
    let left = i32(s.column * STRIDE) - i32(p.padding);
    if (KERNEL == 3u && STRIDE == 1u) {
        let top = i32(s.first) - i32(p.padding);
        var above = row_maximum(s.plane, top, left);
        var middle = row_maximum(s.plane, top + 1, left);
        for (var row = s.first; row < s.end; row += 1u) {
            let below = row_maximum(s.plane, i32(row + 2u) - i32(p.padding), left);
            put(s, row, prefer(prefer(above, middle), below));
            above = middle;
            middle = below;
        }
        return;
    }
    for (var row = s.first; row < s.end; row += 1u) {
        let top = i32(row * STRIDE) - i32(p.padding);
        var best = row_maximum(s.plane, top, left);
        for (var r = 1u; r < KERNEL; r += 1u) { best = prefer(best, row_maximum(s.plane, top + i32(r), left)); }
        put(s, row, best);
    }
}
