//! A weight step of one path: the network alone, and nothing else.

use super::{devices, wait};
use crate::autograd::{Tape, Var, ops};
use crate::device::{Device, Recorder, noise};
use crate::estimate::{Scalars, Supernet, SupernetConfig};
use crate::graph::Features;
use crate::kernels::reduce;
use crate::network::{Choices, Network, Pass};
use crate::optim::{Sgd, SgdConfig, Step, StepBuffer};
use crate::random::Random;
use crate::space::{Architecture, NetworkSettings, Space, find};
use crate::tensor::Tensor;
use std::collections::HashMap;

const BATCH: usize = 3;
const RATE: f32 = 0.1;
/// Not clipped: the norms of networks with and without scales and shifts differ.
const SGD: SgdConfig = SgdConfig { momentum: 0.9, weight_decay: 3e-4, nesterov: false, clip: 0.0 };

fn settings() -> NetworkSettings {
    NetworkSettings { image: Features::new(2, 8, 8), classes: 4, channels: 4, layers: 3, ..Default::default() }
}

fn supernet(device: &Device, space: &dyn Space) -> Supernet {
    let config = SupernetConfig { batch: BATCH, sgd: SGD, seed: 5, fusion: true, given: false };
    let supernet = Supernet::new(device, space.supernet(&settings()).unwrap(), config).unwrap();
    supernet.train().x.write(device, &noise(supernet.train().x.count(), 1)).unwrap();
    supernet.train().y.write_words(device, &[0, 3, 1]).unwrap();
    supernet.step().write(device, &Step { weight_rate: RATE, ..Step::default() }).unwrap();
    supernet
}

/// Weights, velocities and running statistics.
fn state(supernet: &Supernet) -> [Vec<f32>; 3] {
    let own = [
        supernet.network().parameters().values(),
        supernet.sgd().velocity(),
        supernet.network().statistics().running(),
    ];
    own.map(|tensor: &Tensor| wait(tensor.read(supernet.device())).unwrap())
}

fn step(supernet: &Supernet, space: &dyn Space, architecture: &Architecture) {
    let path = supernet.network().path(&space.settle(architecture).unwrap()).unwrap();
    let recorder = Recorder::within(supernet.device(), supernet.workspace());
    supernet.device().run(&supernet.record_path_step(recorder, &path, None).unwrap().finish()).unwrap();
}

#[test]
fn a_path_step_leaves_everything_else_as_it_was() {
    for device in devices() {
        for name in ["darts", "chain", "nas-bench-201", "mobile", "enas-micro", "enas-macro", "nasnet"] {
            let space = find(name).unwrap();
            let supernet = supernet(&device, space.as_ref());
            let mut random = Random::new(2, 0);
            for _ in 0..3 {
                let architecture = space.random(&mut random);
                let path = supernet.network().path(&space.settle(&architecture).unwrap()).unwrap();
                let used = supernet.network().used(&path).unwrap();
                let before = state(&supernet);
                step(&supernet, space.as_ref(), &architecture);
                let after = state(&supernet);
                let half = before[2].len() / 2;
                let inside = |kind: usize, i: usize| match kind {
                    2 => used.statistics.iter().any(|range| range.contains(&(i % half))),
                    _ => used.parameters.iter().any(|range| range.contains(&i)),
                };
                for (kind, (before, after)) in before.iter().zip(&after).enumerate() {
                    let changed: Vec<bool> =
                        before.iter().zip(after).map(|(b, a)| b.to_bits() != a.to_bits()).collect();
                    let beyond = changed.iter().enumerate().find(|(i, changed)| **changed && !inside(kind, *i));
                    assert_eq!(beyond, None, "{name}, kind {kind}");
                    assert!(changed.iter().any(|&changed| changed), "{name}, kind {kind}: nothing has changed");
                    assert!(changed.iter().any(|&changed| !changed), "{name}, kind {kind}: everything has changed");
                }
            }
        }
    }
}

