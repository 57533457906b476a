//! Windows of one channel over its plane, as the depthwise twins need them: what limits these is loads, so a block of
//! results (rows that share what they read) is held in registers while the inputs go by.
//!
//! A plane is copied into a [`Source`] so that zeros surround it and every tap of a window lies one fixed distance
//! from the result, whatever the stride: it is split into *phases*, phase (a, b) holding the padded pixels
//! (i·stride + a, j·stride + b) at row i, column j. So a window becomes *groups* of taps one below the other, a fixed
//! number of rows (*apart*) from tap to tap. A [`Plan`] lists groups and blocks; [`convolve`] works through them for a run
//! of planes.

use crate::kernels::cpu::window_rows;
use crate::numbers::common_divisor;

pub(in crate::kernels) mod bank;
mod convolve;
mod register_block;
mod scatter;
mod tiny_matrix;

pub(in crate::kernels) use convolve::Exit;
use register_block::{Group, LANES, Place, SIZE, WEIGHTS};

/// One axis of a window over a plane: rows or columns.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Axis {
    /// Size of the input.
    pub size: usize,
    /// Number of results.
    pub out: usize,
    /// Taps.
    pub kernel: usize,
    /// Distance of windows.
    pub stride: usize,
    /// Distance of taps.
    pub dilation: usize,
    /// Zeros before the input; negative: inputs left out.
    pub pad: i64,
}

impl Axis {
    /// Stride and dilation without their common divisor: from one tap of a phase to the next, in taps and in rows.
    fn step(&self) -> [usize; 2] {
        let common = common_divisor(self.stride.max(1), self.dilation.max(1));
        [self.stride / common, self.dilation / common]
    }

    /// Where the window of a result reads: from its first tap to behind its last.
    fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Of the phase `phase` of the input's gradient, the last tap that contributes and how far behind a
    /// pixel (in results, in this phase) the result lies that it contributed to.
    fn last(&self, phase: usize) -> Option<(usize, i64)> {
        let place = |tap: usize| phase as i64 + self.pad - (tap * self.dilation) as i64;
        let stride = self.stride as i64;
        (0..self.kernel).rev().find(|&tap| place(tap) % stride == 0).map(|tap| (tap, place(tap) / stride))
    }
}

/// Copies of a run of rows of the input into a phase.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Fill {
    to: usize,
    from: usize,
    rows: usize,
    columns: usize,
}

/// How planes lie in a [`register_register_block::Source`].
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Layout {
    /// Height and width of the input.
    size: [usize; 2],
    stride: [usize; 2],
    /// Pixels before the input in the first phase's coordinates.
    margin: [i64; 2],
    /// Rows of a phase.
    rows: usize,
    /// Columns of a phase.
    pitch: usize,
}

impl Layout {
    /// For results [rows, columns] of all of these windows (of one stride and input).
    pub fn of(windows: &[[Axis; 2]], results: [usize; 2]) -> Self {
        let axis = |a: usize| {
            let margin = windows.iter().map(|axes| axes[a].pad).max().unwrap_or(0);
            let behind = |axis: &Axis| axis.reach() as i64 + margin - axis.pad;
            let reach = windows.iter().map(|axes| behind(&axes[a])).max().unwrap_or(1);
            let stride = windows.first().map_or(1, |axes| axes[a].stride);
            (margin, results[a] - 1 + (reach as usize).div_ceil(stride), stride)
        };
        let size = windows.first().map_or([0; 2], |axes| [axes[0].size, axes[1].size]);
        let ((top, rows, down), (left, columns, right)) = (axis(0), axis(1));
        let pitch = columns.next_multiple_of(LANES);
        Self { size, stride: [down, right], margin: [top, left], rows, pitch }
    }

    /// For the gradients of one phase, [rows, columns], of the inputs of all of these windows: how the planes of
    /// the results' gradients lie.
    pub fn of_gradients(windows: &[[Axis; 2]], results: [usize; 2]) -> Self {
        let axis = |a: usize| {
            let taps = |axes: &[Axis; 2]| {
                let axis = axes[a];
                let of = move |phase| axis.last(phase).map(|(tap, first)| (tap, first, axis.step()));
                (0..axis.stride).filter_map(of).collect::<Vec<_>>()
            };
            let taps: Vec<_> = windows.iter().flat_map(taps).collect();
            let margin = taps.iter().map(|&(_, first, _)| -first).max().unwrap_or(0);
            let end =
                |&(tap, first, [shift, apart]): &(usize, i64, [usize; 2])| first + (tap / shift.max(1) * apart) as i64;
            let end = taps.iter().map(end).max().unwrap_or(0);
            (margin, results[a] + (end + margin).max(0) as usize)
        };
        let size = windows.first().map_or([0; 2], |axes| [axes[0].out, axes[1].out]);
        let ((top, rows), (left, columns)) = (axis(0), axis(1));
        Self { size, stride: [1, 1], margin: [top, left], rows, pitch: columns.next_multiple_of(LANES) }
    }

