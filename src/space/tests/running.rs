//! Networks of spaces that run, for tests.

use crate::autograd::{Tape, Var};
use crate::device::Device;
use crate::graph::Graph;
use crate::network::{Choices, Network, Pass, Path};
use crate::nn::{Array, Value};
use crate::random::Random;
use crate::space::{Architecture, Space};
use crate::tensor::Tensor;
use pollster::block_on;
use std::collections::{BTreeMap, HashMap};

/// What `network` gives for random images, in training or evaluation.
pub fn logits(network: &Network, choices: Choices<'_>, training: bool) -> Vec<f32> {
    let shape = network.graph().shape(0);
    let mut draw = Random::new(9, 9);
    let values: Vec<f32> = (0..3 * shape.count()).map(|_| draw.normal()).collect();
    let device = network.device();
    let x = Tensor::from_values(device, &values, &[3, shape.channels, shape.height, shape.width]).unwrap();
    let mut tape = Tape::new(device);
    let pass = Pass { training, choices, ..Pass::evaluation() };
    let outputs = network.forward(&mut tape, &Var::constant(x), &pass).unwrap();
    let recording = tape.finish();
    device.run(&recording).unwrap();
    block_on(outputs[0].tensor().read(device)).unwrap()
}

/// A network of which every value, running statistics included, is random.
pub fn shaken(device: &Device, graph: Graph) -> (Network, BTreeMap<String, Array>) {
    let mut network = Network::new(device, graph, 1).unwrap();
    let mut state = block_on(network.state()).unwrap();
    let mut draw = Random::new(2, 2);
    for (name, array) in &mut state {
        if let Value::F32(values) = &mut array.value {
            for value in values.iter_mut() {
                *value = match name.rsplit('.').next() {
                    Some("running_var") => draw.range(0.5, 2.0),
                    _ => 0.5 * draw.normal(),
                };
            }
        }
    }
    network.load(&state).unwrap();
    (network, state)
}

/// What a supernet gives for one architecture: along its path, and with its weights on all options.
pub fn settled(supernet: &Network, space: &dyn Space, architecture: &Architecture, training: bool) -> [Vec<f32>; 2] {
    let tables = space.settle(architecture).unwrap();
    let path: Path = supernet.path(&tables).unwrap();
    let mixed: HashMap<String, Var> = tables
        .into_iter()
        .map(|t| {
            let values = Tensor::from_values(supernet.device(), &t.values, &[t.rows, t.options]).unwrap();
            (t.name, Var::constant(values))
        })
        .collect();
    [Choices::Path(&path), Choices::Mixed(&mixed)].map(|choices| logits(supernet, choices, training))
}

/// Requires two lists of numbers to agree but for rounding.
pub fn agree(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len());
    let close = a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-3 * (1.0 + b.abs()));
    assert!(close && a.iter().all(|a| a.is_finite()), "{what}: {a:?} for {b:?}");
}
