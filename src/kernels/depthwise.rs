//! Depthwise convolution: each channel of [batch, channels, height, width] has its own window,
//! w [channels, 1, rows, columns]:
//! `y[n, c, y, x] = Σ w[c, 0, r, s] · x[n, c, y·stride + r·dilation − pad_top, x·stride + s·dilation − pad_left]`,
//! where x is 0 outside the image; and its gradients. Padding may be negative; how much there is below
//! and on the right follows from the size of y.

use super::stencil::{self, Axis, BLOCK, CHAIN, Phases};
use super::vector::{LANES, scratch};
use super::{parallel, rows};
use crate::device::{Call, Class, Kernel, Launch};
use crate::params;
use rayon::prelude::*;
use std::ops::Range;

mod cases;
mod reference;

params! {
    /// Parameters of [`FORWARD`], [`BACKWARD_INPUT`] and [`BACKWARD_WEIGHT`].
    pub struct Params {
        /// Offset of x or dx.
        pub input: u32,
        /// Offset of w or dw, [channels, 1, kernel_rows, kernel_columns].
        pub weight: u32,
        /// Offset of y or dy.
        pub output: u32,
        /// Number of images.
        pub batch: u32,
        /// Channels of x and y.
        pub channels: u32,
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
        /// Whether results are added to (1) or overwrite (0) what is there.
        pub accumulate: u32,
    }
}

impl Params {
    fn of(params: &[u8]) -> Self {
        bytemuck::pod_read_unaligned(params)
    }

    fn planes(&self) -> usize {
        self.batch as usize * self.channels as usize
    }

    fn pixels(&self) -> usize {
        self.height as usize * self.width as usize
    }

    fn out_pixels(&self) -> usize {
        self.out_height as usize * self.out_width as usize
    }

    fn taps(&self) -> usize {
        self.kernel_rows as usize * self.kernel_columns as usize
    }

    fn x(&self) -> Range<usize> {
        parallel::range(self.input, self.planes() * self.pixels())
    }

    fn w(&self) -> Range<usize> {
        parallel::range(self.weight, self.channels as usize * self.taps())
    }

    fn y(&self) -> Range<usize> {
        parallel::range(self.output, self.planes() * self.out_pixels())
    }

    fn flops(&self) -> u64 {
        2 * (self.planes() * self.out_pixels() * self.taps()) as u64
    }

    /// For rows and for columns: the fewest taps, and the fewest results, that lie a multiple of both stride
    /// and dilation apart.
    fn steps(&self) -> [[u32; 2]; 2] {
        let step = |stride: u32, dilation: u32| {
            let (mut common, mut rest) = (stride, dilation);
            while rest != 0 {
                (common, rest) = (rest, common % rest);
            }
            [stride / common, dilation / common]
        };
        [step(self.stride_rows, self.dilation_rows), step(self.stride_columns, self.dilation_columns)]
    }

    fn phases(&self) -> Phases {
        let p = self;
        Phases::new(
            Axis::new(p.height, p.out_height, p.kernel_rows, p.stride_rows, p.dilation_rows, p.pad_top),
            Axis::new(p.width, p.out_width, p.kernel_columns, p.stride_columns, p.dilation_columns, p.pad_left),
        )
    }
}

/// y (+)= w ∗ x.
pub static FORWARD: Kernel = Kernel {
    name: "depthwise_conv_forward",
    source: include_str!("../../shaders/depthwise_conv_forward.wgsl"),
    params: Params::LAYOUT,
    inputs: &["x", "w"],
    outputs: &["y"],
    launch: |params, class| {
        let p = Params::of(params);
        let [rows, _] = p.steps();
        tiles(&p, [p.out_height, p.out_width], rows[1], class)
            .with("SHIFT", rows[0])
            .with("DILATION_ROWS", p.dilation_rows)
            .with("DILATION_COLUMNS", p.dilation_columns)
    },
    flops: |params| Params::of(params).flops(),
    twin: forward,
    reference: reference::forward,
    cases: || cases::all(cases::forward),
    benches: || cases::benches(cases::forward),
};

/// dx (+)= the gradient of x.
pub static BACKWARD_INPUT: Kernel = Kernel {
    name: "depthwise_conv_backward_input",
    source: include_str!("../../shaders/depthwise_conv_backward_input.wgsl"),
    params: Params::LAYOUT,
    inputs: &["w", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p = Params::of(params);
        let [rows, columns] = p.steps();
        let phase = [p.height.div_ceil(p.stride_rows), p.width.div_ceil(p.stride_columns)];
        let launch = tiles(&p, phase, rows[1], class);
        Launch { groups: launch.groups * u64::from(p.stride_rows) * u64::from(p.stride_columns), ..launch }
            .with("DILATION_ROWS", p.dilation_rows)
            .with("DILATION_COLUMNS", p.dilation_columns)
            .with("STEP_ROWS", rows[0])
            .with("STEP_COLUMNS", columns[0])
            .with("MOVE", columns[1])
    },
    flops: |params| Params::of(params).flops(),
    twin: backward_input,
    reference: reference::backward_input,
    cases: || cases::all(cases::backward_input),
    benches: || cases::benches(cases::backward_input),
};

