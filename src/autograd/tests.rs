mod recurrent;

use super::*;
use crate::device::{Selector, noise};
use crate::kernels::elementwise;
use ops::{ConvArgs, Randomness, Window};

fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

fn devices() -> Vec<Device> {
    let software = wait(Device::open(&Selector::Software))
        .inspect_err(|e| crate::device::skipped(&format!("on a software driver: {e}")));
    std::iter::once(Device::cpu()).chain(software).collect()
}

fn values(shape: &[usize], salt: u64) -> (Vec<f32>, Vec<usize>) {
    (noise(shape.iter().product(), salt), shape.to_vec())
}

/// Values that keep away from 0 and from one another, so that differences meet no kink.
fn spread(shape: &[usize]) -> (Vec<f32>, Vec<usize>) {
    let count: usize = shape.iter().product();
    let mut all: Vec<f32> = (0..count).map(|i| (i as f32 + 0.5 - count as f32 / 2.0) * 0.05).collect();
    crate::random::Random::new(5, 5).shuffle(&mut all);
    (all, shape.to_vec())
}

fn check(inputs: &[(Vec<f32>, Vec<usize>)], function: impl Fn(&mut Tape, &[Var]) -> Result<Var, Error>) {
    for device in devices() {
        if let Err(error) = wait(check_gradients(&device, inputs, &function, 3e-3)) {
            panic!("{}: {error}", device.name());
        }
    }
}

#[test]
fn activations() {
    check(&[spread(&[2, 3, 2, 2])], |tape, x| ops::relu(tape, &x[0]));
    check(&[values(&[2, 9], 1)], |tape, x| ops::sigmoid(tape, &x[0]));
    check(&[values(&[2, 9], 1)], |tape, x| ops::tanh(tape, &x[0]));
    let ramp = ops::Ramp { slope: 0.5, shift: 0.1, low: -0.4, high: 0.6 };
    check(&[spread(&[2, 3, 2, 2])], |tape, x| ops::ramp(tape, &x[0], ramp));
    let line = ops::Ramp { low: f32::NEG_INFINITY, high: f32::INFINITY, ..ramp };
    check(&[values(&[2, 9], 1)], |tape, x| ops::ramp(tape, &x[0], line));
}

#[test]
fn gates() {
    let inputs = [values(&[2, 3, 4, 3], 1), values(&[2, 3, 1, 1], 2)];
    check(&inputs, |tape, v| ops::gate(tape, &v[0], &v[1]));
    // A map that gates itself, as hard swish does.
    check(&inputs[..1], |tape, v| {
        let mean = ops::global_avg_pool(tape, &v[0])?;
        ops::gate(tape, &v[0], &mean)
    });
}

#[test]
fn arithmetic() {
    let pair = [values(&[3, 4], 1), values(&[3, 4], 2)];
    check(&pair, |tape, x| ops::add(tape, &x[0], &x[1]));
    check(&pair, |tape, x| ops::multiply(tape, &x[0], &x[1]));
    check(&pair[..1], |tape, x| ops::multiply(tape, &x[0], &x[0]));
    check(&pair[..1], |tape, x| ops::scale(tape, &x[0], -2.5));
    check(&pair[..1], |tape, x| ops::sum(tape, &x[0]));
    check(&pair[..1], |tape, x| ops::mean(tape, &x[0]));
    check(&pair[..1], |tape, x| ops::reshape(tape, &x[0], &[12]));
}

#[test]
fn convolutions_of_every_form() {
    let pointwise = [values(&[2, 3, 3, 4], 1), values(&[5, 3, 1, 1], 2), values(&[5], 3)];
    check(&pointwise, |tape, v| ops::conv2d(tape, &v[0], &v[1], Some(&v[2]), ConvArgs::default()));
    for (stride, padding, dilation) in [(1, 1, 1), (2, 1, 1), (1, 2, 2), (2, 2, 2)] {
        let args = ConvArgs { stride: [stride; 2], padding: [padding; 4], dilation: [dilation; 2], groups: 3 };
        let depthwise = [values(&[2, 3, 5, 6], 1), values(&[3, 1, 3, 3], 2), values(&[3], 3)];
        check(&depthwise[..2], |tape, v| ops::conv2d(tape, &v[0], &v[1], None, args));
        check(&depthwise, |tape, v| ops::conv2d(tape, &v[0], &v[1], Some(&v[2]), args));
        let general = [values(&[2, 2, 5, 6], 1), values(&[3, 2, 3, 3], 2), values(&[3], 3)];
        check(&general, |tape, v| ops::conv2d(tape, &v[0], &v[1], Some(&v[2]), ConvArgs { groups: 1, ..args }));
    }
    // Values that keep away from the bounds.
    let one = [spread(&[2, 1, 3, 4]), (vec![1.0], vec![1; 4])];
    check(&one, |tape, v| ops::conv2d_within(tape, &v[0], &v[1], None, ConvArgs::default(), [-0.2, 0.3]));
    let grouped = [values(&[1, 4, 4, 4], 1), values(&[6, 2, 1, 3], 2)];
    let args = ConvArgs { padding: [0, 1, 0, 1], groups: 2, ..ConvArgs::default() };
    check(&grouped, |tape, v| ops::conv2d(tape, &v[0], &v[1], None, args));
    // The shifted half of a factorised reduction.
    let shifted = ConvArgs { stride: [2; 2], padding: [-1, -1, 0, 0], ..ConvArgs::default() };
    check(&[values(&[2, 2, 4, 4], 1), values(&[1, 2, 1, 1], 2)], |tape, v| {
        ops::conv2d(tape, &v[0], &v[1], None, shifted)
    });
}

