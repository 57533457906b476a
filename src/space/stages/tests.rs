mod hostile;
mod reading;

use super::*;
use crate::autograd::Var;
use crate::cost;
use crate::device::Device;
use crate::graph::{Features, Op, Options};
use crate::network::{Choices, Network, Path};
use crate::nn::{Array, Value};
use crate::random::Random;
use crate::space::tests::running::{logits, shaken};
use crate::tensor::Tensor;
use pollster::block_on;
use std::collections::HashMap;

const EXAMPLE: &str = include_str!("../../../examples/space.toml");

/// Everything at once: choices of width side by side, depths with gaps, every kind of operation.
const ALL: &str = r#"
name = "all"
[stem]
channels = 4
kernel = 5
stride = 2
[[stage]]
channels = [3, "2C"]
depth = [1, 3]
operations = ["mbconv_3x3_e1", "mbconv_5x5_e2", "conv_3x3", "sep_conv_3x3", "max_pool_3x3", "avg_pool_3x3", "skip"]
[[stage]]
channels = ["1C", "3C", 7]
depth = [4, 1, 2]
stride = 2
kernel = [3, 5]
expansion = [2, 3]
operations = ["conv_1x1", "max_pool_3x3", "skip"]
[[stage]]
channels = 5
depth = [1, 2]
operations = "mbconv_3x3_e2"
[[stage]]
channels = 5
depth = 1
operations = ["mbconv_3x3_e2", "avg_pool_3x3", "skip"]
[[stage]]
channels = ["1C", "2C"]
depth = 1
operations = ["conv_3x3", "max_pool_3x3"]
"#;

fn settings(channels: usize, size: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(2, size, size), classes: 3, channels, ..NetworkSettings::default() }
}

fn spaces() -> Vec<Stages> {
    [MOBILE, EXAMPLE, ALL].into_iter().map(|text| Stages::read(text).unwrap()).collect()
}

fn random(space: &Stages, seed: u64) -> Architecture {
    space.random(&mut Random::new(seed, 0))
}

/// The first values of each dimension.
fn corner(array: &Array, shape: &[usize]) -> Array {
    let Value::F32(values) = &array.value else { return array.clone() };
    assert_eq!(array.shape.len(), shape.len());
    let mut kept = Vec::new();
    for index in 0..shape.iter().product::<usize>() {
        let (mut rest, mut place, mut step) = (index, 0, 1);
        for (&part, &whole) in shape.iter().zip(&array.shape).rev() {
            assert!(part <= whole);
            place += (rest % part) * step;
            rest /= part;
            step *= whole;
        }
        kept.push(values[place]);
    }
    Array::f32(shape, kept)
}

#[test]
fn a_supernet_settled_on_an_architecture_computes_what_its_own_network_does() {
    let device = Device::cpu();
    for (space, seeds) in spaces().iter().zip([2, 20, 60]) {
        let wanted = settings(2, 9);
        let (supernet, state) = shaken(&device, space.supernet(&wanted).unwrap());
        for seed in 0..seeds {
            let architecture = random(space, seed);
            let mut network = Network::new(&device, space.decode(&architecture, &wanted).unwrap(), 0).unwrap();
            let mut own = block_on(network.state()).unwrap();
            for (name, array) in &mut own {
                match state.get(name) {
                    Some(whole) => *array = corner(whole, &array.shape),
                    // Scale and shift, which batch norms that compete do not learn.
                    None => assert!(name.contains(".bn."), "{name}"),
                }
            }
            network.load(&own).unwrap();
            let settled = space.settle(&architecture).unwrap();
            let mut path = Path::new();
            let mut tables = HashMap::new();
            for table in &settled {
                for row in 0..table.rows {
                    path.insert((table.name.clone(), row), largest(table.row(row).iter().copied()));
                }
                let weights = Tensor::from_values(&device, &table.values, &[table.rows, table.options]).unwrap();
                tables.insert(table.name.clone(), Var::constant(weights));
            }
            for training in [false, true] {
                let right = logits(&network, Choices::None, training);
                for choices in [Choices::Path(&path), Choices::Mixed(&tables)] {
                    let got = logits(&supernet, choices, training);
                    for (a, b) in got.iter().zip(&right) {
                        let text = space.print(&architecture);
                        assert!((a - b).abs() <= 1e-3 * (1.0 + b.abs()), "{got:?} for {right:?}, {training}: {text}");
                    }
                }
            }
        }
    }
}

