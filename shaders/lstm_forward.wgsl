// c' = σ(f)·c + σ(i)·tanh(g),  h' = σ(o)·tanh(c'): gates are [rows, i|f|o|g], states are [h|c, rows, units].
// One unit of one row an element; ELEMENTS of them an invocation, WORKGROUP apart.
override WORKGROUP: u32 = 64;
override ELEMENTS: u32 = 1;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let count = p.rows * p.units;
    let first = linear(group, groups) * (WORKGROUP * ELEMENTS);
    let end = min(first + WORKGROUP * ELEMENTS, count);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        let gate = gates_of(i);
        let cell = gate.y * previous[p.previous + count + i] + gate.x * gate.w;
        state[p.state + i] = gate.z * bounded_tanh(cell);
        state[p.state + count + i] = cell;
    }
}
