// y[j] = the sum (operations 0 and 1), sum of squares (2) or maximum (3) of elements CHUNK·j … of x.
// A workgroup a chunk; each of its LANES invocations takes every LANES-th element, in four accumulators.
override OPERATION: u32 = 0;

fn combine(a: f32, b: f32) -> f32 {
    if (OPERATION == 3u) { return larger(a, b); }
    return a + b;
}

fn value(i: u32) -> f32 {
    let v = x[i];
    return select(v, v * v, OPERATION == 2u);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let chunk = linear(group, groups);
    let first = chunk * CHUNK;
    if (first >= p.count) { return; }
    let count = min(p.count - first, CHUNK);
    let at = p.x + first;
    // Nothing is smaller than the smallest of them: any element will do to start a maximum from.
    let start = select(0.0, x[at], OPERATION == 3u);
    var a = start;
    var b = start;
    var c = start;
    var d = start;
    var i = lane;
    for (; i + 3u * LANES < count; i += 4u * LANES) {
        a = combine(a, value(at + i));
        b = combine(b, value(at + i + LANES));
        c = combine(c, value(at + i + 2u * LANES));
        d = combine(d, value(at + i + 3u * LANES));
    }
    for (; i < count; i += LANES) { a = combine(a, value(at + i)); }
    let mine = combine(combine(a, b), combine(c, d));
    var all = 0.0;
    if (OPERATION == 3u) { all = workgroup_max(lane, mine); } else { all = workgroup_sum(lane, mine); }
    if (lane == 0u) { y[p.y + chunk] = all; }
}