#[test]
fn a_path_step_is_the_training_step_of_its_network() {
    let device = Device::cpu();
    let space = find("chain").unwrap();
    let supernet = supernet(&device, space.as_ref());
    let architecture = space.random(&mut Random::new(4, 0));
    // Widths are masks over the widest; with the widest there is nothing to mask.
    let widest: Vec<usize> = space
        .decisions()
        .iter()
        .zip(&architecture.answers)
        .map(|(d, &answer)| if d.name.ends_with("width") { d.options.len() - 1 } else { answer })
        .collect();
    let architecture = Architecture { answers: widest };

    let mut alone = Network::new(&device, space.decode(&architecture, &settings()).unwrap(), 0).unwrap();
    let shared = wait(supernet.network().state()).unwrap();
    let own = wait(alone.state()).unwrap();
    // The supernet's batch norms have no scale and shift; those of the network begin as 1 and 0.
    let given = own.into_iter().map(|(name, own)| (name.clone(), shared.get(&name).cloned().unwrap_or(own)));
    alone.load(&given.collect()).unwrap();
    step(&supernet, space.as_ref(), &architecture);

    let (scalars, all) = (Tensor::zeros(&device, &[2]).unwrap(), alone.whole());
    let sgd = Sgd::new(&device, alone.parameters().values().count(), SGD).unwrap();
    let rates = StepBuffer::new(&device).unwrap();
    rates.write(&device, &Step { weight_rate: RATE, ..Step::default() }).unwrap();
    let mut tape = Tape::new(&device);
    let pass = Pass { training: true, gradients: true, choices: Choices::None, ..Pass::evaluation() };
    let x = Var::constant(supernet.train().x.clone());
    let logits = alone.forward(&mut tape, &x, &pass).unwrap().remove(0);
    tape.write_next_to(scalars.view(0, &[1]));
    let loss = ops::cross_entropy(&mut tape, &logits, &supernet.train().y, 0.0).unwrap();
    tape.backward(&loss, None).unwrap();
    let mut recorder = tape.into_recorder();
    let (values, gradients, norm) =
        (alone.parameters().values(), alone.parameters().gradients(), scalars.view(1, &[1]));
    ops::record_reduce(&mut recorder, reduce::NORM, gradients, &norm).unwrap();
    sgd.record(&mut recorder, values, gradients, &all.parameters, &rates, &norm, &scalars).unwrap();
    alone.statistics().record_update(&mut recorder, &all.statistics, &scalars).unwrap();
    device.run(&recorder.finish()).unwrap();

    let loss = wait(supernet.scalars().one(Scalars::TRAIN_LOSS).read(&device)).unwrap()[0];
    assert!((loss - wait(scalars.read(&device)).unwrap()[0]).abs() < 1e-5);
    let values = |network: &Network| -> HashMap<String, Vec<f32>> {
        let flat = wait(network.parameters().read(network.device())).unwrap();
        network.parameters().split(&flat).map(|(name, _, v)| (name.to_owned(), v.to_vec())).collect()
    };
    let shared = values(supernet.network());
    for (name, values) in values(&alone).into_iter().filter(|(name, _)| shared.contains_key(name)) {
        let off = values.iter().zip(&shared[&name]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-5, "{name}: {off}");
    }
}

#[test]
fn a_path_computes_and_moves_a_fraction_of_the_supernet() {
    let device = Device::cpu();
    let space = find("darts").unwrap();
    let recording = |path: bool| {
        let supernet = supernet(&device, space.as_ref());
        let architecture = space.random(&mut Random::new(1, 0));
        let path = path.then(|| supernet.network().path(&space.settle(&architecture).unwrap()).unwrap());
        let recorder = Recorder::within(&device, supernet.workspace());
        let recorded = match path {
            Some(path) => supernet.record_path_step(recorder, &path, None),
            None => supernet.record_weight_step(recorder),
        };
        let recording = recorded.unwrap().finish();
        (recording.bytes_moved(), recording.flops())
    };
    let ((path_bytes, path_flops), (bytes, flops)) = (recording(true), recording(false));
    // Eight of 28 edges, one primitive each instead of eight.
    assert!(path_bytes * 4 < bytes && path_flops * 4 < flops, "{path_bytes} of {bytes}, {path_flops} of {flops}");
}
