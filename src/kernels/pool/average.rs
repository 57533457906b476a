//! Average pooling.

use super::{BENCHES, Params, SHAPES, Sizes, beyond, by_input, by_output, flops, label, lengths, shape};
use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::store::put;
use multiversion::multiversion;
use rayon::prelude::*;

/// y (+)= average of each window.
pub static AVG_FORWARD: Kernel = Kernel {
    name: "avg_pool_forward",
    source: wgsl!("include/strips", "avg_pool_forward"),
    params: Params::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: by_output,
    flops,
    twin: forward,
    reference: forward_reference,
    cases: || variants().into_iter().map(forward_case).collect(),
    benches: || BENCHES.map(|s| forward_case(shape(s))).to_vec(),
};

/// dx (+)= each window's dy, shared among its pixels.
pub static AVG_BACKWARD: Kernel = Kernel {
    name: "avg_pool_backward",
    source: wgsl!("include/strips", "include/pool_backward", "avg_pool_backward"),
    params: Params::LAYOUT,
    inputs: &["dy"],
    outputs: &["dx"],
    launch: by_input,
    flops,
    twin: backward,
    reference: backward_reference,
    cases: || variants().into_iter().map(backward_case).collect(),
    benches: || BENCHES.map(|s| backward_case(shape(s))).to_vec(),
};

fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (s, planes) = (Sizes::of(&p), p.planes as usize);
    let x = &call.input(0)[p.input as usize..][..planes * s.inputs()];
    let y = &mut call.output(0)[p.output as usize..][..planes * s.outputs()];
    if y.is_empty() {
        return;
    }
    let reciprocals = s.reciprocals(p.count_padding != 0);
    let pieces = y.par_chunks_mut(s.piece() * s.outputs()).zip(x.par_chunks(s.piece() * s.inputs()));
    pieces.with_min_len(parallel::least(8 * x.len())).for_each(|(y, x)| {
        let mut padded = vec![0.0; s.rows * s.columns];
        let (mut line_sums, mut sums) = (padded.clone(), padded.clone());
        for (y, x) in y.chunks_exact_mut(s.outputs()).zip(x.chunks_exact(s.inputs())) {
            s.pad(x, &mut padded);
            slide(&padded, &mut line_sums, &mut sums, s.kernel, s.columns);
            for (row, (y, r)) in y.chunks_exact_mut(s.out_width).zip(reciprocals.chunks(s.out_width)).enumerate() {
                let sums = &sums[row * s.stride * s.columns..][..(s.out_width - 1) * s.stride + 1];
                average(y, sums, r, s.stride, p.accumulate != 0);
            }
        }
    });
}

/// Sums of kernel × kernel windows that begin at each element of rows of `columns`; what begins near
/// the end of a row or of the plane is meaningless.
fn slide(padded: &[f32], rows: &mut [f32], sums: &mut [f32], kernel: usize, columns: usize) {
    run_sums(padded, rows, kernel, 1);
    run_sums(rows, sums, kernel, columns);
}

/// sums[i] = Σ_k x[i + k · step] for k < kernel, wherever all of them exist.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn run_sums(x: &[f32], sums: &mut [f32], kernel: usize, step: usize) {
    let sums = &mut sums[..x.len() - (kernel - 1) * step];
    if kernel == 3 {
        let later = x[step..].iter().zip(&x[2 * step..]);
        sums.iter_mut().zip(x.iter().zip(later)).for_each(|(sum, (a, (b, c)))| *sum = a + b + c);
        return;
    }
    sums.copy_from_slice(&x[..sums.len()]);
    for k in 1..kernel {
        sums.iter_mut().zip(&x[k * step..]).for_each(|(sum, v)| *sum += v);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn average(y: &mut [f32], sums: &[f32], reciprocals: &[f32], stride: usize, add: bool) {
    let values = y.iter_mut().zip(reciprocals);
    match (stride, add) {
        (1, true) => values.zip(sums).for_each(|((y, r), s)| *y += s * r),
        (1, false) => values.zip(sums).for_each(|((y, r), s)| *y = s * r),
        (_, true) => values.zip(sums.iter().step_by(stride)).for_each(|((y, r), s)| *y += s * r),
        (_, false) => values.zip(sums.iter().step_by(stride)).for_each(|((y, r), s)| *y = s * r),
    }
}

fn forward_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, y) = (call.input(0), call.output(0));
    windows(&p, |out, share, pixels| {
        let sum: f64 = pixels.iter().map(|&i| f64::from(x[p.input as usize + i])).sum();
        put(&mut y[p.output as usize + out], sum * share, p.accumulate);
    });
}

