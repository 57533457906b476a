// What the gradients of both pools share: which windows a pixel lies in, and where its sum goes.
override KERNEL: u32 = 3;
override STRIDE: u32 = 1;

// The first window that reaches place `at` (counted with padding).
fn first_window(at: u32) -> u32 {
    return (max(at + STRIDE, KERNEL) - KERNEL) / STRIDE;
}

fn put(s: Strip, row: u32, column: u32, sum: f32) {
    if (column >= p.width) { return; }
    let place = p.input + (s.plane * p.height + row) * p.width + column;
    var total = sum;
    if (p.accumulate != 0u) { total += dx[place]; }
    dx[place] = total;
}
