// dw[o, i, r, s] (+)= Σ_v G[v, r] Σ_{n,t,x} (Σ_a A[v, a] dy[n, o, 4t + a, x]) · (Σ_d Bᵀ[v, d] x[n, i, 4t + d − 1, x + s − 1]).
// A workgroup computes one s of BLOCK × BLOCK outputs and inputs: each invocation sums every WORKGROUP-th column of four
// pixels, then a tree in workgroup memory adds the sums up.
const SUMS: u32 = BLOCK * BLOCK * 6u;
// Products summed before they are added to the total: a long chain of additions loses accuracy.
const CHAIN: u32 = 64u;
var<workgroup> shared_sums: array<f32, WORKGROUP * SUMS>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let number = linear(group, groups);
    let s = number % 3u;
    let blocks_i = (p.inputs + BLOCK - 1u) / BLOCK;
    let first_i = number / 3u % blocks_i * BLOCK;
    let first_o = number / 3u / blocks_i * BLOCK;
    if (first_o >= p.outputs) { return; }
    let pixels = p.height * p.width;
    let tile = (p.height + 3u) / 4u * p.width;
    let columns = p.batch * tile;
    var total: array<f32, SUMS>;
    for (var k = 0u; k < SUMS; k++) { total[k] = 0.0; }
    for (var chain = lane; chain < columns; chain += WORKGROUP * CHAIN) {
        var sum: array<f32, SUMS>;
        for (var k = 0u; k < SUMS; k++) { sum[k] = 0.0; }
        let end = min(columns, chain + WORKGROUP * CHAIN);
        for (var column = chain; column < end; column += WORKGROUP) {
            let n = column / tile;
            let place = column - n * tile;
            let top = place / p.width * 4u;
            let left = place % p.width;
            // Unsigned: what lies before the image is a huge number.
            let across = left + s - 1u;
            var g: array<array<f32, 6>, BLOCK>;
            for (var o = 0u; o < BLOCK; o++) {
                // Channels beyond the last repeat it; they are not stored.
                let start = p.output + (n * p.outputs + min(first_o + o, p.outputs - 1u)) * pixels + left;
                var d: array<f32, 4>;
                for (var a = 0u; a < 4u; a++) {
                    let inside = top + a < p.height;
                    d[a] = select(0.0, dy[start + select(0u, (top + a) * p.width, inside)], inside);
                }
                let even = d[0] + d[2];
                let odd = d[1] + d[3];
                let even_twice = d[0] + d[2] * 4.0;
                let odd_twice = d[1] * 2.0 + d[3] * 8.0;
                g[o] = array<f32, 6>(d[0], even + odd, even - odd, even_twice + odd_twice, even_twice - odd_twice, d[3]);
            }
            for (var i = 0u; i < BLOCK; i++) {
                let start = p.input + (n * p.inputs + min(first_i + i, p.inputs - 1u)) * pixels;
                var d: array<f32, 6>;
                for (var k = 0u; k < 6u; k++) {
                    let y = top + k - 1u;
                    let inside = y < p.height && across < p.width;
                    d[k] = select(0.0, x[start + select(0u, y * p.width + across, inside)], inside);
                }
                let t = transformed(d);
                for (var o = 0u; o < BLOCK; o++) {
                    for (var v = 0u; v < 6u; v++) {
                        let k = (o * BLOCK + i) * 6u + v;
                        sum[k] = fma(g[o][v], t[v], sum[k]);
                    }
                }
            }
        }
        for (var k = 0u; k < SUMS; k++) { total[k] += sum[k]; }
    }
    for (var k = 0u; k < SUMS; k++) { shared_sums[k * WORKGROUP + lane] = total[k]; }
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            for (var k = 0u; k < SUMS; k++) {
                shared_sums[k * WORKGROUP + lane] += shared_sums[k * WORKGROUP + lane + half];
            }
        }
    }
    workgroupBarrier();
    if (lane < BLOCK * BLOCK) {
        let o = first_o + lane / BLOCK;
        let i = first_i + lane % BLOCK;
        if (o < p.outputs && i < p.inputs) {
            var m: array<f32, 6>;
            for (var v = 0u; v < 6u; v++) { m[v] = shared_sums[(lane * 6u + v) * WORKGROUP]; }
            let sum = m[1] + m[2];
            let sum_twice = m[3] + m[4];
            let taps = array<f32, 3>(m[0] / 4.0 - sum / 6.0 + sum_twice / 24.0,
                (m[2] - m[1]) / 6.0 + (m[3] - m[4]) / 12.0, (sum_twice - sum) / 6.0 + m[5]);
            for (var r = 0u; r < 3u; r++) {
                let to = p.weight + (o * p.inputs + i) * 9u + r * 3u + s;
                if (p.accumulate != 0u) { dw[to] += taps[r]; } else { dw[to] = taps[r]; }
            }
        }
    }
}