    /// For results themselves, [rows, columns] of planes of `size`, as [`convolve::correlate`] holds them: whole blocks of
    /// rows, 0 behind the last.
    pub fn of_results(size: [usize; 2], results: [usize; 2], windows: &[[Axis; 2]]) -> Self {
        let rows = |axes: &[Axis; 2]| results[0].next_multiple_of(8 * axes[0].step()[1]);
        let rows = windows.iter().map(rows).max().unwrap_or(results[0]);
        Self { size, stride: [1, 1], margin: [0, 0], rows, pitch: results[1].next_multiple_of(LANES) }
    }

    /// From row to row of a phase.
    pub fn pitch(&self) -> usize {
        self.pitch
    }

    /// Elements of a plane.
    pub fn length(&self) -> usize {
        self.rows * self.pitch * self.stride[0] * self.stride[1]
    }

    /// Planes that a source holds, with room for what blocks read behind them.
    pub fn together(&self) -> usize {
        (SIZE / 2 / self.length()).max(1)
    }

    /// What to copy for the results from `origin` on.
    pub fn fills(&self, origin: [usize; 2]) -> Vec<Fill> {
        let mut fills = Vec::new();
        let first = |a: usize, phase: usize| (origin[a] * self.stride[a] + phase) as i64 - self.margin[a];
        for a in 0..self.stride[0] {
            for b in 0..self.stride[1] {
                let (down, right) = (first(0, a), first(1, b));
                let rows = window_rows::inside(down, self.stride[0], self.size[0], self.rows);
                let columns = window_rows::inside(right, self.stride[1], self.size[1], self.pitch);
                if rows.is_empty() || columns.is_empty() {
                    continue;
                }
                let row = (down + (rows.start * self.stride[0]) as i64) as usize;
                let column = (right + (columns.start * self.stride[1]) as i64) as usize;
                fills.push(Fill {
                    to: self.at(a, b) + rows.start * self.pitch + columns.start,
                    from: row * self.size[1] + column,
                    rows: rows.len(),
                    columns: columns.len(),
                });
            }
        }
        fills
    }

    /// What to copy of [`Self::of_results`] from `origin` on: just the tile.
    pub fn tile(&self, origin: [usize; 2], results: [usize; 2]) -> Vec<Fill> {
        vec![Fill { to: 0, from: origin[0] * self.size[1] + origin[1], rows: results[0], columns: results[1] }]
    }

    fn at(&self, a: usize, b: usize) -> usize {
        (a * self.stride[1] + b) * self.rows * self.pitch
    }
}

/// Groups of the same number of taps.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Pass {
    taps: usize,
    groups: Vec<Group>,
    /// From one tap of a group to the next, in weights; modulo [`WEIGHTS`].
    weight_step: usize,
}

/// Taps of a group that the blocks are compiled for.
const TAPS: [usize; 4] = [5, 3, 2, 1];

/// How a window is computed on planes of one layout, for one tile of results.
#[derive(Clone, Debug)]
pub(in crate::kernels) struct Plan {
    passes: Vec<Pass>,
    /// From one held row to the next, and one tap of a group to the next, in the source.
    step: usize,
    /// The same in the results.
    to_step: usize,
    /// Blocks of 8 rows of 16 columns, of 8 rows of 8 columns, and of 4 rows of 8 columns.
    wide: Vec<Place>,
    narrow: Vec<Place>,
    low: Vec<Place>,
}

impl Plan {
    /// For the results of `window`, [rows, columns] of them, `to_pitch` from row to row.
    pub fn forward(window: &[Axis; 2], layout: &Layout, results: [usize; 2], to_pitch: usize) -> Self {
        let [down, right] = window;
        let [shift, apart] = down.step();
        let place = |a: usize, tap: usize| {
            let at = (layout.margin[a] - window[a].pad) as usize + tap * window[a].dilation;
            (at % layout.stride[a], at / layout.stride[a])
        };
        let mut passes = Vec::new();
        // Taps a multiple of `shift` apart are in the same phase.
        for first in 0..shift.min(down.kernel) {
            let (phase, row) = place(0, first);
            let group = |tap: usize, column: usize| {
                let (b, shifted) = place(1, column);
                let offset = layout.at(phase, b) + (row + tap * apart) * layout.pitch + shifted;
                Group { offset, weight: (first + tap * shift) * right.kernel + column }
            };
            let taps = (down.kernel - first).div_ceil(shift);
            add(&mut passes, taps, right.kernel, shift * right.kernel, group);
        }
        Self::new(passes, apart, layout, results, to_pitch)
    }

