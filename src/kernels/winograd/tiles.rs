//! Transforms that lie channel beside channel, for the gradient of the filters: its sums run over the columns, so that there a matrix
//! product has its depth.
//!
//! Places follow one another row of tiles by row of tiles, one of zeros before each and behind the last: of three products, one a
//! tap s, that of s reads the values from place s on, and none reaches into the neighbours of another row.

use super::Params;
use super::transform::{self, ROWS, VALUES, Vector};
use crate::kernels::cpu::gemm;
use crate::kernels::cpu::vector::{LANES, vectorised};

/// Some neighbouring rows of tiles, image after image.
#[derive(Clone, Copy)]
pub(super) struct Tiles<'a> {
    pub p: &'a Params,
    /// The first of them.
    pub first: usize,
    pub count: usize,
}

impl Tiles<'_> {
    /// Rows of tiles of an image.
    pub fn of_image(p: &Params) -> usize {
        (p.height as usize).div_ceil(ROWS)
    }

    /// Places of columns, each row's with one of zeros.
    pub fn places(&self) -> usize {
        self.count * (self.p.width as usize + 1)
    }

    /// Calls `f(image, first row of pixels, first place)` for each.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, usize, usize)) {
        let of_image = Self::of_image(self.p);
        for at in 0..self.count {
            let tile = self.first + at;
            f(tile / of_image, tile % of_image * ROWS, at * (self.p.width as usize + 1));
        }
    }
}

/// The part of a row of an image from a column on, nothing where there is no such row.
#[inline(always)]
fn row<'x>(p: &Params, plane: &'x [f32], y: i64, column: usize) -> &'x [f32] {
    match (0..i64::from(p.height)).contains(&y) {
        true => &plane[y as usize * p.width as usize..][column..p.width as usize],
        false => &[],
    }
}

vectorised! {
    /// to[v][1 + place][i] = (Bᵀ x)[v] for values `pitch` apart and places of `channels` channels, a multiple of [`LANES`].
    fn inputs(tiles: Tiles<'_>, x: &[f32], channels: usize, pitch: usize, to: &mut [f32]) = inputs_body
}

#[inline(always)]
fn inputs_body<const FUSED: bool>(tiles: Tiles<'_>, x: &[f32], channels: usize, pitch: usize, to: &mut [f32]) {
    let p = tiles.p;
    let (width, pixels, all) = (p.width as usize, p.pixels(), p.inputs as usize);
    // Between the rows, and beyond the last channel.
    for to in to.chunks_mut(pitch).take(VALUES) {
        for place in (0..=tiles.places()).step_by(width + 1) {
            to[place * channels..][..channels].fill(0.0);
        }
        if all < channels {
            to[..(tiles.places() + 1) * channels].chunks_mut(channels).for_each(|place| place[all..].fill(0.0));
        }
    }
    tiles.each(|image, y, place| {
        for first in (0..all).step_by(LANES) {
            let here = LANES.min(all - first);
            for column in (0..width).step_by(LANES) {
                let columns = LANES.min(width - column);
                // Of some channels; then channel beside channel.
                let mut block = [[[0.0; LANES]; LANES]; VALUES];
                for i in 0..here {
                    let plane = &x[(image * all + first + i) * pixels..][..pixels];
                    let rows =
                        std::array::from_fn(|d| Vector::of_first(row(p, plane, (y + d) as i64 - 1, column), columns));
                    let values = transform::input(rows);
                    (0..VALUES).for_each(|v| block[v][i] = values[v].0);
                }
                for (v, block) in block.iter().enumerate() {
                    for at in 0..columns {
                        let to = &mut to[v * pitch + (place + 1 + column + at) * channels + first..][..LANES];
                        to.iter_mut().zip(block).for_each(|(to, row)| *to = row[at]);
                    }
                }
            }
        }
    });
}

vectorised! {
    /// to[v] = A dy of each place, packed as the left side of a product over places; zeros between the rows. Values are `pitch` apart.
    fn gradients(tiles: Tiles<'_>, dy: &[f32], pitch: usize, to: &mut [f32]) = gradients_body
}

#[inline(always)]
fn gradients_body<const FUSED: bool>(tiles: Tiles<'_>, dy: &[f32], pitch: usize, to: &mut [f32]) {
    let p = tiles.p;
    let (width, pixels, all, depth) = (p.width as usize, p.pixels(), p.outputs as usize, tiles.places());
    for to in to.chunks_mut(pitch).take(VALUES) {
        // Channels beyond the last, and places between the rows.
        let (full, rest) = (all / gemm::ROWS * gemm::ROWS * depth, all.next_multiple_of(gemm::ROWS) * depth);
        to[full..rest].fill(0.0);
        for block in to[..full].chunks_mut(gemm::ROWS * depth) {
            for place in (width..depth).step_by(width + 1) {
                block[place * gemm::ROWS..][..gemm::ROWS].fill(0.0);
            }
        }
    }
    tiles.each(|image, y, place| {
        for output in 0..all {
            let plane = &dy[(image * all + output) * pixels..][..pixels];
            let lane = output / gemm::ROWS * gemm::ROWS * depth + output % gemm::ROWS;
            for column in (0..width).step_by(LANES) {
                let columns = LANES.min(width - column);
                let rows = std::array::from_fn(|a| Vector::of_first(row(p, plane, (y + a) as i64, column), columns));
                for (v, values) in transform::gradient(rows).into_iter().enumerate() {
                    let to = &mut to[v * pitch + lane + (place + column) * gemm::ROWS..];
                    to.iter_mut().step_by(gemm::ROWS).zip(&values.0[..columns]).for_each(|(to, value)| *to = *value);
                }
            }
        }
    });
}