#[test]
fn tables_are_those_that_are_settled_and_derived_from() {
    for space in spaces() {
        let tables = space.supernet(&settings(4, 8)).unwrap().tables().unwrap();
        for seed in 0..10 {
            let architecture = random(&space, seed);
            let settled = space.settle(&architecture).unwrap();
            assert_eq!(settled.len(), tables.len(), "{}", space.name());
            for table in &tables {
                TableWeights::find(&settled, &table.name, table.rows, table.options.len()).unwrap();
            }
            assert_eq!(space.derive(&settled).unwrap(), architecture);
        }
    }
}

#[test]
fn a_stage_ends_at_the_first_depth_that_weighs_no_less_than_going_deeper() {
    let text = "name = 'd'\nstem.channels = 4\n[[stage]]\nchannels = 4\ndepth = [1, 2, 4]\noperations = 'conv_3x3'";
    let space = Stages::read(text).unwrap();
    let of = |values: [f32; 4]| {
        let weights = TableWeights { name: "alphas_stage0_depth".into(), rows: 2, options: 2, values: values.to_vec() };
        space.derive(&[weights]).unwrap().answers[0]
    };
    assert_eq!(of([0.4, 0.6, 0.4, 0.6]), 2);
    assert_eq!(of([0.4, 0.6, 0.6, 0.4]), 1);
    assert_eq!(of([0.6, 0.4, 0.4, 0.6]), 0);
    assert_eq!(of([0.5; 4]), 0);
    assert!(matches!(space.derive(&[]), Err(SpaceError::Weights { .. })));
}

#[test]
fn a_depth_is_the_number_of_blocks_and_blocks_beyond_it_change_nothing() {
    let text = "name = 'd'\nstem.channels = 4\n[[stage]]\nchannels = 4\ndepth = [4, 1, 2]\n\
                operations = ['conv_3x3', 'conv_5x5']";
    let space = Stages::read(text).unwrap();
    assert_eq!(space.size(), Some(3 * 2u128.pow(4)));
    let convolutions = |answers: &[usize]| -> Vec<usize> {
        let graph = space.decode(&Architecture { answers: answers.to_vec() }, &settings(4, 8)).unwrap();
        let kernel = |op: &Op| if let Op::Conv(conv) = op { Some(conv.kernel[0]) } else { None };
        graph.nodes.iter().filter_map(|node| kernel(&node.op)).skip(1).collect()
    };
    assert_eq!(convolutions(&[0, 1, 0, 0, 1]), [5]);
    assert_eq!(convolutions(&[0, 1, 1, 1, 0]), [5]);
    assert_eq!(convolutions(&[1, 1, 0, 0, 1]), [5, 3]);
    assert_eq!(convolutions(&[2, 1, 0, 0, 1]), [5, 3, 3, 5]);
    let chosen = |answers: &[usize]| space.operations(&Architecture { answers: answers.to_vec() });
    assert_eq!(chosen(&[1, 1, 0, 0, 1]), ["conv_5x5", "conv_3x3"]);
}

#[test]
fn mobile_is_mobilenets_chain_with_choices() {
    let space = Stages::mobile().unwrap();
    // Sixteen blocks behind the fixed one; the first of each stage cannot be left out.
    let options: Vec<usize> = space.decisions().iter().map(|d| d.options.len()).collect();
    assert_eq!((options.len(), options.iter().filter(|&&n| n == 6).count()), (16, 6));
    assert_eq!(space.size(), Some(6u128.pow(6) * 7u128.pow(10)));
    // MobileNetV2 without strides in stem and second stage: kernels of 3, expansions of 6, no block left out.
    let decisions = space.decisions();
    let answer = |d: &Decision| d.options.iter().position(|o| o == "mbconv_3x3_e6").unwrap();
    let architecture = Architecture { answers: decisions.iter().map(answer).collect() };
    let wanted = NetworkSettings { classes: 1000, ..NetworkSettings::default() };
    let graph = space.decode(&architecture, &wanted).unwrap();
    let sums = graph.nodes.iter().filter(|n| matches!(n.op, Op::Add)).count();
    assert_eq!(sums, 10, "residual sums, as in MobileNetV2");
    // Widths 16, 32, 48, 64, 96, 160, 320, by hand: expansion, depthwise and projection with batch norms.
    let block = |i: u64, o: u64| (i * 6 * i + 12 * i) + (9 * 6 * i + 12 * i) + (6 * i * o + 2 * o);
    let mut wanted = (3 * 32 * 9 + 64) + (32 * 9 + 64 + 32 * 16 + 32);
    for (i, o, n) in [(16, 32, 2), (32, 48, 3), (48, 64, 4), (64, 96, 3), (96, 160, 3), (160, 320, 1)] {
        wanted += block(i, o) + (n - 1) * block(o, o);
    }
    wanted += 320 * 1280 + 2560 + 1280 * 1000 + 1000;
    assert_eq!(cost::parameters(&graph).unwrap(), wanted);
    assert!((3_400_000..3_800_000).contains(&wanted), "{wanted}: MobileNetV2 has 3.5 million");
}

