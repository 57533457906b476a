use super::*;
use crate::cost;
use crate::graph::{Features, Op, Options};
use crate::random::Random;
use crate::space::SpaceConfig;

fn settings(channels: usize, size: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(3, size, size), channels, ..NetworkSettings::default() }
}

fn presets() -> [Chain; 3] {
    [Chain::vgg16(&[3, 5, 7]).unwrap(), Chain::mlp(3, &[16, 32, 64]).unwrap(), Chain::small()]
}

fn one_hot(space: &Chain, architecture: &Architecture) -> Vec<TableWeights> {
    let table = |(d, &answer): (Decision, &usize)| {
        let values = (0..d.options.len()).map(|i| if i == answer { 0.6 } else { 0.1 }).collect();
        TableWeights { name: format!("alphas_{}", d.name), rows: 1, options: d.options.len(), values }
    };
    space.decisions().into_iter().zip(&architecture.answers).map(table).collect()
}

#[test]
fn the_vgg_preset_chooses_among_3_to_the_16_networks() {
    let space = Chain::vgg16(&[3, 5, 7]).unwrap();
    assert_eq!(space.decisions().len(), 16);
    assert_eq!(space.size(), Some(3u128.pow(16)));
    assert!((space.size_log10() - 16.0 * 3f64.log10()).abs() < 1e-9);
}

#[test]
fn presets_pass_the_checks_of_every_chain() {
    for space in presets() {
        assert_eq!(Chain::new(space.name(), space.layers().to_vec()).unwrap(), space);
    }
}

#[test]
fn tables_are_those_of_the_decisions() {
    for space in presets() {
        let tables = space.supernet(&settings(4, 16)).unwrap().tables().unwrap();
        let decisions = space.decisions();
        assert_eq!(tables.len(), decisions.len(), "{}", space.name());
        for (table, decision) in tables.iter().zip(&decisions) {
            assert_eq!(table.name, format!("alphas_{}", decision.name));
            assert_eq!((table.rows, table.options.len()), (1, decision.options.len()));
        }
    }
}

#[test]
fn derive_takes_the_largest_weight_and_the_first_of_equal_ones() {
    for space in presets() {
        let architecture = space.random(&mut Random::new(3, 1));
        let mut weights = one_hot(&space, &architecture);
        assert_eq!(space.derive(&weights).unwrap(), architecture);
        weights[0].values.fill(0.25);
        assert_eq!(space.derive(&weights).unwrap().answers[0], 0);
        weights.remove(0);
        assert!(matches!(space.derive(&weights), Err(SpaceError::Weights { .. })));
    }
}

#[test]
fn the_widest_and_largest_answers_are_no_larger_than_the_supernet() {
    let space = Chain::vgg16(&[3, 5, 7]).unwrap();
    let wanted = settings(4, 32);
    let of = |answer| {
        cost::parameters(&space.decode(&Architecture { answers: vec![answer; 16] }, &wanted).unwrap()).unwrap()
    };
    let supernet = cost::parameters(&space.supernet(&wanted).unwrap()).unwrap();
    assert!(of(0) < of(1) && of(1) < of(2) && of(2) < supernet);
}

#[test]
fn a_chosen_width_is_the_real_width() {
    let space = Chain::mlp(2, &[8, 32]).unwrap();
    let graph = space.decode(&Architecture { answers: vec![1, 0] }, &settings(16, 4)).unwrap();
    let units: Vec<usize> = graph
        .nodes
        .iter()
        .filter_map(|n| match n.op {
            Op::Linear { outputs, .. } => Some(outputs),
            _ => None,
        })
        .collect();
    assert_eq!(units, [32, 8, 10]);
    assert_eq!(cost::parameters(&graph).unwrap(), (48 * 32 + 32) + (32 * 8 + 8) + (8 * 10 + 10));
}

#[test]
fn choices_of_width_are_masks_over_the_widest() {
    let graph = Chain::mlp(2, &[8, 32, 16]).unwrap().supernet(&settings(16, 4)).unwrap();
    let masks: Vec<_> =
        graph.choices().into_iter().map(|(node, choice)| (node.shape.channels, &choice.options)).collect();
    assert_eq!(masks, [(32, &Options::Widths(vec![8, 32, 16])), (32, &Options::Widths(vec![8, 32, 16]))]);
    assert_eq!(cost::parameters(&graph).unwrap(), (48 * 32 + 32) + (32 * 32 + 32) + (32 * 10 + 10));
}

#[test]
fn a_decoded_networks_parameters_are_among_the_supernets() {
    for space in presets() {
        let wanted = settings(4, 16);
        let supernet = space.supernet(&wanted).unwrap().parameters();
        for seed in 0..10 {
            let graph = space.decode(&space.random(&mut Random::new(seed, 0)), &wanted).unwrap();
            assert!(!graph.has_choices());
            // Batch norms are affine outside the search only.
            for parameter in graph.parameters().iter().filter(|p| !p.name.contains(".bn.")) {
                let whole = supernet.iter().find(|p| p.name == parameter.name);
                let whole = whole.unwrap_or_else(|| panic!("the supernet has no {}", parameter.name));
                let fits = parameter.shape.iter().zip(&whole.shape).all(|(part, whole)| part <= whole);
                assert!(fits && parameter.shape.len() == whole.shape.len(), "{parameter:?} in {whole:?}");
            }
        }
    }
}

