// dx (+)= dy · f'(x), with f' written in terms of y = f(x); f is ReLU (0), sigmoid (1), tanh (2) or a ramp (3).
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;
override FUNCTION: u32 = 0;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let v = y[p.y + i];
        var slope = select(0.0, 1.0, v > 0.0);
        if (FUNCTION == 1u) { slope = v * (1.0 - v); }
        if (FUNCTION == 2u) { slope = 1.0 - v * v; }
        if (FUNCTION == 3u) { slope = select(0.0, p.slope, v > p.low && v < p.high); }
        let g = dy[p.dy + i] * slope;
        if (p.accumulate != 0u) { dx[p.dx + i] += g; } else { dx[p.dx + i] = g; }
    }
}
