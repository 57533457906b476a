use super::*;
use crate::autograd::{Tape, Var, ops};
use crate::device::{Selector, noise};
use crate::graph::{Candidate, Choice, Conv, Features, Op, Options, Pool};
use crate::nn::{Array, ExchangeError, Value};
use crate::space::TableWeights;
use crate::tensor::Tensor;
use std::collections::HashMap;

const BATCH: usize = 3;
const IMAGE: Features = Features::new(2, 6, 6);

fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

/// The CPU, and the software driver where there is one.
fn devices() -> Vec<Device> {
    let software = wait(Device::open(&Selector::Software))
        .inspect_err(|e| crate::device::skipped(&format!("on a software driver: {e}")));
    std::iter::once(Device::cpu()).chain(software).collect()
}

fn candidate(label: &str, input: Features, ops: Vec<(&str, Op)>) -> Candidate {
    let mut graph = Graph::new(&[input]);
    let last = ops.into_iter().fold(0, |x, (name, op)| graph.push(name, op, &[x]).unwrap());
    graph.output("", last);
    Candidate { label: label.into(), graph }
}

fn choice(table: &str, row: usize, candidates: Vec<Candidate>) -> Op {
    Op::Choice(Choice::new(table, row, Options::Operations(candidates)))
}

fn widths(table: &str, widths: &[usize]) -> Op {
    Op::Choice(Choice::new(table, 0, Options::Widths(widths.to_vec())))
}

/// Stem with affine norm, two choice points that share a table, a classifier and an auxiliary output.
fn supernet() -> Graph {
    let mut graph = Graph::new(&[IMAGE]);
    let stem = graph.push("stem.0", Op::Conv(Conv::square(2, 4, 3, 1)), &[0]).unwrap();
    let mut x = graph.push("stem.1", Op::BatchNorm { affine: true }, &[stem]).unwrap();
    let map = graph.shape(x);
    for row in 0..2 {
        let conv = |k| format!("cells.{row}.conv_{k}");
        let pool = Pool::new(3, 1, 1);
        let candidates = vec![
            candidate("none", map, vec![("", Op::Zero { stride: 1 })]),
            candidate("skip", map, vec![("", Op::Identity)]),
            candidate("conv_3", map, vec![(&conv(3), Op::Conv(Conv::square(4, 4, 3, 1))), ("", Op::Tanh)]),
            candidate("conv_1", map, vec![(&conv(1), Op::Conv(Conv { bias: true, ..Conv::square(4, 4, 1, 1) }))]),
            candidate("pool", map, vec![("", Op::MaxPool(pool))]),
        ];
        x = graph.push(format!("cells.{row}"), choice("alphas", row, candidates), &[x]).unwrap();
    }
    let extra = graph.push("auxiliary.conv", Op::Conv(Conv::square(4, 3, 3, 2)), &[x]).unwrap();
    let extra = graph.push("auxiliary.pool", Op::GlobalAvgPool, &[extra]).unwrap();
    let pooled = graph.push("pool", Op::GlobalAvgPool, &[x]).unwrap();
    let logits = graph.push("classifier", Op::Linear { outputs: 3, bias: true }, &[pooled]).unwrap();
    graph.output("logits", logits);
    graph.output("auxiliary", extra);
    graph
}

fn images(device: &Device) -> Var {
    let shape = [BATCH, IMAGE.channels, IMAGE.height, IMAGE.width];
    Var::constant(Tensor::from_values(device, &noise(shape.iter().product(), 1), &shape).unwrap())
}

/// Tables of one row each, or as many as given, with the weights given.
fn tables(device: &Device, all: &[(&str, &[&[f32]])]) -> HashMap<String, Var> {
    let table = |&(name, rows): &(&str, &[&[f32]])| {
        let tensor = Tensor::from_values(device, &rows.concat(), &[rows.len(), rows[0].len()]).unwrap();
        (name.to_owned(), Var::constant(tensor))
    };
    all.iter().map(table).collect()
}

/// The outputs of a network on [`images`].
fn outputs(network: &Network, pass: &Pass<'_>) -> Vec<Vec<f32>> {
    let device = network.device();
    let mut tape = Tape::new(device);
    let outputs = network.forward(&mut tape, &images(device), pass).unwrap();
    device.run(&tape.finish()).unwrap();
    outputs.iter().map(|y| wait(y.tensor().read(device)).unwrap()).collect()
}

