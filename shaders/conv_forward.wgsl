// y[n, o, y, x] (+)= Σ w[o, i, r, s] x[n, i, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left] + bias[o]
// over the inputs of o's group; reads outside the image are 0. An invocation computes CHANNELS channels of
// PIXELS pixels, WORKGROUP apart, so that neighbours read neighbouring pixels; a workgroup shares its weights.
override WORKGROUP: u32 = 64;
override ROWS: u32 = 3;
override COLUMNS: u32 = 3;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let inputs = p.inputs / p.groups;
    let outputs = p.outputs / p.groups;
    let blocks = (outputs + CHANNELS - 1u) / CHANNELS;
    let block = number % (blocks * p.groups);
    let part = block / blocks;
    let first = part * outputs + block % blocks * CHANNELS;
    let last = (part + 1u) * outputs - 1u;
    let pixels = p.out_height * p.out_width;
    let columns = p.batch * pixels;
    let start = number / (blocks * p.groups) * (WORKGROUP * PIXELS) + lane;
    if (start >= columns) { return; }
    // Columns and channels beyond the last repeat it; they are not stored. Where windows begin is
    // unsigned: what lies before the image is a huge number.
    var plane: array<u32, PIXELS>;
    var top: array<u32, PIXELS>;
    var left: array<u32, PIXELS>;
    for (var j = 0u; j < PIXELS; j++) {
        let column = min(start + j * WORKGROUP, columns - 1u);
        let pixel = column % pixels;
        plane[j] = p.input + (column / pixels * p.inputs + part * inputs) * p.height * p.width;
        top[j] = pixel / p.out_width * p.stride_rows - u32(p.pad_top);
        left[j] = pixel % p.out_width * p.stride_columns - u32(p.pad_left);
    }
    var weights: array<u32, CHANNELS>;
    var sum: array<array<f32, PIXELS>, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) {
        let channel = min(first + c, last);
        weights[c] = p.weight + channel * inputs * (ROWS * COLUMNS);
        var begin = 0.0;
        if (p.has_bias != 0u) { begin = bias[p.bias + channel]; }
        for (var j = 0u; j < PIXELS; j++) { sum[c][j] = begin; }
    }
    for (var tap = 0u; tap < ROWS * COLUMNS; tap++) {
        var inside: array<bool, PIXELS>;
        var place: array<u32, PIXELS>;
        for (var j = 0u; j < PIXELS; j++) {
            let row = top[j] + tap / COLUMNS * p.dilation_rows;
            let column = left[j] + tap % COLUMNS * p.dilation_columns;
            inside[j] = row < p.height && column < p.width;
            place[j] = plane[j] + select(0u, row * p.width + column, inside[j]);
        }
        for (var i = 0u; i < inputs; i++) {
            var value: array<f32, PIXELS>;
            for (var j = 0u; j < PIXELS; j++) {
                value[j] = select(0.0, x[place[j] + i * p.height * p.width], inside[j]);
            }
            for (var c = 0u; c < CHANNELS; c++) {
                let weight = w[weights[c] + i * (ROWS * COLUMNS) + tap];
                for (var j = 0u; j < PIXELS; j++) { sum[c][j] = fma(weight, value[j], sum[c][j]); }
            }
        }
    }
    for (var j = 0u; j < PIXELS; j++) {
        let column = start + j * WORKGROUP;
        if (column >= columns) { break; }
        for (var c = 0u; c < CHANNELS; c++) {
            if (first + c > last) { break; }
            let to = p.output + (column / pixels * p.outputs + first + c) * pixels + column % pixels;
            if (p.accumulate != 0u) { y[to] += sum[c][j]; } else { y[to] = sum[c][j]; }
        }
    }
}
