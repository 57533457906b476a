//! The transforms in both directions, of vectors of channels: first down the columns of pixels, then along the rows, each of which
//! gives six values. Panels hold the tiles' values, those of place [v, e] of the 6×6 each in one.

use super::tiles::Tiles;
use super::transform::{self, ROWS, TAPS, VALUES, Vector, column, every};
use crate::kernels::cpu::gemm;
use crate::kernels::cpu::transpose::interleave;
use crate::kernels::cpu::vector::{LANES, vectorised};

/// Panels of a transform.
pub(super) const PANELS: usize = VALUES * VALUES;

/// Distance between panels of so many values. An odd number of cache lines: 36 places a power of two apart would share few lines of
/// the cache.
pub(super) fn pitch(values: usize) -> usize {
    (values.div_ceil(LANES) | 1) * LANES
}

vectorised! {
    /// Bᵀ x down the columns, in place, of [`super::tiles::lay_inputs`]' rows.
    fn input_columns(tiles: Tiles<'_>, room: usize, laid: &mut [f32]) = input_columns_body
}

#[inline(always)]
fn input_columns_body<const FUSED: bool>(tiles: Tiles<'_>, room: usize, laid: &mut [f32]) {
    let size = tiles.span() * room;
    for rows in laid.chunks_exact_mut(VALUES * size).take(tiles.rows) {
        let (top, rest) = rows.split_at_mut(3 * size);
        let ([a, b, c], [d, e, f]) = (thirds(top, size), thirds(rest, size));
        for (((((a, b), c), d), e), f) in a.iter_mut().zip(b).zip(c).zip(d).zip(e).zip(f) {
            [*a, *b, *c, *d, *e, *f] = transform::input([*a, *b, *c, *d, *e, *f]);
        }
    }
}

/// Three rows, as vectors.
#[inline(always)]
fn thirds(rows: &mut [f32], size: usize) -> [&mut [Vector]; 3] {
    let (a, rest) = bytemuck::cast_slice_mut(rows).split_at_mut(size / LANES);
    let (b, c) = rest.split_at_mut(size / LANES);
    [a, b, c]
}

/// Bᵀ x along the row that begins at `from`, whose pixels are `room` apart.
#[inline(always)]
fn input_row(from: &[f32], room: usize) -> [Vector; VALUES] {
    transform::input(every(from, room))
}

/// Where the tile's pixels begin in a row that was laid with `margin` pixels more.
#[inline(always)]
fn start(tiles: &Tiles<'_>, tile: usize, rows: usize, margin: usize) -> usize {
    let across = tiles.across();
    tile / across * rows * (across * ROWS + margin) + tile % across * ROWS
}

vectorised! {
    /// Bᵀ x B from what [`input_columns`] gave, for a block of the taps, counted along the rows: to[panel][tile, channel].
    fn input_tiles(tiles: Tiles<'_>, block: usize, laid: &[f32], room: usize, pitch: usize, to: &mut [f32])
        = input_tiles_body
}

#[inline(always)]
fn input_tiles_body<const FUSED: bool>(
    tiles: Tiles<'_>,
    block: usize,
    laid: &[f32],
    room: usize,
    pitch: usize,
    to: &mut [f32],
) {
    let size = tiles.span() * room;
    let margin = tiles.span() - tiles.across() * ROWS;
    for tile in 0..tiles.count() {
        let start = (start(&tiles, tile, VALUES, margin) + block * TAPS) * room;
        for v in 0..VALUES {
            for channel in (0..room).step_by(LANES) {
                for (e, value) in input_row(&laid[start + v * size + channel..], room).into_iter().enumerate() {
                    value.put(&mut to[(v * VALUES + e) * pitch + tile * room + channel..][..LANES]);
                }
            }
        }
    }
}

vectorised! {
    /// A dy Aᵀ from rows as [`super::tiles::lay_outputs`] lays them, packed as left sides of products over tiles:
    /// to[panel][four channels, tile, channel].
    fn gradients(tiles: Tiles<'_>, laid: &[f32], room: usize, pitch: usize, to: &mut [f32]) = gradients_body
}

#[inline(always)]
fn gradients_body<const FUSED: bool>(tiles: Tiles<'_>, laid: &[f32], room: usize, pitch: usize, to: &mut [f32]) {
    let (count, size) = (tiles.count(), tiles.across() * ROWS * room);
    for tile in 0..count {
        let start = start(&tiles, tile, ROWS, 0) * room;
        for channel in (0..room).step_by(LANES) {
            let laid = &laid[start + channel..];
            let mut columns = [[Vector::ZERO; VALUES]; ROWS];
            for (b, column) in columns.iter_mut().enumerate() {
                *column = transform::gradient(every(&laid[b * room..], size));
            }
            for v in 0..VALUES {
                let row = transform::gradient(column(&columns, v));
                for (e, value) in row.into_iter().enumerate() {
                    let to = &mut to[(v * VALUES + e) * pitch + channel * count + tile * gemm::ROWS..];
                    for (four, value) in value.0.as_chunks::<{ gemm::ROWS }>().0.iter().enumerate() {
                        to[four * count * gemm::ROWS..][..gemm::ROWS].copy_from_slice(value);
                    }
                }
            }
        }
    }
}

/// Tiles of a quarter of them, rounded up: [`pack`] puts a tile of each quarter side by side.
pub(super) fn quarter(count: usize) -> usize {
    count.div_ceil(gemm::ROWS)
}

vectorised! {
    /// Packs a panel, with tiles for whole quarters, as the left side of a product: to[tile of a quarter, channel, quarter]. So there
    /// are four long rows to interleave, whatever the number of channels.
    fn pack(panel: &[f32], to: &mut [f32]) = pack_body
}

#[inline(always)]
fn pack_body<const FUSED: bool>(panel: &[f32], to: &mut [f32]) {
    const { assert!(gemm::ROWS == 4, "the quarters are interleaved as the product takes its rows") };
    let (a, rest) = panel.split_at(to.len() / 4);
    let (b, rest) = rest.split_at(a.len());
    let (c, d) = rest.split_at(a.len());
    interleave([a, b, c, d], to.as_chunks_mut().0);
}

vectorised! {
    /// Aᵀ m A + bias of panels m[tile of a quarter, quarter, channel], laid as [`super::tiles::lay_outputs`] lays them. The bias has
    /// `room` values.
    fn results(tiles: Tiles<'_>, m: &[f32], pitch: usize, bias: &[f32], to: &mut [f32]) = results_body
}

#[inline(always)]
fn results_body<const FUSED: bool>(tiles: Tiles<'_>, m: &[f32], pitch: usize, bias: &[f32], to: &mut [f32]) {
    let room = bias.len();
    let size = tiles.across() * ROWS * room;
    let quarter = quarter(tiles.count());
    for tile in 0..tiles.count() {
        let start = start(&tiles, tile, ROWS, 0) * room;
        for channel in (0..room).step_by(LANES) {
            let m = &m[(tile % quarter * gemm::ROWS + tile / quarter) * room + channel..];
            let bias = Vector::of(&bias[channel..][..LANES]);
            let mut rows = [[Vector::ZERO; ROWS]; VALUES];
            for (v, row) in rows.iter_mut().enumerate() {
                *row = transform::output(every(&m[v * VALUES * pitch..], pitch));
            }
            for b in 0..ROWS {
                for (a, value) in transform::output(column(&rows, b)).into_iter().enumerate() {
                    (value + bias).put(&mut to[start + a * size + b * room + channel..][..LANES]);
                }
            }
        }
    }
}