fn assert_close(a: &[f32], b: &[f32], what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    let worst = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "{what}: {worst:e} apart: {a:?} and {b:?}");
}

#[test]
fn one_hot_weights_compute_what_the_path_does() {
    for device in devices() {
        let network = Network::new(&device, supernet(), 3).unwrap();
        let mut all = Vec::new();
        for first in 0..5 {
            for second in [1, 2] {
                let hot = |k: usize| -> Vec<f32> { (0..5).map(|i| f32::from(u8::from(i == k))).collect() };
                let mixed = tables(&device, &[("alphas", &[&hot(first), &hot(second)])]);
                let path: Path =
                    [first, second].into_iter().enumerate().map(|(r, k)| (("alphas".into(), r), k)).collect();
                for training in [false, true] {
                    let with = |choices| Pass { training, choices, ..Pass::evaluation() };
                    let by_weights = outputs(&network, &with(Choices::Mixed(&mixed)));
                    let by_path = outputs(&network, &with(Choices::Path(&path)));
                    let what = format!("{}, options {first} and {second}, training {training}", device.name());
                    by_weights.iter().zip(&by_path).for_each(|(a, b)| assert_close(a, b, &what));
                }
                all.push(outputs(&network, &Pass { choices: Choices::Path(&path), ..Pass::evaluation() }).remove(0));
            }
        }
        let same = (0..all.len()).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| all[i] == all[j]);
        // A skip and a convolution without bias make the same of zeros; all else differs.
        assert_eq!(same.count(), 1, "options that compute the same");
    }
}

#[test]
fn evaluation_computes_the_first_output_only() {
    let device = Device::cpu();
    let network = Network::new(&device, supernet(), 3).unwrap();
    let path: Path = (0..2).map(|row| (("alphas".into(), row), 2)).collect();
    let scopes = |training| {
        let mut tape = Tape::new(&device);
        let pass = Pass { training, choices: Choices::Path(&path), ..Pass::evaluation() };
        let outputs = network.forward(&mut tape, &images(&device), &pass).unwrap();
        let recording = tape.finish();
        let auxiliary = recording.describe().filter(|(_, scope)| scope.starts_with("auxiliary")).count();
        (outputs.len(), auxiliary)
    };
    assert_eq!(scopes(false), (1, 0));
    assert_eq!(scopes(true), (2, 2));
}

#[test]
fn a_pass_records_only_the_gradients_it_wants() {
    let both = devices().into_iter().flat_map(|device| [false, true].map(|fusion| (device.clone(), fusion)));
    for (device, fusion) in both {
        let weighed = if fusion { "normalised_sum_backward_weights" } else { "weighted_sum_backward_weights" };
        let network = Network::with_fusion(&device, supernet(), 3, fusion).unwrap();
        let alphas = architecture_weights(&device, &network.graph().tables().unwrap(), 1e-3, 1).unwrap();
        let flat = [network.parameters().gradients(), alphas.gradients()];
        let labels = Tensor::from_words(&device, &[0, 2, 1], &[BATCH]).unwrap();
        // What kernels run behind the loss, and which of the flat gradients they change.
        let run = |weights: bool, architecture: bool| {
            flat.iter().for_each(|g| g.write(&device, &vec![9.0; g.count()]).unwrap());
            let mut tape = Tape::new(&device);
            let alpha = alphas.var(&mut tape, 0, architecture).unwrap();
            let mixed = HashMap::from([("alphas".to_owned(), ops::softmax(&mut tape, &alpha).unwrap())]);
            let pass =
                Pass { training: true, gradients: weights, choices: Choices::Mixed(&mixed), ..Pass::evaluation() };
            let outputs = network.forward(&mut tape, &images(&device), &pass).unwrap();
            let loss = ops::cross_entropy(&mut tape, &outputs[0], &labels, 0.0).unwrap();
            let forward = tape.recorder().len();
            tape.backward(&loss, None).unwrap();
            let recording = tape.finish();
            device.run(&recording).unwrap();
            let kernels: Vec<String> =
                recording.describe().skip(forward).map(|(kernel, scope)| format!("{kernel} {scope}")).collect();
            let touched = flat.map(|g| wait(g.read(&device)).unwrap().iter().any(|&v| v != 9.0));
            (kernels, touched)
        };
        let has = |kernels: &[String], part: &str| kernels.iter().any(|k| k.contains(part));

        let (kernels, touched) = run(false, true);
        assert_eq!(touched, [false, true]);
        assert!(!has(&kernels, "backward_weight ") && !has(&kernels, "channel_sum"), "{kernels:?}");
        assert!(has(&kernels, weighed), "{kernels:?}");
        // Nothing before the first choice point depends on α.
        assert!(!has(&kernels, "stem"), "{kernels:?}");
        // Forwards one product, backwards one: that of the input.
        assert_eq!(kernels.iter().filter(|k| k.starts_with("matmul")).count(), 1, "{kernels:?}");

        let (kernels, touched) = run(true, false);
        assert_eq!(touched, [true, false]);
        assert!(has(&kernels, "backward_weight ") && has(&kernels, "stem.0"), "{kernels:?}");
        assert!(!has(&kernels, weighed) && !has(&kernels, "softmax_backward"), "{kernels:?}");

        assert_eq!(run(true, true).1, [true, true]);
        // The loss's own gradient is all that is left.
        assert_eq!(run(false, false), (vec!["upload classifier".to_owned()], [false, false]));
    }
}

