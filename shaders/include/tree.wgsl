// Sums over runs of LANES invocations of a workgroup (LANES a power of two), as a fixed tree; every
// invocation of a run gets its sum. All invocations of the workgroup must call.
var<workgroup> tree: array<f32, WORKGROUP>;

fn tree_sum(value: f32, lane: u32) -> f32 {
    if (LANES == 1u) { return value; }
    tree[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane % LANES < half) { tree[lane] += tree[lane + half]; }
        workgroupBarrier();
    }
    let total = tree[lane - lane % LANES];
    workgroupBarrier();
    return total;
}
