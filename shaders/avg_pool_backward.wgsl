// dx (+)= Σ dy / (pixels counted) over the windows that a pixel lies in.
// Pixels below each other share rows of windows, and at stride 1 four pixels beside each other share columns of them
// (ACROSS 4, for windows of three by three).
override WORKGROUP: u32 = 64;

// Rows or columns that window `i` counts, in an image of `size`.
fn counted(i: u32, size: u32) -> u32 {
    let margin = select(p.padding, 0u, p.count_padding != 0u);
    return min(i * STRIDE + KERNEL, size + 2u * p.padding - margin) - max(i * STRIDE, margin);
}

// Σ over windows first..end of a row of windows, if there is such a row.
fn row_sum(plane: u32, row: u32, first: u32, end: u32) -> f32 {
    var sum = 0.0;
    if (row < p.out_height) {
        let line = p.output + (plane * p.out_height + row) * p.out_width;
        let high = counted(row, p.height);
        for (var c = first; c < end; c += 1u) { sum += dy[line + c] / f32(high * counted(c, p.width)); }
    }
    return sum;
}

// With & instead of &&: branches here cost.
fn value(line: u32, column: u32, inside: bool) -> f32 {
    // What lies elsewhere is read, but not used.
    return select(0.0, dy[line + column], inside & (column < p.out_width));
}

// What a value of a column of windows is divided by, 1 for columns that there are not.
fn wide(column: u32) -> f32 {
    if (column >= p.out_width) { return 1.0; }
    return f32(counted(column, p.width));
}

// Three rows of six windows for four pixels. Rows and columns of windows wrap around to huge numbers before the first.
struct Six { a: vec4<f32>, b: vec2<f32> }

fn row_sums(s: Strip, row: u32, left: u32, wide: Six) -> vec4<f32> {
    let inside = row < p.out_height;
    let line = p.output + (s.plane * p.out_height + row) * p.out_width;
    let high = select(1.0, f32(counted(row, p.height)), inside);
    let a = vec4(value(line, left, inside), value(line, left + 1u, inside), value(line, left + 2u, inside),
                 value(line, left + 3u, inside)) / (wide.a * high);
    let e = vec2(value(line, left + 4u, inside), value(line, left + 5u, inside)) / (wide.b * high);
    return a + vec4(a.yzw, e.x) + vec4(a.zw, e);
}

fn quads(s: Strip) {
    let left = s.column + p.padding - 2u;
    let wide = Six(vec4(wide(left), wide(left + 1u), wide(left + 2u), wide(left + 3u)),
                   vec2(wide(left + 4u), wide(left + 5u)));
    var above = vec4(0.0);
    var middle = above;
    // The first two rows only fill what the third needs: loads written once are compiled once.
    for (var y = s.first; y < s.end + 2u; y += 1u) {
        let below = row_sums(s, y + p.padding - 2u, left, wide);
        if (y >= s.first + 2u) {
            let sums = above + middle + below;
            put(s, y - 2u, s.column, sums.x);
            put(s, y - 2u, s.column + 1u, sums.y);
            put(s, y - 2u, s.column + 2u, sums.z);
            put(s, y - 2u, s.column + 3u, sums.w);
        }
        above = middle;
        middle = below;
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let s = strip(linear(group, groups) * WORKGROUP + lane, p.height, p.width);
    if (s.plane >= p.planes) { return; }
    if (ACROSS == 4u) {
        quads(s);
        return;
    }
    let column = s.column + p.padding;
    let first = first_window(column);
    let end = min(column / STRIDE + 1u, p.out_width);
    for (var row = s.first; row < s.end; row += 1u) {
        let last = min((row + p.padding) / STRIDE + 1u, p.out_height);
        var sum = 0.0;
        for (var r = first_window(row + p.padding); r < last; r += 1u) { sum += row_sum(s.plane, r, first, end); }
        put(s, row, s.column, sum);
    }
}
