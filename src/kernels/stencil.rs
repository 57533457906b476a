//! The inner loops of the depthwise twins, on planes laid out so that every tap of a window is one
//! fixed distance from the result, whatever the stride, dilation and padding.
//!
//! A plane is split into *phases*: phase (a, b) holds the pixels (i·stride + a − pad, j·stride + b − pad)
//! in row i, column j, zeros for those outside the image. All phases have the same number of columns
//! (the *pitch*), as many as a row of results needs with its margin. So the tap (r, c) of result
//! (y, x) lies in phase (r·dilation mod stride, …) at row y + r·dilation div stride, …: at distance
//! `offset(tap)` from `y·pitch + x`. Results are computed at the same pitch as one long line, even
//! where a map is 2 columns wide; those in the margin are nonsense and never looked at.

use super::rows;
use super::vector::{LANES, fma, vectorised};

/// Lines of results are padded to a multiple of this.
pub(super) const BLOCK: usize = 4 * LANES;

vectorised! {
    /// to[q] = Σ weights[t] · source[offsets[t] + q]; the length of `to` is a multiple of [`BLOCK`].
    fn convolve(source: &[f32], offsets: &[usize], weights: &[f32], to: &mut [f32]) = convolve_body
}

#[inline(always)]
fn convolve_body<const FUSED: bool>(source: &[f32], offsets: &[usize], weights: &[f32], to: &mut [f32]) {
    for (q, to) in to.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let source = &source[q * BLOCK..];
        let mut sums = [[0.0f32; LANES]; BLOCK / LANES];
        for (&offset, &weight) in offsets.iter().zip(weights) {
            let values = &source[offset..].as_chunks::<BLOCK>().0[0];
            for (sums, values) in sums.iter_mut().zip(values.as_chunks::<LANES>().0) {
                for (sum, &value) in sums.iter_mut().zip(values) {
                    *sum = fma::<FUSED>(weight, value, *sum);
                }
            }
        }
        to.copy_from_slice(sums.as_flattened());
    }
}

/// Taps whose sums are kept in registers together.
const TAPS: usize = 5;
/// Results to be summed in one chain of [`correlate`] at most, for accuracy.
pub(super) const CHAIN: usize = 256 * LANES;

vectorised! {
    /// sums[t][lane] += Σ to[q] · source[offsets[t] + q] over every q of that lane (q mod [`LANES`]); the
    /// length of `to` is a multiple of [`LANES`].
    fn correlate(source: &[f32], offsets: &[usize], to: &[f32], sums: &mut [[f32; LANES]]) = correlate_body
}

#[inline(always)]
fn correlate_body<const FUSED: bool>(source: &[f32], offsets: &[usize], to: &[f32], sums: &mut [[f32; LANES]]) {
    #[inline(always)]
    fn add<const FUSED: bool>(chain: &mut [f32; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
        for lane in 0..LANES {
            chain[lane] = fma::<FUSED>(a[lane], b[lane], chain[lane]);
        }
    }
    let to = to.as_chunks::<LANES>().0;
    for (offsets, sums) in offsets.chunks(TAPS).zip(sums.chunks_mut(TAPS)) {
        // Taps beyond the last repeat it; their sums are not stored.
        let [s0, s1, s2, s3, s4]: [&[[f32; LANES]]; TAPS] = std::array::from_fn(|tap| {
            let offset = offsets[tap.min(offsets.len() - 1)];
            &source[offset..].as_chunks::<LANES>().0[..to.len()]
        });
        let [mut c0, mut c1, mut c2, mut c3, mut c4] = [[0.0f32; LANES]; TAPS];
        for (q, to) in to.iter().enumerate() {
            add::<FUSED>(&mut c0, to, &s0[q]);
            add::<FUSED>(&mut c1, to, &s1[q]);
            add::<FUSED>(&mut c2, to, &s2[q]);
            add::<FUSED>(&mut c3, to, &s3[q]);
            add::<FUSED>(&mut c4, to, &s4[q]);
        }
        for (sums, chain) in sums.iter_mut().zip([c0, c1, c2, c3, c4]) {
            for (sum, value) in sums.iter_mut().zip(chain) {
                *sum += value;
            }
        }
    }
}

/// One axis of the windows: rows or columns.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Size of the input.
    pub size: usize,
    /// Number of results.
    pub out: usize,
    /// Distance of windows.
    pub stride: usize,
    /// Zeros before the input; negative: inputs left out.
    pub pad: i64,
    /// The phases that occur.
    pub phases: Vec<usize>,
    /// Index of the phase, and shift in it, of each tap.
    pub taps: Vec<(usize, usize)>,
    /// Largest shift.
    pub reach: usize,
}

