//! Pooling of [planes, height, width] (a plane is one channel of one image): maximum, average, and the
//! average of whole planes.
//!
//! Window (i, j) covers rows `i · stride − padding ..` and columns `j · stride − padding ..`, `kernel` each.
//! A maximum among equals is the first in row-major order; a NaN wins over numbers, the last over the
//! others (as in PyTorch). An average divides by the pixels inside the image, or, with
//! `count_padding`, inside the padded image.
//!
//! The twins slide windows over a padded copy of a plane, rows first, then columns, so that all inner
//! loops run over long contiguous runs whatever the width.

mod average;
mod global;
mod max;

pub use average::{AVG_BACKWARD, AVG_FORWARD};
pub use global::{GLOBAL_BACKWARD, GLOBAL_FORWARD, Global};
pub use max::{MAX_BACKWARD, MAX_FORWARD};

use crate::device::{Class, Launch};
use crate::params;

params! {
    /// Parameters of [`MAX_FORWARD`], [`MAX_BACKWARD`], [`AVG_FORWARD`] and [`AVG_BACKWARD`].
    pub struct Params {
        /// Offset of x or dx, [planes, height, width].
        pub input: u32,
        /// Offset of y or dy, [planes, out_height, out_width].
        pub output: u32,
        /// Offset of the indices of maxima, shaped like y; each is `row · width + column` of x.
        pub indices: u32,
        /// Batch size · channels.
        pub planes: u32,
        /// Height of x.
        pub height: u32,
        /// Width of x.
        pub width: u32,
        /// Height of y.
        pub out_height: u32,
        /// Width of y.
        pub out_width: u32,
        /// Rows and columns of a window.
        pub kernel: u32,
        /// Rows and columns from one window to the next.
        pub stride: u32,
        /// Rows and columns in front of the image that the first window takes in.
        pub padding: u32,
        /// Whether averages count padding.
        pub count_padding: u32,
        /// Whether outputs are added to (1) or overwritten (0); indices are overwritten.
        pub accumulate: u32,
    }
}

fn by_output(params: &[u8], class: Class) -> Launch {
    let p: Params = bytemuck::pod_read_unaligned(params);
    by_strip(&p, [p.out_height, p.out_width], across(&p), class)
}

fn by_input(params: &[u8], class: Class) -> Launch {
    let p: Params = bytemuck::pod_read_unaligned(params);
    by_strip(&p, [p.height, p.width], across(&p), class)
}

/// Columns that one thread takes: where windows beside each other share most of what they load, four.
fn across(p: &Params) -> u32 {
    if p.kernel == 3 && p.stride == 1 { 4 } else { 1 }
}

/// One thread for a few rows of a few columns; the shader includes `include/strips.wgsl`.
fn by_strip(p: &Params, [height, width]: [u32; 2], across: u32, class: Class) -> Launch {
    let (size, strip) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (32, 16),
    };
    let threads = u64::from(p.planes) * u64::from(height.div_ceil(strip)) * u64::from(width.div_ceil(across));
    let launch = Launch::linear(threads, size).constant("STRIP", strip).constant("ACROSS", across);
    launch.with("KERNEL", p.kernel).with("STRIDE", p.stride)
}

fn flops(params: &[u8]) -> u64 {
    let p: Params = bytemuck::pod_read_unaligned(params);
    let windows = u64::from(p.planes) * u64::from(p.out_height) * u64::from(p.out_width);
    windows * u64::from(p.kernel) * u64::from(p.kernel)
}

/// Sizes of one call, as the twins use them.
#[derive(Clone, Copy)]
struct Sizes {
    height: usize,
    width: usize,
    out_height: usize,
    out_width: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    /// Rows of a plane with padding, enough for every window.
    rows: usize,
    /// Columns of a plane with padding, enough for every window.
    columns: usize,
}

impl Sizes {
    fn of(p: &Params) -> Self {
        let [height, width, out_height, out_width, kernel, stride, padding] =
            [p.height, p.width, p.out_height, p.out_width, p.kernel, p.stride, p.padding].map(|n| n as usize);
        let extent = |size: usize, out: usize| (size + 2 * padding).max((out.max(1) - 1) * stride + kernel);
        let (rows, columns) = (extent(height, out_height), extent(width, out_width));
        Self { height, width, out_height, out_width, kernel, stride, padding, rows, columns }
    }

