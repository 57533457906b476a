// y (+)= the sum (operation 0), mean over `total` (1), root of the sum (2) or maximum (3) of `count`
// partial results. One workgroup.
override OPERATION: u32 = 0;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    if (linear(group, groups) != 0u) { return; }
    var mine = select(0.0, x[p.x], OPERATION == 3u);
    for (var i = lane; i < p.count; i += LANES) {
        let v = x[p.x + i];
        if (OPERATION == 3u) { mine = larger(mine, v); } else { mine += v; }
    }
    var all = 0.0;
    if (OPERATION == 3u) { all = workgroup_max(lane, mine); } else { all = workgroup_sum(lane, mine); }
    if (OPERATION == 1u) { all /= f32(p.total); }
    if (OPERATION == 2u) { all = sqrt(all); }
    if (lane == 0u) {
        if (p.accumulate != 0u) { y[p.y] += all; } else { y[p.y] = all; }
    }
}