impl Axis {
    pub(super) fn new(size: u32, out: u32, kernel: u32, stride: u32, dilation: u32, pad: i32) -> Self {
        let (stride, dilation) = (stride as usize, dilation as usize);
        let places: Vec<usize> = (0..kernel as usize).map(|tap| tap * dilation).collect();
        let mut phases: Vec<usize> = places.iter().map(|place| place % stride).collect();
        phases.sort_unstable();
        phases.dedup();
        let index = |phase| phases.iter().position(|&p| p == phase).unwrap_or(0);
        let taps: Vec<(usize, usize)> = places.iter().map(|p| (index(p % stride), p / stride)).collect();
        let reach = taps.iter().map(|&(_, shift)| shift).max().unwrap_or(0);
        Self { size: size as usize, out: out as usize, stride, pad: pad.into(), phases, taps, reach }
    }

    /// Rows (or columns) of a phase that are pixels of the input.
    pub(super) fn pixels(&self, phase: usize) -> std::ops::Range<usize> {
        let (stride, first) = (self.stride as i64, self.pad - self.phases[phase] as i64);
        let begin = if first > 0 { (first + stride - 1) / stride } else { 0 };
        let end = (self.size as i64 + first + stride - 1).div_euclid(stride);
        begin as usize..end.max(begin) as usize
    }

    /// The pixel of the input at a phase's row (or column).
    pub(super) fn pixel(&self, phase: usize, at: usize) -> i64 {
        (at * self.stride + self.phases[phase]) as i64 - self.pad
    }
}

/// The phases of an input plane in one line of memory.
#[derive(Clone, Debug)]
pub(super) struct Phases {
    pub rows: Axis,
    pub columns: Axis,
    /// Columns of each phase.
    pub pitch: usize,
    /// Length of a line of results.
    pub line: usize,
    /// Distance of each tap, row by row.
    pub offsets: Vec<usize>,
    height: usize,
}

impl Phases {
    pub(super) fn new(rows: Axis, columns: Axis) -> Self {
        let (height, pitch) = (rows.out + rows.reach, columns.out + columns.reach);
        let mut offsets = Vec::new();
        for &(a, down) in &rows.taps {
            for &(b, right) in &columns.taps {
                offsets.push(((a * columns.phases.len() + b) * height + down) * pitch + right);
            }
        }
        let line = (rows.out * pitch).next_multiple_of(BLOCK);
        Self { rows, columns, pitch, line, offsets, height }
    }

    /// Memory for [`Self::split`]; all zeros before the first plane, then each plane replaces the last.
    pub(super) fn length(&self) -> usize {
        // A line's padding, shifted by the last tap, may lie behind the last phase.
        self.rows.phases.len() * self.columns.phases.len() * self.height * self.pitch + BLOCK + self.columns.reach
    }

    /// Splits a plane of the input. What lies outside the image is not written.
    pub(super) fn split(&self, plane: &[f32], to: &mut [f32]) {
        let width = self.columns.size;
        let mut phases = to.chunks_exact_mut(self.height * self.pitch);
        for a in 0..self.rows.phases.len() {
            let rows = self.rows.pixels(a);
            let rows = rows.start..rows.end.min(self.height);
            for (b, phase) in (0..self.columns.phases.len()).zip(phases.by_ref()) {
                let columns = self.columns.pixels(b);
                let columns = columns.start..columns.end.min(self.pitch);
                if columns.is_empty() {
                    continue;
                }
                let x = self.columns.pixel(b, columns.start) as usize;
                for row in rows.clone() {
                    let y = self.rows.pixel(a, row) as usize;
                    let to = &mut phase[row * self.pitch..][columns.clone()];
                    rows::pick(to, &plane[y * width + x..(y + 1) * width], self.columns.stride);
                }
            }
        }
    }
}
