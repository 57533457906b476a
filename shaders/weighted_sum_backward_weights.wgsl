// dw[k] (+)= Σ_i dy_i · x_k,i: one workgroup an option; blocks of BLOCK products are summed first, then
// the blocks of an invocation, then a tree over the invocations.

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let option = linear(group, groups);
    if (option >= p.options) { return; }
    // Options beyond the 32nd have no bit.
    let bit = select(0u, 1u << (option & 31u), option < 32u);
    let slot = p.x + countOneBits(p.active_options & (bit - 1u)) * p.stride;
    var total = 0.0;
    var i = select(p.count, lane, (p.active_options & bit) != 0u);
    while (i < p.count) {
        var block = 0.0;
        if (i + (BLOCK - 1u) * WORKGROUP < p.count) {
            for (var b = 0u; b < BLOCK; b += 1u) {
                block += x[slot + i] * dy[p.dy + i];
                i += WORKGROUP;
            }
        } else {
            for (; i < p.count; i += WORKGROUP) { block += x[slot + i] * dy[p.dy + i]; }
        }
        total += block;
    }
    var sum = tree_sum(total, lane);
    if (lane == 0u) {
        if (p.accumulate != 0u) { sum += dw[p.dw + option]; }
        dw[p.dw + option] = sum;
    }
}
