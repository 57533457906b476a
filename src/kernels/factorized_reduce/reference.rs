//! Plain loops with float64 sums: what the twins and shaders are held against.

use super::Params;
use crate::device::Call;
use crate::kernels::cpu::store::put;

/// Where output o reads its pixel (i, j) of image n and channel c, if that is inside.
fn read(p: &Params, n: usize, o: usize, c: usize, pixel: usize) -> Option<usize> {
    let (height, width) = (p.height as usize, p.width as usize);
    let h = o / p.block as usize % 2;
    let (y, x) = (pixel / width.div_ceil(2) * 2 + h, pixel % width.div_ceil(2) * 2 + h);
    (y < height && x < width).then_some(((n * p.inputs as usize + c) * height + y) * width + x)
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w, y) = (&call.input(0)[p.x()], &call.input(1)[p.w()], &mut call.output(0)[p.y()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.out_pixels());
    for (at, y) in y.iter_mut().enumerate() {
        let (n, o, pixel) = (at / pixels / outputs, at / pixels % outputs, at % pixels);
        let mut sum = 0.0;
        for c in 0..inputs {
            if let Some(from) = read(&p, n, o, c, pixel) {
                sum += f64::from(w[o * inputs + c]) * f64::from(x[from].max(0.0));
            }
        }
        put(y, sum, p.accumulate);
    }
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let (dy, dx) = (&call.input(2)[p.y()], &mut call.output(0)[p.dx()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.out_pixels());
    let mut sums = vec![0.0; dx.len()];
    for (at, &dy) in dy.iter().enumerate() {
        let (n, o, pixel) = (at / pixels / outputs, at / pixels % outputs, at % pixels);
        for c in 0..inputs {
            if let Some(to) = read(&p, n, o, c, pixel)
                && x[to] > 0.0
            {
                sums[to] += f64::from(w[o * inputs + c]) * f64::from(dy);
            }
        }
    }
    dx.iter_mut().zip(sums).for_each(|(dx, sum)| put(dx, sum, p.accumulate));
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.out_pixels());
    for (at, dw) in dw.iter_mut().enumerate() {
        let (o, c) = (at / inputs, at % inputs);
        let mut sum = 0.0;
        for n in 0..p.batch as usize {
            for pixel in 0..pixels {
                if let Some(from) = read(&p, n, o, c, pixel) {
                    sum += f64::from(dy[(n * outputs + o) * pixels + pixel]) * f64::from(x[from].max(0.0));
                }
            }
        }
        put(dw, sum, p.accumulate);
    }
}
