//! Runs of planes: into a source and through the windows.

use super::register_block::{self, Ends, Group, LANES, Source, WEIGHTS, Weights};
use super::{Fill, Layout, Pass, Plan};
use crate::kernels::cpu::vector::vectorised;
use std::ops::Range;

/// What happens to values on their way into a source.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) enum Entry<'a> {
    /// Nothing.
    Plain,
    /// ReLU.
    Rectified,
    /// ReLU of (v − mean)·factor + bias, [mean, factor, bias] of each plane.
    Normalised(&'a [[f32; 3]]),
}

/// What happens to results on their way out.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::kernels) struct Exit<'a> {
    /// Added to each plane's; empty: nothing.
    pub bias: &'a [f32],
    /// What they are held within.
    pub bounds: Option<[f32; 2]>,
}

impl Exit<'_> {
    /// For some of the planes.
    pub fn of(self, planes: Range<usize>) -> Self {
        Self { bias: if self.bias.is_empty() { &[] } else { &self.bias[planes] }, ..self }
    }

    /// Added to a plane.
    #[inline(always)]
    pub fn bias(&self, plane: usize) -> f32 {
        self.bias.get(plane).copied().unwrap_or(0.0)
    }
}

/// (v − mean)·factor + bias.
#[inline(always)]
pub(in crate::kernels) fn normal([mean, factor, bias]: [f32; 3], value: f32) -> f32 {
    (value - mean) * factor + bias
}

/// Not `max`, which would turn a NaN into 0.
#[inline(always)]
pub(in crate::kernels) fn relu(value: f32) -> f32 {
    if value < 0.0 { 0.0 } else { value }
}

vectorised! {
    /// Copies the planes of `from`, one after the other, into the source, where what surrounds them is 0 already.
    fn prepare(layout: &Layout, fills: &[Fill], entry: Entry<'_>, from: &[f32], source: &mut Source) = prepare_body
}

#[inline(always)]
fn prepare_body<const FUSED: bool>(
    layout: &Layout,
    fills: &[Fill],
    entry: Entry<'_>,
    from: &[f32],
    source: &mut Source,
) {
    let planes = from.chunks_exact((layout.size[0] * layout.size[1]).max(1));
    for ((number, from), to) in planes.enumerate().zip(source.chunks_exact_mut(layout.length())) {
        match entry {
            Entry::Plain => copy(layout, fills, from, to, |value| value),
            Entry::Rectified => copy(layout, fills, from, to, relu),
            Entry::Normalised(norms) => {
                let norm = norms[number];
                copy(layout, fills, from, to, |value| relu(normal(norm, value)));
            }
        }
    }
}

#[inline(always)]
fn copy(layout: &Layout, fills: &[Fill], from: &[f32], to: &mut [f32], f: impl Fn(f32) -> f32 + Copy) {
    for fill in fills {
        // Loops of fixed length for the widths of common maps.
        match (layout.stride[1], fill.columns) {
            (1, 8) => rows_of::<8, 1>(layout, fill, from, to, f),
            (1, 16) => rows_of::<16, 1>(layout, fill, from, to, f),
            (1, 32) => rows_of::<32, 1>(layout, fill, from, to, f),
            (2, 8) => rows_of::<8, 2>(layout, fill, from, to, f),
            (2, 16) => rows_of::<16, 2>(layout, fill, from, to, f),
            _ => any_rows(layout, fill, from, to, f),
        }
    }
}

/// Rows of `N` values, every `STRIDE`-th.
#[inline(always)]
fn rows_of<const N: usize, const STRIDE: usize>(
    layout: &Layout,
    fill: &Fill,
    from: &[f32],
    to: &mut [f32],
    f: impl Fn(f32) -> f32 + Copy,
) {
    let (mut at, mut read) = (fill.to, fill.from);
    for _ in 0..fill.rows {
        let to = &mut to[at..at + N];
        // The last value may be the row's last.
        let from = &from[read..read + (N - 1) * STRIDE + 1];
        for i in 0..N {
            to[i] = f(from[i * STRIDE]);
        }
        at += layout.pitch;
        read += layout.stride[0] * layout.size[1];
    }
}

#[inline(always)]
fn any_rows(layout: &Layout, fill: &Fill, from: &[f32], to: &mut [f32], f: impl Fn(f32) -> f32 + Copy) {
    for row in 0..fill.rows {
        let to = &mut to[fill.to + row * layout.pitch..][..fill.columns];
        let from = &from[fill.from + row * layout.stride[0] * layout.size[1]..];
        if layout.stride[1] == 1 {
            to.iter_mut().zip(from).for_each(|(to, &value)| *to = f(value));
        } else {
            to.iter_mut().zip(from.iter().step_by(layout.stride[1])).for_each(|(to, &value)| *to = f(value));
        }
    }
}

/// Results of a run of planes: where they are written.
#[derive(Debug)]
pub(in crate::kernels) struct Results<'a> {
    /// From the first plane's tile on.
    pub to: &'a mut [f32],
    /// From one plane to the next.
    pub plane: usize,
    /// Whether they are added to what is there.
    pub add: bool,
    pub exit: Exit<'a>,
}

