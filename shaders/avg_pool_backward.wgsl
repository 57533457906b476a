// dx (+)= Σ dy / (pixels counted) over the windows that a pixel lies in.
// Pixels below each other share rows of windows.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
override WORKGROUP: u32 = 64;
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

fn put(s: Strip, row: u32, sum: f32) {
    let place = p.input + (s.plane * p.height + row) * p.width + s.column;
    var total = sum;
    if (p.accumulate != 0u) { total += dx[place]; }
    dx[place] = total;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let s = strip(linear(group, groups) * WORKGROUP + lane, p.height, p.width);
    if (s.plane >= p.planes) { return; }
    let column = s.column + p.padding;
    let first = first_window(column);
    let end = min(column / STRIDE + 1u, p.out_width);
    if (KERNEL == 3u && STRIDE == 1u) {
        // Rows in front of the first wrap around to numbers beyond the last.
        let top = s.first + p.padding - 2u;
        var above = row_sum(s.plane, top, first, end);
        var middle = row_sum(s.plane, top + 1u, first, end);
        for (var row = s.first; row < s.end; row += 1u) {
            let below = row_sum(s.plane, row + p.padding, first, end);
            put(s, row, above + middle + below);
            above = middle;
            middle = below;
        }
        return;
    }
    for (var row = s.first; row < s.end; row += 1u) {
        let last = min((row + p.padding) / STRIDE + 1u, p.out_height);
        var sum = 0.0;
        for (var r = first_window(row + p.padding); r < last; r += 1u) { sum += row_sum(s.plane, r, first, end); }
        put(s, row, sum);
    }
}
