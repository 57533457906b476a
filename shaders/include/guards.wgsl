// Whether one of `count` scalars from `first` on is infinite or not a number. Told by the exponent's
// bits: compilers may assume that comparisons never meet a NaN.
fn any_not_finite(first: u32, count: u32) -> bool {
    for (var i = 0u; i < count; i += 1u) {
        if ((bitcast<u32>(scalars[first + i]) & 0x7f800000u) == 0x7f800000u) { return true; }
    }
    return false;
}
