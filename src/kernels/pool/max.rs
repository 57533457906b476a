//! Max pooling.

use super::{BENCHES, Params, SHAPES, Sizes, beyond, by_input, by_output, flops, label, lengths, shape};
use crate::device::{Call, Case, Kernel, noise};
use crate::kernels::cpu::parallel;
use multiversion::multiversion;
use rayon::prelude::*;

/// y = maximum of each window, indices = where it lies in the plane.
pub static MAX_FORWARD: Kernel = Kernel {
    name: "max_pool_forward",
    source: wgsl!("include/strips", "max_pool_forward"),
    params: Params::LAYOUT,
    inputs: &["x"],
    outputs: &["y", "indices: u32"],
    launch: by_output,
    flops,
    twin: forward,
    reference: forward_reference,
    cases: || {
        let shapes = SHAPES.map(shape).into_iter().chain([beyond()]);
        shapes.flat_map(|p| [Values::Distinct, Values::Ties, Values::Special].map(|v| forward_case(p, v))).collect()
    },
    benches: || BENCHES.map(|s| forward_case(shape(s), Values::Distinct)).to_vec(),
};

/// dx (+)= dy of the windows whose maximum lies there.
pub static MAX_BACKWARD: Kernel = Kernel {
    name: "max_pool_backward",
    source: wgsl!("include/strips", "include/pool_backward", "max_pool_backward"),
    params: Params::LAYOUT,
    inputs: &["indices: u32", "dy"],
    outputs: &["dx"],
    launch: by_input,
    flops,
    twin: backward,
    reference: backward_reference,
    cases: || {
        let shapes = SHAPES.map(shape).into_iter().chain([beyond()]);
        shapes.flat_map(|p| [0, 1].map(|accumulate| backward_case(Params { accumulate, ..p }))).collect()
    },
    benches: || BENCHES.map(|s| backward_case(shape(s))).to_vec(),
};

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (s, planes) = (Sizes::of(&p), p.planes as usize);
    let x = &call.input(0)[p.input as usize..][..planes * s.inputs()];
    let [y, indices] = call.outputs();
    let y = &mut y.floats()[p.output as usize..][..planes * s.outputs()];
    let indices = &mut indices.words()[p.indices as usize..][..planes * s.outputs()];
    if y.is_empty() {
        return;
    }
    let places = places(&s);
    let size = s.piece() * s.outputs();
    let pieces = y.par_chunks_mut(size).zip(indices.par_chunks_mut(size)).zip(x.par_chunks(s.piece() * s.inputs()));
    pieces.with_min_len(parallel::least(8 * x.len())).for_each(|((y, indices), x)| {
        let mut padded = vec![f32::NEG_INFINITY; s.rows * s.columns];
        let (mut best, mut at) = (padded.clone(), places.clone());
        let (mut line_best, mut line_at) = (padded.clone(), places.clone());
        let outputs = y.chunks_exact_mut(s.outputs()).zip(indices.chunks_exact_mut(s.outputs()));
        for ((y, indices), x) in outputs.zip(x.chunks_exact(s.inputs())) {
            s.pad(x, &mut padded);
            run_maxima(&padded, &places, &mut line_best, &mut line_at, s.kernel, 1);
            run_maxima(&line_best, &line_at, &mut best, &mut at, s.kernel, s.columns);
            let lines = y.chunks_exact_mut(s.out_width).zip(indices.chunks_exact_mut(s.out_width));
            for (row, (y, indices)) in lines.enumerate() {
                let first = row * s.stride * s.columns;
                let end = first + (s.out_width - 1) * s.stride + 1;
                y.iter_mut().zip(best[first..end].iter().step_by(s.stride)).for_each(|(y, v)| *y = *v);
                indices.iter_mut().zip(at[first..end].iter().step_by(s.stride)).for_each(|(i, v)| *i = *v);
            }
        }
    });
}

/// Where each element of a padded plane lies in the plane; of padding, the nearest pixel, so that a
/// window in which nothing exceeds −∞ gets its first pixel.
fn places(s: &Sizes) -> Vec<u32> {
    let clamp = |i: usize, size: usize| i.saturating_sub(s.padding).min(size - 1);
    (0..s.rows * s.columns)
        .map(|i| (clamp(i / s.columns, s.height) * s.width + clamp(i % s.columns, s.width)) as u32)
        .collect()
}

