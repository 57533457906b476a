//! Concatenation and slices along channels, forward and backward, as one copy:
//! y[n, y_first + c, p] (+)= x[n, x_first + c, p] for c < channels.

use crate::device::{Call, Case, Kernel, Launch};
use crate::kernels::cpu::parallel::{PIECE, pieces_of};
use crate::kernels::launch::by_element;
use crate::params;

params! {
    /// Parameters of [`COPY`].
    pub struct Copy {
        /// Offset of x, [batch, x_channels, pixels].
        pub x: u32,
        /// Offset of y, [batch, y_channels, pixels].
        pub y: u32,
        /// Images.
        pub batch: u32,
        /// Pixels of a channel.
        pub pixels: u32,
        /// Channels to copy.
        pub channels: u32,
        /// Channels of x.
        pub x_channels: u32,
        /// First channel of x to copy.
        pub x_first: u32,
        /// Channels of y.
        pub y_channels: u32,
        /// Channel of y that the first one goes to.
        pub y_first: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// Copies neighbouring channels of x to neighbouring channels of y; other channels of y stay.
pub static COPY: Kernel = Kernel {
    name: "copy_channels",
    source: wgsl!("copy_channels"),
    params: Copy::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Copy = bytemuck::pod_read_unaligned(params);
        let launch = by_element(u64::from(p.channels) * u64::from(p.pixels), class);
        Launch { groups: launch.groups * u64::from(p.batch), ..launch }
    },
    flops: |params| {
        let p: Copy = bytemuck::pod_read_unaligned(params);
        u64::from(p.accumulate) * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: copy,
    reference: copy,
    cases,
    benches: || {
        let p = Copy { batch: 16, pixels: 1024, channels: 16, x_channels: 16, y_channels: 64, y_first: 16, ..CASE };
        vec![case(Copy { x_first: 0, accumulate: 0, ..p })]
    },
};

fn copy(call: &mut Call<'_>) {
    let p: Copy = call.params();
    let run = p.channels as usize * p.pixels as usize;
    let x_image = p.x_channels as usize * p.pixels as usize;
    let y_image = p.y_channels as usize * p.pixels as usize;
    if p.batch == 0 || run == 0 {
        return;
    }
    let x = &call.input(0)[p.x as usize + p.x_first as usize * p.pixels as usize..];
    let y_first = p.y_first as usize * p.pixels as usize;
    let y = &mut call.output(0)[p.y as usize..][..p.batch as usize * y_image];
    // Whole images a piece; small ones together.
    let images = (PIECE / run).max(1);
    pieces_of(images * y_image, p.batch as usize * run, y, |first, y| {
        for (n, y) in y.chunks_exact_mut(y_image).enumerate() {
            let x = &x[(first / y_image + n) * x_image..][..run];
            let y = &mut y[y_first..][..run];
            if p.accumulate == 0 {
                y.copy_from_slice(x);
            } else {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            }
        }
    });
}

const CASE: Copy = Copy {
    x: 3,
    y: 5,
    batch: 0,
    pixels: 0,
    channels: 0,
    x_channels: 0,
    x_first: 0,
    y_channels: 0,
    y_first: 0,
    accumulate: 0,
};

fn case(p: Copy) -> Case {
    let label = format!(
        "{} images, {} of {} channels of {} pixels from {} to {} of {}, accumulate {}",
        p.batch, p.channels, p.x_channels, p.pixels, p.x_first, p.y_first, p.y_channels, p.accumulate
    );
    Case::new(label, &p)
        .noise((p.x + p.batch * p.x_channels * p.pixels) as usize, 1)
        .result((p.y + p.batch * p.y_channels * p.pixels + 3) as usize)
        .exactly()
}

fn cases() -> Vec<Case> {
    let shapes = [
        // (batch, pixels, channels, x_channels, x_first, y_channels, y_first)
        (1, 1, 1, 1, 0, 1, 0),
        (5, 1, 3, 7, 4, 4, 1),
        (3, 63, 1, 2, 1, 3, 2),
        (2, 64, 4, 4, 0, 9, 5),
        (7, 35, 5, 6, 1, 5, 0),
        (2, 1024, 3, 3, 0, 5, 2),
    ];
    shapes
        .into_iter()
        .flat_map(|(batch, pixels, channels, x_channels, x_first, y_channels, y_first)| {
            [0, 1].map(|accumulate| {
                case(Copy { batch, pixels, channels, x_channels, x_first, y_channels, y_first, accumulate, ..CASE })
            })
        })
        .collect()
}
