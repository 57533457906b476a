//! Tensors as planes: how kernels over [batch, channels, pixels] are cut into workgroups on a GPU,
//! and into pieces of fixed size on the CPU.

use super::chains::{self, Rows, most, total};
use super::parallel;
use crate::device::{Class, Launch};
use rayon::prelude::*;
use std::ops::Range;

/// Elements in one piece of work of a twin: enough to be worth a thread's while.
pub(super) const PIECE: usize = 16_384;

/// One thread an element, workgroups that never straddle two planes (so what belongs to a channel is
/// loaded once a workgroup).
///
/// The shader includes `include/planes.wgsl`, which declares what the constants mean.
pub(super) fn by_plane(planes: u32, pixels: u32, class: Class) -> Launch {
    // On a software driver a workgroup is a task with a cost of its own: make it long.
    let (size, elements) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (16, 64),
    };
    let chunks = u64::from(pixels).div_ceil(u64::from(size * elements));
    Launch { groups: u64::from(planes) * chunks, ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("ELEMENTS", elements)
}

/// Workgroups that each take a run of one channel's `count` elements, image after image, however small the planes.
///
/// The shader includes `include/walk.wgsl`.
pub(super) fn by_channel(channels: u32, count: u64, class: Class) -> Launch {
    let (size, elements) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (8, 128),
    };
    Launch { groups: u64::from(channels) * count.div_ceil(u64::from(size * elements)), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("ELEMENTS", elements)
}

/// One thread for each few elements of a line.
pub(super) fn by_element(count: u32, class: Class) -> Launch {
    let (size, elements) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (16, 64),
    };
    Launch { groups: u64::from(count).div_ceil(u64::from(size * elements)), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("ELEMENTS", elements)
}

/// One workgroup for each of `count` long sums; the shader includes `include/tree.wgsl`.
pub(super) fn by_sum(count: u32, class: Class) -> Launch {
    // A software driver pays for every barrier, once for each vector of invocations.
    let size = match class {
        Class::Hardware => 256,
        Class::Software => 16,
    };
    Launch { groups: count.into(), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("LANES", size)
        .constant("BLOCK", 16)
}

/// A few lanes for each of `rows` short sums; the shader includes `include/tree.wgsl`.
pub(super) fn by_row(rows: u32, class: Class) -> Launch {
    let (size, lanes) = match class {
        Class::Hardware => (64, 16),
        Class::Software => (8, 1),
    };
    Launch { groups: u64::from(rows).div_ceil(u64::from(size / lanes)), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("LANES", lanes)
}

/// The parts of planes of `pixels` elements that make up elements `first..first + len`: each plane's
/// number and its range, counted from `first`.
fn segments(first: usize, len: usize, pixels: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        (at < len).then(|| {
            let plane = (first + at) / pixels;
            let range = at..len.min((plane + 1) * pixels - first);
            at = range.end;
            (plane, range)
        })
    })
}

/// Calls `f(plane, first, part)` for parts of planes that together are `y`; `first` is where in `y`
/// the part begins.
pub(super) fn each_plane(y: &mut [f32], pixels: usize, f: impl Fn(usize, usize, &mut [f32]) + Sync) {
    let least = parallel::least(y.len());
    y.par_chunks_mut(PIECE).enumerate().with_min_len(least).for_each(|(piece, y)| {
        let first = piece * PIECE;
        for (plane, range) in segments(first, y.len(), pixels) {
            f(plane, first + range.start, &mut y[range]);
        }
    });
}

/// A part of a channel: of the images from `row` on `rows` many, and of each `width` pixels from `column` on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) channel: usize,
    pub(super) row: usize,
    pub(super) rows: usize,
    pub(super) column: usize,
    pub(super) width: usize,
}

