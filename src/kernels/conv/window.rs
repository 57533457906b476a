//! The window of a convolution, dense or depthwise: how it moves over an image.

use crate::params;

params! {
    /// A window of [kernel_rows, kernel_columns] taps over images of [height, width]. It stands among a kernel's
    /// parameters, and its fields in their place among the shader's.
    pub struct Window {
        /// Height of x.
        pub height: u32,
        /// Width of x.
        pub width: u32,
        /// Height of y.
        pub out_height: u32,
        /// Width of y.
        pub out_width: u32,
        /// Height of the window.
        pub kernel_rows: u32,
        /// Width of the window.
        pub kernel_columns: u32,
        /// Rows from one window to the next.
        pub stride_rows: u32,
        /// Columns from one window to the next.
        pub stride_columns: u32,
        /// Rows from one tap to the next.
        pub dilation_rows: u32,
        /// Columns from one tap to the next.
        pub dilation_columns: u32,
        /// Rows of zeros above x; negative: rows left out.
        pub pad_top: i32,
        /// Columns of zeros left of x; negative: columns left out.
        pub pad_left: i32,
    }
}

impl Window {
    /// Pixels of an image of x.
    pub(in crate::kernels) fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    /// Pixels of an image of y.
    pub(in crate::kernels) fn out_pixels(&self) -> usize {
        self.out_height as usize * self.out_width as usize
    }

    /// Weights of the window.
    pub(in crate::kernels) fn taps(&self) -> usize {
        self.kernel_rows as usize * self.kernel_columns as usize
    }

    /// Parameters of a square window over images that are padded by `pad` on all sides.
    pub(in crate::kernels) fn square(
        [height, width]: [u32; 2],
        kernel: u32,
        stride: u32,
        dilation: u32,
        pad: i32,
    ) -> Self {
        let out = |size: u32| {
            let free = i64::from(size) + 2 * i64::from(pad) - i64::from(dilation * (kernel - 1)) - 1;
            (free / i64::from(stride) + 1) as u32
        };
        Self {
            height,
            width,
            out_height: out(height),
            out_width: out(width),
            kernel_rows: kernel,
            kernel_columns: kernel,
            stride_rows: stride,
            stride_columns: stride,
            dilation_rows: dilation,
            dilation_columns: dilation,
            pad_top: pad,
            pad_left: pad,
        }
    }
}