/// best[i] = maximum of x[i + k · step] for k < kernel, wherever all of them exist, and its place. Only a
/// larger value replaces one found, so the first wins; along rows and then down columns that is the first
/// in row-major order.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn run_maxima(x: &[f32], places: &[u32], best: &mut [f32], at: &mut [u32], kernel: usize, step: usize) {
    let count = x.len() - (kernel - 1) * step;
    let found = best[..count].iter_mut().zip(&mut at[..count]);
    let value = |k: usize| x[k * step..][..count].iter().zip(&places[k * step..][..count]);
    if kernel == 3 {
        found.zip(value(0).zip(value(1).zip(value(2)))).for_each(|(found, (a, (b, c)))| {
            let (value, place) = prefer(prefer((*a.0, *a.1), b), c);
            (*found.0, *found.1) = (value, place);
        });
        return;
    }
    best[..count].copy_from_slice(&x[..count]);
    at[..count].copy_from_slice(&places[..count]);
    for k in 1..kernel {
        best[..count].iter_mut().zip(&mut at[..count]).zip(value(k)).for_each(|((value, place), candidate)| {
            (*value, *place) = prefer((*value, *place), candidate);
        });
    }
}

/// A value and its place, or a candidate that is larger or NaN, without a branch.
#[inline(always)]
fn prefer((value, place): (f32, u32), (&candidate, &at): (&f32, &u32)) -> (f32, u32) {
    let take = (candidate > value) | candidate.is_nan();
    (if take { candidate } else { value }, if take { at } else { place })
}

fn forward_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, [y, indices]) = (call.input(0), call.outputs());
    let (y, indices) = (y.floats(), indices.words());
    let range =
        |i: u32, size: u32| (i * p.stride).max(p.padding) - p.padding..(i * p.stride + p.kernel - p.padding).min(size);
    for out in 0..p.planes * p.out_height * p.out_width {
        let (plane, row, column) =
            (out / (p.out_height * p.out_width), out / p.out_width % p.out_height, out % p.out_width);
        let (rows, columns) = (range(row, p.height), range(column, p.width));
        let (mut best, mut at) = (f32::NEG_INFINITY, rows.start * p.width + columns.start);
        for pixel in rows.flat_map(|r| columns.clone().map(move |c| r * p.width + c)) {
            let value = x[(p.input + plane * p.height * p.width + pixel) as usize];
            if value > best || value.is_nan() {
                (best, at) = (value, pixel);
            }
        }
        y[(p.output + out) as usize] = best;
        indices[(p.indices + out) as usize] = at;
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (s, planes) = (Sizes::of(&p), p.planes as usize);
    let indices = &call.input_words(0)[p.indices as usize..][..planes * s.outputs()];
    let dy = &call.input(1)[p.output as usize..][..planes * s.outputs()];
    let dx = &mut call.output(0)[p.input as usize..][..planes * s.inputs()];
    if dx.is_empty() || dy.is_empty() {
        if p.accumulate == 0 {
            dx.fill(0.0);
        }
        return;
    }
    let size = s.piece() * s.outputs();
    let work = dx.len();
    let pieces = dx.par_chunks_mut(s.piece() * s.inputs()).zip(indices.par_chunks(size)).zip(dy.par_chunks(size));
    pieces.with_min_len(parallel::least(8 * work)).for_each(|((dx, indices), dy)| {
        let mut scratch = Scratch::new(&s);
        let outputs = indices.chunks_exact(s.outputs()).zip(dy.chunks_exact(s.outputs()));
        for (dx, (indices, dy)) in dx.chunks_exact_mut(s.inputs()).zip(outputs) {
            if p.accumulate == 0 {
                dx.fill(0.0);
            }
            if s.stride == 1 {
                scratch.gather(&s, dx, indices, dy);
            } else {
                // Few windows: their sums cost less than looking everywhere.
                indices.iter().zip(dy).for_each(|(&i, g)| dx[i as usize] += g);
            }
        }
    });
}

/// Padded planes of one piece of work at stride 1: every pixel looks at the windows it lies in.
struct Scratch {
    columns: usize,
    places: Vec<u32>,
    indices: Vec<u32>,
    dy: Vec<f32>,
    sums: Vec<f32>,
}

impl Scratch {
    fn new(s: &Sizes) -> Self {
        let (rows, columns) = (s.rows + s.kernel - 1, s.columns + s.kernel - 1);
        let place = |i: usize| {
            let (row, column) = ((i / columns).wrapping_sub(s.padding), (i % columns).wrapping_sub(s.padding));
            if row < s.height && column < s.width { (row * s.width + column) as u32 } else { u32::MAX - 1 }
        };
        let count = if s.stride == 1 { rows * columns } else { 0 };
        Self {
            columns,
            places: (0..count).map(place).collect(),
            indices: vec![u32::MAX; count],
            dy: vec![0.0; count],
            sums: vec![0.0; count],
        }
    }