#[test]
fn pools() {
    for stride in [1, 2] {
        for count_padding in [false, true] {
            let window = Window { kernel: 3, stride, padding: 1, count_padding, beyond: [0; 2] };
            check(&[spread(&[1, 2, 5, 4])], |tape, x| ops::max_pool(tape, &x[0], window));
            check(&[values(&[1, 2, 5, 4], 1)], |tape, x| ops::avg_pool(tape, &x[0], window));
        }
        for (padding, beyond) in [(0, [1, 1]), (1, [-1, 0])] {
            let window = Window { kernel: 3, stride, padding, count_padding: false, beyond };
            check(&[spread(&[1, 2, 5, 4])], |tape, x| ops::max_pool(tape, &x[0], window));
            check(&[values(&[1, 2, 5, 4], 1)], |tape, x| ops::avg_pool(tape, &x[0], window));
        }
    }
    check(&[values(&[2, 3, 3, 2], 1)], |tape, x| ops::global_avg_pool(tape, &x[0]));
}

#[test]
fn batch_normalisation() {
    let inputs = [values(&[3, 2, 2, 3], 1), values(&[2, 2], 2)];
    for device in devices() {
        let stored = moments(&Tensor::from_values(&device, &[0.1, -0.2, 0.7, 1.5], &[4]).unwrap());
        for training in [true, false] {
            for (affine, bounds) in
                [(true, None), (false, None), (true, Some([0.0, 0.6])), (false, Some([-0.4, f32::INFINITY]))]
            {
                let function = |tape: &mut Tape, v: &[Var]| {
                    let weight = ops::reshape(tape, &v[1], &[4])?;
                    let part = |first| weight.tensor().view(first, &[2]);
                    // Scale and shift are neighbours in one buffer, as in a network.
                    let (w, b) = (tape.leaf(part(0)), tape.leaf(part(2)));
                    let statistics = if training {
                        ops::Statistics::Batch { moments: &stored }
                    } else {
                        ops::Statistics::Running { running: &stored }
                    };
                    let norm = ops::BatchNorm { affine: affine.then_some((&w, &b)), statistics, epsilon: 1e-5, bounds };
                    ops::batch_norm(tape, &v[0], norm)
                };
                wait(check_gradients(
                    &device,
                    &inputs[..1],
                    |tape, v| {
                        let parameters = Var::constant(Tensor::from_values(&device, &inputs[1].0, &[2, 2])?);
                        function(tape, &[v[0].clone(), parameters])
                    },
                    3e-3,
                ))
                .unwrap_or_else(|e| {
                    panic!("{} training {training} affine {affine} bounds {bounds:?}: {e}", device.name())
                });
            }
        }
    }
}

/// Means and variances that share a buffer.
fn moments(both: &Tensor) -> ops::Moments {
    let half = both.count() / 2;
    ops::Moments { mean: both.view(0, &[half]), variance: both.view(half, &[half]) }
}

