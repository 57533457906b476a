//! Plain loops with float64 sums: what the twins and shaders are held against.

use super::Params;
use crate::device::Call;
use crate::kernels::cpu::store::put;

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, w) = (&call.input(0)[p.x()], &call.input(1)[p.w()]);
    let (bias, y) = (call.input(2), &mut call.output(0)[p.y()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.pixels as usize);
    for (at, y) in y.iter_mut().enumerate() {
        let (n, o, pixel) = (at / pixels / outputs, at / pixels % outputs, at % pixels);
        let row = n % p.groups as usize * outputs + o;
        let mut sum = if p.has_bias != 0 { f64::from(bias[p.bias as usize + row]) } else { 0.0 };
        for i in 0..inputs {
            sum += f64::from(w[row * inputs + i]) * f64::from(x[(n * inputs + i) * pixels + pixel]);
        }
        put(y, sum, p.accumulate);
        if p.bounded != 0 {
            *y = y.clamp(p.low, p.high);
        }
    }
}

pub(super) fn backward_input(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (w, dy, dx) = (&call.input(0)[p.w()], &call.input(1)[p.y()], &mut call.output(0)[p.x()]);
    let (inputs, outputs, pixels) = (p.inputs as usize, p.outputs as usize, p.pixels as usize);
    for (at, dx) in dx.iter_mut().enumerate() {
        let (n, i, pixel) = (at / pixels / inputs, at / pixels % inputs, at % pixels);
        let weight = |o| f64::from(w[(n % p.groups as usize * outputs + o) * inputs + i]);
        let product = |o| weight(o) * f64::from(dy[(n * outputs + o) * pixels + pixel]);
        put(dx, (0..outputs).map(product).sum(), p.accumulate);
    }
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (groups, inputs, outputs, pixels) =
        (p.groups as usize, p.inputs as usize, p.outputs as usize, p.pixels as usize);
    for (at, dw) in dw.iter_mut().enumerate() {
        let (group, o, i) = (at / inputs / outputs, at / inputs % outputs, at % inputs);
        let mut sum = 0.0;
        for n in (group..p.batch as usize * groups).step_by(groups) {
            for pixel in 0..pixels {
                let x = f64::from(x[(n * inputs + i) * pixels + pixel]);
                sum += f64::from(dy[(n * outputs + o) * pixels + pixel]) * x;
            }
        }
        put(dw, sum, p.accumulate);
    }
}