    /// For the gradients of one phase of the input.
    pub fn backward(
        window: &[Axis; 2],
        layout: &Layout,
        phase: [usize; 2],
        results: [usize; 2],
        to_pitch: usize,
    ) -> Self {
        let [down, right] = window;
        let ([shift, apart], [column_shift, column_apart]) = (down.step(), right.step());
        let mut passes = Vec::new();
        if let (Some((r, row)), Some((c, column))) = (down.last(phase[0]), right.last(phase[1])) {
            let first = [row + layout.margin[0], column + layout.margin[1]].map(|at| at as usize);
            let group = |tap: usize, at: usize| Group {
                offset: (first[0] + tap * apart) * layout.pitch + first[1] + at * column_apart,
                weight: (r - tap * shift) * right.kernel + c - at * column_shift,
            };
            let step = (shift * right.kernel).wrapping_neg() % WEIGHTS;
            add(&mut passes, r / shift + 1, c / column_shift + 1, step, group);
        }
        Self::new(passes, apart, layout, results, to_pitch)
    }

    fn new(passes: Vec<Pass>, apart: usize, layout: &Layout, [rows, columns]: [usize; 2], to_pitch: usize) -> Self {
        let (step, to_step) = (apart * layout.pitch, apart * to_pitch);
        let mut plan = Self { passes, step, to_step, wide: Vec::new(), narrow: Vec::new(), low: Vec::new() };
        for first in (0..rows).step_by(8 * apart) {
            for row in first..rows.min(first + apart) {
                let held = (rows - row).div_ceil(apart).min(8);
                let mut column = 0;
                while column < columns {
                    let left = columns - column;
                    let (width, blocks) = match (left > LANES / 2, held > 4) {
                        (true, _) => (LANES, &mut plan.wide),
                        (false, true) => (LANES / 2, &mut plan.narrow),
                        (false, false) => (LANES / 2, &mut plan.low),
                    };
                    let [from, to] = [layout.pitch, to_pitch].map(|pitch| row * pitch + column);
                    blocks.push(Place { from, to, rows: held, columns: left.min(width) });
                    column += width;
                }
            }
        }
        plan
    }

    /// Elements of a plane of the source, and of its results, that blocks read: beyond what lies there, too.
    pub fn reach(&self) -> [usize; 2] {
        // A block has 8 rows at most, which meet 5 taps at most.
        let blocks = || [&self.wide, &self.narrow, &self.low].into_iter().flatten();
        let offset = self.passes.iter().flat_map(|pass| &pass.groups).map(|group| group.offset).max().unwrap_or(0);
        let from = blocks().map(|place| place.from + offset + 11 * self.step + LANES).max().unwrap_or(0);
        [from, blocks().map(|place| place.to + 7 * self.to_step + LANES).max().unwrap_or(0)]
    }

    /// Whether any tap contributes.
    pub fn is_empty(&self) -> bool {
        self.passes.is_empty()
    }
}

/// `group(tap, column)` for columns of taps, the taps of a column cut into groups of lengths that are compiled.
fn add(passes: &mut Vec<Pass>, taps: usize, columns: usize, step: usize, group: impl Fn(usize, usize) -> Group) {
    let mut done = 0;
    while let Some(&length) = TAPS.iter().find(|&&length| length <= taps - done) {
        let groups = (0..columns).map(|column| group(done, column)).collect();
        passes.push(Pass { taps: length, groups, weight_step: step });
        done += length;
    }
}

/// Height and width of the tiles that results are cut into, so that a plane of `length(tile)` elements fits into a
/// source with room for what blocks read behind it; `None` for windows too large for blocks.
pub(in crate::kernels) fn tile(
    results: [usize; 2],
    taps: usize,
    length: impl Fn([usize; 2]) -> usize,
) -> Option<[usize; 2]> {
    let mut tile = results;
    while length(tile) > SIZE / 2 {
        let long = usize::from(tile[1] >= tile[0]);
        if tile[long] == 1 {
            return None;
        }
        // Whole blocks, if that's possible.
        let half = tile[long].div_ceil(2);
        tile[long] = if half > LANES { half.next_multiple_of(LANES) } else { half };
    }
    (taps <= WEIGHTS).then_some(tile)
}

/// Where tiles begin and how large they are.
pub(in crate::kernels) fn tiles(results: [usize; 2], tile: [usize; 2]) -> Vec<([usize; 2], [usize; 2])> {
    let firsts = |a: usize| (0..results[a]).step_by(tile[a].max(1));
    let columns = || firsts(1);
    firsts(0)
        .flat_map(|row| columns().map(move |column| [row, column]))
        .map(|first| (first, [0, 1].map(|a| tile[a].min(results[a] - first[a]))))
        .collect()
}
