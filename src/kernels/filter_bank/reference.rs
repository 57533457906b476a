//! The definition in plain loops, summed in float64.

use super::Params;
use crate::device::Call;
use crate::kernels::cpu::store::put;

/// The ReLU's argument for each element of x that is read, from `x` and what normalises it.
struct Argument<'a> {
    p: Params,
    x: &'a [f32],
    saved: &'a [f32],
    parameters: &'a [f32],
}

impl Argument<'_> {
    /// Of pixel `pixel` of channel `ch` of image `n`.
    fn at(&self, n: usize, ch: usize, pixel: usize) -> f64 {
        let p = &self.p;
        let at = p.input as usize + (n * p.in_channels as usize + ch) * p.pixels() + pixel;
        let mut value = f64::from(self.x[at]);
        if p.norm != 0 {
            let saved = &self.saved[p.saved as usize..];
            value = (value - f64::from(saved[ch])) * f64::from(saved[p.norm as usize + ch]);
            if p.affine != 0 {
                let [scale, bias] = [p.scale, p.bias].map(|at| f64::from(self.parameters[at as usize + ch]));
                value = value * scale + bias;
            }
        }
        value
    }

    /// f of the argument; a NaN stays one.
    fn rectified(&self, n: usize, ch: usize, pixel: usize) -> f64 {
        let value = self.at(n, ch, pixel);
        if value < 0.0 { 0.0 } else { value }
    }
}

/// Calls `f([n, ch, pixel], w, y)` for every product: the place in x, and the indices in w and y.
fn each_product(p: &Params, mut f: impl FnMut([usize; 3], usize, usize)) {
    let channels = p.channels as usize;
    let place = |out: usize, tap: usize, dilation: usize, pad: usize, size: u32| {
        (out * p.stride as usize + tap * dilation).checked_sub(pad).filter(|&at| at < size as usize)
    };
    for n in 0..p.batch as usize {
        for kind in p.kinds() {
            for (branch, c) in (0..kind.branches).flat_map(|branch| (0..channels).map(move |c| (branch, c))) {
                let plane = (kind.first + branch) * channels + c;
                let ch = if p.shared_input != 0 { c } else { plane };
                for (i, j) in (0..p.out_height as usize).flat_map(|i| (0..p.out_width as usize).map(move |j| (i, j))) {
                    let y = (n * p.out_channels as usize + plane) * p.out_pixels() + i * p.out_width as usize + j;
                    for (r, s) in (0..kind.kernel).flat_map(|r| (0..kind.kernel).map(move |s| (r, s))) {
                        let row = place(i, r, kind.dilation, kind.pad(), p.height);
                        let column = place(j, s, kind.dilation, kind.pad(), p.width);
                        let (Some(row), Some(column)) = (row, column) else { continue };
                        let w = kind.weight + (branch * channels + c) * kind.taps() + r * kind.kernel + s;
                        f([n, ch, row * p.width as usize + column], w, p.output as usize + y);
                    }
                }
            }
        }
    }
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let f = Argument { p, x: call.input(0), saved: call.input(2), parameters: call.input(3) };
    let (w, y) = (call.input(1), call.output(0));
    let mut sums = vec![0.0; y.len()];
    each_product(&p, |[n, ch, pixel], k, o| sums[o] += f.rectified(n, ch, pixel) * f64::from(w[k]));
    let planes = p.branches() * p.channels as usize * p.out_pixels();
    for n in 0..p.batch as usize {
        let first = p.output as usize + n * p.out_channels as usize * p.out_pixels();
        (first..first + planes).for_each(|o| put(&mut y[o], sums[o], p.accumulate));
    }
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let f = Argument { p, x: call.input(0), saved: call.input(2), parameters: call.input(3) };
    let (w, dy, dx) = (call.input(1), call.input(4), &mut call.output(0)[p.dx()]);
    let mut sums = vec![0.0; dx.len()];
    each_product(&p, |[n, ch, pixel], k, o| {
        sums[(n * p.read() + ch) * p.pixels() + pixel] += f64::from(w[k]) * f64::from(dy[o]);
    });
    for (i, (dx, sum)) in dx.iter_mut().zip(sums).enumerate() {
        let (plane, pixel) = (i / p.pixels(), i % p.pixels());
        let passes = f.at(plane / p.read(), plane % p.read(), pixel) > 0.0;
        put(dx, if passes { sum } else { 0.0 }, p.accumulate);
    }
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let f = Argument { p, x: call.input(0), saved: call.input(2), parameters: call.input(3) };
    let (dy, dw) = (call.input(1), call.output(0));
    let mut sums = vec![0.0; dw.len()];
    each_product(&p, |[n, ch, pixel], k, o| sums[k] += f.rectified(n, ch, pixel) * f64::from(dy[o]));
    for kind in p.kinds() {
        let weights = kind.weight..kind.weight + kind.branches * p.channels as usize * kind.taps();
        weights.for_each(|k| put(&mut dw[k], sums[k], p.accumulate));
    }
}
