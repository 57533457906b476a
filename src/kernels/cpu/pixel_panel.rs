//! Panels: blocks of columns of a matrix product whose columns are pixels of images.
//!
//! Used by the pointwise convolution and the factorised reduction.

/// Columns of a product: pixels of images, one image after the other.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Panel {
    /// The first column.
    pub first: usize,
    /// How many columns it has room for.
    pub width: usize,
    /// Columns that there are in all.
    pub columns: usize,
    /// Columns of one image.
    pub pixels: usize,
}

impl Panel {
    /// Calls `f(column in the panel, image, pixel, length)` for the runs that lie in one image.
    #[inline]
    pub(in crate::kernels) fn each_run(self, mut f: impl FnMut(usize, usize, usize, usize)) {
        let end = self.first + self.filled();
        let mut column = self.first;
        while column < end {
            let (image, pixel) = (column / self.pixels, column % self.pixels);
            let length = (self.pixels - pixel).min(end - column);
            f(column - self.first, image, pixel, length);
            column += length;
        }
    }

    /// How many of the columns there are.
    pub(in crate::kernels) fn filled(self) -> usize {
        self.width.min(self.columns - self.first)
    }

    /// Copies the columns of `channels` channels, of images `planes` planes apart, side by side into a
    /// panel [channels, width], zeros behind them.
    pub(in crate::kernels) fn gather(self, x: &[f32], channels: usize, planes: usize, panel: &mut [f32]) {
        let filled = self.filled();
        for (channel, panel) in panel.chunks_exact_mut(self.width).take(channels).enumerate() {
            self.each_run(|at, image, pixel, length| {
                let from = (image * planes + channel) * self.pixels + pixel;
                panel[at..at + length].copy_from_slice(&x[from..from + length]);
            });
            panel[filled..].fill(0.0);
        }
    }
}
