use super::*;
use crate::cost::{self, Cost};
use crate::graph::{Features, Op, Options};
use std::collections::{BTreeSet, HashSet};

mod deriving;
mod genotypes;
mod primitives;
mod robust;
mod suite;

const SUPERNET: &str = include_str!("../../../tests/fixtures/darts_supernet_c4_l3.txt");
const EVALUATION: &str = include_str!("../../../tests/fixtures/darts_v2_c8_l3_auxiliary.txt");

fn settings(channels: usize, layers: usize, size: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(3, size, size), channels, layers, ..NetworkSettings::default() }
}

fn published(name: &str) -> Genotype {
    Genotype::read(name).unwrap()
}

fn fixture(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    text.lines().filter(|l| !l.starts_with('#')).map(str::to_owned).partition(|line| !line.contains(".running_"))
}

fn parameter_lines(graph: &Graph) -> BTreeSet<String> {
    let line = |p: crate::graph::Parameter| {
        format!("{} {}", p.name, p.shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x"))
    };
    graph.parameters().into_iter().map(line).collect()
}

/// Names of all nodes, candidates' own included.
fn names(graph: &Graph) -> Vec<String> {
    let mut found = Vec::new();
    for node in &graph.nodes {
        found.push(node.name.clone());
        if let Op::Choice(choice) = &node.op
            && let Options::Operations(candidates) = &choice.options
        {
            found.extend(candidates.iter().flat_map(|c| names(&c.graph)));
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn the_published_supernet_has_its_published_size() {
    let graph = Darts::default().supernet(&settings(16, 8, 32)).unwrap();
    assert_eq!(cost::parameters(&graph).unwrap(), 1_930_618);
    let small = Darts::default().supernet(&settings(4, 3, 16)).unwrap();
    assert_eq!(cost::parameters(&small).unwrap(), 72_854);
}

#[test]
fn published_networks_have_their_published_sizes() {
    let graph = evaluation_network(&published("DARTS_V2"), &settings(36, 20, 32)).unwrap();
    assert_eq!(cost::parameters(&graph).unwrap(), 3_349_342);
    let mut small = settings(8, 3, 32);
    let graph = evaluation_network(&published("DARTS_V2"), &small).unwrap();
    assert_eq!(cost::parameters(&graph).unwrap(), 8_234);
    small.auxiliary = true;
    let graph = evaluation_network(&published("DARTS_V2"), &small).unwrap();
    assert_eq!(cost::parameters(&graph).unwrap(), 427_316);
}

#[test]
fn multiply_adds_grow_with_the_area_of_the_image_except_for_the_classifier() {
    let of = |size| {
        let graph = evaluation_network(&published("DARTS_V2"), &settings(36, 20, size)).unwrap();
        Cost::of(&graph, 1).unwrap().multiply_adds
    };
    let classifier = (4 * 36 * 4) * 10;
    assert_eq!(of(64) - classifier, 4 * (of(32) - classifier));
}

#[test]
fn supernet_parameters_have_the_references_names_and_shapes() {
    let graph = Darts::default().supernet(&settings(4, 3, 16)).unwrap();
    assert_eq!(parameter_lines(&graph), fixture(SUPERNET).0);
}

#[test]
fn evaluation_parameters_and_statistics_have_the_references_names_and_shapes() {
    let with_head = NetworkSettings { auxiliary: true, drop_path: true, ..settings(8, 3, 32) };
    let graph = evaluation_network(&published("DARTS_V2"), &with_head).unwrap();
    let (parameters, statistics) = fixture(EVALUATION);
    assert_eq!(parameter_lines(&graph), parameters);
    let ours: BTreeSet<String> = graph
        .nodes
        .iter()
        .filter(|n| matches!(n.op, Op::BatchNorm { .. }))
        .flat_map(|n| ["mean", "var"].map(|s| format!("{}.running_{s} {}", n.name, n.shape.channels)))
        .collect();
    assert_eq!(ours, statistics);
}

#[test]
fn no_two_nodes_share_a_name() {
    let with_all = NetworkSettings { auxiliary: true, drop_path: true, ..settings(8, 3, 32) };
    for graph in
        [Darts::default().supernet(&with_all).unwrap(), evaluation_network(&published("DARTS_V1"), &with_all).unwrap()]
    {
        let names = names(&graph);
        let unique: HashSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }
}

#[test]
fn the_supernet_has_one_choice_for_each_edge_and_two_tables() {
    let graph = Darts::default().supernet(&settings(4, 5, 16)).unwrap();
    assert_eq!(graph.choices().len(), 5 * 14);
    let tables = graph.tables().unwrap();
    let shapes: Vec<_> = tables.iter().map(|t| (t.name.as_str(), t.rows, t.options.len())).collect();
    assert_eq!(shapes, [("alphas_normal", 14, 8), ("alphas_reduce", 14, 8)]);
    assert_eq!(tables[0].options, Primitive::DARTS.map(|p| p.to_string()));
    let reduced = |layer: usize| graph.nodes.iter().any(|n| n.name == format!("cells.{layer}.preprocess0.conv_1"));
    assert_eq!((0..5).map(reduced).collect::<Vec<_>>(), [false, false, true, false, true]);
}

#[test]
fn nodes_and_primitives_are_configurable() {
    let primitives = vec![Primitive::SkipConnect, Primitive::SepConv7x7, Primitive::Conv7x1Then1x7];
    let space = Darts::new(2, primitives).unwrap();
    let graph = space.supernet(&settings(4, 3, 8)).unwrap();
    assert_eq!(graph.choices().len(), 3 * 5);
    let architecture = space.random(&mut Random::new(1, 0));
    assert_eq!(architecture.answers.len(), space.decisions().len());
    let network = space.decode(&architecture, &settings(4, 3, 8)).unwrap();
    assert!(!network.has_choices());
}

#[test]
fn unusable_spaces_are_refused() {
    for (nodes, primitives, named) in [
        (0, vec![Primitive::SkipConnect], "nodes = 0"),
        (MOST_NODES + 1, vec![Primitive::SkipConnect], "nodes = 33"),
        (4, vec![], "besides `none`"),
        (4, vec![Primitive::None], "besides `none`"),
        (4, vec![Primitive::SkipConnect, Primitive::SkipConnect], "skip_connect: is listed twice"),
    ] {
        let error = Darts::new(nodes, primitives).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn every_image_that_can_be_halved_twice_works_even_or_odd() {
    for (height, width) in [(3, 3), (4, 7), (5, 5), (7, 3), (8, 8), (9, 31), (28, 28), (29, 32), (33, 33)] {
        let wanted = NetworkSettings { image: Features::new(1, height, width), drop_path: true, ..settings(2, 6, 0) };
        let quarter = |size: usize| size.div_ceil(2).div_ceil(2);
        for graph in
            [Darts::default().supernet(&wanted).unwrap(), evaluation_network(&published("DARTS_V1"), &wanted).unwrap()]
        {
            let last = graph.nodes.iter().find(|n| n.name == "cells.5.concat").unwrap();
            assert_eq!(last.shape, Features::new(4 * 2 * 4, quarter(height), quarter(width)));
            assert_eq!(graph.shape(graph.find_output("logits").unwrap()), Features::new(10, 1, 1));
        }
    }
}

#[test]
fn an_image_too_small_for_the_reductions_is_refused_with_the_numbers() {
    for (height, width) in [(2, 2), (1, 32), (32, 2)] {
        let wanted = NetworkSettings { image: Features::new(3, height, width), ..settings(4, 8, 0) };
        for result in [Darts::default().supernet(&wanted), evaluation_network(&published("DARTS_V2"), &wanted)] {
            assert!(matches!(result, Err(SpaceError::ImageTooSmall { layers: 8, .. })), "{height}x{width}");
        }
    }
    let error = Darts::default().supernet(&settings(4, 8, 2)).unwrap_err().to_string();
    assert!(error.contains("3x2x2 is too small: the reduction cell at layer 5 of 8"), "{error}");
}

#[test]
fn few_layers_reduce_where_the_reference_does() {
    // Layers L/3 and 2L/3: for one layer both are the same, for two they are 0 and 1.
    for (layers, channels, size) in [(1, 8, 8), (2, 16, 4), (3, 16, 4), (4, 16, 4)] {
        let graph = Darts::default().supernet(&settings(4, layers, 16)).unwrap();
        let last = graph.nodes.iter().find(|n| n.name == format!("cells.{}.concat", layers - 1)).unwrap();
        assert_eq!(last.shape, Features::new(4 * channels, size, size), "{layers} layers");
    }
}

#[test]
fn the_auxiliary_head_needs_an_8x8_map() {
    for size in [29, 32] {
        let wanted = NetworkSettings { auxiliary: true, ..settings(8, 20, size) };
        let graph = evaluation_network(&published("DARTS_V2"), &wanted).unwrap();
        assert_eq!(graph.outputs.iter().map(|o| o.name.as_str()).collect::<Vec<_>>(), ["logits", "auxiliary"]);
        assert_eq!(graph.shape(graph.find_output("auxiliary").unwrap()), Features::new(10, 1, 1));
    }
    for size in [8, 28, 33] {
        let wanted = NetworkSettings { auxiliary: true, ..settings(8, 20, size) };
        let error = evaluation_network(&published("DARTS_V2"), &wanted).unwrap_err();
        assert!(matches!(error, SpaceError::Auxiliary { layer: 13, .. }), "{error}");
    }
}

#[test]
fn every_edge_that_is_not_a_plain_identity_has_drop_path() {
    let wanted = NetworkSettings { drop_path: true, ..settings(4, 3, 16) };
    let graph = evaluation_network(&published("DARTS_V2"), &wanted).unwrap();
    let drops = |cell: usize| {
        let inside = |n: &&crate::graph::Node| n.op == Op::DropPath && n.name.starts_with(&format!("cells.{cell}."));
        graph.nodes.iter().filter(inside).count()
    };
    // Normal: 8 edges, 2 skips. Reduction: 8 edges, 3 skips from state 2, which have stride 1.
    assert_eq!((drops(0), drops(1), drops(2)), (6, 5, 5));
    let strided = "Genotype(normal=[('none', 0), ('skip_connect', 1)], normal_concat=[2], \
                   reduce=[('skip_connect', 0), ('skip_connect', 1)], reduce_concat=[2])";
    let graph = Darts::default().decode_text(strided, &wanted).unwrap();
    assert_eq!(graph.nodes.iter().filter(|n| n.op == Op::DropPath).count(), 2 + 2);
    let without = evaluation_network(&published("DARTS_V2"), &settings(4, 3, 16)).unwrap();
    assert!(without.nodes.iter().all(|n| n.op != Op::DropPath));
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for (wanted, named) in [
        (settings(0, 8, 32), "channels = 0"),
        (settings(4, 0, 32), "layers = 0"),
        (settings(usize::MAX, 8, 32), "channels = "),
        (settings(4, usize::MAX, 32), "layers = "),
        (NetworkSettings { classes: 0, ..settings(4, 8, 32) }, "classes = 0"),
        (settings(4, 8, 0), "image height = 0"),
    ] {
        let error = Darts::default().supernet(&wanted).unwrap_err().to_string();
        assert!(error.starts_with(named), "{error}");
    }
}

#[test]
fn the_space_is_as_large_as_the_paper_says() {
    let space = Darts::default();
    let cell: u128 = [1, 3, 6, 10].into_iter().map(|pairs| pairs * 49).product();
    assert_eq!(space.size(), Some(cell * cell));
    assert!((space.size_log10() - 18.03).abs() < 0.01, "{}", space.size_log10());
    assert_eq!(Darts::new(MOST_NODES, Primitive::DARTS.to_vec()).unwrap().size(), None);
}

#[test]
fn the_baseline_is_a_residual_network_of_the_same_size() {
    for (size, wanted) in [(8, 20_000u64), (28, 120_000), (32, 3_349_342)] {
        let graph = Darts::default().baseline(&settings(16, 8, size), wanted).unwrap();
        let got = cost::parameters(&graph).unwrap();
        assert!(got.abs_diff(wanted) * 10 <= wanted, "{got} for {wanted}");
        assert!(graph.nodes.iter().any(|n| n.op == Op::Add) && !graph.has_choices());
    }
    let error = Darts::default().baseline(&settings(16, 8, 32), 10).unwrap_err();
    assert!(matches!(error, SpaceError::Baseline { parameters: 10, .. }), "{error}");
}
