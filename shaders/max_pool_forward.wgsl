// y = maximum of each window, indices = where in the plane: the first of equals, the last NaN.
// Rows of a window first, then their maxima: windows below each other share rows, and at stride 1 four windows beside each
// other share columns (ACROSS 4, for windows of three by three).
override WORKGROUP: u32 = 64;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// Bits and places of a value for each of four windows; where an invocation has one column, all are the same.
struct Found { bits: vec4<u32>, at: vec4<u32> }

// By bits, because compilers may assume that there are no NaNs.
fn is_nan(bits: vec4<u32>) -> vec4<bool> { return (bits & vec4(0x7fffffffu)) > vec4(0x7f800000u); }

fn prefer(a: Found, b: Found) -> Found {
    let larger = bitcast<vec4<f32>>(b.bits) > bitcast<vec4<f32>>(a.bits);
    let take = is_nan(b.bits) | (!is_nan(a.bits) & larger);
    return Found(select(a.bits, b.bits, take), select(a.at, b.at, take));
}

// The pixel at a place that may lie outside the image: −∞ there, at the nearest pixel. Its bits, and where it is.
fn pixel(plane: u32, row: i32, column: i32) -> vec2<u32> {
    let size = vec2(i32(p.height), i32(p.width));
    let place = vec2(row, column);
    let inside = clamp(place, vec2(0), size - 1);
    let at = u32(inside.x) * p.width + u32(inside.y);
    return vec2(select(0xff800000u, bitcast<u32>(x[p.input + plane * p.height * p.width + at]), all(inside == place)), at);
}

fn row_maximum(plane: u32, row: i32, column: i32) -> Found {
    let a = pixel(plane, row, column);
    var best = Found(vec4(a.x), vec4(a.y));
    for (var c = 1u; c < KERNEL; c += 1u) {
        let b = pixel(plane, row, column + i32(c));
        best = prefer(best, Found(vec4(b.x), vec4(b.y)));
    }
    return best;
}

fn row_maxima(plane: u32, row: i32, column: i32) -> Found {
    let a = pixel(plane, row, column);
    let b = pixel(plane, row, column + 1);
    let c = pixel(plane, row, column + 2);
    let d = pixel(plane, row, column + 3);
    let e = pixel(plane, row, column + 4);
    let f = pixel(plane, row, column + 5);
    let best = prefer(Found(vec4(a.x, b.x, c.x, d.x), vec4(a.y, b.y, c.y, d.y)),
                      Found(vec4(b.x, c.x, d.x, e.x), vec4(b.y, c.y, d.y, e.y)));
    return prefer(best, Found(vec4(c.x, d.x, e.x, f.x), vec4(c.y, d.y, e.y, f.y)));
}

fn put(s: Strip, row: u32, column: u32, bits: u32, at: u32) {
    if (column >= p.out_width) { return; }
    let place = (s.plane * p.out_height + row) * p.out_width + column;
    y[p.output + place] = bitcast<f32>(bits);
    indices[p.indices + place] = at;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let s = strip(linear(group, groups) * WORKGROUP + lane, p.out_height, p.out_width);
    if (s.plane >= p.planes) { return; }
    let left = i32(s.column * STRIDE) - i32(p.padding);
    if (ACROSS == 4u) {
        var above = Found();
        var middle = above;
        // The first two rows only fill what the third needs: loads written once are compiled once.
        for (var y = s.first; y < s.end + 2u; y += 1u) {
            let below = row_maxima(s.plane, i32(y) - i32(p.padding), left);
            if (y >= s.first + 2u) {
                let best = prefer(prefer(above, middle), below);
                put(s, y - 2u, s.column, best.bits.x, best.at.x);
                put(s, y - 2u, s.column + 1u, best.bits.y, best.at.y);
                put(s, y - 2u, s.column + 2u, best.bits.z, best.at.z);
                put(s, y - 2u, s.column + 3u, best.bits.w, best.at.w);
            }
            above = middle;
            middle = below;
        }
        return;
    }
    for (var row = s.first; row < s.end; row += 1u) {
        let top = i32(row * STRIDE) - i32(p.padding);
        var best = row_maximum(s.plane, top, left);
        for (var r = 1u; r < KERNEL; r += 1u) { best = prefer(best, row_maximum(s.plane, top + i32(r), left)); }
        put(s, row, s.column, best.bits.x, best.at.x);
    }
}
