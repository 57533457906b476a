// dx (+)= dy of the windows whose maximum lies there: every pixel looks at the windows it lies in.
// Pixels below each other share rows of windows.
struct Params {
    input: u32, output: u32, indices: u32, planes: u32, height: u32, width: u32, out_height: u32, out_width: u32,
    kernel: u32, stride: u32, padding: u32, count_padding: u32, accumulate: u32,
}
@group(0) @binding(0) var<uniform> p: Params;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
override WORKGROUP: u32 = 64;
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// The first window that reaches place `at` (counted with padding).
fn first_window(at: u32) -> u32 {
    return (max(at + STRIDE, KERNEL) - KERNEL) / STRIDE;
}

// Three windows beside each other: where their maxima lie, and their gradients.
struct Row { at: vec3<u32>, dy: vec3<f32> }

// The windows of row `row` − 2 that reach column `column` (counted with padding), at stride 1.
fn windows(plane: u32, row: u32, column: u32) -> Row {
    var found: Row;
    let line = (plane * p.out_height + clamp(row, 2u, p.out_height + 1u) - 2u) * p.out_width;
    let there = row >= 2u && row - 2u < p.out_height;
    for (var c = 0u; c < 3u; c += 1u) {
        let place = line + clamp(column + c, 2u, p.out_width + 1u) - 2u;
        let inside = there && column + c >= 2u && column + c - 2u < p.out_width;
        found.at[c] = select(0xffffffffu, indices[p.indices + place], inside);
        found.dy[c] = dy[p.output + place];
    }
    return found;
}

fn matching(row: Row, place: u32) -> f32 {
    let dy = select(vec3(0.0), row.dy, row.at == vec3(place));
    return dy.x + dy.y + dy.z;
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
    if (KERNEL == 3u && STRIDE == 1u) {
        var above = windows(s.plane, s.first + p.padding, column);
        var middle = windows(s.plane, s.first + p.padding + 1u, column);
        for (var row = s.first; row < s.end; row += 1u) {
            let below = windows(s.plane, row + p.padding + 2u, column);
            let place = row * p.width + s.column;
            put(s, row, matching(above, place) + matching(middle, place) + matching(below, place));
            above = middle;
            middle = below;
        }
        return;
    }
    let last_column = min(column / STRIDE + 1u, p.out_width);
    for (var row = s.first; row < s.end; row += 1u) {
        let last_row = min((row + p.padding) / STRIDE + 1u, p.out_height);
        var sum = 0.0;
        for (var r = first_window(row + p.padding); r < last_row; r += 1u) {
            for (var c = first_window(column); c < last_column; c += 1u) {
                let out = (s.plane * p.out_height + r) * p.out_width + c;
                if (indices[p.indices + out] == row * p.width + s.column) { sum += dy[p.output + out]; }
            }
        }
        put(s, row, sum);
    }
}
