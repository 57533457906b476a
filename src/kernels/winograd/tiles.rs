//! Tiles of 4×4 pixels, and rows of pixels laid channel beside channel: there every step of the transforms works on whole vectors of
//! channels, whatever the image's size.

use super::Params;
use super::transform::{ROWS, TAPS, VALUES};
use crate::kernels::cpu::transpose::transposed;
use crate::kernels::cpu::vector::{LANES, vectorised};

/// Some neighbouring rows of tiles, image after image.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a> {
    pub p: &'a Params,
    /// Taps of the windows along either axis, an odd number: images are padded by half of it.
    pub taps: usize,
    /// The first of them.
    pub first: usize,
    pub rows: usize,
}

impl Tiles<'_> {
    /// Rows of tiles of an image.
    pub fn down(p: &Params) -> usize {
        (p.height as usize).div_ceil(ROWS)
    }

    /// Tiles of a row.
    pub fn across(&self) -> usize {
        (self.p.width as usize).div_ceil(ROWS)
    }

    /// Tiles.
    pub fn count(&self) -> usize {
        self.rows * self.across()
    }

    /// Blocks of 3 taps that the windows consist of along either axis.
    pub fn blocks(&self) -> usize {
        self.taps.div_ceil(TAPS)
    }

    /// Columns of pixels that the tiles of a row read: some more on either side.
    pub fn span(&self) -> usize {
        self.across() * ROWS + self.blocks() * TAPS - 1
    }

    /// Values that [`lay_inputs`] fills, of so many channels.
    pub fn of_inputs(&self, channels: usize) -> usize {
        self.rows * VALUES * self.span() * channels
    }

    /// Values of the tiles' own pixels, of so many channels.
    pub fn of_outputs(&self, channels: usize) -> usize {
        self.count() * ROWS * ROWS * channels
    }

    /// The image of a row of tiles, and its first row of pixels.
    fn place(&self, row: usize) -> (usize, usize) {
        let (row, down) = (self.first + row, Self::down(self.p));
        (row / down, row % down * ROWS)
    }
}

/// Pixels of some channels in a row of an image.
#[derive(Clone, Copy)]
struct Line {
    width: usize,
    /// Distance between channels where they lie plane behind plane.
    pixels: usize,
    channels: usize,
    /// Room for them where they lie side by side, a multiple of [`LANES`].
    room: usize,
}

impl Line {
    /// `to[x, channel] = from[channel, x]`, zeros for the channels beyond the last.
    #[inline(always)]
    fn lay(self, from: &[f32], to: &mut [f32]) {
        let Self { width, pixels, channels, room } = self;
        for channel in (0..room).step_by(LANES) {
            let count = LANES.min(channels - channel);
            for x in (0..width).step_by(LANES) {
                let here = LANES.min(width - x);
                let from = &from[channel * pixels + x..];
                let to = &mut to[x * room + channel..];
                if count == LANES && here == LANES {
                    let mut block = [[0.0; LANES]; LANES];
                    for (i, block) in block.iter_mut().enumerate() {
                        *block = vector(&from[i * pixels..]);
                    }
                    for (i, row) in transposed(&block).iter().enumerate() {
                        to[i * room..][..LANES].copy_from_slice(row);
                    }
                } else {
                    let mut block = [[0.0; LANES]; LANES];
                    for (i, block) in block.iter_mut().enumerate().take(count) {
                        block[..here].copy_from_slice(&from[i * pixels..][..here]);
                    }
                    for (i, row) in transposed(&block).iter().enumerate().take(here) {
                        to[i * room..][..LANES].copy_from_slice(row);
                    }
                }
            }
        }
    }

