use super::*;
use crate::device::Device;
use crate::graph::{Conv, Features, Graph, NodeId, Op, Options};
use crate::network::{Choices, Network};
use crate::nn::{Array, Value};
use crate::random::Random;
use crate::space::darts::Variant;
use crate::space::tests::running::{agree, logits, settled, shaken};
use crate::space::{NetworkSettings, Space, enas_micro, nasnet};
use pollster::block_on;
use std::collections::HashSet;

const SPACES: [PairSpace; 2] = [enas_micro::SPACE, nasnet::SPACE];

fn settings(layers: usize, image: Features) -> NetworkSettings {
    NetworkSettings { image, classes: 3, channels: 2, layers, ..NetworkSettings::default() }
}

fn random(space: &PairSpace, seed: u64) -> Architecture {
    space.random(&mut Random::new(seed, 0))
}

#[test]
fn what_is_settled_is_derived_and_joins_just_what_no_node_reads() {
    for space in SPACES {
        let tables = space.supernet(&settings(3, Features::new(1, 8, 8))).unwrap().tables().unwrap();
        assert_eq!(tables, space.pairs.tables());
        for seed in 0..20 {
            let architecture = random(&space, seed);
            let weights = space.settle(&architecture).unwrap();
            for table in &tables {
                TableWeights::find(&weights, &table.name, table.rows, table.options.len()).unwrap();
            }
            assert_eq!(space.derive(&weights).unwrap(), architecture);
            assert!(weights.iter().all(|t| t.values.chunks(t.options).all(|row| row.iter().sum::<f32>() == 1.0)));
            for (cell, kind) in space.cells_of(&architecture).unwrap().iter().zip(KINDS) {
                let output = weights.iter().find(|t| t.name == output_table(kind)).unwrap();
                let joined: Vec<usize> = (0..output.rows).filter(|&row| output.row(row)[1] == 1.0).collect();
                assert_eq!(joined, cell.unused());
                assert_eq!(joined.last(), Some(&(CELL_INPUTS + space.pairs.nodes - 1)), "nobody reads the last node");
            }
        }
    }
}

#[test]
fn deriving_takes_the_heaviest_pair_whatever_the_outputs_weigh() {
    let space = nasnet::SPACE;
    let architecture = random(&space, 1);
    let mut weights = space.settle(&architecture).unwrap();
    for table in &mut weights {
        if table.name.ends_with("output") {
            table.values.fill(0.5);
        }
    }
    assert_eq!(space.derive(&weights).unwrap(), architecture);
    // Of equal weights the first.
    weights.iter_mut().for_each(|table| table.values.fill(0.1));
    assert!(space.derive(&weights).unwrap().answers.iter().all(|&answer| answer == 0));
    assert!(matches!(space.derive(&[]), Err(SpaceError::Weights { .. })));
}

#[test]
fn each_pair_of_a_side_reads_its_own_state_and_has_weights_of_its_own() {
    for space in SPACES {
        let graph = space.supernet(&settings(3, Features::new(1, 8, 8))).unwrap();
        let mut names = HashSet::new();
        assert!(graph.parameters().into_iter().all(|parameter| names.insert(parameter.name)));
        let mut pairs = 0;
        for (node, choice) in graph.choices() {
            let Options::Operations(candidates) = &choice.options else { unreachable!() };
            if choice.table.ends_with("output") {
                continue;
            }
            let states = node.inputs.len();
            assert_eq!(candidates.len(), states * space.pairs.primitives.len());
            for candidate in candidates {
                let (state, _) = candidate.label.split_once(':').unwrap();
                let inner = &candidate.graph;
                let read: HashSet<usize> = inner.nodes.iter().flat_map(|n| n.inputs.clone()).collect();
                let inputs: Vec<usize> = read.into_iter().filter(|&i| i < inner.input_count()).collect();
                assert_eq!((inner.input_count(), inputs), (states, vec![state.parse().unwrap()]));
                pairs += 1;
            }
        }
        assert_eq!(pairs, 3 * SIDES * (2 + 3 + 4 + 5 + 6) * space.pairs.primitives.len());
    }
}

#[test]
fn questions_are_asked_inputs_first_and_answered_in_the_order_of_decisions() {
    let questions = nasnet::SPACE.questions();
    assert_eq!(questions.len(), 2 * (1 + 5 * 5));
    let option = |decision| Question::Option { decision, vocabulary: 0, bias: Vec::new() };
    let node = |first| {
        let states = [Question::State { decision: first }, Question::State { decision: first + 2 }];
        states.into_iter().chain([option(first + 1), option(first + 3), Question::Node]).collect::<Vec<_>>()
    };
    for (kind, cell) in questions.chunks(26).enumerate() {
        assert_eq!(cell[0], Question::Cell { inputs: 2 });
        for (number, asked) in cell[1..].chunks(5).enumerate() {
            assert_eq!(asked, node(20 * kind + 4 * number));
        }
    }
}

#[test]
fn a_settled_supernet_computes_what_its_path_does() {
    let device = Device::cpu();
    for space in SPACES {
        let wanted = settings(3, Features::new(2, 6, 5));
        let (supernet, _) = shaken(&device, space.supernet(&wanted).unwrap());
        for (seed, training) in [(1, false), (2, true)] {
            let architecture = random(&space, seed);
            let [path, mixed] = settled(&supernet, &space, &architecture, training);
            agree(&path, &mixed, &space.print(&architecture));
        }
    }
}

