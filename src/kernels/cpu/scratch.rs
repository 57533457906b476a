//! Memory of each thread that is used again and again, aligned to cache lines: what is asked of the system anew comes as pages that
//! it has to clear first.
//!
//! Used by the convolutions, dense and depthwise, for panels, packed windows and sums.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

/// One cache line: loads of whole vectors from memory that starts at a line don't straddle two.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; 16]);

thread_local! {
    static SCRATCH: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    static LENT: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
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

/// Most pieces of memory that a thread keeps for [`lend`].
const KEPT: usize = 4;

/// Some floats, until they are dropped; then the thread that drops them lends them again.
pub(in crate::kernels) struct Lent {
    lines: Vec<Line>,
    length: usize,
}

/// Lends memory that many threads fill together. It holds whatever was left there.
pub(in crate::kernels) fn lend(length: usize) -> Lent {
    let mut lines = LENT.with_borrow_mut(Vec::pop).unwrap_or_default();
    let needed = length.div_ceil(16);
    if lines.len() < needed {
        // Nothing of what it holds is worth moving.
        lines.clear();
        lines.resize(needed, Line([0.0; 16]));
    }
    Lent { lines, length }
}

/// As [`lend`], all zeros.
pub(in crate::kernels) fn zeros(length: usize) -> Lent {
    let mut lent = lend(length);
    lent.fill(0.0);
    lent
}

impl Deref for Lent {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &bytemuck::cast_slice(&self.lines)[..self.length]
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut bytemuck::cast_slice_mut(&mut self.lines)[..self.length]
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        LENT.with_borrow_mut(|kept| {
            if kept.len() < KEPT {
                kept.push(std::mem::take(&mut self.lines));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dropped_is_lent_again() {
        let mut first = lend(40);
        first.fill(1.0);
        let place = first.as_ptr();
        let second = zeros(5);
        assert_ne!(second.as_ptr(), place);
        drop(first);
        let again = zeros(33);
        assert_eq!((again.as_ptr(), again.len()), (place, 33));
        assert!(again.iter().all(|value| *value == 0.0));
        assert_eq!(place as usize % 64, 0);
    }
}
