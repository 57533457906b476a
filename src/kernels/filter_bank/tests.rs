//! A bank does what the plain kernels do one after the other.

use super::{BACKWARD_INPUT, BACKWARD_WEIGHT, FORWARD, Params, cases};
use crate::device::{Call, Case, Kernel};
use crate::kernels::{activation, batch_norm, conv, depthwise};

fn run(kernel: &Kernel, params: &impl bytemuck::Pod, inputs: &[&[f32]], length: usize) -> Vec<f32> {
    let mut out = vec![0u32; length];
    let inputs = inputs.iter().map(|input| bytemuck::cast_slice(input)).collect();
    (kernel.twin)(&mut Call::new(bytemuck::bytes_of(params), inputs, vec![&mut out]));
    out.into_iter().map(f32::from_bits).collect()
}

fn floats(words: &[u32]) -> &[f32] {
    bytemuck::cast_slice(words)
}

/// The ReLU's argument, [batch, channels read, pixels].
fn argument(p: &Params, x: &[f32], saved: &[f32], parameters: &[f32]) -> Vec<f32> {
    let (pixels, read) = (p.pixels(), p.read());
    let images = x[p.input as usize..].chunks_exact(p.in_channels as usize * pixels).take(p.batch as usize);
    let dense: Vec<f32> = images.flat_map(|image| image[..read * pixels].to_vec()).collect();
    if p.norm == 0 {
        return dense;
    }
    // Only the statistics of what is read.
    let at = |offset: u32| saved[offset as usize..][..read].to_vec();
    let saved = [at(p.saved), at(p.saved + p.norm)].concat();
    let params = batch_norm::Forward {
        weight: p.scale,
        bias: p.bias,
        batch: p.batch,
        channels: read as u32,
        pixels: pixels as u32,
        affine: p.affine,
        ..Default::default()
    };
    run(&batch_norm::FORWARD, &params, &[&dense, &saved, parameters], dense.len())
}

/// The plain convolution of a branch, and which of its planes are x's: those from `first` on.
struct Branch {
    params: depthwise::Params,
    /// Offset and number of weights.
    weights: std::ops::Range<usize>,
    /// First plane of an image of x, and of y.
    planes: [usize; 2],
}

fn branches(p: &Params) -> Vec<Branch> {
    let channels = p.channels as usize;
    let of = |kind: super::Kind| {
        (0..kind.branches).map(move |b| {
            let plane = (kind.first + b) * channels;
            let [kernel, dilation] = [kind.kernel as u32, kind.dilation as u32];
            let first = kind.weight + b * channels * kind.taps();
            Branch {
                params: depthwise::Params {
                    batch: p.batch,
                    channels: p.channels,
                    window: conv::Window {
                        out_height: p.out_height,
                        out_width: p.out_width,
                        ..conv::Window::square([p.height, p.width], kernel, p.stride, dilation, kind.pad() as i32)
                    },
                    ..Default::default()
                },
                weights: first..first + channels * kind.taps(),
                planes: [if p.shared_input != 0 { 0 } else { plane }, plane],
            }
        })
    };
    p.kinds().into_iter().flat_map(of).collect()
}

/// `count` planes from `first` on, of each of the images of `planes` planes.
fn part(values: &[f32], planes: usize, pixels: usize, first: usize, count: usize) -> Vec<f32> {
    let images = values.chunks(planes * pixels);
    images.flat_map(|image| image[first * pixels..(first + count) * pixels].to_vec()).collect()
}

fn close(what: &str, label: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    let norm: f32 = expected.iter().map(|v| v * v).sum();
    let error: f32 = got.iter().zip(expected).map(|(a, b)| (a - b) * (a - b)).sum();
    assert!(error.sqrt() <= 1e-5 * norm.sqrt().max(1.0), "{what}, {label}: {:e}", (error / norm).sqrt());
}

/// Cases that overwrite.
fn each(cases: Vec<Case>) -> impl Iterator<Item = (Params, Case)> {
    cases.into_iter().map(|case| (Params::of(&case.params), case)).filter(|(p, _)| p.accumulate == 0)
}