vectorised! {
    /// Results of the planes of the source, `taps` weights each.
    fn convolve(layout: &Layout, plan: &Plan, source: &Source, weights: &[f32], taps: usize, to: Results<'_>)
        = convolve_body
}

#[inline(always)]
fn convolve_body<const FUSED: bool>(
    layout: &Layout,
    plan: &Plan,
    source: &Source,
    weights: &[f32],
    taps: usize,
    results: Results<'_>,
) {
    let mut window: Weights = [0.0; WEIGHTS];
    let length = layout.length();
    for (number, weights) in weights.chunks_exact(taps).enumerate() {
        let to = &mut results.to[number * results.plane..];
        match taps {
            9 => window[..9].copy_from_slice(&weights[..9]),
            25 => window[..25].copy_from_slice(&weights[..25]),
            _ => window[..taps].copy_from_slice(weights),
        }
        let whole = Ends { add: results.add, bias: results.exit.bias(number), bounds: results.exit.bounds };
        for (part, pass) in plan.passes.iter().enumerate() {
            let at = number * length;
            let ends = whole.part(part == 0, part + 1 == plan.passes.len());
            match (FUSED, pass.taps) {
                (true, 5) => pass_of::<FUSED, 5>(plan, pass, 0, source, at, &window, to, ends),
                (true, 3) => pass_of::<FUSED, 3>(plan, pass, 0, source, at, &window, to, ends),
                (true, 2) => pass_of::<FUSED, 2>(plan, pass, 0, source, at, &window, to, ends),
                // Old processors: less code instead of the last bit of speed.
                _ => {
                    for k in 0..pass.taps {
                        let (at, weight) = (at + k * plan.step, k * pass.weight_step);
                        let ends = ends.part(k == 0, k + 1 == pass.taps);
                        pass_of::<FUSED, 1>(plan, pass, weight, source, at, &window, to, ends);
                    }
                }
            }
        }
    }
}

#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "one place where the blocks of every shape are called")]
fn pass_of<const FUSED: bool, const T: usize>(
    plan: &Plan,
    pass: &Pass,
    weight: usize,
    source: &Source,
    at: usize,
    weights: &Weights,
    to: &mut [f32],
    ends: Ends,
) {
    let (step, to_step, groups, weight_step) = (plan.step, plan.to_step, pass.groups.as_slice(), pass.weight_step);
    for &place in &plan.wide {
        let from = at + place.from;
        register_block::convolve::<FUSED, T, 8, LANES>(
            source,
            from,
            step,
            groups,
            weight,
            weight_step,
            weights,
            place,
            to,
            to_step,
            ends,
        );
    }
    for &place in &plan.narrow {
        let from = at + place.from;
        register_block::convolve::<FUSED, T, 8, 8>(
            source,
            from,
            step,
            groups,
            weight,
            weight_step,
            weights,
            place,
            to,
            to_step,
            ends,
        );
    }
    for &place in &plan.low {
        let from = at + place.from;
        register_block::convolve::<FUSED, T, 4, 8>(
            source,
            from,
            step,
            groups,
            weight,
            weight_step,
            weights,
            place,
            to,
            to_step,
            ends,
        );
    }
}

vectorised! {
    /// sums[tap][lane] += what the planes of the source and those of `gradients` (whose rows lie as a plan says)
    /// contribute to the gradient of a weight; `taps` sums for each plane.
    fn correlate(
        layouts: [&Layout; 2],
        plan: &Plan,
        source: &Source,
        gradients: &Source,
        sums: &mut [[f32; LANES]],
        taps: usize,
    ) = correlate_body
}

#[inline(always)]
fn correlate_body<const FUSED: bool>(
    [layout, gradients_layout]: [&Layout; 2],
    plan: &Plan,
    source: &Source,
    gradients: &Source,
    sums: &mut [[f32; LANES]],
    taps: usize,
) {
    for (number, sums) in sums.chunks_exact_mut(taps).enumerate() {
        let at = [number * layout.length(), number * gradients_layout.length()];
        for pass in &plan.passes {
            match (FUSED, pass.taps) {
                (true, 5) => groups_of::<FUSED, 5, 1, 2>(plan, pass, 0, source, gradients, at, sums),
                (true, 3) => groups_of::<FUSED, 3, 3, 3>(plan, pass, 0, source, gradients, at, sums),
                (true, 2) => groups_of::<FUSED, 2, 3, 3>(plan, pass, 0, source, gradients, at, sums),
                _ => {
                    for k in 0..pass.taps {
                        let at = [at[0] + k * plan.step, at[1]];
                        groups_of::<FUSED, 1, 3, 3>(plan, pass, k * pass.weight_step, source, gradients, at, sums);
                    }
                }
            }
        }
    }
}

/// `WIDE` groups at a time on wide blocks, `NARROW` on others: enough independent sums to keep the processor busy,
/// and not more than it has registers for.
#[inline(always)]
fn groups_of<const FUSED: bool, const T: usize, const WIDE: usize, const NARROW: usize>(
    plan: &Plan,
    pass: &Pass,
    weight: usize,
    source: &Source,
    gradients: &Source,
    [at, held]: [usize; 2],
    sums: &mut [[f32; LANES]],
) {
    let (step, to_step, weight_step) = (plan.step, plan.to_step, pass.weight_step);
    if !plan.wide.is_empty() {
        for groups in pass.groups.chunks(WIDE) {
            let groups: [Group; WIDE] = std::array::from_fn(|s| groups[s.min(groups.len() - 1)]);
            register_block::correlate::<FUSED, T, WIDE, 8, LANES>(
                source,
                at,
                step,
                &groups,
                weight,
                weight_step,
                gradients,
                held,
                to_step,
                &plan.wide,
                sums,
            );
        }
    }
    for groups in pass.groups.chunks(NARROW) {
        let groups: [Group; NARROW] = std::array::from_fn(|s| groups[s.min(groups.len() - 1)]);
        if !plan.narrow.is_empty() {
            register_block::correlate::<FUSED, T, NARROW, 8, 8>(
                source,
                at,
                step,
                &groups,
                weight,
                weight_step,
                gradients,
                held,
                to_step,
                &plan.narrow,
                sums,
            );
        }
        if !plan.low.is_empty() {
            register_block::correlate::<FUSED, T, NARROW, 4, 8>(
                source,
                at,
                step,
                &groups,
                weight,
                weight_step,
                gradients,
                held,
                to_step,
                &plan.low,
                sums,
            );
        }
    }
}
