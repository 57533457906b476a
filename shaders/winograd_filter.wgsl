// u[v, s, i, o] = Σ_r G[v, r] w[o, i, r, s]; turned round, u[v, s, o, i] = Σ_r G[v, r] w[o, i, 2 − r, 2 − s].
// An invocation transforms one column of three taps.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let column = linear(group, groups) * WORKGROUP + lane;
    let columns = p.outputs * p.inputs * 3u;
    if (column >= columns) { return; }
    let pairs = p.outputs * p.inputs;
    let pair = column % pairs;
    var s = column / pairs;
    var start = p.weight + (pair % p.outputs * p.inputs + pair / p.outputs) * 9u;
    if (p.turned != 0u) {
        start = p.weight + pair * 9u;
        s = 2u - s;
    }
    var a = w[start + s];
    let b = w[start + 3u + s];
    var c = w[start + 6u + s];
    if (p.turned != 0u) {
        let first = a;
        a = c;
        c = first;
    }
    let to = p.transformed + column;
    let ends = a + c;
    let ends_four = a + c * 4.0;
    u[to] = a / 4.0;
    u[to + columns] = (ends + b) / -6.0;
    u[to + 2u * columns] = (ends - b) / -6.0;
    u[to + 3u * columns] = (ends_four + b * 2.0) / 24.0;
    u[to + 4u * columns] = (ends_four - b * 2.0) / 24.0;
    u[to + 5u * columns] = c;
}