#[test]
fn the_base_channels_scale_what_is_given_in_multiples_only() {
    let space = Stages::read(ALL).unwrap();
    let masks = |channels| -> Vec<Vec<usize>> {
        let graph = space.supernet(&settings(channels, 8)).unwrap();
        let of = |(_, choice): (_, &crate::graph::Choice)| match &choice.options {
            Options::Widths(widths) if choice.table.ends_with("stage1_width") => Some(widths.clone()),
            _ => None,
        };
        graph.choices().into_iter().filter_map(of).collect()
    };
    assert!(masks(4).contains(&vec![4, 12, 7]) && masks(4).contains(&vec![12, 36, 21]));
    assert!(masks(5).contains(&vec![5, 15, 7]));
    let error = space.supernet(&settings(7, 8)).unwrap_err().to_string();
    assert!(error.contains("two of its widths are the same for 7 channels: [7, 21, 7]"), "{error}");
}

#[test]
fn a_skip_is_offered_only_where_the_shape_stays() {
    let offered = |before: &str, channels: &str, stride: usize| {
        let text = format!(
            "name = 's'\nstem.channels = {before}\n[[stage]]\nchannels = {channels}\ndepth = 2\nstride = {stride}\n\
             operations = ['conv_3x3', 'conv_5x5', 'skip']"
        );
        let decisions = Stages::read(&text).unwrap().decisions();
        let of = |block: usize| decisions.iter().find(|d| d.name == format!("stage0_block{block}_operation")).unwrap();
        assert!(of(1).options.contains(&"skip".to_owned()));
        of(0).options.contains(&"skip".to_owned())
    };
    assert!(offered("8", "8", 1) && offered("'2C'", "'2C'", 1));
    for (before, channels, stride) in [("8", "8", 2), ("8", "9", 1), ("8", "'2C'", 1), ("8", "[8, 9]", 1)] {
        assert!(!offered(before, channels, stride), "{before} {channels} {stride}");
    }
}

#[test]
fn a_networks_residual_branches_are_dropped_as_asked() {
    let space = Stages::read(ALL).unwrap();
    let with = NetworkSettings { drop_path: true, ..settings(4, 8) };
    let count = |graph: &Graph, drop: bool| {
        graph.nodes.iter().filter(|n| if drop { n.op == Op::DropPath } else { n.op == Op::Add }).count()
    };
    let graphs: Vec<Graph> = (0..20).map(|seed| space.decode(&random(&space, seed), &with).unwrap()).collect();
    assert!(graphs.iter().any(|graph| count(graph, true) > 0));
    assert!(graphs.iter().all(|graph| count(graph, true) == count(graph, false)));
    let auxiliary = NetworkSettings { auxiliary: true, ..settings(4, 8) };
    assert!(matches!(space.decode(&random(&space, 0), &auxiliary), Err(SpaceError::NoAuxiliary { .. })));
}

#[test]
fn architectures_round_trip_and_every_image_will_do() {
    for space in spaces() {
        for (seed, size) in [1, 2, 5, 8].into_iter().enumerate() {
            let architecture = random(&space, seed as u64);
            assert_eq!(space.parse(&space.print(&architecture)).unwrap(), architecture);
            assert_eq!(space.parse(&space.json(&architecture).to_string()).unwrap(), architecture);
            assert!(!space.decode(&architecture, &settings(2, size)).unwrap().has_choices());
            space.supernet(&settings(2, size)).unwrap();
        }
    }
}