    fn inputs(&self) -> usize {
        self.height * self.width
    }

    fn outputs(&self) -> usize {
        self.out_height * self.out_width
    }

    /// Planes in one piece of work, from the shape alone.
    fn piece(&self) -> usize {
        (crate::kernels::cpu::parallel::LONG_PIECE / self.inputs().max(1)).max(1)
    }

    /// Copies a plane into the middle of a padded one.
    fn pad(&self, plane: &[f32], padded: &mut [f32]) {
        for (row, plane) in plane.chunks_exact(self.width).enumerate() {
            padded[(row + self.padding) * self.columns + self.padding..][..self.width].copy_from_slice(plane);
        }
    }

    /// 1 / (number of pixels that the average of each window counts).
    fn reciprocals(&self, count_padding: bool) -> Vec<f32> {
        let counts = |size: usize, out: usize| -> Vec<usize> {
            let (low, high) =
                if count_padding { (0, size + 2 * self.padding) } else { (self.padding, size + self.padding) };
            let count = |i: usize| (i * self.stride + self.kernel).min(high).saturating_sub((i * self.stride).max(low));
            (0..out).map(count).collect()
        };
        let columns = counts(self.width, self.out_width);
        let rows = counts(self.height, self.out_height);
        rows.iter().flat_map(|r| columns.iter().map(move |c| 1.0 / (r * c).max(1) as f32)).collect()
    }
}

#[cfg(test)]
mod tests;

/// Shapes of the cases: [planes, height, width, kernel, stride, padding].
const SHAPES: [[usize; 6]; 15] = [
    [1, 1, 1, 1, 1, 0],
    [2, 1, 1, 3, 1, 1],
    [6, 7, 5, 3, 1, 1],
    [6, 8, 8, 3, 2, 1],
    [3, 9, 7, 3, 2, 1],
    [2, 33, 31, 3, 1, 1],
    [2, 9, 10, 3, 1, 0],
    [3, 8, 6, 2, 2, 0],
    [2, 11, 14, 5, 3, 0],
    [2, 8, 8, 5, 3, 0],
    [2, 10, 9, 5, 1, 2],
    [2, 9, 9, 2, 3, 0],
    [2, 6, 7, 4, 2, 2],
    [2, 5, 6, 31, 1, 15],
    [2, 9, 7, 17, 2, 8],
];

/// Shapes of the DARTS supernet at batch 16.
const BENCHES: [[usize; 6]; 3] = [[256, 32, 32, 3, 1, 1], [256, 32, 32, 3, 2, 1], [1024, 8, 8, 3, 1, 1]];

fn shape([planes, height, width, kernel, stride, padding]: [usize; 6]) -> Params {
    let out = |size: usize| ((size + 2 * padding - kernel) / stride + 1) as u32;
    Params {
        input: 3,
        output: 2,
        indices: 1,
        planes: planes as u32,
        height: height as u32,
        width: width as u32,
        out_height: out(height),
        out_width: out(width),
        kernel: kernel as u32,
        stride: stride as u32,
        padding: padding as u32,
        count_padding: 0,
        accumulate: 0,
    }
}

/// A window more in each direction, partly beyond the image, as `ceil_mode` makes them.
fn beyond() -> Params {
    Params { out_height: 4, out_width: 5, ..shape([2, 6, 8, 3, 2, 1]) }
}

fn label(p: &Params) -> String {
    let Params { planes, height, width, out_height, out_width, kernel, stride, padding, .. } = p;
    let sizes = format!("{planes}×{height}×{width} to {out_height}×{out_width}");
    let window = format!("kernel {kernel}, stride {stride}, padding {padding}");
    format!("{sizes}, {window}, count padding {}, accumulate {}", p.count_padding, p.accumulate)
}

/// Elements of x and of y, offsets included.
fn lengths(p: &Params) -> (usize, usize) {
    ((p.input + p.planes * p.height * p.width) as usize, (p.output + p.planes * p.out_height * p.out_width) as usize)
}
