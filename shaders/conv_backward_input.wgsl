// dx[n, i, y, x] (+)= Σ w[o, i, r, s] dy[n, o, (y + pad_top − r·dilation) / stride, (x + pad_left − s·dilation) / stride]
// over the outputs o of i's group and the taps where the divisions leave no remainder. An invocation
// computes CHANNELS channels of PIXELS pixels, WORKGROUP apart; a workgroup shares its weights.
override WORKGROUP: u32 = 64;
override ROWS: u32 = 3;
override COLUMNS: u32 = 3;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let inputs = p.inputs / p.groups;
    let outputs = p.outputs / p.groups;
    let blocks = (inputs + CHANNELS - 1u) / CHANNELS;
    let block = number % (blocks * p.groups);
    let part = block / blocks;
    // In the group.
    let first = block % blocks * CHANNELS;
    let pixels = p.height * p.width;
    let out_pixels = p.out_height * p.out_width;
    let columns = p.batch * pixels;
    let start = number / (blocks * p.groups) * (WORKGROUP * PIXELS) + lane;
    if (start >= columns) { return; }
    // Columns and channels beyond the last repeat it; they are not stored.
    var plane: array<u32, PIXELS>;
    var down: array<i32, PIXELS>;
    var right: array<i32, PIXELS>;
    for (var j = 0u; j < PIXELS; j++) {
        let column = min(start + j * WORKGROUP, columns - 1u);
        let pixel = column % pixels;
        plane[j] = p.output + (column / pixels * p.outputs + part * outputs) * out_pixels;
        down[j] = i32(pixel / p.width) + p.pad_top;
        right[j] = i32(pixel % p.width) + p.pad_left;
    }
    var weights: array<u32, CHANNELS>;
    var sum: array<array<f32, PIXELS>, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) {
        weights[c] = p.weight + (part * outputs * inputs + min(first + c, inputs - 1u)) * (ROWS * COLUMNS);
        for (var j = 0u; j < PIXELS; j++) { sum[c][j] = 0.0; }
    }
    for (var tap = 0u; tap < ROWS * COLUMNS; tap++) {
        var inside: array<bool, PIXELS>;
        var place: array<u32, PIXELS>;
        for (var j = 0u; j < PIXELS; j++) {
            let d = down[j] - i32(tap / COLUMNS * p.dilation_rows);
            let e = right[j] - i32(tap % COLUMNS * p.dilation_columns);
            // Negative ones become huge.
            let row = u32(d) / p.stride_rows;
            let column = u32(e) / p.stride_columns;
            inside[j] = d >= 0 && e >= 0 && row < p.out_height && column < p.out_width
                && row * p.stride_rows == u32(d) && column * p.stride_columns == u32(e);
            place[j] = plane[j] + select(0u, row * p.out_width + column, inside[j]);
        }
        for (var o = 0u; o < outputs; o++) {
            var value: array<f32, PIXELS>;
            for (var j = 0u; j < PIXELS; j++) { value[j] = select(0.0, dy[place[j] + o * out_pixels], inside[j]); }
            for (var c = 0u; c < CHANNELS; c++) {
                let weight = w[weights[c] + o * inputs * (ROWS * COLUMNS) + tap];
                for (var j = 0u; j < PIXELS; j++) { sum[c][j] = fma(weight, value[j], sum[c][j]); }
            }
        }
    }
    for (var j = 0u; j < PIXELS; j++) {
        let column = start + j * WORKGROUP;
        if (column >= columns) { break; }
        for (var c = 0u; c < CHANNELS; c++) {
            if (first + c >= inputs) { break; }
            let to = p.input + (column / pixels * p.inputs + part * inputs + first + c) * pixels + column % pixels;
            if (p.accumulate != 0u) { dx[to] += sum[c][j]; } else { dx[to] = sum[c][j]; }
        }
    }
}
