// y (+)= average of each window; padding counts only with count_padding.
// Rows of a window first, then their sums: windows below each other share rows, and at stride 1 four windows beside each
// other share columns (ACROSS 4, for windows of three by three).
override WORKGROUP: u32 = 64;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// Σ over the part of a window's row inside the image; places are counted with padding.
fn row_sum(plane: u32, row: u32, left: u32, right: u32) -> f32 {
    var sum = 0.0;
    if (row >= p.padding && row < p.height + p.padding) {
        let line = p.input + (plane * p.height + row - p.padding) * p.width;
        for (var c = left; c < right; c += 1u) { sum += x[line + c - p.padding]; }
    }
    return sum;
}

// Rows or columns counted by the window that begins at `start`, in an image of `size`.
fn counted(start: u32, size: u32) -> u32 {
    let margin = select(p.padding, 0u, p.count_padding != 0u);
    let first = max(start, margin);
    return max(min(start + KERNEL, size + 2u * p.padding - margin), first) - first;
}

fn put(s: Strip, row: u32, column: u32, sum: f32, wide: u32) {
    if (column >= p.out_width) { return; }
    let place = p.output + (s.plane * p.out_height + row) * p.out_width + column;
    var average = sum / f32(max(wide * counted(row * STRIDE, p.height), 1u));
    if (p.accumulate != 0u) { average += y[place]; }
    y[place] = average;
}

// With & instead of &&: branches here cost.
fn value(line: u32, column: u32, inside: bool) -> f32 {
    // What lies elsewhere is read, but not used.
    return select(0.0, x[line + column], inside & (column < p.width));
}

// Σ over each of four windows' row: row and columns wrap around to huge numbers before the image.
fn row_sums(s: Strip, row: u32) -> vec4<f32> {
    let y = row - p.padding;
    let inside = y < p.height;
    let line = p.input + (s.plane * p.height + y) * p.width;
    let c = s.column - p.padding;
    let a = vec4(value(line, c, inside), value(line, c + 1u, inside), value(line, c + 2u, inside),
                 value(line, c + 3u, inside));
    let b = vec4(a.yzw, value(line, c + 4u, inside));
    return a + b + vec4(b.yzw, value(line, c + 5u, inside));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let s = strip(linear(group, groups) * WORKGROUP + lane, p.out_height, p.out_width);
    if (s.plane >= p.planes) { return; }
    if (ACROSS == 4u) {
        let wide = vec4(counted(s.column, p.width), counted(s.column + 1u, p.width), counted(s.column + 2u, p.width),
                        counted(s.column + 3u, p.width));
        var above = vec4(0.0);
        var middle = above;
        // The first two rows only fill what the third needs: loads written once are compiled once.
        for (var y = s.first; y < s.end + 2u; y += 1u) {
            let below = row_sums(s, y);
            if (y >= s.first + 2u) {
                let sums = above + middle + below;
                put(s, y - 2u, s.column, sums.x, wide.x);
                put(s, y - 2u, s.column + 1u, sums.y, wide.y);
                put(s, y - 2u, s.column + 2u, sums.z, wide.z);
                put(s, y - 2u, s.column + 3u, sums.w, wide.w);
            }
            above = middle;
            middle = below;
        }
        return;
    }
    let left = max(s.column * STRIDE, p.padding);
    let right = min(s.column * STRIDE + KERNEL, p.width + p.padding);
    let wide = counted(s.column * STRIDE, p.width);
    for (var row = s.first; row < s.end; row += 1u) {
        var sum = 0.0;
        for (var r = 0u; r < KERNEL; r += 1u) { sum += row_sum(s.plane, row * STRIDE + r, left, right); }
        put(s, row, s.column, sum, wide);
    }
}