#[test]
fn pools_are_left_out_where_the_map_is_too_small() {
    let space = Chain::vgg16(&[3]).unwrap();
    assert!(space.decisions().is_empty());
    for (size, pools) in [(1, 0), (2, 1), (8, 3), (15, 3), (32, 4)] {
        let graph = space.supernet(&settings(2, size)).unwrap();
        assert_eq!(graph.nodes.iter().filter(|n| matches!(n.op, Op::MaxPool(_))).count(), pools, "{size}");
    }
}

#[test]
fn every_kind_of_operation_can_be_mixed_at_any_stride() {
    let operations: Vec<Operation> = ["conv_1x1", "conv_3x3", "sep_conv_5x5", "max_pool_3x3", "avg_pool_5x5", "skip"]
        .into_iter()
        .map(|o| o.parse().unwrap())
        .collect();
    for stride in 1..=3 {
        for widths in [vec![Width::Units(3)], vec![Width::Units(4), Width::Times(2)]] {
            let layer = Layer::Features { operations: operations.clone(), widths, stride };
            let space = Chain::new("mine", vec![layer.clone(), layer]).unwrap();
            for size in [1, 7, 8] {
                space.supernet(&settings(4, size)).unwrap();
                for seed in 0..20 {
                    space.decode(&space.random(&mut Random::new(seed, 0)), &settings(4, size)).unwrap();
                }
            }
        }
    }
}

#[test]
fn architectures_round_trip_through_text_and_json() {
    for space in presets() {
        for seed in 0..5 {
            let architecture = space.random(&mut Random::new(seed, 0));
            assert_eq!(space.parse(&space.print(&architecture)).unwrap(), architecture);
            assert_eq!(space.parse(&space.json(&architecture).to_string()).unwrap(), architecture);
        }
    }
}

#[test]
fn wrong_architectures_are_explained() {
    let space = Chain::mlp(2, &[8, 16]).unwrap();
    for (text, said) in [
        ("layer0_width=8", "`layer1_width` is not answered"),
        ("layer0_width=8, layer1_width=9", "unknown option `9`"),
        ("layer0_with=8", "did you mean `layer0_width`?"),
        ("layer0_width=8, layer0_width=8", "answered twice"),
        ("nonsense", "`nonsense` is not `decision=option`"),
        ("{\"layer0_width\": 8}", "not valid JSON"),
    ] {
        let error = space.parse(text).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let error = space.decode(&Architecture { answers: vec![0] }, &settings(4, 8)).unwrap_err().to_string();
    assert!(error.contains("1 answers to 2 decisions"), "{error}");
    let error = space.decode(&Architecture { answers: vec![0, 2] }, &settings(4, 8)).unwrap_err().to_string();
    assert!(error.contains("answer 2 to `layer1_width`, which has 2 options"), "{error}");
}

#[test]
fn impossible_chains_are_refused() {
    let features = |operations: &[Operation], widths: &[Width], stride| Layer::Features {
        operations: operations.to_vec(),
        widths: widths.to_vec(),
        stride,
    };
    let conv = Operation::Conv(3);
    let one = Width::Times(1);
    for (layers, said) in [
        (vec![], "number of layers = 0"),
        (vec![features(&[], &[one], 1)], "at least one operation"),
        (vec![features(&[conv], &[], 1)], "at least one width"),
        (vec![features(&[conv, conv], &[one], 1)], "lists an operation twice"),
        (vec![features(&[conv], &[one, one], 1)], "lists a width twice"),
        (vec![features(&[Operation::Conv(4)], &[one], 1)], "kernel = 4: must be odd"),
        (vec![features(&[conv], &[Width::Units(0)], 1)], "width = 0"),
        (vec![features(&[conv], &[one], 0)], "stride = 0"),
        (vec![Layer::Linear { units: vec![one] }, Layer::Halve], "layer = 1: reads a map"),
    ] {
        let error = Chain::new("mine", layers).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let same = Chain::new("mine", vec![features(&[conv], &[Width::Units(8), Width::Times(2)], 1)]).unwrap();
    let error = same.supernet(&settings(4, 8)).unwrap_err().to_string();
    assert!(error.contains("the same for 4 channels"), "{error}");
    let with_head = NetworkSettings { auxiliary: true, ..settings(4, 8) };
    let error = same.decode(&Architecture { answers: vec![0] }, &with_head).unwrap_err();
    assert!(matches!(error, SpaceError::NoAuxiliary { .. }));
    assert!("conv_3x5".parse::<Operation>().is_err() && "conv_4x4".parse::<Operation>().is_err());
}

#[test]
fn a_chain_can_be_described_in_a_configuration() {
    let text = r#"
        [[layers]]
        features = { operations = ["conv_3x3", "skip"], widths = [{ times = 1 }, { units = 24 }], stride = 2 }
        [[layers]]
        linear = { units = [{ units = 32 }] }
    "#;
    let build = |text: &str| SpaceConfig { name: "chain".into(), settings: text.parse().unwrap() }.build();
    assert_eq!(build(text).unwrap().size(), Some(4));
    let error = build(&text.replace("conv_3x3", "conf_3x3")).err().unwrap().to_string();
    assert!(error.contains("did you mean `conv_3x3`?"), "{error}");
}

#[test]
fn baselines_are_of_the_chains_kind_and_size() {
    let wanted = settings(8, 16);
    for (space, size) in [(Chain::small(), 40_000u64), (Chain::mlp(2, &[8]).unwrap(), 60_000)] {
        let graph = space.baseline(&wanted, size).unwrap();
        let got = cost::parameters(&graph).unwrap();
        assert!(got.abs_diff(size) * 10 <= size, "{got} for {size}");
        let convolutions = graph.nodes.iter().any(|n| matches!(n.op, Op::Conv(_)));
        assert_eq!(convolutions, space.name() == "chain");
    }
}
