//! Channel shuffle (Zhang et al. 2018, ShuffleNet): channels in groups, read across the groups,
//! y\[n, c·G + g, p\] (+)= x\[n, g·(C/G) + c, p\]. Shuffling with C/G groups undoes it.

use crate::device::{Call, Case, Kernel, Launch};
use crate::kernels::cpu::parallel::{PIECE, pieces_of};
use crate::kernels::launch::by_element;
use crate::params;

params! {
    /// Parameters of [`SHUFFLE`].
    pub struct Shuffle {
        /// Offset of x, [batch, channels, pixels].
        pub x: u32,
        /// Offset of y, [batch, channels, pixels].
        pub y: u32,
        /// Images.
        pub batch: u32,
        /// Channels C, a multiple of the groups.
        pub channels: u32,
        /// Pixels of a channel.
        pub pixels: u32,
        /// Groups G of neighbouring channels of x.
        pub groups: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// Interleaves groups of channels.
pub static SHUFFLE: Kernel = Kernel {
    name: "shuffle_channels",
    source: wgsl!("shuffle_channels"),
    params: Shuffle::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Shuffle = bytemuck::pod_read_unaligned(params);
        let launch = by_element(u64::from(p.pixels), class);
        Launch { groups: launch.groups * u64::from(p.batch) * u64::from(p.channels), ..launch }
    },
    flops: |params| {
        let p: Shuffle = bytemuck::pod_read_unaligned(params);
        u64::from(p.accumulate) * u64::from(p.batch) * u64::from(p.channels) * u64::from(p.pixels)
    },
    twin: shuffle,
    reference: shuffle,
    cases: || {
        let shapes = [(1, 1, 1, 1), (2, 6, 5, 2), (3, 6, 64, 3), (2, 8, 70, 4), (1, 5, 9, 5), (4, 16, 1, 4)];
        shapes.into_iter().flat_map(|shape| [0, 1].map(|accumulate| case(shape, accumulate))).collect()
    },
    benches: || vec![case((16, 16, 1024, 4), 0)],
};

fn shuffle(call: &mut Call<'_>) {
    let p: Shuffle = call.params();
    let (channels, pixels, groups) = (p.channels as usize, p.pixels as usize, p.groups as usize);
    let count = p.batch as usize * channels * pixels;
    if count == 0 {
        return;
    }
    let x = &call.input(0)[p.x as usize..][..count];
    let y = &mut call.output(0)[p.y as usize..][..count];
    pieces_of((PIECE / pixels).max(1) * pixels, count, y, |first, y| {
        for (k, y) in y.chunks_exact_mut(pixels).enumerate() {
            let (n, channel) = ((first / pixels + k) / channels, (first / pixels + k) % channels);
            let source = channel % groups * (channels / groups) + channel / groups;
            let x = &x[(n * channels + source) * pixels..][..pixels];
            if p.accumulate == 0 {
                y.copy_from_slice(x);
            } else {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            }
        }
    });
}

fn case((batch, channels, pixels, groups): (u32, u32, u32, u32), accumulate: u32) -> Case {
    let p = Shuffle { x: 3, y: 5, batch, channels, pixels, groups, accumulate };
    let count = (batch * channels * pixels) as usize;
    Case::new(format!("{batch}×{channels}×{pixels}, {groups} groups, accumulate {accumulate}"), &p)
        .noise(count + 3, 1)
        .result(count + 7)
        .exactly()
}