/// One cell of `settle`d choices, and one whose unused states are concatenated and go through ReLU, 1×1 convolution
/// and batch norm.
#[test]
fn joining_state_by_state_is_a_convolution_of_the_concatenation() {
    let device = Device::cpu();
    let (space, channels) = (enas_micro::SPACE, 3);
    let append = |graph: &mut Graph, primitive: Primitive, name: &str, input: NodeId, stride: usize| {
        primitive.append(graph, name, input, stride, Variant::Evaluation)
    };
    let place = Place { name: "cell", reduction: false, stride: 1 };
    let begin = || {
        let mut graph = Graph::new(&[Features::new(channels, 5, 4)]);
        let other = graph.push("other", Op::Tanh, &[0]).unwrap();
        (graph, [0, other])
    };
    let end = |mut graph: Graph, cell: NodeId| {
        let pooled = graph.push("pool", Op::GlobalAvgPool, &[cell]).unwrap();
        graph.output("logits", pooled);
        graph
    };
    let (mut graph, inputs) = begin();
    let cell = space.pairs.mixed_cell(&mut graph, &place, inputs, Variant::Evaluation, append).unwrap();
    let (supernet, state) = shaken(&device, end(graph, cell));
    for seed in 0..10 {
        let architecture = random(&space, seed);
        let cells = space.cells_of(&architecture).unwrap();
        let (mut graph, inputs) = begin();
        let joined = space.pairs.plain_cell(&cells[0], &mut graph, &place, inputs, append).unwrap();
        let width = graph.shape(joined).channels;
        let relu = graph.push("relu", Op::Relu, &[joined]).unwrap();
        let conv = graph.push("conv", Op::Conv(Conv::square(width, channels, 1, 1)), &[relu]).unwrap();
        let norm = graph.push("cell.norm", Op::BatchNorm { affine: true }, &[conv]).unwrap();
        let mut plain = Network::new(&device, end(graph, norm), 0).unwrap();
        let mut own = block_on(plain.state()).unwrap();
        for (name, array) in &mut own {
            if name != "conv.weight" {
                *array = state[name].clone();
                continue;
            }
            let mut values = vec![0.0; channels * width];
            for (place, unused) in cells[0].unused().into_iter().enumerate() {
                let Value::F32(part) = &state[&format!("cell.join.{unused}.conv.weight")].value else { unreachable!() };
                for (i, &value) in part.iter().enumerate() {
                    values[i / channels * width + place * channels + i % channels] = value;
                }
            }
            *array = Array::f32(&[channels, width, 1, 1], values);
        }
        plain.load(&own).unwrap();
        // The reduction cell's tables are not of this graph.
        for training in [false, true] {
            let [path, mixed] = settled(&supernet, &space, &architecture, training);
            let right = logits(&plain, Choices::None, training);
            agree(&path, &right, "path");
            agree(&mixed, &right, "mixed");
        }
    }
}

#[test]
fn cells_are_drawn_with_what_they_join() {
    let plans = enas_micro::SPACE.cells(&enas_micro::SPACE.parse("enas_micro").unwrap());
    assert_eq!(plans.iter().map(|plan| plan.name.as_str()).collect::<Vec<_>>(), KINDS);
    assert_eq!(plans[0].concat, [2, 3, 4, 5, 6]);
    assert_eq!(plans[1].concat, [2, 4, 5, 6]);
    assert_eq!(plans[1].edges[4..6], [(1, 2, "sep_conv_5x5".into()), (3, 2, "sep_conv_5x5".into())]);
    assert!(plans.iter().all(|plan| plan.diagram("").is_ok()));
}

#[test]
fn architectures_are_read_in_every_form() {
    for space in SPACES {
        for seed in 0..10 {
            let architecture = random(&space, seed);
            let numbers: Vec<String> = architecture.answers.iter().map(ToString::to_string).collect();
            for text in [space.print(&architecture), space.json(&architecture).to_string(), numbers.join(" ")] {
                assert_eq!(space.parse(&text).unwrap(), architecture, "{text}");
            }
        }
    }
}

#[test]
fn a_malformed_text_is_answered_with_the_place_and_what_would_do() {
    let good = nasnet::SPACE.print(&random(&nasnet::SPACE, 0));
    let said = |text: &str| nasnet::SPACE.parse(text).unwrap_err().to_string();
    let first = good.split_once(',').unwrap().0.trim_start_matches("normal=[").to_owned();
    for (text, parts) in [
        (String::new(), &["expected `normal=[…]`, found the end", "known name"][..]),
        ("NASNET-B".into(), &["unknown architecture `NASNET-B`", "did you mean `NASNET-A`"]),
        (good.replacen('+', " ", 1), &["normal cell, node 0", "STATE:OPERATION+STATE:OPERATION"]),
        (good.replacen(':', " ", 1), &["normal cell, node 0", "is not `STATE:OPERATION`"]),
        (good.replacen(&first, "0:sep_conv_3x4+1:skip_connect", 1), &["`sep_conv_3x4`", "did you mean `sep_conv_3x3`"]),
        (good.replacen(&first, "2:sep_conv_3x3+1:skip_connect", 1), &["answer 2", "`normal_node0_input0`"]),
        (good.replacen(&format!("{first}, "), "", 1), &["the normal cell has 8 operations", "5 nodes"]),
        (good.replace("reduce", "reduction"), &["expected `reduce=[…]`, found `reduction="]),
        (format!("{good} x"), &["nothing after the reduction cell"]),
        ("1 2 3".into(), &["3 answers to 40 decisions"]),
        ("99999999999999999999".into(), &["too large"]),
        ("{".into(), &["not valid JSON"]),
        (r#"{"normal": [], "reduce": [], "more": 1}"#.into(), &["unknown field"]),
    ] {
        let error = said(&text);
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
}