impl Part {
    /// The part of a dense [batch, channels, pixels], as `rows` rows of `width` values.
    pub(super) fn of<'a>(&self, x: &'a [f32], channels: usize, pixels: usize) -> Rows<'a> {
        Rows { values: &x[(self.row * channels + self.channel) * pixels + self.column..], stride: channels * pixels }
    }

    /// Σ (x − mean) · dy and Σ dy.
    pub(super) fn products(&self, x: &[f32], dy: &[f32], [channels, pixels]: [usize; 2], mean: f32) -> [f64; 2] {
        self.pieces().fold([0.0; 2], |[product, sum], piece| {
            let [x, dy] = [x, dy].map(|values| piece.of(values, channels, pixels));
            let more = chains::product(x, mean, dy, piece.rows, piece.width);
            [product + more, sum + total(dy, piece.rows, piece.width)]
        })
    }

    /// Cut up so that each piece can be summed in float32 and stays in the first-level cache meanwhile.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Self> + use<> {
        let (rows, width) = most(self.width);
        let (part, end, right) = (*self, self.row + self.rows, self.column + self.width);
        (part.row..end).step_by(rows).flat_map(move |row| {
            (part.column..right).step_by(width).map(move |column| Self {
                channel: part.channel,
                row,
                rows: rows.min(end - row),
                column,
                width: width.min(right - column),
            })
        })
    }
}

/// [batch, channels, pixels] cut into parts of fixed size. Neighbouring channels of the same images follow one
/// another, as they do in memory: processors foresee a few long runs better than many short ones.
pub(super) fn channel_parts([batch, channels, pixels]: [usize; 3]) -> Vec<Part> {
    let rows = most(pixels).0;
    let width = pixels.clamp(1, PIECE);
    let part = |channel, row, column| Part {
        channel,
        row,
        rows: rows.min(batch - row),
        column,
        width: width.min(pixels - column),
    };
    (0..batch)
        .step_by(rows)
        .flat_map(|row| (0..pixels).step_by(width).map(move |column| (row, column)))
        .flat_map(|(row, column)| (0..channels).map(move |channel| part(channel, row, column)))
        .collect()
}

/// Sums over the batch and the pixels of each channel of [batch, channels, pixels]: `sum` gives those
/// of a part, which are added up in a fixed order.
pub(super) fn channel_sums<const N: usize>(
    [batch, channels, pixels]: [usize; 3],
    sum: impl Fn(Part) -> [f64; N] + Sync,
) -> Vec<[f64; N]> {
    let parts = channel_parts([batch, channels, pixels]);
    let least = parallel::least(2 * batch * channels * pixels);
    let sums: Vec<[f64; N]> = parts.into_par_iter().with_min_len(least).map(&sum).collect();
    let mut totals = vec![[0.0; N]; channels];
    for sums in sums.chunks_exact(channels.max(1)) {
        for (total, sum) in totals.iter_mut().zip(sums) {
            total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
        }
    }
    totals
}

/// `y[i] = value`, or `y[i] += value`.
pub(super) fn put(y: &mut f32, value: f64, accumulate: u32) {
    *y = if accumulate != 0 { *y + value as f32 } else { value as f32 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_each_channel_once() {
        for [batch, channels, pixels] in [[3, 2, 5], [1, 1, 40_000], [700, 3, 64], [2, 3, 16_384], [5, 4, 1]] {
            let x: Vec<f32> = (0..batch * channels * pixels).map(|i| (i % 97) as f32).collect();
            let sums = channel_sums([batch, channels, pixels], |part| {
                let (mut sum, mut count) = (0.0, 0.0);
                for piece in part.pieces() {
                    let rows = piece.of(&x, channels, pixels);
                    let runs = (0..piece.rows).flat_map(|row| &rows.values[row * rows.stride..][..piece.width]);
                    sum += runs.map(|&v| f64::from(v)).sum::<f64>();
                    count += (piece.rows * piece.width) as f64;
                }
                [sum, count]
            });
            for (channel, &[sum, count]) in sums.iter().enumerate() {
                let expected: f64 = (0..batch)
                    .flat_map(|n| &x[(n * channels + channel) * pixels..][..pixels])
                    .map(|&v| f64::from(v))
                    .sum();
                assert_eq!((sum, count), (expected, (batch * pixels) as f64));
            }
        }
    }

    #[test]
    fn plane_parts_meet_at_the_borders_of_planes() {
        for (planes, pixels) in [(3, 10_000), (40_000, 1), (5, 7), (1, 50_000)] {
            let mut y = vec![-1.0; planes * pixels];
            each_plane(&mut y, pixels, |plane, first, part| {
                assert!(first / pixels == plane && (first + part.len() - 1) / pixels == plane);
                part.fill(plane as f32);
            });
            assert!(y.iter().enumerate().all(|(i, &v)| v == (i / pixels) as f32));
        }
    }
}
