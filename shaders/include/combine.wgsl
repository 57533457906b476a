// Sum and maximum of one value from each of a workgroup's LANES (a power of two) invocations, in a
// fixed order. All invocations must call them together, and all get the result.
var<workgroup> cells: array<f32, LANES>;

fn workgroup_sum(lane: u32, value: f32) -> f32 {
    cells[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) { cells[lane] += cells[lane + half]; }
        workgroupBarrier();
    }
    let result = cells[0];
    // The cells may be written again only when all have read.
    workgroupBarrier();
    return result;
}

fn is_nan(v: f32) -> bool {
    return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

// The larger of two values, or a NaN if there is one. NaNs are told by their bits: compilers may assume
// that comparisons never meet one.
fn larger(a: f32, b: f32) -> f32 {
    return select(b, a, is_nan(a) || (!is_nan(b) && a > b));
}

fn workgroup_max(lane: u32, value: f32) -> f32 {
    cells[lane] = value;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        if (lane < half) { cells[lane] = larger(cells[lane], cells[lane + half]); }
        workgroupBarrier();
    }
    let result = cells[0];
    workgroupBarrier();
    return result;
}
