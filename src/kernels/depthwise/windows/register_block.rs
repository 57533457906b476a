//! Blocks of results in registers. Rows and taps are written out by macros: arrays that loops index would live in
//! memory. Every bounds check lies outside the arithmetic (a source's indices are masked, its length is fixed), or
//! the compiler would not see through it.

use crate::kernels::cpu::vector::{self, fma};

/// Columns of a wide block.
pub(in crate::kernels) const LANES: usize = vector::LANES;
/// Places in a [`Source`]: indices are taken modulo this.
pub(in crate::kernels) const SIZE: usize = 1 << 14;
/// Most weights of a window.
pub(in crate::kernels) const WEIGHTS: usize = 256;

/// Memory for padded planes, with room for the last vector. Blocks may read more than they use, behind the
/// last row and column; that must be finite.
pub(in crate::kernels) type Source = [f32; SIZE + LANES];
/// A window's weights; indices are taken modulo the length.
pub(in crate::kernels) type Weights = [f32; WEIGHTS];

/// Taps one below the other.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Group {
    /// Distance of the first tap from the result.
    pub offset: usize,
    /// Index of the first tap's weight.
    pub weight: usize,
}

/// A block of results: where it begins, in the source and in the results, and how much of it counts.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Place {
    pub from: usize,
    pub to: usize,
    pub rows: usize,
    pub columns: usize,
}

#[inline(always)]
fn load<const V: usize>(source: &Source, at: usize) -> [f32; V] {
    let at = at & (SIZE - 1);
    let mut values = [0.0; V];
    values.copy_from_slice(&source[at..at + V]);
    values
}

#[inline(always)]
fn scaled<const FUSED: bool, const V: usize>(sum: &mut [f32; V], weight: f32, values: &[f32; V]) {
    for lane in 0..V {
        sum[lane] = fma::<FUSED>(weight, values[lane], sum[lane]);
    }
}

#[inline(always)]
fn multiplied<const FUSED: bool, const V: usize>(sum: &mut [f32; V], a: &[f32; V], b: &[f32; V]) {
    for lane in 0..V {
        sum[lane] = fma::<FUSED>(a[lane], b[lane], sum[lane]);
    }
}

/// The first `count` results of a row, or all of them.
#[inline(always)]
fn read<const V: usize>(to: &[f32], at: usize, count: usize) -> [f32; V] {
    let mut values = [0.0; V];
    let from = &to[at..at + count.min(V)];
    match from.first_chunk::<V>() {
        Some(from) => values = *from,
        None => values.iter_mut().zip(from).for_each(|(value, &from)| *value = from),
    }
    values
}

#[inline(always)]
fn write<const V: usize>(to: &mut [f32], at: usize, count: usize, values: [f32; V]) {
    let to = &mut to[at..at + count.min(V)];
    match to.first_chunk_mut::<V>() {
        Some(to) => *to = values,
        None => to.iter_mut().zip(values).for_each(|(to, value)| *to = value),
    }
}

/// What becomes of a block's sums: `bias` and, if `add`, what is there are added, and the result is held within bounds.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Ends {
    pub add: bool,
    pub bias: f32,
    pub bounds: Option<[f32; 2]>,
}

impl Ends {
    /// For a part of the sum: the first begins it, the last ends it.
    #[inline(always)]
    pub fn part(self, first: bool, last: bool) -> Self {
        Self {
            add: self.add || !first,
            bias: if first { self.bias } else { 0.0 },
            bounds: if last { self.bounds } else { None },
        }
    }
}

/// Not `clamp`, which would make a minimum and a maximum of what must keep a NaN.
#[inline(always)]
pub(in crate::kernels) fn within<const V: usize>(mut values: [f32; V], bounds: Option<[f32; 2]>) -> [f32; V] {
    if let Some([low, high]) = bounds {
        for value in &mut values {
            let above = if *value < low { low } else { *value };
            *value = if above > high { high } else { above };
        }
    }
    values
}

