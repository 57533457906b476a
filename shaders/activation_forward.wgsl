// y = f(x), elementwise; f is ReLU (0), sigmoid (1), tanh (2) or a ramp (3).
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;
override FUNCTION: u32 = 0;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, p.count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let v = x[p.x + i];
        // Not max, which may turn a NaN into 0.
        var r = select(v, 0.0, v < 0.0);
        if (FUNCTION == 1u) { r = 1.0 / (1.0 + exp(-v)); }
        if (FUNCTION == 2u) { r = tanh(clamp(v, -20.0, 20.0)); }
        if (FUNCTION == 3u) {
            let line = p.slope * v + p.shift;
            r = select(select(line, p.high, line > p.high), p.low, line < p.low);
        }
        y[p.y + i] = r;
    }
}
