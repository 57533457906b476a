//! The convolution as it is defined, in plain loops, summed in float64.

use super::transform::{TAPS, VALUES};
use super::{FilterParams, Params};
use crate::device::Call;
use crate::kernels::cpu::store::put;

/// G, row by row.
const G: [[f64; TAPS]; VALUES] = [
    [1.0 / 4.0, 0.0, 0.0],
    [-1.0 / 6.0, -1.0 / 6.0, -1.0 / 6.0],
    [-1.0 / 6.0, 1.0 / 6.0, -1.0 / 6.0],
    [1.0 / 24.0, 1.0 / 12.0, 1.0 / 6.0],
    [1.0 / 24.0, -1.0 / 12.0, 1.0 / 6.0],
    [0.0, 0.0, 1.0],
];

pub(super) fn filter(call: &mut Call<'_>) {
    let p: FilterParams = call.params();
    let (outputs, inputs) = (p.outputs as usize, p.inputs as usize);
    let (w, u) = (&call.input(0)[p.w()], &mut call.output(0)[p.u()]);
    for (at, u) in u.iter_mut().enumerate() {
        let (v, column) = (at / p.columns(), at % p.columns());
        let (s, pair) = (column / (outputs * inputs), column % (outputs * inputs));
        let tap = |r: usize| match p.turned {
            0 => w[(pair % outputs * inputs + pair / outputs) * TAPS * TAPS + r * TAPS + s],
            _ => w[pair * TAPS * TAPS + (2 - r) * TAPS + 2 - s],
        };
        *u = (0..TAPS).map(|r| G[v][r] * f64::from(tap(r))).sum::<f64>() as f32;
    }
}

/// Calls `f(x, [output, input, r, s], y)` for every product.
fn each_product(p: &Params, mut f: impl FnMut(usize, [usize; 4], usize)) {
    let (height, width) = (p.height as usize, p.width as usize);
    for n in 0..p.batch as usize {
        for o in 0..p.outputs as usize {
            for pixel in 0..p.pixels() {
                let y = (n * p.outputs as usize + o) * p.pixels() + pixel;
                for k in 0..p.depth() * TAPS {
                    let (i, r, s) = (k / (TAPS * TAPS), k / TAPS % TAPS, k % TAPS);
                    let (row, column) = (pixel / width + r, pixel % width + s);
                    if (1..=height).contains(&row) && (1..=width).contains(&column) {
                        let plane = (n * p.inputs as usize + i) * p.pixels();
                        f(plane + (row - 1) * width + column - 1, [o, i, r, s], y);
                    }
                }
            }
        }
    }
}

pub(super) fn forward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, u) = (&call.input(0)[p.x()], &call.input(1)[p.u()]);
    let columns = p.outputs as usize * p.depth();
    // The taps whose transform u is.
    let taps: Vec<[f64; TAPS]> = (0..columns)
        .map(|column| {
            let value = |v: usize| f64::from(u[v * columns + column]);
            [4.0 * value(0), 3.0 * (value(2) - value(1)), value(5)]
        })
        .collect();
    let mut sums = vec![0.0; p.y().len()];
    if p.has_bias != 0 {
        let bias = &call.input(2)[p.bias as usize..];
        sums.iter_mut().enumerate().for_each(|(at, sum)| *sum = bias[at / p.pixels() % p.outputs as usize].into());
    }
    let [inputs, outputs] = [p.inputs, p.outputs].map(|count| count as usize);
    each_product(&p, |at, [o, i, r, s], y| sums[y] += f64::from(x[at]) * taps[(s * inputs + i) * outputs + o][r]);
    call.output(0)[p.y()].iter_mut().zip(sums).for_each(|(to, sum)| put(to, sum, p.accumulate));
}

pub(super) fn backward_weight(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy) = (&call.input(0)[p.x()], &call.input(1)[p.y()]);
    let mut sums = vec![0.0; p.dw().len()];
    each_product(&p, |at, [o, i, r, s], y| {
        sums[((o * p.inputs as usize + i) * TAPS + r) * TAPS + s] += f64::from(x[at]) * f64::from(dy[y]);
    });
    call.output(0)[p.dw()].iter_mut().zip(sums).for_each(|(to, sum)| put(to, sum, p.accumulate));
}
