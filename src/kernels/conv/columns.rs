//! Unfolded windows: the matrix whose columns are the results (pixels of y, image after image) and whose
//! rows are (input, row, column) of the window; and back.

use super::Params;
use crate::kernels::cpu::window_rows;

/// Neighbouring columns in one row of one image of y.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// First column in the panel.
    at: usize,
    image: usize,
    y: usize,
    x: usize,
    length: usize,
}

/// Some columns, one panel's.
pub(super) struct Columns<'a> {
    p: &'a Params,
    runs: Vec<Run>,
    width: usize,
    filled: usize,
}

impl<'a> Columns<'a> {
    /// The columns from `first` on of a panel of `width`; there are `columns` in all.
    pub(super) fn new(p: &'a Params, first: usize, width: usize, columns: usize) -> Self {
        let (end, row) = (columns.min(first + width), p.window.out_width as usize);
        let mut runs = Vec::with_capacity((end - first) / row + 2);
        let mut column = first;
        while column < end {
            let (image, pixel) = (column / p.out_pixels(), column % p.out_pixels());
            let (y, x) = (pixel / row, pixel % row);
            let length = (row - x).min(end - column);
            runs.push(Run { at: column - first, image, y, x, length });
            column += length;
        }
        Self { p, runs, width, filled: end - first }
    }

    /// Calls `f(column in the panel, image, pixel, length)` for columns that are neighbours in memory.
    #[inline]
    pub(super) fn each_image(&self, mut f: impl FnMut(usize, usize, usize, usize)) {
        for runs in self.runs.chunk_by(|a, b| a.image == b.image) {
            let length = runs.iter().map(|run| run.length).sum();
            f(runs[0].at, runs[0].image, runs[0].y * self.p.window.out_width as usize + runs[0].x, length);
        }
    }

    /// Calls `f(row of the panel, run, row of the image if inside, first column)` for the panel's rows,
    /// which are those of the unfolded windows from `first` on. The row is its first element's index.
    #[inline]
    fn each(&self, channel: usize, first: usize, count: usize, mut f: impl FnMut(usize, Run, Option<usize>, i64)) {
        let p = self.p;
        for row in 0..count {
            let k = first + row;
            let (input, tap) = (channel + k / p.taps(), k % p.taps());
            let (r, c) = (tap / p.window.kernel_columns as usize, tap % p.window.kernel_columns as usize);
            let down = (r * p.window.dilation_rows as usize) as i64 - i64::from(p.window.pad_top);
            let right = (c * p.window.dilation_columns as usize) as i64 - i64::from(p.window.pad_left);
            for &run in &self.runs {
                let y = (run.y * p.window.stride_rows as usize) as i64 + down;
                let plane = (run.image * p.inputs as usize + input) * p.pixels();
                let inside = (0..i64::from(p.window.height)).contains(&y);
                let start = inside.then(|| plane + y as usize * p.window.width as usize);
                f(row, run, start, (run.x * p.window.stride_columns as usize) as i64 + right);
            }
        }
    }

    /// Fills a panel with the rows from `first` on of the windows on x, whose group begins at `channel`;
    /// zeros behind the last column.
    pub(super) fn gather(&self, x: &[f32], channel: usize, first: usize, panel: &mut [f32]) {
        let (width, stride) = (self.p.window.width as usize, self.p.window.stride_columns as usize);
        if self.filled < self.width {
            panel.chunks_exact_mut(self.width).for_each(|row| row[self.filled..].fill(0.0));
        }
        self.each(channel, first, panel.len() / self.width, |row, run, start, column| {
            let to = &mut panel[row * self.width + run.at..][..run.length];
            match start {
                Some(start) => window_rows::fill(to, &x[start..][..width], column, stride),
                None => to.fill(0.0),
            }
        });
    }

    /// Adds a panel like that of [`Self::gather`] to where the windows were read.
    pub(super) fn scatter(&self, panel: &[f32], channel: usize, first: usize, dx: &mut [f32]) {
        let (width, stride) = (self.p.window.width as usize, self.p.window.stride_columns as usize);
        self.each(channel, first, panel.len() / self.width, |row, run, start, column| {
            if let Some(start) = start {
                let values = &panel[row * self.width + run.at..][..run.length];
                window_rows::scatter(values, &mut dx[start..][..width], column, stride);
            }
        });
    }
}

/// Fills a panel with the rows of dy from output `first` on, as many as it has; zeros behind the last
/// column.
pub(super) fn gather_results(columns: &Columns<'_>, dy: &[f32], first: usize, panel: &mut [f32]) {
    let (outputs, pixels) = (columns.p.outputs as usize, columns.p.out_pixels());
    for (row, panel) in panel.chunks_exact_mut(columns.width).enumerate() {
        columns.each_image(|at, image, pixel, length| {
            let from = (image * outputs + first + row) * pixels + pixel;
            panel[at..at + length].copy_from_slice(&dy[from..from + length]);
        });
        panel[columns.filled..].fill(0.0);
    }
}
