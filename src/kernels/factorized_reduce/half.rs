//! One of the two convolutions: which pixels of x it reads, and which channels of y it gives.

use super::Params;
use crate::kernels::cpu::pixel_panel::Panel;

/// One of the two convolutions.
#[derive(Clone, Copy)]
pub(super) struct Half<'a> {
    p: &'a Params,
    /// 0, or 1 for the one that reads the shifted image.
    shift: usize,
}

impl<'a> Half<'a> {
    /// Both.
    pub(super) fn both(p: &'a Params) -> [Self; 2] {
        [0, 1].map(|shift| Self { p, shift })
    }

    /// The channel of y that is its output `row`.
    pub(super) fn output(&self, row: usize) -> usize {
        let block = self.p.block as usize;
        (row / block * 2 + self.shift) * block + row % block
    }

    /// Its filters, one behind the other.
    pub(super) fn filters(&self, w: &[f32]) -> Vec<f32> {
        let inputs = self.p.inputs as usize;
        (0..self.p.outputs as usize / 2).flat_map(|row| &w[self.output(row) * inputs..][..inputs]).copied().collect()
    }

    /// Calls `f(column in the panel, image, row of x if inside, first column of x, length)` for columns
    /// that are neighbours in a row of y. The row is the place of its first pixel in a plane.
    #[inline]
    fn each_row(&self, panel: Panel, mut f: impl FnMut(usize, usize, Option<usize>, usize, usize)) {
        let (width, row) = (self.p.width as usize, self.p.width.div_ceil(2) as usize);
        panel.each_run(|at, image, pixel, length| {
            let mut done = 0;
            while done < length {
                let (i, j) = ((pixel + done) / row, (pixel + done) % row);
                let count = (row - j).min(length - done);
                let y = 2 * i + self.shift;
                let start = (y < self.p.height as usize).then_some(y * width);
                f(at + done, image, start, 2 * j + self.shift, count);
                done += count;
            }
        });
    }

    /// Fills a panel with a row for each channel of x: the pixels read, after the ReLU; zeros behind
    /// the last column.
    pub(super) fn gather(&self, panel: Panel, x: &[f32], to: &mut [f32]) {
        let (inputs, width) = (self.p.inputs as usize, self.p.width as usize);
        if panel.filled() < panel.width {
            to.chunks_exact_mut(panel.width).for_each(|row| row[panel.filled()..].fill(0.0));
        }
        self.each_row(panel, |at, image, start, column, length| {
            for c in 0..inputs {
                let to = &mut to[c * panel.width + at..][..length];
                let Some(start) = start else {
                    to.fill(0.0);
                    continue;
                };
                let from = &x[(image * inputs + c) * self.p.pixels() + start..][..width];
                pick(to, from.get(column..).unwrap_or(&[]));
            }
        });
    }

    /// Fills a panel with the rows of dy that are this half's; zeros behind the last column.
    pub(super) fn gather_results(&self, panel: Panel, dy: &[f32], to: &mut [f32]) {
        let outputs = self.p.outputs as usize;
        for (row, to) in to.chunks_exact_mut(panel.width).enumerate() {
            panel.each_run(|at, image, pixel, length| {
                let from = (image * outputs + self.output(row)) * panel.pixels + pixel;
                to[at..at + length].copy_from_slice(&dy[from..from + length]);
            });
            to[panel.filled()..].fill(0.0);
        }
    }

    /// Adds a panel's rows to the pixels read of each channel of dx, where x is positive.
    pub(super) fn scatter(&self, panel: Panel, from: &[f32], x: &[f32], dx: &mut [f32]) {
        let (inputs, width) = (self.p.inputs as usize, self.p.width as usize);
        self.each_row(panel, |at, image, start, column, length| {
            let Some(start) = start else { return };
            for c in 0..inputs {
                let from = &from[c * panel.width + at..][..length];
                let first = (image * inputs + c) * self.p.pixels() + start;
                // The shifted half's last column may lie outside.
                let range = first + column.min(width)..first + width;
                add(from, &x[range.clone()], &mut dx[range]);
            }
        });
    }
}

/// to[j] = max(from[2j], 0), and 0 beyond the end.
#[inline]
fn pick(to: &mut [f32], from: &[f32]) {
    let (pairs, last) = from.as_chunks::<2>();
    let paired = pairs.len().min(to.len());
    to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0].max(0.0));
    if let Some((to, rest)) = to[paired..].split_first_mut() {
        *to = last.first().map_or(0.0, |last| last.max(0.0));
        rest.fill(0.0);
    }
}

/// to[2j] += values[j] where x[2j] > 0.
#[inline]
fn add(values: &[f32], x: &[f32], to: &mut [f32]) {
    let ((pairs, last), (x_pairs, x_last)) = (to.as_chunks_mut::<2>(), x.as_chunks::<2>());
    for ((to, x), &value) in pairs.iter_mut().zip(x_pairs).zip(values) {
        to[0] += if x[0] > 0.0 { value } else { 0.0 };
    }
    if let ([to], [x], Some(&value)) = (last, x_last, values.get(x_pairs.len())) {
        *to += if *x > 0.0 { value } else { 0.0 };
    }
}