#[test]
fn scale_and_shift_of_batch_normalisation_get_their_sums() {
    for device in devices() {
        let x = Tensor::from_values(&device, &[1.0, -1.0, 1.0, -1.0], &[4, 1, 1, 1]).unwrap();
        let parameters = Tensor::from_values(&device, &[2.0, 3.0], &[2]).unwrap();
        let stored = Tensor::zeros(&device, &[2]).unwrap();
        let moments = moments(&stored);
        let mut tape = Tape::new(&device);
        let (w, b) = (tape.leaf(parameters.view(0, &[1])), tape.leaf(parameters.view(1, &[1])));
        let statistics = ops::Statistics::Batch { moments: &moments };
        let norm = ops::BatchNorm { affine: Some((&w, &b)), statistics, epsilon: 0.0, bounds: None };
        let y = ops::batch_norm(&mut tape, &Var::constant(x), norm).unwrap();
        let dy = Tensor::from_values(&device, &[1.0, 2.0, 3.0, 5.0], &[4, 1, 1, 1]).unwrap();
        let gradients = tape.backward(&y, Some(dy)).unwrap();
        device.run(&tape.finish()).unwrap();
        let read = |v: &Var| wait(gradients[v.id().unwrap()].as_ref().unwrap().read(&device)).unwrap();
        assert_eq!(wait(y.tensor().read(&device)).unwrap(), [5.0, 1.0, 5.0, 1.0]);
        assert_eq!((read(&w), read(&b)), (vec![-3.0], vec![11.0]));
        assert_eq!(wait(stored.read(&device)).unwrap(), [0.0, 4.0 / 3.0], "mean and unbiased variance");
    }
}

#[test]
fn channels() {
    let parts = [values(&[2, 1, 2, 2], 1), values(&[2, 3, 2, 2], 2)];
    check(&parts, |tape, v| ops::concat(tape, &[&v[0], &v[1], &v[0]]));
    check(&parts[1..], |tape, v| ops::slice_channels(tape, &v[0], 1, 2));
    check(&[values(&[2, 6, 1, 2], 3)], |tape, v| ops::shuffle_channels(tape, &v[0], 2));
}

#[test]
fn matrix_products() {
    check(&[values(&[2, 3], 1), values(&[3, 4], 2)], |tape, v| ops::matmul(tape, &v[0], &v[1]));
    let layer = [values(&[2, 3, 1, 1], 1), values(&[4, 3], 2), values(&[4], 3)];
    check(&layer, |tape, v| ops::linear(tape, &v[0], &v[1], Some(&v[2])));
}

#[test]
fn losses() {
    for device in devices() {
        let labels = Tensor::from_words(&device, &[2, 0, 1], &[3]).unwrap();
        for smoothing in [0.0, 0.1] {
            let loss = |tape: &mut Tape, v: &[Var]| ops::cross_entropy(tape, &v[0], &labels, smoothing);
            wait(check_gradients(&device, &[values(&[3, 4], 1)], loss, 3e-3)).unwrap();
        }
    }
}

#[test]
fn mixtures() {
    check(&[values(&[3, 4], 1)], |tape, v| ops::softmax(tape, &v[0]));
    // Three options, the middle one without a candidate (zeros), as second row of the weights.
    let inputs = [values(&[2, 3], 1), values(&[2, 2, 1, 2], 2), values(&[2, 2, 1, 2], 3)];
    check(&inputs, |tape, v| {
        let stack = Tensor::scratch(tape.recorder(), &[2, 2, 2, 1, 2])?;
        tape.write_next_to(stack.view(0, &[2, 2, 1, 2]));
        let a = ops::tanh(tape, &v[1])?;
        tape.write_next_to(stack.view(8, &[2, 2, 1, 2]));
        let b = ops::scale(tape, &v[2], 1.0)?;
        let weights = ops::softmax(tape, &v[0])?;
        ops::mixed(tape, &weights, 1, &stack, &[(0, a), (2, b)])
    });
    // More options than one dispatch weighs: candidates on both sides of the seam, none in the last part.
    let inputs = [values(&[1, 70], 1), values(&[1, 1, 1, 3], 2), values(&[1, 1, 1, 3], 3), values(&[1, 1, 1, 3], 4)];
    for options in [[0, 31, 32], [33, 40, 63]] {
        check(&inputs, |tape, v| {
            let stack = Tensor::scratch(tape.recorder(), &[3, 1, 1, 1, 3])?;
            let mut candidates = Vec::new();
            for (slot, &option) in options.iter().enumerate() {
                tape.write_next_to(stack.view(3 * slot, &[1, 1, 1, 3]));
                candidates.push((option, ops::tanh(tape, &v[1 + slot])?));
            }
            ops::mixed(tape, &v[0], 0, &stack, &candidates)
        });
    }
    let inputs = [values(&[2, 3, 2, 2], 1), values(&[2, 3], 2)];
    check(&inputs, |tape, v| ops::width_mask(tape, &v[0], &v[1], 1, &[1, 2, 3]));
}

#[test]
fn kernels_that_options_share_have_the_gradients_of_their_sum() {
    let inputs = [values(&[2, 3, 5, 5], 1), values(&[2, 6], 2)];
    check(&inputs, |tape, v| ops::entangle(tape, &v[0], &v[1], 1, &[(4, 3), (5, 5), (1, 1)]));
}