#[test]
fn forward_is_relu_and_a_convolution_a_branch() {
    for (p, case) in each(cases::all(cases::forward)) {
        let [x, w, saved, parameters] = [0, 1, 2, 3].map(|i| floats(&case.inputs[i]));
        let y = run(&FORWARD, &p, &[x, w, saved, parameters], case.outputs[0].len());
        let argument = argument(&p, x, saved, parameters);
        let relu = activation::Forward { count: argument.len() as u32, ..Default::default() };
        let rectified = run(&activation::FORWARD, &relu, &[&argument], argument.len());
        let (channels, pixels) = (p.channels as usize, p.out_pixels());
        for branch in branches(&p) {
            let x = part(&rectified, p.read(), p.pixels(), branch.planes[0], channels);
            let expected = run(
                &depthwise::FORWARD,
                &branch.params,
                &[&x, &w[branch.weights.clone()], &w[branch.weights]],
                p.batch as usize * channels * pixels,
            );
            let y = y[p.output as usize..].chunks_exact(p.out_channels as usize * pixels).take(p.batch as usize);
            let y: Vec<f32> =
                y.flat_map(|y| part(y, p.out_channels as usize, pixels, branch.planes[1], channels)).collect();
            close("y", &case.label, &y, &expected);
        }
    }
}

#[test]
fn backward_input_adds_the_branches_and_masks() {
    for (p, case) in each(cases::all(cases::backward_input)) {
        let [x, w, saved, parameters, dy] = [0, 1, 2, 3, 4].map(|i| floats(&case.inputs[i]));
        let dx = run(&BACKWARD_INPUT, &p, &[x, w, saved, parameters, dy], p.dx().end);
        let (channels, read, pixels) = (p.channels as usize, p.read(), p.pixels());
        let mut expected = vec![0.0; p.batch as usize * read * pixels];
        let dy = &dy[p.output as usize..][..p.batch as usize * p.out_channels as usize * p.out_pixels()];
        for branch in branches(&p) {
            let dy = part(dy, p.out_channels as usize, p.out_pixels(), branch.planes[1], channels);
            let inputs: &[&[f32]] = &[&w[branch.weights], &dy];
            let gradient =
                run(&depthwise::BACKWARD_INPUT, &branch.params, inputs, p.batch as usize * channels * pixels);
            for (image, gradient) in
                expected.chunks_exact_mut(read * pixels).zip(gradient.chunks_exact(channels * pixels))
            {
                let image = &mut image[branch.planes[0] * pixels..];
                image.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
            }
        }
        let argument = argument(&p, x, saved, parameters);
        expected.iter_mut().zip(argument).filter(|(_, v)| *v <= 0.0).for_each(|(dx, _)| *dx = 0.0);
        close("dx", &case.label, &dx[p.gradient as usize..], &expected);
    }
}

#[test]
fn backward_weight_is_that_of_a_convolution_a_branch() {
    for (p, case) in each(cases::all(cases::backward_weight)) {
        let [x, dy, saved, parameters] = [0, 1, 2, 3].map(|i| floats(&case.inputs[i]));
        let dw = run(&BACKWARD_WEIGHT, &p, &[x, dy, saved, parameters], case.outputs[0].len());
        let rectified: Vec<f32> = argument(&p, x, saved, parameters).into_iter().map(|v| v.max(0.0)).collect();
        let dy = &dy[p.output as usize..][..p.batch as usize * p.out_channels as usize * p.out_pixels()];
        for branch in branches(&p) {
            let x = part(&rectified, p.read(), p.pixels(), branch.planes[0], p.channels as usize);
            let dy = part(dy, p.out_channels as usize, p.out_pixels(), branch.planes[1], p.channels as usize);
            let expected = run(&depthwise::BACKWARD_WEIGHT, &branch.params, &[&x, &dy], branch.weights.len());
            close("dw", &case.label, &dw[branch.weights], &expected);
        }
    }
}

#[test]
fn a_nan_passes_the_relu() {
    let case = cases::forward(cases::single());
    let p = Params::of(&case.params);
    let mut x = floats(&case.inputs[0]).to_vec();
    x[p.input as usize] = f32::NAN;
    let y = run(&FORWARD, &p, &[&x, floats(&case.inputs[1]), &[], &[]], case.outputs[0].len());
    assert!(y[p.output as usize].is_nan());
}
