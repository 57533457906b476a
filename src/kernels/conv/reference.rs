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
    for n in 0..p.batch as usize {
        for o in 0..p.outputs as usize {
            let group = o / p.group_outputs();
            for out_y in 0..p.window.out_height {
                for out_x in 0..p.window.out_width {
                    let pixel = out_y as usize * p.window.out_width as usize + out_x as usize;
                    let y = (n * p.outputs as usize + o) * p.out_pixels() + pixel;
                    for k in 0..p.depth() {
                        let (i, tap) = (k / p.taps(), (k % p.taps()) as u32);
                        let (r, c) = (tap / p.window.kernel_columns, tap % p.window.kernel_columns);
                        let row = place(
                            out_y,
                            p.window.stride_rows,
                            r,
                            p.window.dilation_rows,
                            p.window.pad_top,
                            p.window.height,
                        );
                        let column = place(
                            out_x,
                            p.window.stride_columns,
                            c,
                            p.window.dilation_columns,
                            p.window.pad_left,
                            p.window.width,
                        );
                        let (Some(row), Some(column)) = (row, column) else { continue };
                        let plane = n * p.inputs as usize + group * p.group_inputs() + i;
                        f(plane * p.pixels() + row * p.window.width as usize + column, o * p.depth() + k, y);
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
    if p.has_bias != 0 {
        let bias = &call.input(2)[p.bias as usize..];
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum = f64::from(bias[at / p.out_pixels() % p.outputs as usize]);
        }
    }
    each_product(&p, |i, k, o| sums[o] += f64::from(x[i]) * f64::from(w[k]));
    put_all(&sums, &mut call.output(0)[p.y()], p.accumulate);
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