#[test]
fn a_sampled_option_gets_the_gradient_of_the_soft_weights() {
    // GDAS: y = h₁·x with h one-hot, the other h added as they are; dα = Jᵀ dh with the Jacobian of the soft weights.
    let jacobian = [0.2, -0.1, -0.1, -0.15, 0.3, -0.15, -0.05, -0.2, 0.25];
    let (x, dy) = ([0.5f32, -1.0, 2.0, 0.25], [1.0f32, 0.5, -0.25, 2.0]);
    let product: f64 = x.iter().zip(&dy).map(|(x, g)| f64::from(x * g)).sum();
    let total: f64 = dy.iter().map(|&g| f64::from(g)).sum();
    for (others, dh) in [(true, [total, product, total]), (false, [0.0, product, 0.0])] {
        let wanted: Vec<f64> = (0..3).map(|j| (0..3).map(|i| f64::from(jacobian[3 * i + j]) * dh[i]).sum()).collect();
        for device in devices() {
            let tensor = |values: &[f32], shape: &[usize]| Tensor::from_values(&device, values, shape).unwrap();
            let mut tape = Tape::new(&device);
            let alpha = tape.leaf(tensor(&[0.1, 0.2, 0.3], &[1, 3]));
            let (weights, jacobian) = (tensor(&[0.0, 1.0, 0.0], &[1, 3]), tensor(&jacobian, &[1, 3, 3]));
            let weights = ops::relaxed(&mut tape, &alpha, &weights, &jacobian).unwrap();
            let stack = tensor(&x, &[1, 1, 1, 2, 2]);
            let taken = Var::constant(stack.view(0, &[1, 1, 2, 2]));
            let mut y = ops::mixed(&mut tape, &weights, 0, &stack, &[(1, taken)]).unwrap();
            if others {
                y = ops::bystanders(&mut tape, &y, &weights, 0, 1).unwrap();
            }
            let gradients = tape.backward(&y, Some(tensor(&dy, &[1, 1, 2, 2]))).unwrap();
            device.run(&tape.finish()).unwrap();
            assert_eq!(wait(y.tensor().read(&device)).unwrap(), x);
            let got = wait(gradients[alpha.id().unwrap()].as_ref().unwrap().read(&device)).unwrap();
            assert!(got.iter().zip(&wanted).all(|(g, w)| (f64::from(*g) - w).abs() < 1e-6), "{got:?} {wanted:?}");
        }
    }
}

#[test]
fn dropout_drops_the_same_on_the_way_back() {
    for device in devices() {
        let step = Tensor::from_words(&device, &[7, 0.5f32.to_bits()], &[2]).unwrap();
        let randomness = Randomness { seed: 3, stream: 4, step, counter: 0 };
        let inputs = [values(&[6, 2, 2, 1], 1)];
        wait(check_gradients(&device, &inputs, |tape, v| ops::dropout(tape, &v[0], 0.3, &randomness), 3e-3)).unwrap();
        wait(check_gradients(&device, &inputs, |tape, v| ops::drop_path(tape, &v[0], 1, &randomness), 3e-3)).unwrap();
    }
}

#[test]
fn noise_is_that_of_its_step_and_takes_no_gradient() {
    for device in devices() {
        let step = Tensor::from_words(&device, &[7], &[1]).unwrap();
        let randomness = Randomness { seed: 3, stream: 4, step: step.clone(), counter: 0 };
        let mut tape = Tape::new(&device);
        let y = ops::noise(&mut tape, &[2, 3, 5, 7], &randomness).unwrap();
        assert!(tape.records().is_empty() && !y.wants_gradient());
        let recording = tape.finish();
        let mut drawn = |counter: u32| {
            step.write_words(&device, &[counter]).unwrap();
            device.run(&recording).unwrap();
            wait(y.tensor().read(&device)).unwrap()
        };
        let [first, second, again] = [7, 8, 7].map(&mut drawn);
        assert_eq!(first, again);
        assert!(first.iter().zip(&second).all(|(a, b)| a != b));
    }
}

#[test]
fn what_needs_no_gradient_saves_nothing() {
    let device = Device::cpu();
    let x = Var::constant(Tensor::zeros(&device, &[1, 2, 4, 4]).unwrap());
    let mut tape = Tape::new(&device);
    let w = tape.leaf(Tensor::zeros(&device, &[3, 2, 1, 1]).unwrap());
    let y = ops::relu(&mut tape, &x).unwrap();
    assert!(tape.records().is_empty() && !y.wants_gradient());
    let z = ops::conv2d(&mut tape, &y, &w, None, ConvArgs::default()).unwrap();
    assert_eq!(tape.records().len(), 1);
    assert_eq!(tape.to_string(), "%1 = pointwise_conv(%0) [1, 3, 4, 4] saves 128 bytes\n");
    // Only the weight wants a gradient: one backward kernel.
    let before = tape.recorder().len();
    tape.backward(&z, Some(Tensor::zeros(&device, &[1, 3, 4, 4]).unwrap())).unwrap();
    assert_eq!(tape.recorder().len() - before, 1);
}

