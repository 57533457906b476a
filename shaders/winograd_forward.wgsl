// y[n, o, 4t + a, x] (+)= Σ_v Aᵀ[a, v] Σ_(i, s) u[v, s, i, o] · Σ_d Bᵀ[v, d] x[n, i, 4t + d − 1, x + s − 1] + bias[o]; reads outside
// the image are 0. An invocation computes CHANNELS channels of one column of four pixels; neighbours read neighbouring
// pixels, a workgroup shares its filters.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let blocks = (p.outputs + CHANNELS - 1u) / CHANNELS;
    let first = number % blocks * CHANNELS;
    let pixels = p.height * p.width;
    let columns = (p.height + 3u) / 4u * p.width;
    let column = number / blocks * WORKGROUP + lane;
    if (column >= p.batch * columns) { return; }
    let n = column / columns;
    let place = column % columns;
    let top = place / p.width * 4u;
    let left = place % p.width;
    // Rows begin above the tile; what lies before the image is a huge number.
    var inside: array<bool, 6>;
    var row: array<u32, 6>;
    for (var d = 0u; d < 6u; d++) {
        let y = top + d - 1u;
        inside[d] = y < p.height;
        row[d] = select(0u, y * p.width, inside[d]);
    }
    let size = 3u * p.inputs * p.outputs;
    var filters: array<u32, CHANNELS>;
    var m: array<array<f32, 6>, CHANNELS>;
    for (var c = 0u; c < CHANNELS; c++) {
        // Channels beyond the last repeat it; they are not stored.
        filters[c] = p.weight + min(first + c, p.outputs - 1u);
        for (var v = 0u; v < 6u; v++) { m[c][v] = 0.0; }
    }
    for (var s = 0u; s < 3u; s++) {
        let across = left + s - 1u;
        if (across >= p.width) { continue; }
        for (var i = 0u; i < p.inputs; i++) {
            let plane = p.input + (n * p.inputs + i) * pixels + across;
            var d: array<f32, 6>;
            for (var k = 0u; k < 6u; k++) { d[k] = select(0.0, x[plane + row[k]], inside[k]); }
            let t = transformed(d);
            for (var c = 0u; c < CHANNELS; c++) {
                let at = filters[c] + (s * p.inputs + i) * p.outputs;
                m[c][0] = fma(u[at], t[0], m[c][0]);
                m[c][1] = fma(u[at + size], t[1], m[c][1]);
                m[c][2] = fma(u[at + 2u * size], t[2], m[c][2]);
                m[c][3] = fma(u[at + 3u * size], t[3], m[c][3]);
                m[c][4] = fma(u[at + 4u * size], t[4], m[c][4]);
                m[c][5] = fma(u[at + 5u * size], t[5], m[c][5]);
            }
        }
    }
    for (var c = 0u; c < CHANNELS; c++) {
        if (first + c >= p.outputs) { break; }
        let sum = m[c][1] + m[c][2];
        let difference = m[c][1] - m[c][2];
        let sum_twice = m[c][3] + m[c][4];
        let difference_twice = m[c][3] - m[c][4];
        var begin = 0.0;
        if (p.has_bias != 0u) { begin = bias[p.bias + first + c]; }
        let values = array<f32, 4>(m[c][0] + sum + sum_twice + begin, difference + difference_twice * 2.0 + begin,
            sum + sum_twice * 4.0 + begin, difference + difference_twice * 8.0 + m[c][5] + begin);
        for (var a = 0u; a < 4u; a++) {
            if (top + a >= p.height) { break; }
            let to = p.output + (n * p.outputs + first + c) * pixels + (top + a) * p.width + left;
            if (p.accumulate != 0u) { y[to] += values[a]; } else { y[to] = values[a]; }
        }
    }
}
