//! Noise: new in each step and each batch, the same for the same seed, and no way back through it.

use super::*;
use crate::nn::Value;
use crate::optim::{Step, StepBuffer};

/// A classifier on the sum of the image and noise of half its size, of a candidate each.
fn graph() -> Graph {
    let mut graph = Graph::new(&[IMAGE]);
    let candidates = vec![
        candidate("noise", IMAGE, vec![("", Op::Noise { stride: 2 })]),
        candidate("conv", IMAGE, vec![("conv", Op::Conv(Conv::square(2, 2, 3, 2)))]),
    ];
    let mixed = graph.push("edge", choice("alphas", 0, candidates), &[0]).unwrap();
    let noise = graph.push("noise", Op::Noise { stride: 2 }, &[0]).unwrap();
    let sum = graph.push("sum", Op::Add, &[mixed, noise]).unwrap();
    graph.output("", sum);
    graph
}

#[test]
fn noise_is_of_the_strided_shape_and_of_seed_and_step() {
    assert_eq!(graph().shape(4 - 1), Features::new(2, 3, 3));
    for device in devices() {
        let step = StepBuffer::new(&device).unwrap();
        let drawn = |seed: u64, stream: u32, counter: u32, training: bool| {
            let network = Network::new(&device, graph(), 1).unwrap();
            let mixed = tables(&device, &[("alphas", &[&[1.0, 0.0]])]);
            let counted = StepBuffer::COUNTER;
            let randomness = ops::Randomness { seed, stream, step: step.words().clone(), counter: counted };
            let randomness = Some(&randomness);
            let pass = Pass { training, choices: Choices::Mixed(&mixed), randomness, ..Pass::evaluation() };
            step.write(&device, &Step { counter, ..Step::default() }).unwrap();
            outputs(&network, &pass).remove(0)
        };
        let first = drawn(5, 1, 7, true);
        assert_eq!(first, drawn(5, 1, 7, true));
        assert_eq!(first, drawn(5, 1, 7, false), "evaluation draws, too");
        for other in [drawn(6, 1, 7, true), drawn(5, 9, 7, true), drawn(5, 1, 8, true)] {
            assert!(first.iter().zip(&other).all(|(a, b)| a != b));
        }
        // The sum of two independent ones: of variance 2.
        let variance = first.iter().map(|v| v * v).sum::<f32>() / first.len() as f32;
        assert!((1.0..3.5).contains(&variance), "{variance}");
    }
}

#[test]
fn without_randomness_noise_is_of_the_networks_seed_and_the_step_it_was_told_of() {
    let device = Device::cpu();
    let path: Path = [(("alphas".into(), 0), 1)].into();
    let pass = Pass { choices: Choices::Path(&path), ..Pass::evaluation() };
    let [mut network, other] = [1, 2].map(|seed| Network::new(&device, graph(), seed).unwrap());
    let first = outputs(&network, &pass);
    assert_eq!(first, outputs(&network, &pass));
    assert_ne!(first, outputs(&other, &pass));
    let step = StepBuffer::new(&device).unwrap();
    network.draw_noise_by(step.words(), StepBuffer::COUNTER);
    assert_eq!(first, outputs(&network, &pass));
    step.write(&device, &Step { counter: 3, ..Step::default() }).unwrap();
    assert_ne!(first, outputs(&network, &pass));
    let other = ops::Randomness { stream: 9, ..network.noise().unwrap().clone() };
    assert_ne!(outputs(&network, &pass), outputs(&network, &Pass { noise: Some(&other), ..pass }));
    assert!(Network::new(&device, supernet(), 1).unwrap().noise().is_none());
}

#[test]
fn no_gradient_goes_through_noise_but_its_weight_has_one() {
    let device = Device::cpu();
    let network = Network::new(&device, graph(), 1).unwrap();
    let mut tape = Tape::new(&device);
    let alphas = tape.leaf(Tensor::from_values(&device, &[0.4, 0.6], &[1, 2]).unwrap());
    let x = tape.leaf(images(&device).tensor().clone());
    let mixed = HashMap::from([("alphas".to_owned(), alphas.clone())]);
    let pass = Pass { training: true, choices: Choices::Mixed(&mixed), ..Pass::evaluation() };
    let y = network.forward(&mut tape, &x, &pass).unwrap().remove(0);
    let dy = Tensor::from_values(&device, &noise(y.tensor().count(), 4), y.shape()).unwrap();
    let gradients = tape.backward(&y, Some(dy.clone())).unwrap();
    device.run(&tape.finish()).unwrap();
    let read = |tensor: &Tensor| wait(tensor.read(&device)).unwrap();
    let of = |var: &Var| read(gradients[var.id().unwrap()].as_ref().unwrap());
    let with = |weights: [f32; 2]| {
        let mixed = tables(&device, &[("alphas", &[&weights])]);
        outputs(&network, &Pass { training: true, choices: Choices::Mixed(&mixed), ..Pass::evaluation() }).remove(0)
    };
    // y is linear in the weights.
    let [none, noise, conv] = [with([0.0, 0.0]), with([1.0, 0.0]), with([0.0, 1.0])];
    let dot = |y: &[f32]| y.iter().zip(&none).zip(read(&dy)).map(|((y, n), d)| (y - n) * d).sum::<f32>();
    assert_close(&of(&alphas), &[dot(&noise), dot(&conv)], "weights");
    // What reaches x comes by the convolution: it is 0 where that has no weight.
    assert!(of(&x).iter().any(|v| *v != 0.0));
    let weight = wait(network.state()).unwrap().remove("conv.weight").unwrap();
    assert!(matches!(weight.value, Value::F32(_)));
}
