// dx (+)= dy of the windows whose maximum lies there: every pixel looks at the windows it lies in.
// Pixels below each other share rows of windows, and at stride 1 four pixels beside each other share columns of them
// (ACROSS 4, for windows of three by three).
override WORKGROUP: u32 = 64;

// Six windows beside each other: where their maxima lie, and their gradients.
struct Row { at: vec4<u32>, more_at: vec2<u32>, dy: vec4<f32>, more_dy: vec2<f32> }

// With & instead of &&: branches here cost.
fn place(line: u32, column: u32, inside: bool) -> u32 {
    // What lies elsewhere is read, but not used.
    return select(0xffffffffu, indices[p.indices + line + column], inside & (column < p.out_width));
}

// Rows and columns of windows wrap around to huge numbers before the first.
fn windows(s: Strip, row: u32) -> Row {
    let inside = row < p.out_height;
    let line = (s.plane * p.out_height + row) * p.out_width;
    let c = s.column + p.padding - 2u;
    let at = p.output + line + c;
    return Row(vec4(place(line, c, inside), place(line, c + 1u, inside), place(line, c + 2u, inside),
                    place(line, c + 3u, inside)),
               vec2(place(line, c + 4u, inside), place(line, c + 5u, inside)),
               vec4(dy[at], dy[at + 1u], dy[at + 2u], dy[at + 3u]), vec2(dy[at + 4u], dy[at + 5u]));
}

fn matching(row: Row, pixels: vec4<u32>) -> vec4<f32> {
    let a = select(vec4(0.0), row.dy, row.at == pixels);
    let b = select(vec4(0.0), vec4(row.dy.yzw, row.more_dy.x), vec4(row.at.yzw, row.more_at.x) == pixels);
    let c = select(vec4(0.0), vec4(row.dy.zw, row.more_dy), vec4(row.at.zw, row.more_at) == pixels);
    return a + b + c;
}

fn quads(s: Strip) {
    var above = Row();
    var middle = above;
    // The first two rows only fill what the third needs: loads written once are compiled once.
    for (var y = s.first; y < s.end + 2u; y += 1u) {
        let below = windows(s, y + p.padding - 2u);
        if (y >= s.first + 2u) {
            let row = y - 2u;
            let pixels = row * p.width + s.column + vec4(0u, 1u, 2u, 3u);
            let sums = matching(above, pixels) + matching(middle, pixels) + matching(below, pixels);
            put(s, row, s.column, sums.x);
            put(s, row, s.column + 1u, sums.y);
            put(s, row, s.column + 2u, sums.z);
            put(s, row, s.column + 3u, sums.w);
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
        put(s, row, s.column, sum);
    }
}