    /// `to[channel, x] = from[x, channel] (+ to)`.
    #[inline(always)]
    fn put(self, from: &[f32], accumulate: bool, to: &mut [f32]) {
        let Self { width, pixels, channels, room } = self;
        for channel in (0..room).step_by(LANES) {
            let count = LANES.min(channels - channel);
            for x in (0..width).step_by(LANES) {
                let here = LANES.min(width - x);
                let from = &from[x * room + channel..];
                let to = &mut to[channel * pixels + x..];
                let mut block = [[0.0; LANES]; LANES];
                if count == LANES && here == LANES && !accumulate {
                    for (i, block) in block.iter_mut().enumerate() {
                        *block = vector(&from[i * room..]);
                    }
                    for (i, row) in transposed(&block).iter().enumerate() {
                        to[i * pixels..][..LANES].copy_from_slice(row);
                    }
                    continue;
                }
                for (i, block) in block.iter_mut().enumerate().take(here) {
                    *block = vector(&from[i * room..]);
                }
                for (i, row) in transposed(&block).iter().enumerate().take(count) {
                    let to = &mut to[i * pixels..][..here];
                    if accumulate {
                        to.iter_mut().zip(row).for_each(|(to, value)| *to += value);
                    } else if let Some(to) = to.first_chunk_mut() {
                        *to = *row;
                    } else {
                        to.copy_from_slice(&row[..here]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn vector(values: &[f32]) -> [f32; LANES] {
    let mut vector = [0.0; LANES];
    vector.copy_from_slice(&values[..LANES]);
    vector
}

vectorised! {
    /// Lays the pixels of x that the tiles read for a block of the taps, counted down the columns: to[row of tiles, 6, span, room],
    /// zeros beside the image.
    fn lay_inputs(tiles: Tiles<'_>, block: usize, x: &[f32], room: usize, to: &mut [f32]) = lay_inputs_body
}

#[inline(always)]
fn lay_inputs_body<const FUSED: bool>(tiles: Tiles<'_>, block: usize, x: &[f32], room: usize, to: &mut [f32]) {
    let (p, pad) = (tiles.p, tiles.taps / 2);
    let (height, width, size) = (p.height as usize, p.width as usize, tiles.span() * room);
    let line = Line { width, pixels: p.pixels(), channels: p.inputs as usize, room };
    for at in 0..tiles.rows {
        let (image, y) = tiles.place(at);
        let start = at * VALUES * size;
        // The last two rows of the tiles above are the first two of these.
        let known = if at > 0 && y > 0 { VALUES - ROWS } else { 0 };
        to.copy_within(start - known * size..start, start);
        for (d, to) in to[start..][..VALUES * size].chunks_exact_mut(size).enumerate().skip(known) {
            let y = y + block * TAPS + d;
            if (pad..height + pad).contains(&y) {
                to[..pad * room].fill(0.0);
                to[(width + pad) * room..].fill(0.0);
                line.lay(&x[image * line.channels * line.pixels + (y - pad) * width..], &mut to[pad * room..]);
            } else {
                to.fill(0.0);
            }
        }
    }
}

vectorised! {
    /// Lays the tiles' own pixels of dy: to[row of tiles, 4, 4 · tiles of the row, room], zeros beside the image.
    fn lay_outputs(tiles: Tiles<'_>, dy: &[f32], room: usize, to: &mut [f32]) = lay_outputs_body
}

#[inline(always)]
fn lay_outputs_body<const FUSED: bool>(tiles: Tiles<'_>, dy: &[f32], room: usize, to: &mut [f32]) {
    let p = tiles.p;
    let (width, size) = (p.width as usize, tiles.across() * ROWS * room);
    let line = Line { width, pixels: p.pixels(), channels: p.outputs as usize, room };
    for (row, to) in to.chunks_exact_mut(size).enumerate().take(tiles.rows * ROWS) {
        let (image, y) = tiles.place(row / ROWS);
        let y = y + row % ROWS;
        if y < p.height as usize {
            to[width * room..].fill(0.0);
            line.lay(&dy[image * line.channels * line.pixels + y * width..], to);
        } else {
            to.fill(0.0);
        }
    }
}

vectorised! {
    /// y (+)= what was laid as [`lay_outputs`] lays it, for the first `channels` of y's images.
    fn put_outputs(tiles: Tiles<'_>, from: &[f32], channels: usize, room: usize, y: &mut [f32]) = put_outputs_body
}

#[inline(always)]
fn put_outputs_body<const FUSED: bool>(tiles: Tiles<'_>, from: &[f32], channels: usize, room: usize, y: &mut [f32]) {
    let p = tiles.p;
    let (width, size) = (p.width as usize, tiles.across() * ROWS * room);
    let line = Line { width, pixels: p.pixels(), channels, room };
    for (row, from) in from.chunks_exact(size).enumerate().take(tiles.rows * ROWS) {
        let (image, top) = tiles.place(row / ROWS);
        let top = top + row % ROWS;
        if top < p.height as usize {
            line.put(from, p.accumulate != 0, &mut y[image * channels * line.pixels + top * width..]);
        }
    }
}