#[test]
fn buffers_are_freed_as_the_way_back_goes_by() {
    let device = Device::cpu();
    let build = |depth: usize| {
        device.trim();
        let mut tape = Tape::new(&device);
        let mut x = tape.leaf(Tensor::zeros(&device, &[1 << 16]).unwrap());
        for _ in 0..depth {
            x = ops::tanh(&mut tape, &x).unwrap();
        }
        let forward = device.usage().current();
        tape.backward(&x, Some(x.tensor().clone())).unwrap();
        drop(x);
        device.usage().current() - forward
    };
    let (short, long) = (build(4), build(24));
    assert!(long <= short, "the way back takes {long} bytes more for 24 layers, {short} for 4");
}

#[test]
fn gradients_of_one_value_accumulate_without_harm_to_others() {
    for device in devices() {
        let mut tape = Tape::new(&device);
        let x = tape.leaf(Tensor::from_values(&device, &[1.0, 2.0], &[2]).unwrap());
        let sink = Tensor::from_values(&device, &[9.0, 9.0], &[2]).unwrap();
        let w = tape.parameter(Tensor::from_values(&device, &[3.0, 4.0], &[2]).unwrap(), sink.clone()).unwrap();
        // y = x + x + w, z = y · w: dy is shared by three values.
        let y = ops::add(&mut tape, &x, &x).unwrap();
        let y = ops::add(&mut tape, &y, &w).unwrap();
        let z = ops::multiply(&mut tape, &y, &w).unwrap();
        let gradients = tape.backward(&z, None).unwrap();
        device.run(&tape.finish()).unwrap();
        assert_eq!(wait(gradients[x.id().unwrap()].as_ref().unwrap().read(&device)).unwrap(), [6.0, 8.0]);
        assert_eq!(wait(sink.read(&device)).unwrap(), [8.0, 12.0], "2x + 2w");
    }
}

#[test]
fn a_wrong_gradient_is_found() {
    #[derive(Debug)]
    struct Wrong(Option<ValueId>);
    impl Backward for Wrong {
        fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
            gradients.pass(self.0, dy)
        }
    }
    let square = |tape: &mut Tape, v: &[Var]| {
        let x = v[0].tensor();
        let z = tape.output(x.shape())?;
        let params = elementwise::Multiply { a: 0, b: 0, z: 0, count: 4, accumulate: 0 };
        let inputs = [x.binding(), x.binding()];
        tape.recorder().dispatch(&elementwise::MULTIPLY, &params, &inputs, &[z.binding()])?;
        Ok(tape.push("square", &[&v[0]], z, || Wrong(v[0].id())))
    };
    let error = wait(check_gradients(&Device::cpu(), &[values(&[4], 1)], square, 3e-3)).unwrap_err();
    assert!(matches!(error, GradientError::Wrong { input: 0, .. }), "{error}");
}

#[test]
fn shapes_that_do_not_fit_are_errors_that_name_them() {
    let device = Device::cpu();
    let var = |shape: &[usize]| Var::constant(Tensor::zeros(&device, shape).unwrap());
    let mut tape = Tape::new(&device);
    let error = ops::add(&mut tape, &var(&[2]), &var(&[3])).unwrap_err();
    assert_eq!(error.to_string(), "add: [2] and [3] differ");
    assert!(ops::conv2d(&mut tape, &var(&[1, 3, 4, 4]), &var(&[2, 2, 1, 1]), None, ConvArgs::default()).is_err());
    assert!(ops::matmul(&mut tape, &var(&[2, 3]), &var(&[2, 3])).is_err());
    assert!(ops::global_avg_pool(&mut tape, &var(&[2, 3])).is_err());
    let moments = moments(&Tensor::zeros(&device, &[4]).unwrap());
    let statistics = ops::Statistics::Batch { moments: &moments };
    let norm = ops::BatchNorm { affine: None, statistics, epsilon: 1e-5, bounds: None };
    let error = ops::batch_norm(&mut tape, &var(&[1, 2, 1, 1]), norm).unwrap_err();
    assert!(error.to_string().contains("use a larger batch"), "{error}");
}
