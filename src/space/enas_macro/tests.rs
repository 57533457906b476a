use super::*;
use crate::cost;
use crate::device::Device;
use crate::graph::{Features, Options};
use crate::network::{Choices, Network};
use crate::random::Random;
use crate::space::tests::running::{agree, logits, settled, shaken};
use pollster::block_on;

fn settings(channels: usize, size: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(3, size, size), channels, ..NetworkSettings::default() }
}

fn random(space: &EnasMacro, seed: u64) -> Architecture {
    space.random(&mut Random::new(seed, 0))
}

/// Every layer with one operation and all or no skips.
fn uniform(space: &EnasMacro, operation: Operation, skips: bool) -> Architecture {
    let decision = |d: &Decision| if d.name.ends_with("operation") { operation as usize } else { usize::from(skips) };
    Architecture { answers: space.decisions().iter().map(decision).collect() }
}

#[test]
fn the_space_is_as_large_as_published() {
    let space = EnasMacro::default();
    assert_eq!(space.decisions().len(), 12 + 66);
    assert_eq!(space.size(), Some(6u128.pow(12) * 2u128.pow(66)));
    assert_eq!(EnasMacro::new(64).unwrap().size(), None);
    for wrong in [0, 65] {
        assert!(matches!(EnasMacro::new(wrong), Err(SpaceError::Setting { setting: "space.layers", .. })));
    }
}

#[test]
fn weights_are_those_of_the_branches_norms_and_reductions() {
    let space = EnasMacro::default();
    let count = |operation, skips| {
        let architecture = uniform(&space, operation, skips);
        cost::parameters(&space.decode(&architecture, &settings(36, 32)).unwrap()).unwrap()
    };
    let c = 36;
    let pointwise = c * c + 2 * c;
    // Stem, the norms of eleven layers, classifier without bias.
    let around = 27 * c + 2 * c + 11 * 2 * c + 10 * c;
    // The outputs that are halved: without skips only the last, else the stem's and those of 4, then of 8 layers.
    let (few, all) = (2 * pointwise, (5 + 9) * pointwise);
    let convolution = |k: u64| k * k * c * c + 2 * c;
    let separable = |k: u64| k * k * c + pointwise;
    for (operation, own) in [
        (Operation::Conv3x3, convolution(3)),
        (Operation::SepConv3x3, separable(3)),
        (Operation::Conv5x5, convolution(5)),
        (Operation::SepConv5x5, separable(5)),
        (Operation::AvgPool3x3, 0),
        (Operation::MaxPool3x3, 0),
    ] {
        assert_eq!(count(operation, false), around + few + 12 * (pointwise + own), "{operation}");
        assert_eq!(count(operation, true), around + all + 12 * (pointwise + own), "{operation}");
    }
    let supernet = cost::parameters(&space.supernet(&settings(36, 32)).unwrap()).unwrap();
    let options = 6 * pointwise + convolution(3) + separable(3) + convolution(5) + separable(5);
    assert_eq!(supernet, around + all + 12 * options);
}

#[test]
fn a_settled_supernet_computes_what_its_path_and_its_own_network_do() {
    let device = Device::cpu();
    for layers in [1, 2, 5, 12] {
        let space = EnasMacro::new(layers).unwrap();
        let wanted = settings(2, 7);
        let (supernet, state) = shaken(&device, space.supernet(&wanted).unwrap());
        for seed in 0..4 {
            let architecture = random(&space, seed);
            let mut network = Network::new(&device, space.decode(&architecture, &wanted).unwrap(), 0).unwrap();
            let mut own = block_on(network.state()).unwrap();
            own.iter_mut().for_each(|(name, array)| array.clone_from(&state[name]));
            network.load(&own).unwrap();
            for training in [false, true] {
                let right = logits(&network, Choices::None, training);
                let what = space.print(&architecture);
                for got in settled(&supernet, &space, &architecture, training) {
                    agree(&got, &right, &what);
                }
            }
        }
    }
}

#[test]
fn a_path_touches_just_what_its_own_network_has() {
    let device = Device::cpu();
    let space = EnasMacro::default();
    let wanted = settings(2, 8);
    let supernet = Network::new(&device, space.supernet(&wanted).unwrap(), 0).unwrap();
    let mut architectures = vec![uniform(&space, Operation::AvgPool3x3, false)];
    architectures.extend((0..5).map(|seed| random(&space, seed)));
    for architecture in architectures {
        let path = supernet.path(&space.settle(&architecture).unwrap()).unwrap();
        let used = supernet.used(&path).unwrap().parameters;
        let parameters = supernet.parameters();
        let inside = |index: &usize| used.iter().any(|range| range.contains(&parameters.place(*index).start));
        let mut touched: Vec<&str> = (0..parameters.len()).filter(inside).map(|i| parameters.name(i)).collect();
        let own = space.decode(&architecture, &wanted).unwrap().parameters();
        let mut own: Vec<&str> = own.iter().map(|p| p.name.as_str()).collect();
        touched.sort_unstable();
        own.sort_unstable();
        assert_eq!(touched, own);
    }
}

