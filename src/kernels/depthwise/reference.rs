//! The definition in plain loops, summed in float64.

use super::Params;
use crate::device::Call;
use crate::kernels::cpu::store::put;

/// Calls `f(x, w, y)` with the indices of every product, in the order of y.
fn each_product(p: &Params, mut f: impl FnMut(usize, usize, usize)) {
    let place = |out: u32, stride: u32, tap: u32, dilation: u32, pad: i32, size: u32| {
        let at = i64::from(out) * i64::from(stride) + i64::from(tap) * i64::from(dilation) - i64::from(pad);
        (0..i64::from(size)).contains(&at).then_some(at as usize)
    };
    for plane in 0..p.planes() {
        for out_y in 0..p.window.out_height {
            for out_x in 0..p.window.out_width {
                let y = (plane * p.window.out_height as usize + out_y as usize) * p.window.out_width as usize
                    + out_x as usize;
                for r in 0..p.window.kernel_rows {
                    let row = place(
                        out_y,
                        p.window.stride_rows,
                        r,
                        p.window.dilation_rows,
                        p.window.pad_top,
                        p.window.height,
                    );
                    for c in 0..p.window.kernel_columns {
                        let column = place(
                            out_x,
                            p.window.stride_columns,
                            c,
                            p.window.dilation_columns,
                            p.window.pad_left,
                            p.window.width,
                        );
                        let (Some(row), Some(column)) = (row, column) else { continue };
                        let x = plane * p.pixels() + row * p.window.width as usize + column;
                        let w = plane % p.channels as usize * p.taps() + (r * p.window.kernel_columns + c) as usize;
                        f(x, w, y);
                    }
                }
            }
        }
    }
}

fn put_all(sums: &[f64], to: &mut [f32], accumulate: u32) {
    to.iter_mut().zip(sums).for_each(|(to, &sum)| put(to, sum, accumulate));
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let mut sums = vec![0.0; p.y().len()];
    each_product(&p, |i, k, o| sums[o] += f64::from(x[i]) * f64::from(w[k]));
    if p.has_bias != 0 {
        let bias = &call.input(2)[p.bias()];
        let planes = sums.chunks_mut(p.out_pixels().max(1)).enumerate();
        planes.for_each(|(plane, sums)| sums.iter_mut().for_each(|sum| *sum += f64::from(bias[plane % bias.len()])));
    }
    let y = &mut call.output(0)[p.y()];
    put_all(&sums, y, p.accumulate);
    if p.bounded != 0 {
        y.iter_mut().for_each(|y| *y = y.clamp(p.low, p.high));
    }
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy) = (&call.input(0)[p.w()], &call.input(1)[p.y()]);
    let mut sums = vec![0.0; p.x().len()];
    each_product(&p, |i, k, o| sums[i] += f64::from(w[k]) * f64::from(dy[o]));
    put_all(&sums, &mut call.output(0)[p.x()], p.accumulate);
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy) = (&call.input(0)[p.x()], &call.input(1)[p.y()]);
    let mut sums = vec![0.0; p.w().len()];
    each_product(&p, |i, k, o| sums[k] += f64::from(x[i]) * f64::from(dy[o]));
    put_all(&sums, &mut call.output(0)[p.w()], p.accumulate);
}
