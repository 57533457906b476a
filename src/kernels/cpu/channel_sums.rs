//! Sums over the batch and the pixels of each channel of [batch, channels, pixels], in a fixed order whatever
//! the number of threads.
//!
//! Used by batch norm (statistics and their gradients), the scales of widths, and normalised sums.

use super::accurate_sums::{Rows, most};
use super::parallel::{self, LONG_PIECE};
use rayon::prelude::*;

/// A part of a channel: of the images from `row` on `rows` many, and of each `width` pixels from `column` on.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Part {
    pub(in crate::kernels) channel: usize,
    pub(in crate::kernels) row: usize,
    pub(in crate::kernels) rows: usize,
    pub(in crate::kernels) column: usize,
    pub(in crate::kernels) width: usize,
}

impl Part {
    /// The part of a dense [batch, channels, pixels], as `rows` rows of `width` values.
    pub(in crate::kernels) fn of<'a>(&self, x: &'a [f32], channels: usize, pixels: usize) -> Rows<'a> {
        Rows { values: &x[(self.row * channels + self.channel) * pixels + self.column..], stride: channels * pixels }
    }

    /// The sum of two sums of x and dy over all [`pieces`](Self::pieces), each at most as long as [`most`] allows.
    pub(in crate::kernels) fn sums(
        &self,
        [x, dy]: [&[f32]; 2],
        [channels, pixels]: [usize; 2],
        of: impl Fn(Rows<'_>, Rows<'_>, usize, usize) -> [f64; 2],
    ) -> [f64; 2] {
        self.pieces().fold([0.0; 2], |[first, second], piece| {
            let [x, dy] = [x, dy].map(|values| piece.of(values, channels, pixels));
            let [more, further] = of(x, dy, piece.rows, piece.width);
            [first + more, second + further]
        })
    }

    /// Cut up so that each piece can be summed in float32 and stays in the first-level cache meanwhile.
    pub(in crate::kernels) fn pieces(&self) -> impl Iterator<Item = Self> + use<> {
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
pub(in crate::kernels) fn channel_parts([batch, channels, pixels]: [usize; 3]) -> Vec<Part> {
    let rows = most(pixels).0;
    let width = pixels.clamp(1, LONG_PIECE);
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
pub(in crate::kernels) fn channel_sums<const N: usize>(
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
}