#[test]
fn all_outputs_are_halved_after_each_third() {
    assert_eq!(network::reductions(12).collect::<Vec<_>>(), [3, 7]);
    assert_eq!(network::reductions(3).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(network::reductions(2).count(), 0);
    let space = EnasMacro::default();
    let graph = space.supernet(&settings(4, 16)).unwrap();
    let skip = |layer: usize, output: usize| {
        let name = format!("layers.{layer}.skips.{output}");
        graph.nodes.iter().find(|node| node.name == name).unwrap().shape
    };
    for (layer, size) in [(1, 16), (3, 16), (4, 8), (7, 8), (8, 4), (11, 4)] {
        assert!((0..layer).all(|output| skip(layer, output) == Features::new(4, size, size)), "{layer}");
    }
    let skips = |(_, choice): &(&crate::graph::Node, &crate::graph::Choice)| match &choice.options {
        Options::Operations(candidates) => candidates.len() == 2,
        Options::Widths(_) => false,
    };
    assert_eq!(graph.choices().iter().filter(|c| skips(c)).count(), 66);
    let small = space.supernet(&settings(4, 2)).unwrap_err();
    assert!(matches!(small, SpaceError::ImageTooSmall { layer: 7, layers: 12, .. }), "{small}");
    assert!(matches!(space.supernet(&settings(3, 8)), Err(SpaceError::OddChannels { channels: 3, .. })));
    let auxiliary = NetworkSettings { auxiliary: true, ..settings(4, 16) };
    assert!(matches!(space.decode(&random(&space, 0), &auxiliary), Err(SpaceError::NoAuxiliary { .. })));
}

#[test]
fn what_is_settled_is_derived_from_tables_of_the_supernets_form() {
    for layers in [1, 2, 12] {
        let space = EnasMacro::new(layers).unwrap();
        let tables = space.supernet(&settings(2, 8)).unwrap().tables().unwrap();
        for seed in 0..10 {
            let architecture = random(&space, seed);
            let weights = space.settle(&architecture).unwrap();
            assert_eq!(weights.len(), tables.len());
            for table in &tables {
                TableWeights::find(&weights, &table.name, table.rows, table.options.len()).unwrap();
            }
            assert_eq!(space.derive(&weights).unwrap(), architecture);
        }
    }
    assert!(matches!(EnasMacro::default().derive(&[]), Err(SpaceError::Weights { .. })));
}

#[test]
fn each_layer_is_asked_for_its_operation_and_then_for_its_skips() {
    let space = EnasMacro::default();
    let (questions, decisions) = (space.questions(), space.decisions());
    assert_eq!(questions.len(), 24);
    for (layer, pair) in questions.chunks(2).enumerate() {
        let [Question::Option { decision, vocabulary: 0, .. }, Question::Skips { decisions: skips }] = pair else {
            panic!("{pair:?}")
        };
        assert_eq!(decisions[*decision].name, format!("layer{layer}_operation"));
        let names: Vec<&str> = decisions[skips.clone()].iter().map(|d| d.name.as_str()).collect();
        let wanted: Vec<String> = (0..layer).map(|o| format!("layer{layer}_skip_{}", output_name(o))).collect();
        assert_eq!(names, wanted);
        assert!(decisions[skips.clone()].iter().all(|d| d.options == ["no", "yes"]));
    }
    assert_eq!(decisions.last().unwrap().name, "layer11_skip_layer9");
}

#[test]
fn architectures_are_read_as_they_are_written_and_as_published() {
    let space = EnasMacro::new(4).unwrap();
    let text = "conv_3x3 | sep_conv_5x5 0 | max_pool_3x3 10 | conv_5x5 001";
    let architecture = space.parse(text).unwrap();
    assert_eq!(space.print(&architecture), text);
    // As the authors' scripts have them.
    assert_eq!(space.parse("0 3 0 5 1 0 2 0 0 1").unwrap(), architecture);
    assert_eq!(space.parse(&space.json(&architecture).to_string()).unwrap(), architecture);
    let layers = space.layers_of(&architecture).unwrap();
    assert_eq!(layers[2], Layer { operation: Operation::MaxPool3x3, skips: vec![true, false] });
    assert_eq!(space.operations(&architecture)[3], "conv_5x5");
    for (wrong, parts) in [
        ("", &["ends before layer 0 of 4"][..]),
        ("conv_3x4", &["layer 0", "`conv_3x4`", "did you mean `conv_3x3`"]),
        ("6", &["unknown operation `6`"]),
        ("0 3 2", &["layer 1 needs 1 digits", "found `2`"]),
        ("0 3 11", &["layer 1 needs 1 digits", "found `11`"]),
        ("0 3 0 5 1", &["layer 2 needs 2 digits", "found the end after 1"]),
        ("0 3 0 5 1 0 2 0 0 1 1", &["nothing after layer 3 of 4", "`1`"]),
    ] {
        let error = space.parse(wrong).unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{wrong}: {error}");
    }
}