/// conv → choice of width → norm → ReLU → conv → classifier; with `wide` as the only width, no choice.
fn two_layers(wide: usize, choice: Option<&[usize]>) -> Graph {
    let mut graph = Graph::new(&[IMAGE]);
    let mut x = graph.push("first", Op::Conv(Conv { bias: true, ..Conv::square(2, wide, 3, 1) }), &[0]).unwrap();
    x = graph.push("norm", Op::BatchNorm { affine: false }, &[x]).unwrap();
    x = graph.push("", Op::Relu, &[x]).unwrap();
    if let Some(options) = choice {
        x = graph.push("width", widths("width", options), &[x]).unwrap();
    }
    x = graph.push("second", Op::Conv(Conv { bias: true, ..Conv::square(wide, 3, 3, 2) }), &[x]).unwrap();
    x = graph.push("classifier", Op::Linear { outputs: 4, bias: true }, &[x]).unwrap();
    graph.output("logits", x);
    graph
}

#[test]
fn a_width_computes_what_the_narrower_network_does_with_the_first_of_the_weights() {
    for device in devices() {
        let options = [2, 3, 5];
        let wide = Network::new(&device, two_layers(5, Some(&options)), 4).unwrap();
        let state = wait(wide.state()).unwrap();
        for (k, &width) in options.iter().enumerate() {
            let mut narrow = Network::new(&device, two_layers(width, None), 0).unwrap();
            // The first `width` of everything that has the widest number of rows or columns.
            let cut = |name: &str, array: &Array| match (&array.value, array.shape.as_slice()) {
                (Value::F32(values), &[outputs, inputs, a, b]) if name == "second.weight" => {
                    let row = inputs * a * b;
                    let values = values.chunks(row).flat_map(|row| row[..width * a * b].to_vec()).collect();
                    Array::f32(&[outputs, width, a, b], values)
                }
                (Value::F32(values), shape) if shape.first() == Some(&5) => {
                    let shape: Vec<usize> = std::iter::once(width).chain(shape[1..].iter().copied()).collect();
                    Array::f32(&shape, values[..shape.iter().product()].to_vec())
                }
                _ => array.clone(),
            };
            narrow.load(&state.iter().map(|(name, array)| (name.clone(), cut(name, array))).collect()).unwrap();
            let path: Path = HashMap::from([(("width".into(), 0), k)]);
            let hot: Vec<f32> = (0..3).map(|i| f32::from(u8::from(i == k))).collect();
            let mixed = tables(&device, &[("width", &[&hot])]);
            for training in [false, true] {
                let pass = Pass { training, ..Pass::evaluation() };
                let expected = outputs(&narrow, &pass);
                let by_path = outputs(&wide, &Pass { choices: Choices::Path(&path), ..pass });
                let by_weights = outputs(&wide, &Pass { choices: Choices::Mixed(&mixed), ..pass });
                let what = format!("{}, width {width}", device.name());
                assert_close(&by_path[0], &expected[0], &what);
                assert_close(&by_weights[0], &expected[0], &what);
            }
        }
    }
}

