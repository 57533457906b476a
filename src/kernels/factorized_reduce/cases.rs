//! Shapes on which shader, twin and reference must agree, and those that are timed; and what the kernels
//! replace.

use super::Params;
use crate::device::Case;

/// Batch, inputs, outputs, block, height, width.
type Shape = [u32; 6];

fn params([batch, inputs, outputs, block, height, width]: Shape, accumulate: u32) -> Params {
    Params { input: 3, gradient: 4, weight: 2, output: 5, batch, inputs, outputs, block, height, width, accumulate }
}

pub(super) fn all(case: fn(Params) -> Case) -> Vec<Case> {
    let shapes = [
        [1, 1, 2, 1, 1, 1],
        [1, 1, 2, 1, 2, 2],
        [2, 3, 4, 2, 1, 5],
        [2, 3, 4, 1, 7, 1],
        [3, 5, 6, 3, 7, 9],
        [2, 4, 12, 2, 8, 8],
        [9, 6, 16, 4, 5, 6],
        [1, 17, 10, 5, 13, 11],
        [2, 9, 36, 9, 8, 7],
        [1, 16, 32, 8, 32, 32],
        // More columns than are summed in one chain.
        [1, 3, 4, 2, 47, 50],
    ];
    shapes.into_iter().flat_map(|shape| [0, 1].map(|accumulate| case(params(shape, accumulate)))).collect()
}

pub(super) fn benches(case: fn(Params) -> Case) -> Vec<Case> {
    // The edges of a reduction cell's first and second input, all of a state at once.
    [[16, 32, 128, 16, 32, 32], [16, 64, 256, 32, 16, 16]].map(|shape| case(params(shape, 0))).into()
}

fn begin(p: &Params) -> (Case, [usize; 3]) {
    let label = format!(
        "{} images of {}×{}, {} to {} channels in blocks of {}, accumulate {}",
        p.batch, p.height, p.width, p.inputs, p.outputs, p.block, p.accumulate
    );
    // What lies behind the last element must stay as it is.
    (Case::new(label, p), [p.x().end + 2, p.w().end + 3, p.y().end + 1])
}

pub(super) fn forward(p: Params) -> Case {
    let (case, [x, w, y]) = begin(&p);
    case.noise(x, 1).noise(w, 2).result(y)
}

pub(super) fn backward_input(p: Params) -> Case {
    let (case, [x, w, y]) = begin(&p);
    case.noise(x, 1).noise(w, 2).noise(y, 3).result(p.dx().end + 2)
}

pub(super) fn backward_weight(p: Params) -> Case {
    let (case, [x, w, y]) = begin(&p);
    case.noise(x, 1).noise(y, 3).result(w)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Call, Kernel, bytemuck::Pod, noise};
    use crate::kernels::{activation, conv, factorized_reduce as fused};

    fn run<P: Pod>(kernel: &Kernel, params: P, inputs: &[&[f32]], mut output: Vec<f32>) -> Vec<f32> {
        let bytes = bytemuck::bytes_of(&params).to_vec();
        let words = inputs.iter().map(|values| bytemuck::cast_slice(values)).collect();
        (kernel.twin)(&mut Call::new(&bytes, words, vec![bytemuck::cast_slice_mut(&mut output)]));
        output
    }

    fn assert_close(got: &[f32], expected: &[f32], what: &str) {
        let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| v * v).sum::<f32>().sqrt();
        let error = norm(&mut got.iter().zip(expected).map(|(a, b)| a - b));
        assert!(got.len() == expected.len() && error <= 2e-6 * norm(&mut expected.iter().copied()), "{what}: {error}");
    }

    /// One block of each half, as a ReLU and two convolutions of stride 2, the second of a shifted image.
    #[test]
    fn it_is_a_relu_and_two_convolutions() {
        let shape @ [batch, inputs, outputs, block, height, width] = [3, 5, 12, 6, 7, 8];
        let p = Params { input: 0, gradient: 0, weight: 0, output: 0, ..params(shape, 0) };
        let [x, w, dy] = [(p.x().len(), 1), (p.w().len(), 2), (p.y().len(), 3)].map(|(n, salt)| noise(n, salt));
        let count = x.len() as u32;
        let relu = activation::Forward { count, ..Default::default() };
        let positive = run(&activation::FORWARD, relu, &[&x], vec![0.0; x.len()]);
        let (pixels, half) = (p.out_pixels(), (block * inputs) as usize);
        let (mut y, mut dw) = (vec![0.0; dy.len()], Vec::new());
        let mut dpositive = vec![0.0; x.len()];
        for h in 0..2 {
            let plain = conv::Params {
                batch,
                inputs,
                outputs: block,
                groups: 1,
                window: conv::Window {
                    out_height: height.div_ceil(2),
                    out_width: width.div_ceil(2),
                    ..conv::Window::square([height, width], 1, 2, 1, -(h as i32))
                },
                ..Default::default()
            };
            let w = &w[h * half..][..half];
            let length = block as usize * pixels;
            let of = |n: usize| (n * outputs as usize + h * block as usize) * pixels;
            let result = run(&conv::FORWARD, plain, &[&positive, w, w], vec![0.0; length * batch as usize]);
            result.chunks_exact(length).enumerate().for_each(|(n, part)| y[of(n)..][..length].copy_from_slice(part));
            let dy: Vec<f32> = (0..batch as usize).flat_map(|n| dy[of(n)..][..length].to_vec()).collect();
            dpositive = run(&conv::BACKWARD_INPUT, conv::Params { accumulate: 1, ..plain }, &[w, &dy], dpositive);
            dw.extend(run(&conv::BACKWARD_WEIGHT, plain, &[&positive, &dy], vec![0.0; half]));
        }
        let dx: Vec<f32> = dpositive.iter().zip(&x).map(|(&d, &x)| if x > 0.0 { d } else { 0.0 }).collect();
        assert_close(&run(&fused::FORWARD, p, &[&x, &w], vec![0.0; y.len()]), &y, "y");
        assert_close(&run(&fused::BACKWARD_INPUT, p, &[&x, &w, &dy], vec![0.0; x.len()]), &dx, "dx");
        assert_close(&run(&fused::BACKWARD_WEIGHT, p, &[&x, &dy], vec![0.0; w.len()]), &dw, "dw");
    }
}