    fn gather(&mut self, s: &Sizes, dx: &mut [f32], indices: &[u32], dy: &[f32]) {
        for (row, (indices, dy)) in indices.chunks_exact(s.out_width).zip(dy.chunks_exact(s.out_width)).enumerate() {
            let first = (row + s.kernel - 1) * self.columns + s.kernel - 1;
            self.indices[first..][..s.out_width].copy_from_slice(indices);
            self.dy[first..][..s.out_width].copy_from_slice(dy);
        }
        let length = (s.padding + s.height) * self.columns;
        self.sums[..length].fill(0.0);
        for row in 0..s.kernel {
            let first = row * self.columns;
            let length = length.min(self.dy.len() - first - (s.kernel - 1));
            matching(&mut self.sums[..length], &self.places, &self.indices[first..], &self.dy[first..], s.kernel);
        }
        for (row, dx) in dx.chunks_exact_mut(s.width).enumerate() {
            let sums = &self.sums[(row + s.padding) * self.columns + s.padding..][..s.width];
            dx.iter_mut().zip(sums).for_each(|(d, s)| *d += s);
        }
    }
}

/// sums[i] += Σ_k dy[i + k] for k < kernel, where the index there is the place here.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn matching(sums: &mut [f32], places: &[u32], indices: &[u32], dy: &[f32], kernel: usize) {
    let pair = |k: usize| indices[k..].iter().zip(&dy[k..]);
    let term = |place: &u32, (index, g): (&u32, &f32)| if place == index { *g } else { 0.0 };
    if kernel == 3 {
        let triples = pair(0).zip(pair(1).zip(pair(2)));
        sums.iter_mut().zip(places).zip(triples).for_each(|((sum, place), (a, (b, c)))| {
            *sum = *sum + term(place, a) + term(place, b) + term(place, c);
        });
        return;
    }
    for k in 0..kernel {
        sums.iter_mut().zip(places).zip(pair(k)).for_each(|((sum, place), pair)| *sum += term(place, pair));
    }
}

fn backward_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (indices, dy, dx) = (call.input_words(0), call.input(1), call.output(0));
    let mut sums = vec![0.0f64; (p.planes * p.height * p.width) as usize];
    for out in 0..p.planes * p.out_height * p.out_width {
        let plane = out / (p.out_height * p.out_width) * p.height * p.width;
        sums[(plane + indices[(p.indices + out) as usize]) as usize] += f64::from(dy[(p.output + out) as usize]);
    }
    for (i, sum) in sums.into_iter().enumerate() {
        crate::kernels::cpu::store::put(&mut dx[p.input as usize + i], sum, p.accumulate);
    }
}

/// What the windows of a case hold.
#[derive(Clone, Copy, Debug)]
enum Values {
    Distinct,
    /// Few values, so that most windows have several maxima.
    Ties,
    /// NaNs, infinities and windows of nothing but −∞.
    Special,
}

fn values(count: usize, kind: Values) -> Vec<f32> {
    let special = [f32::NAN, f32::INFINITY, 1.0, -1.0];
    let of = |v: f32| match kind {
        Values::Distinct => v,
        Values::Ties => (v * 2.0).round(),
        Values::Special => special.get(((v + 1.0) * 20.0) as usize).copied().unwrap_or(f32::NEG_INFINITY),
    };
    noise(count, 1).into_iter().map(of).collect()
}

fn forward_case(p: Params, kind: Values) -> Case {
    let (x, y) = lengths(&p);
    let case = Case::new(format!("{}, {kind:?}", label(&p)), &p).input(&values(x, kind));
    case.result(y + 1).result(y + 1).exactly()
}

fn backward_case(p: Params) -> Case {
    let (x, y) = lengths(&p);
    // Indices as the forward pass makes them: each inside its window.
    let forward = forward_case(p, Values::Ties);
    let mut outputs = forward.outputs.clone();
    let inputs = forward.inputs.iter().map(Vec::as_slice).collect();
    forward_reference(&mut Call::new(&forward.params, inputs, outputs.iter_mut().map(Vec::as_mut_slice).collect()));
    Case::new(label(&p), &p).words(&outputs[1]).noise(y, 2).result(x + 1).within(1e-6)
}
