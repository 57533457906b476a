// Options that share a kernel: columns and sizes, a byte each.

fn byte_of(low: u32, high: u32, k: u32) -> u32 {
    var word = low;
    if (k >= 4u) { word = high; }
    return (word >> (8u * (k % 4u))) & 0xFFu;
}

// Whether entry `at` of planes of size × size lies in the middle within × within of its plane.
fn reaches(size: u32, within: u32, at: u32) -> bool {
    let edge = (size - min(within, size)) / 2u;
    let row = at / size % size;
    let column = at % size;
    return row >= edge && row < size - edge && column >= edge && column < size - edge;
}