#[test]
fn candidates_may_end_in_any_operation() {
    // A linear layer reshapes its result and a sum of one value makes none: both must still reach the mixture.
    let mut graph = Graph::new(&[IMAGE]);
    let linear = |name| candidate(name, IMAGE, vec![(name, Op::Linear { outputs: 4, bias: true })]);
    let sum = |name: &str, times: usize| {
        let mut inner = Graph::new(&[IMAGE]);
        let y = inner.push(name, Op::Linear { outputs: 4, bias: true }, &[0]).unwrap();
        let last = inner.push("", Op::Add, &vec![y; times]).unwrap();
        inner.output("", last);
        Candidate { label: name.into(), graph: inner }
    };
    let zeros = |label| candidate(label, Features::new(4, 1, 1), vec![("", Op::Zero { stride: 1 })]);
    let candidates = vec![linear("a"), sum("b", 1), sum("c", 3)];
    let mut x = graph.push("middle", choice("alphas", 0, candidates), &[0]).unwrap();
    let nothing = graph.push("nothing", choice("nothings", 0, vec![zeros("u"), zeros("v")]), &[x]).unwrap();
    x = graph.push("", Op::Add, &[x, nothing]).unwrap();
    graph.output("y", x);
    for device in devices() {
        let network = Network::new(&device, graph.clone(), 5).unwrap();
        let by_path = |k: usize| {
            let path: Path = HashMap::from([(("alphas".into(), 0), k), (("nothings".into(), 0), 0)]);
            outputs(&network, &Pass { choices: Choices::Path(&path), ..Pass::evaluation() }).remove(0)
        };
        let mixed = tables(&device, &[("alphas", &[&[0.5, 0.25, 2.0]]), ("nothings", &[&[0.5, 0.5]])]);
        let got = outputs(&network, &Pass { choices: Choices::Mixed(&mixed), ..Pass::evaluation() }).remove(0);
        let [a, b, c] = [by_path(0), by_path(1), by_path(2)];
        let expected: Vec<f32> = (0..a.len()).map(|i| 0.5 * a[i] + 0.25 * b[i] + 2.0 * c[i]).collect();
        assert_close(&got, &expected, device.name());
    }
}

#[test]
fn where_a_path_takes_nothing_a_sum_adds_nothing() {
    let mut graph = Graph::new(&[IMAGE]);
    let convolution = |name: &str| candidate(name, IMAGE, vec![(name, Op::Conv(Conv::square(2, 2, 3, 2)))]);
    let edges = [0, 1].map(|row| {
        let both = ["a", "b"].map(|kind| convolution(&format!("{kind}{row}"))).to_vec();
        graph.push(format!("edge{row}"), choice("alphas", row, both), &[0]).unwrap()
    });
    let sum = graph.push("sum", Op::Add, &edges).unwrap();
    graph.output("y", sum);
    for device in devices() {
        let network = Network::new(&device, graph.clone(), 5).unwrap();
        let weights =
            |values: [f32; 4]| TableWeights { name: "alphas".into(), rows: 2, options: 2, values: values.into() };
        let one = network.path(&[weights([0.0, 0.0, 0.0, 1.0])]).unwrap();
        assert_eq!((one[&("alphas".into(), 0)], one[&("alphas".into(), 1)]), (NOTHING, 1));
        let none = network.path(&[weights([0.0; 4])]).unwrap();
        let of =
            |path: &Path| outputs(&network, &Pass { choices: Choices::Path(path), ..Pass::evaluation() }).remove(0);
        let mixed = tables(&device, &[("alphas", &[&[0.0, 0.0], &[0.0, 1.0]])]);
        let mixed = outputs(&network, &Pass { choices: Choices::Mixed(&mixed), ..Pass::evaluation() }).remove(0);
        assert_close(&of(&one), &mixed, device.name());
        assert!(mixed.iter().any(|v| *v != 0.0) && of(&none).iter().all(|v| *v == 0.0));
        let parameters = |path: &Path| network.used(path).unwrap().parameters.iter().map(|r| r.len()).sum::<usize>();
        assert_eq!([parameters(&none), parameters(&one)], [0, 2 * 2 * 9]);
    }
}

