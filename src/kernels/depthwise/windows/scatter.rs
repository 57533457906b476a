//! Runs of planes: gradients on their way (through the ReLU, if there is one) to where they belong.

use super::convolve::{Entry, normal};
use crate::kernels::cpu::store::store;
use crate::kernels::cpu::vector::vectorised;

/// One phase of a run of planes of gradients on its way to where the others are.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Spread {
    /// Height and width of the planes.
    pub size: [usize; 2],
    /// First pixel, and distance of pixels, in rows and columns.
    pub first: [usize; 2],
    pub stride: [usize; 2],
    /// Rows and columns of the phase (of a tile of it).
    pub results: [usize; 2],
    /// From row to row, and plane to plane, of the sums.
    pub pitch: usize,
    pub plane: usize,
    /// Whether they are added to what is there.
    pub add: bool,
}

vectorised! {
    /// Spreads sums over the planes of `to`, 0 where the ReLU's argument, of the planes of `x`, is not positive.
    fn spread(spread: &Spread, entry: Entry<'_>, x: &[f32], sums: &[f32], to: &mut [f32]) = spread_body
}

#[inline(always)]
fn spread_body<const FUSED: bool>(spread: &Spread, entry: Entry<'_>, x: &[f32], sums: &[f32], to: &mut [f32]) {
    let pixels = spread.size[0] * spread.size[1];
    // A phase without a column may begin behind the last row.
    if spread.results[1] == 0 {
        return;
    }
    for (number, to) in to.chunks_exact_mut(pixels).enumerate() {
        let sums = &sums[number * spread.plane..];
        let x = || &x[number * pixels..][..pixels];
        match entry {
            Entry::Plain => placed(spread, sums, to),
            Entry::Rectified => masked(spread, x(), sums, to, |value| value),
            Entry::Normalised(norms) => {
                let norm = norms[number];
                masked(spread, x(), sums, to, |value| normal(norm, value));
            }
        }
    }
}

/// Without a ReLU.
#[inline(always)]
fn placed(spread: &Spread, sums: &[f32], to: &mut [f32]) {
    let [down, right] = spread.stride;
    for row in 0..spread.results[0] {
        let first = (spread.first[0] + row * down) * spread.size[1] + spread.first[1];
        let sums = &sums[row * spread.pitch..][..spread.results[1]];
        let to = &mut to[first..];
        match (right, spread.add) {
            (1, _) => store(&mut to[..sums.len()], sums, 0.0, spread.add),
            (_, false) => to.iter_mut().step_by(right).zip(sums).for_each(|(to, &sum)| *to = sum),
            (_, true) => to.iter_mut().step_by(right).zip(sums).for_each(|(to, &sum)| *to += sum),
        }
    }
}

#[inline(always)]
fn masked(spread: &Spread, x: &[f32], sums: &[f32], to: &mut [f32], argument: impl Fn(f32) -> f32 + Copy) {
    let [down, right] = spread.stride;
    let passed = |sum: f32, value: f32| if argument(value) > 0.0 { sum } else { 0.0 };
    for row in 0..spread.results[0] {
        let first = (spread.first[0] + row * down) * spread.size[1] + spread.first[1];
        let sums = &sums[row * spread.pitch..][..spread.results[1]];
        let (x, to) = (&x[first..], &mut to[first..]);
        match (right, spread.add) {
            (1, false) => exactly(sums, x, to, |to, sum, value| *to = passed(sum, value)),
            (1, true) => exactly(sums, x, to, |to, sum, value| *to += passed(sum, value)),
            (_, false) => apart(sums, x, to, right, |to, sum, value| *to = passed(sum, value)),
            (_, true) => apart(sums, x, to, right, |to, sum, value| *to += passed(sum, value)),
        }
    }
}

#[inline(always)]
fn exactly(sums: &[f32], x: &[f32], to: &mut [f32], f: impl Fn(&mut f32, f32, f32)) {
    #[inline(always)]
    fn run<const N: usize>(sums: &[f32], x: &[f32], to: &mut [f32], f: impl Fn(&mut f32, f32, f32)) {
        if let (Some(sums), Some(x), Some(to)) = (sums.first_chunk::<N>(), x.first_chunk(), to.first_chunk_mut::<N>()) {
            let x: &[f32; N] = x;
            for i in 0..N {
                f(&mut to[i], sums[i], x[i]);
            }
        }
    }
    match sums.len() {
        8 => run::<8>(sums, x, to, f),
        16 => run::<16>(sums, x, to, f),
        32 => run::<32>(sums, x, to, f),
        _ => to.iter_mut().zip(sums).zip(x).for_each(|((to, &sum), &x)| f(to, sum, x)),
    }
}

#[inline(always)]
fn apart(sums: &[f32], x: &[f32], to: &mut [f32], stride: usize, f: impl Fn(&mut f32, f32, f32)) {
    let values = to.iter_mut().step_by(stride).zip(sums).zip(x.iter().step_by(stride));
    values.for_each(|((to, &sum), &x)| f(to, sum, x));
}
