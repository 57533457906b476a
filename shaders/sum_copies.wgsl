// x[l, i] = Σ over all copies l of x[l, i]: every copy gets the sum. One entry of a copy an invocation.
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    var sum = 0.0;
    for (var copy = 0u; copy < p.copies; copy += 1u) { sum += x[p.x + copy * p.count + i]; }
    for (var copy = 0u; copy < p.copies; copy += 1u) { x[p.x + copy * p.count + i] = sum; }
}