#[test]
fn what_is_not_settled_is_named() {
    let device = Device::cpu();
    let network = Network::new(&device, supernet(), 3).unwrap();
    let error = |choices| {
        let mut tape = Tape::new(&device);
        network.forward(&mut tape, &images(&device), &Pass { choices, ..Pass::evaluation() }).unwrap_err().to_string()
    };
    let half: Path = HashMap::from([(("alphas".into(), 0), 1)]);
    let beyond: Path = HashMap::from([(("alphas".into(), 0), 5)]);
    assert_eq!(error(Choices::None), "network: choice point `alphas`, row 0 is not settled");
    assert_eq!(error(Choices::Path(&half)), "network: choice point `alphas`, row 1 is not settled");
    assert_eq!(error(Choices::Path(&beyond)), "network: choice point `alphas`, row 0 is not settled");
    let missing = |table: &str, values: Vec<f32>| {
        let table = TableWeights { name: table.into(), rows: 2, options: 5, values };
        network.path(&[table])
    };
    assert!(missing("alphas", vec![0.0; 9]).is_err() && missing("betas", vec![0.0; 10]).is_err());
    assert_eq!(error(Choices::Mixed(&HashMap::new())), "network: choice point `alphas`, row 0 is not settled");
    let mut tape = Tape::new(&device);
    let x = Var::constant(Tensor::zeros(&device, &[1, 2, 5, 6]).unwrap());
    let error = network.forward(&mut tape, &x, &Pass::evaluation()).unwrap_err().to_string();
    assert_eq!(error, "network: takes images of 2x6x6, got [1, 2, 5, 6]");
}

#[test]
fn a_state_comes_back_as_it_was() {
    for device in devices() {
        let mut first = Network::new(&device, supernet(), 1).unwrap();
        let count = first.statistics().running().count();
        first.statistics().running().write(&device, &noise(count, 8)).unwrap();
        first.statistics_mut().count_batches(7);
        let state = wait(first.state()).unwrap();
        assert_eq!(state["stem.1.num_batches_tracked"].value, Value::I64(vec![7]));
        let mut second = Network::new(&device, supernet(), 2).unwrap();
        assert_ne!(wait(second.state()).unwrap(), state, "other seeds start elsewhere");
        second.load(&state).unwrap();
        assert_eq!(wait(second.state()).unwrap(), state);
    }
}

#[test]
fn a_state_that_does_not_fit_is_named_and_changes_nothing() {
    let device = Device::cpu();
    let mut network = Network::new(&device, supernet(), 1).unwrap();
    let before = wait(network.state()).unwrap();
    // What would be written if the error came too late.
    let other = wait(Network::new(&device, supernet(), 2).unwrap().state()).unwrap();
    let mut refuse = |change: &dyn Fn(&mut std::collections::BTreeMap<String, Array>)| {
        let mut arrays = other.clone();
        change(&mut arrays);
        let error = network.load(&arrays).unwrap_err();
        assert_eq!(wait(network.state()).unwrap(), before, "{error}");
        error
    };

    let error = refuse(&|a| drop(a.remove("classifier.bias")));
    assert!(matches!(&error, ExchangeError::Missing { name } if name == "classifier.bias"), "{error}");
    let error = refuse(&|a| drop(a.insert("clasifier.bias".into(), Array::f32(&[3], vec![0.0; 3]))));
    let nearest = "array `clasifier.bias` is not a parameter of this network; the nearest is `classifier.bias`";
    assert_eq!(error.to_string(), nearest);
    let error = refuse(&|a| drop(a.insert("stem.0.weight".into(), Array::f32(&[4, 2, 9], vec![0.0; 72]))));
    assert_eq!(error.to_string(), "parameter `stem.0.weight` has shape [4, 2, 3, 3], the file has [4, 2, 9]");
    // Statistics are written last: a wrong one must be found before the weights are.
    let error = refuse(&|a| drop(a.insert("stem.1.running_var".into(), Array::f32(&[5], vec![0.0; 5]))));
    assert!(matches!(error, ExchangeError::Shape { .. }), "{error}");
    let error = refuse(&|a| drop(a.insert("stem.1.running_var".into(), Array::f32(&[4], vec![0.0; 3]))));
    assert!(matches!(error, ExchangeError::Shape { .. }), "{error}");
    let words = Array { shape: vec![3], value: Value::I64(vec![1; 3]) };
    let error = refuse(&|a| drop(a.insert("classifier.bias".into(), words.clone())));
    assert!(matches!(error, ExchangeError::Shape { .. }), "{error}");
}

mod entangled;
mod noise;
mod partial;