fn backward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (s, planes) = (Sizes::of(&p), p.planes as usize);
    let dy = &call.input(0)[p.output as usize..][..planes * s.outputs()];
    let dx = &mut call.output(0)[p.input as usize..][..planes * s.inputs()];
    if dx.is_empty() || dy.is_empty() {
        if p.accumulate == 0 {
            dx.fill(0.0);
        }
        return;
    }
    let reciprocals = s.reciprocals(p.count_padding != 0);
    // dx is the sum of the windows that end at it: shares, spread out by the stride and pushed
    // kernel − 1 rows and columns in, are slid over like x in the forward pass.
    let (rows, columns) = (s.rows + s.kernel - 1, s.columns + s.kernel - 1);
    let work = dx.len();
    let pieces = dx.par_chunks_mut(s.piece() * s.inputs()).zip(dy.par_chunks(s.piece() * s.outputs()));
    pieces.with_min_len(parallel::least(8 * work)).for_each(|(dx, dy)| {
        let mut padded = vec![0.0; rows * columns];
        let (mut line_sums, mut sums) = (padded.clone(), padded.clone());
        for (dx, dy) in dx.chunks_exact_mut(s.inputs()).zip(dy.chunks_exact(s.outputs())) {
            for row in 0..s.out_height {
                let first = (row * s.stride + s.kernel - 1) * columns + s.kernel - 1;
                let line = row * s.out_width..(row + 1) * s.out_width;
                share(&mut padded[first..], &dy[line.clone()], &reciprocals[line], s.stride);
            }
            slide(&padded, &mut line_sums, &mut sums, s.kernel, columns);
            for (row, dx) in dx.chunks_exact_mut(s.width).enumerate() {
                let sums = &sums[(row + s.padding) * columns + s.padding..][..s.width];
                if p.accumulate != 0 {
                    dx.iter_mut().zip(sums).for_each(|(d, s)| *d += s);
                } else {
                    dx.copy_from_slice(sums);
                }
            }
        }
    });
}

fn share(padded: &mut [f32], dy: &[f32], reciprocals: &[f32], stride: usize) {
    let values = dy.iter().zip(reciprocals).map(|(g, r)| g * r);
    padded.iter_mut().step_by(stride).zip(values).for_each(|(padded, value)| *padded = value);
}

fn backward_reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (dy, dx) = (call.input(0), call.output(0));
    let mut sums = vec![0.0f64; (p.planes * p.height * p.width) as usize];
    windows(&p, |out, share, pixels| {
        pixels.iter().for_each(|&i| sums[i] += share * f64::from(dy[p.output as usize + out]));
    });
    for (i, sum) in sums.into_iter().enumerate() {
        put(&mut dx[p.input as usize + i], sum, p.accumulate);
    }
}

/// Calls `f` for each window with its number, 1 / (what it counts) and the numbers of its pixels.
fn windows(p: &Params, mut f: impl FnMut(usize, f64, &[usize])) {
    let side = |i: u32, size: u32| {
        let first = i64::from(i * p.stride) - i64::from(p.padding);
        let end = first + i64::from(p.kernel);
        let counted = end.min(i64::from(size + p.padding)) - first;
        (first.max(0)..end.min(i64::from(size)), counted)
    };
    for plane in 0..p.planes {
        for row in 0..p.out_height {
            for column in 0..p.out_width {
                let ((rows, height), (columns, width)) = (side(row, p.height), side(column, p.width));
                let pixel = |r: i64, c: i64| (i64::from(plane * p.height) + r) * i64::from(p.width) + c;
                let pixels: Vec<usize> =
                    rows.flat_map(|r| columns.clone().map(move |c| pixel(r, c) as usize)).collect();
                let counted = if p.count_padding != 0 { height * width } else { pixels.len() as i64 };
                let out = (plane * p.out_height + row) * p.out_width + column;
                f(out as usize, 1.0 / counted as f64, &pixels);
            }
        }
    }
}

fn variants() -> Vec<Params> {
    let shapes = SHAPES.map(shape).into_iter().chain([beyond()]);
    shapes
        .flat_map(|p| [(0, 0), (1, 1)].map(|(count_padding, accumulate)| Params { count_padding, accumulate, ..p }))
        .collect()
}

fn forward_case(p: Params) -> Case {
    let (x, y) = lengths(&p);
    Case::new(label(&p), &p).noise(x, 1).result(y + 1).within(1e-6)
}

fn backward_case(p: Params) -> Case {
    let (x, y) = lengths(&p);
    Case::new(label(&p), &p).noise(y, 1).result(x + 1).within(1e-6)
}
