//! The gradient of the weights on the CPU: products of rows with rows, which are read where they lie.

use super::{Params, packed};
use crate::device::Call;
use crate::kernels::cpu::pixel_panel::Panel;
use crate::kernels::cpu::row_products::{self, Rows, Sums};
use crate::kernels::cpu::scratch::{scratch, zeros};
use crate::kernels::cpu::vector::{LANES, NEAR, touch};
use rayon::prelude::*;
use std::ops::Range;

/// Columns, of several images if need be, that [`backward`] takes at a time.
const RUN: usize = 512;
/// Columns of one image at a time: as many as the second-level cache holds.
const LONGEST: usize = 1024;
/// Most pieces of work.
const PIECES: usize = 32;

pub(super) fn backward(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (x, dy, dw) = (&call.input(0)[p.x()], &call.input(1)[p.y()], &mut call.output(0)[p.w()]);
    let (batch, groups, size) = (p.batch as usize, p.groups as usize, (p.inputs * p.outputs) as usize);
    if dw.is_empty() {
        return;
    }
    if packed::suits(&p) {
        return packed::backward_weight(&p, x, dy, dw);
    }
    let images = (RUN / (p.pixels as usize).max(1)).max(1);
    let units = batch.div_ceil(images);
    // Groups are pieces; where there are few of them, the images are shared out, too.
    let most = (PIECES / groups).clamp(1, units.max(1));
    let each = units.div_ceil(most).max(1);
    let pieces = units.div_ceil(each).max(1);
    let sum = |group: usize, piece: usize, dw: &mut [f32]| {
        let images = piece * each * images..batch.min((piece + 1) * each * images);
        sum_images(&p, group, images, x, dy, dw);
    };
    if pieces == 1 {
        dw.par_chunks_mut(size).enumerate().with_min_len(p.least()).for_each(|(group, dw)| {
            if p.accumulate == 0 {
                dw.fill(0.0);
            }
            sum(group, 0, dw);
        });
        return;
    }
    let mut partial = zeros(pieces * dw.len());
    let partials = partial.par_chunks_mut(size).enumerate().with_min_len(p.least());
    partials.for_each(|(at, dw)| sum(at / pieces, at % pieces, dw));
    for (dw, partial) in dw.chunks_exact_mut(size).zip(partial.chunks_exact(size * pieces)) {
        if p.accumulate == 0 {
            dw.fill(0.0);
        }
        for partial in partial.chunks_exact(size) {
            dw.iter_mut().zip(partial).for_each(|(dw, value)| *dw += value);
        }
    }
}

/// dw += Σ dy · x over some images of a group.
fn sum_images(p: &Params, group: usize, images: Range<usize>, x: &[f32], dy: &[f32], dw: &mut [f32]) {
    let (groups, pixels) = (p.groups as usize, p.pixels as usize);
    let (inputs, outputs) = (p.inputs as usize, p.outputs as usize);
    let together = (RUN / pixels.max(1)).max(1);
    // Whole vectors are read where they lie; other images are put side by side.
    let direct = pixels.is_multiple_of(LANES);
    let width = if direct { 0 } else { (together * pixels).min(LONGEST).next_multiple_of(LANES) };
    scratch([row_products::memory(outputs, inputs), outputs * width, inputs * width], |[sums, a, b]| {
        let mut sums = Sums::new(sums, [outputs, inputs], dw, inputs);
        for first in images.clone().step_by(together) {
            let count = together.min(images.end - first);
            let x = &x[(first * groups + group) * inputs * pixels..];
            let dy = &dy[(first * groups + group) * outputs * pixels..];
            if !direct {
                let columns = count * pixels;
                for first in (0..columns).step_by(width) {
                    let panel = Panel { first, width, columns, pixels };
                    panel.gather(dy, outputs, groups * outputs, a);
                    panel.gather(x, inputs, groups * inputs, b);
                    let rows = |values, count| Rows { values, pitch: width, image: 0, count };
                    sums.add(rows(a, outputs), rows(b, inputs), 1, width);
                }
                continue;
            }
            if pixels > NEAR {
                for image in 0..count {
                    touch(&dy[image * groups * outputs * pixels..][..outputs * pixels]);
                    touch(&x[image * groups * inputs * pixels..][..inputs * pixels]);
                }
            }
            for pixel in (0..pixels).step_by(LONGEST) {
                let rows = |values, count| Rows { values, pitch: pixels, image: groups * count * pixels, count };
                sums.add(rows(&dy[pixel..], outputs), rows(&x[pixel..], inputs), count, LONGEST.min(pixels - pixel));
            }
        }
        sums.finish();
    });
}