/// dw (+)= the gradient of w.
pub static BACKWARD_WEIGHT: Kernel = Kernel {
    name: "depthwise_conv_backward_weight",
    source: include_str!("../../shaders/depthwise_conv_backward_weight.wgsl"),
    params: Params::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dw"],
    launch: |params, class| {
        let p = Params::of(params);
        let workgroup = if class == Class::Hardware { 128 } else { 16 };
        Launch { groups: u64::from(p.channels) * u64::from(p.kernel_rows), ..Launch::default() }
            .constant("WORKGROUP", workgroup)
            .constant("COLUMNS", p.kernel_columns)
    },
    flops: |params| Params::of(params).flops(),
    twin: backward_weight,
    reference: reference::backward_weight,
    cases: || cases::all(cases::backward_weight),
    benches: || cases::benches(cases::backward_weight),
};

/// Workgroups that each compute `WORKGROUP · TILES` tiles of one channel of a [rows, columns] result:
/// tiles of four columns times `HELD` rows, `apart` from one another.
fn tiles(p: &Params, [rows, columns]: [u32; 2], apart: u32, class: Class) -> Launch {
    let (workgroup, tiles, mut held) = if class == Class::Hardware { (64, 1, 1) } else { (8, 16, 4) };
    // Not more rows than there are.
    while held > 1 && held / 2 * apart >= rows {
        held /= 2;
    }
    let down = u64::from(rows.div_ceil(held * apart)) * u64::from(apart);
    let count = u64::from(p.batch) * u64::from(columns.div_ceil(4)) * down;
    Launch { groups: count.div_ceil(u64::from(workgroup * tiles)) * u64::from(p.channels), ..Launch::default() }
        .with("WORKGROUP", workgroup)
        .with("ROWS", p.kernel_rows)
        .with("COLUMNS", p.kernel_columns)
        .with("STRIDE_ROWS", p.stride_rows)
        .with("STRIDE_COLUMNS", p.stride_columns)
        .with("HELD", held)
        .with("APART", apart)
        .constant("TILES", tiles)
}

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w, y) = (&call.input(0)[p.x()], &call.input(1)[p.w()], &mut call.output(0)[p.y()]);
    if y.is_empty() {
        return;
    }
    let (phases, width, taps) = (p.phases(), p.out_width as usize, p.taps());
    let together = together(&p);
    y.par_chunks_mut(together * p.out_pixels()).enumerate().for_each(|(piece, y)| {
        scratch([phases.length(), phases.line], |[source, line]| {
            source.fill(0.0);
            for (plane, y) in (piece * together..).zip(y.chunks_exact_mut(p.out_pixels())) {
                let w = &w[plane % p.channels as usize * taps..][..taps];
                phases.split(&x[plane * p.pixels()..][..p.pixels()], source);
                stencil::convolve(source, &phases.offsets, w, line);
                for (y, line) in y.chunks_exact_mut(width).zip(line.chunks(phases.pitch)) {
                    parallel::store(y, &line[..width], 0.0, p.accumulate != 0);
                }
            }
        });
    });
}

/// Planes in one piece of work.
fn together(p: &Params) -> usize {
    (parallel::PIECE / p.pixels().max(p.out_pixels()).max(1)).max(1)
}

/// What one phase of dx is computed from: every result that a tap in this phase contributed to.
struct Gradient {
    rows: Range<usize>,
    columns: Range<usize>,
    first_row: i64,
    first_column: i64,
    offsets: Vec<usize>,
    /// Weights of the phase's taps, channel by channel.
    weights: Vec<f32>,
}

fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy, dx) = (&call.input(0)[p.w()], &call.input(1)[p.y()], &mut call.output(0)[p.x()]);
    if dx.is_empty() {
        return;
    }
    let Phases { rows, columns, .. } = p.phases();
    // dy with enough zeros around it: dy[y, x] is at row y + reach, column x + reach.
    let most = |axis: &Axis| (0..axis.phases.len()).map(|phase| axis.pixels(phase).end).max().unwrap_or(0);
    let (height, pitch) = (most(&rows).max(rows.out) + rows.reach, most(&columns).max(columns.out) + columns.reach);
    let gradients = gradients(&p, w, &rows, &columns, pitch);
    let lines = gradients.iter().map(|g| (g.rows.len() * pitch).next_multiple_of(BLOCK)).max().unwrap_or(0);
    let (width, direct) = (p.width as usize, rows.stride == 1 && columns.stride == 1);
    let together = together(&p);
    dx.par_chunks_mut(together * p.pixels()).enumerate().for_each(|(piece, dx)| {
        // Pixels that no window reads, and the phases between others, are added to zeros.
        if p.accumulate == 0 {
            dx.fill(0.0);
        }
        // A line's padding, shifted by the last tap, may lie behind the last row.
        scratch([height * pitch + BLOCK + columns.reach, lines], |[source, line]| {
            source.fill(0.0);
            for (plane, dx) in (piece * together..).zip(dx.chunks_exact_mut(p.pixels())) {
                let (channel, dy) = (plane % p.channels as usize, &dy[plane * p.out_pixels()..][..p.out_pixels()]);
                for (row, dy) in dy.chunks_exact(columns.out).enumerate() {
                    rows::copy(&mut source[(row + rows.reach) * pitch + columns.reach..][..columns.out], dy);
                }
                for g in &gradients {
                    let line = &mut line[..(g.rows.len() * pitch).next_multiple_of(BLOCK)];
                    let weights = &g.weights[channel * g.offsets.len()..][..g.offsets.len()];
                    stencil::convolve(&source[g.rows.start * pitch..], &g.offsets, weights, line);
                    for (at, line) in line.chunks_exact(pitch).take(g.rows.len()).enumerate() {
                        let row = (g.first_row + (at * rows.stride) as i64) as usize;
                        let (to, values) = (&mut dx[row * width..][..width], &line[g.columns.clone()]);
                        if direct && p.accumulate == 0 {
                            rows::copy(&mut to[g.first_column as usize..][..values.len()], values);
                        } else {
                            rows::scatter(values, to, g.first_column, columns.stride);
                        }
                    }
                }
            }
        });
    });
}

fn gradients(p: &Params, w: &[f32], rows: &Axis, columns: &Axis, pitch: usize) -> Vec<Gradient> {
    let mut gradients = Vec::new();
    for a in 0..rows.phases.len() {
        for b in 0..columns.phases.len() {
            let mut taps = Vec::new();
            let mut offsets = Vec::new();
            for (r, down) in rows.taps.iter().enumerate().filter(|(_, tap)| tap.0 == a).map(|(r, tap)| (r, tap.1)) {
                for (c, right) in columns.taps.iter().enumerate().filter(|(_, t)| t.0 == b).map(|(c, t)| (c, t.1)) {
                    taps.push(r * columns.taps.len() + c);
                    offsets.push((rows.reach - down) * pitch + columns.reach - right);
                }
            }
            let weights = (0..p.channels as usize).flat_map(|c| taps.iter().map(move |t| w[c * p.taps() + t]));
            let (i, j) = (rows.pixels(a), columns.pixels(b));
            gradients.push(Gradient {
                first_row: rows.pixel(a, i.start),
                first_column: columns.pixel(b, j.start),
                weights: weights.collect(),
                offsets,
                rows: i,
                columns: j,
            });
        }
    }
    gradients
}

fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    if dw.is_empty() {
        return;
    }
    let (phases, width, channels) = (p.phases(), p.out_width as usize, p.channels as usize);
    dw.par_chunks_mut(p.taps()).enumerate().for_each(|(channel, dw)| {
        // Sums of a chain, lane by lane, and of all chains.
        let (mut chains, mut sums) = (vec![[0.0; LANES]; dw.len()], vec![0.0f64; dw.len()]);
        let mut length = 0;
        let mut flush = |chains: &mut [[f32; LANES]]| {
            for (sum, chain) in sums.iter_mut().zip(chains) {
                *sum += std::mem::take(chain).iter().map(|&value| f64::from(value)).sum::<f64>();
            }
        };
        scratch([phases.length(), phases.line], |[source, line]| {
            source.fill(0.0);
            // The margins must count as nothing.
            line.fill(0.0);
            for plane in (channel..p.planes()).step_by(channels) {
                phases.split(&x[plane * p.pixels()..][..p.pixels()], source);
                let dy = &dy[plane * p.out_pixels()..][..p.out_pixels()];
                for (line, dy) in line.chunks_mut(phases.pitch).zip(dy.chunks_exact(width)) {
                    rows::copy(&mut line[..width], dy);
                }
                for (at, line) in line.chunks(CHAIN).enumerate() {
                    if length + line.len() > CHAIN {
                        flush(&mut chains);
                        length = 0;
                    }
                    stencil::correlate(&source[at * CHAIN..], &phases.offsets, line, &mut chains);
                    length += line.len();
                }
            }
        });
        flush(&mut chains);
        dw.iter_mut().zip(sums).for_each(|(dw, sum)| parallel::put(dw, sum, p.accumulate));
    });
}
