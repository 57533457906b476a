//! Scratch memory of each thread, aligned to cache lines.
//!
//! Used by the convolutions, dense and depthwise, for panels, packed windows and sums.

use std::cell::RefCell;

/// One cache line: loads of whole vectors from memory that starts at a line don't straddle two.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

thread_local! {
    static SCRATCH: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
}

/// Lends `f` this thread's scratch memory, cut into slices of the given lengths, each beginning at a
/// cache line. It holds whatever was left there.
pub(in crate::kernels) fn scratch<const N: usize>(lengths: [usize; N], f: impl FnOnce([&mut [f32]; N])) {
    // Taken out rather than borrowed, so that a nested call finds an empty one instead of a panic.
    let mut lines = SCRATCH.with(RefCell::take);
    let needed = lengths.iter().map(|length| length.div_ceil(16)).sum();
    if lines.len() < needed {
        lines.resize(needed, Line([0.0; 16]));
    }
    let mut rest: &mut [f32] = bytemuck::cast_slice_mut(&mut lines);
    f(lengths.map(|length| {
        let (part, tail) = std::mem::take(&mut rest).split_at_mut(length.next_multiple_of(16));
        rest = tail;
        &mut part[..length]
    }));
    SCRATCH.set(lines);
}
