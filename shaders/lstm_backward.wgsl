// The way back of one step: with dc = dc' + dh'·o·(1 − tanh²c'),
// di = dc·g·i(1−i), df = dc·c·f(1−f), do = dh'·tanh c'·o(1−o), dg = dc·i·(1−g²), and dc·f for the cell before.
// Of dprevious only the second half, [rows, units], is touched: what flows to h goes through the gates.
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
        let before = previous[p.previous + count + i];
        let squashed = bounded_tanh(gate.y * before + gate.x * gate.w);
        let dh = dstate[p.dstate + i];
        let dc = dstate[p.dstate + count + i] + dh * gate.z * (1.0 - squashed * squashed);
        let slope = vec4(gate.xyz * (1.0 - gate.xyz), 1.0 - gate.w * gate.w);
        let d = vec4(dc * gate.w, dc * before, dh * squashed, dc * gate.x) * slope;
        let at = p.dgates + i / p.units * 4u * p.units + i % p.units;
        dgates[at] = d.x;
        dgates[at + p.units] = d.y;
        dgates[at + 2u * p.units] = d.z;
        dgates[at + 3u * p.units] = d.w;
        let to = p.dprevious + count + i;
        var back = dc * gate.y;
        if (p.accumulate != 0u) { back += dprevious[to]; }
        dprevious[to] = back;
    }
}