/// `to (+)= Σ` over groups and their `T` taps (whose weights are `weight` behind the groups'), for `R` ≤ 8 rows of `V` columns. Row r of a group, `r · step` from its
/// first tap, is tap r − j of held row j.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one call of an inner loop, each in a register")]
pub(in crate::kernels) fn convolve<const FUSED: bool, const T: usize, const R: usize, const V: usize>(
    source: &Source,
    from: usize,
    step: usize,
    groups: &[Group],
    weight: usize,
    weight_step: usize,
    weights: &Weights,
    place: Place,
    to: &mut [f32],
    to_step: usize,
    ends: Ends,
) {
    macro_rules! begin {
        ($j:literal) => {
            if ends.add && $j < R && $j < place.rows {
                read::<V>(to, place.to + $j * to_step, place.columns).map(|value| value + ends.bias)
            } else {
                [ends.bias; V]
            }
        };
    }
    let (mut a0, mut a1, mut a2, mut a3) = (begin!(0), begin!(1), begin!(2), begin!(3));
    let (mut a4, mut a5, mut a6, mut a7) = (begin!(4), begin!(5), begin!(6), begin!(7));
    for group in groups {
        let first = from + group.offset;
        let mut taps = [0.0f32; 8];
        for (k, tap) in taps.iter_mut().enumerate().take(T) {
            *tap = weights[(group.weight + weight).wrapping_add(k * weight_step) & (WEIGHTS - 1)];
        }
        macro_rules! held {
            ($r:literal, $values:ident, $($sum:ident $j:literal)*) => { $(
                if $j < R && $r >= $j && $r < T + $j {
                    scaled::<FUSED, V>(&mut $sum, taps[($r as usize).wrapping_sub($j) & 7], &$values);
                }
            )* };
        }
        macro_rules! rows {
            ($($r:literal)*) => { $(
                if $r < T + R - 1 {
                    let values = load::<V>(source, first + $r * step);
                    held!($r, values, a0 0 a1 1 a2 2 a3 3 a4 4 a5 5 a6 6 a7 7);
                }
            )* };
        }
        rows!(0 1 2 3 4 5 6 7 8 9 10 11);
    }
    macro_rules! end {
        ($($sum:ident $j:literal)*) => { $(
            if $j < R && $j < place.rows {
                write::<V>(to, place.to + $j * to_step, place.columns, within($sum, ends.bounds));
            }
        )* };
    }
    end!(a0 0 a1 1 a2 2 a3 3 a4 4 a5 5 a6 6 a7 7);
}

/// `sums[tap][lane] += Σ` over the blocks' results, of the `T` taps of each of `S` ≤ 3 groups: results are held, row r
/// of a group meets held row j as tap r − j. A group may be there twice: all sums are read before any is written. Sums have `LANES` lanes, of which the first `V` are used.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one call of an inner loop, each in a register")]
pub(in crate::kernels) fn correlate<
    const FUSED: bool,
    const T: usize,
    const S: usize,
    const R: usize,
    const V: usize,
>(
    source: &Source,
    from: usize,
    step: usize,
    groups: &[Group; S],
    weight: usize,
    weight_step: usize,
    gradients: &Source,
    gradients_from: usize,
    gradients_step: usize,
    places: &[Place],
    sums: &mut [[f32; LANES]],
) {
    macro_rules! begin {
        ($($sum:ident $s:literal $k:literal)*) => { $(
            let mut $sum = if $s < S && $k < T {
                let at = (groups[$s % S].weight + weight).wrapping_add($k * weight_step) & (WEIGHTS - 1);
                read::<V>(&sums[at], 0, V)
            } else {
                [0.0; V]
            };
        )* };
    }
    begin!(a0 0 0 a1 0 1 a2 0 2 a3 0 3 a4 0 4);
    begin!(b0 1 0 b1 1 1 b2 1 2 b3 1 3 b4 1 4);
    begin!(c0 2 0 c1 2 1 c2 2 2 c3 2 3 c4 2 4);
    for place in places {
        let (first, held) = (from + place.from, gradients_from + place.to);
        macro_rules! hold {
            ($($row:ident $j:literal)*) => { $(
                let $row = if $j < R { load::<V>(gradients, held + $j * gradients_step) } else { [0.0; V] };
            )* };
        }
        hold!(g0 0 g1 1 g2 2 g3 3 g4 4 g5 5 g6 6 g7 7);
        macro_rules! tap {
            ($r:literal, $values:ident, $sum:ident, $k:literal, $($row:ident $j:literal)*) => { $(
                if $k < T && $j < R && $r == $j + $k {
                    multiplied::<FUSED, V>(&mut $sum, &$row, &$values);
                }
            )* };
        }
        macro_rules! taps {
            ($r:literal, $s:literal, $($sum:ident $k:literal)*) => {
                if $s < S {
                    let values = load::<V>(source, first + groups[$s % S].offset + $r * step);
                    $( tap!($r, values, $sum, $k, g0 0 g1 1 g2 2 g3 3 g4 4 g5 5 g6 6 g7 7); )*
                }
            };
        }
        macro_rules! rows {
            ($($r:literal)*) => { $(
                if $r < T + R - 1 {
                    taps!($r, 0, a0 0 a1 1 a2 2 a3 3 a4 4);
                    taps!($r, 1, b0 0 b1 1 b2 2 b3 3 b4 4);
                    taps!($r, 2, c0 0 c1 1 c2 2 c3 3 c4 4);
                }
            )* };
        }
        rows!(0 1 2 3 4 5 6 7 8 9 10 11);
    }
    macro_rules! end {
        ($($sum:ident $s:literal $k:literal)*) => { $(
            if $s < S && $k < T {
                let at = (groups[$s % S].weight + weight).wrapping_add($k * weight_step) & (WEIGHTS - 1);
                write::<V>(&mut sums[at], 0, V, $sum);
            }
        )* };
    }
    end!(a0 0 0 a1 0 1 a2 0 2 a3 0 3 a4 0 4);
    end!(b0 1 0 b1 1 1 b2 1 2 b3 1 3 b4 1 4);
    end!(c0 2 0 c1 2 1 c2 2 2 c3 2 3 c4 2 4);
}
