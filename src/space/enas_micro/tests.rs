use super::*;
use crate::cost;
use crate::graph::{Features, Graph, Op};
use crate::random::Random;
use crate::space::{NetworkSettings, Question, Space, SpaceError};

fn settings(channels: usize, layers: usize, size: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(3, size, size), channels, layers, ..NetworkSettings::default() }
}

fn shape(graph: &Graph, name: &str) -> Features {
    graph.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("{name}")).shape
}

/// Weights of a 1×1 convolution with its batch norm.
fn pointwise(inputs: u64, outputs: u64) -> u64 {
    inputs * outputs + 2 * outputs
}

/// Weights of a separable convolution, applied twice.
fn separable(kernel: u64, channels: u64) -> u64 {
    2 * (kernel * kernel * channels + pointwise(channels, channels))
}

#[test]
fn two_cells_reduce_where_the_published_networks_do() {
    assert_eq!(network::reductions(LAYERS), [2, 5]);
    assert_eq!(network::reductions(17), [5, 11]);
    for layers in 3..40 {
        let [first, second] = network::reductions(layers);
        assert!(first < second && second < layers, "{layers}");
    }
    let graph = SPACE.supernet(&settings(4, LAYERS, 16)).unwrap();
    let maps: Vec<Features> = (0..LAYERS).map(|layer| shape(&graph, &format!("cells.{layer}.norm"))).collect();
    let [full, half, quarter] = [(4, 16), (8, 8), (16, 4)].map(|(c, size)| Features::new(c, size, size));
    assert_eq!(maps, [full, full, half, half, half, quarter, quarter, quarter]);
    let small = settings(4, LAYERS, 2);
    assert!(SPACE.supernet(&settings(4, LAYERS, 4)).is_ok());
    let error = SPACE.supernet(&small).unwrap_err();
    assert!(matches!(error, SpaceError::ImageTooSmall { layer: 5, layers: 8, .. }), "{error}");
}

#[test]
fn the_supernet_has_as_many_weights_as_the_published_one_and_the_further_input_layers() {
    let graph = SPACE.supernet(&settings(20, LAYERS, 32)).unwrap();
    let cell = |c: u64| {
        let pairs = 2 * (2 + 3 + 4 + 5 + 6);
        let (convolutions, output) = (pairs * (separable(3, c) + separable(5, c)), 7 * c * c + 2 * c);
        convolutions + output + pointwise(c, c)
    };
    // Stem; the first two cells read it, so it is calibrated three times; two reductions, of two inputs each.
    let mut wanted = 27 * 60 + 2 * 60 + 3 * pointwise(60, 20);
    wanted += 2 * pointwise(20, 40) + 2 * pointwise(40, 80);
    wanted += 2 * cell(20) + 3 * cell(40) + 3 * cell(80) + 80 * 10;
    assert_eq!(cost::parameters(&graph).unwrap(), wanted);
}

#[test]
fn the_authors_cells_have_the_weights_that_their_code_gives_them() {
    let architecture = SPACE.parse("enas-micro").unwrap();
    let graph = SPACE.decode(&architecture, &settings(36, 17, 32)).unwrap();
    // Operations of the normal cell: 3×3 twice, 5×5 four times. Of the reduction cell: 3×3 three times, 5×5 three
    // times, an identity on an input, that is a reduction.
    let normal = |c: u64| 2 * separable(3, c) + 4 * separable(5, c);
    let reduce = |c: u64| 3 * separable(3, c) + 3 * separable(5, c) + pointwise(c, c);
    let mut wanted = 27 * 108 + 2 * 108;
    let (mut before, mut last, mut c) = ((108, 32), (108, 32), 36);
    for layer in 0..17 {
        let reduces = [5, 11].contains(&layer);
        c *= if reduces { 2 } else { 1 };
        wanted += if before != (c, last.1) { pointwise(before.0, c) } else { 0 };
        wanted += if last.0 != c { pointwise(last.0, c) } else { 0 } + pointwise(c, c);
        wanted += if reduces { reduce(c) } else { normal(c) };
        let output = if reduces { (4 * c, last.1 / 2) } else { (5 * c, last.1) };
        (before, last) = (last, output);
    }
    wanted += last.0 * 10;
    assert_eq!(cost::parameters(&graph).unwrap(), wanted);
    assert_eq!(wanted, 3_894_372);
    assert_eq!(shape(&graph, "cells.5.concat"), Features::new(4 * 72, 16, 16));
    assert_eq!(shape(&graph, "cells.16.concat"), Features::new(5 * 144, 8, 8));
}

#[test]
fn a_reduction_cell_of_the_supernet_reads_the_previous_output_twice() {
    let graph = SPACE.supernet(&settings(4, LAYERS, 16)).unwrap();
    let find = |name: &str| graph.nodes.iter().position(|node| node.name == name).unwrap();
    let previous = find("cells.1.norm");
    let input = |name: &str| graph.nodes[find(name)].inputs.clone();
    assert_eq!(input("cells.2.reduction.conv_1"), [previous], "no ReLU");
    assert_eq!(input("cells.2.preprocess0.relu"), [previous]);
    assert_eq!(input("cells.2.base.op.0"), [find("cells.2.reduction.bn")]);
    // The next cell's older input is the reduced one, which has its channels and needs nothing.
    assert!(input("cells.3.nodes.0.0").contains(&find("cells.2.reduction.bn")));
    let affine = graph.nodes.iter().chain(
        graph
            .nodes
            .iter()
            .flat_map(|n| n.op.inner().into_iter().flat_map(|(_, inner)| &inner.nodes).collect::<Vec<_>>()),
    );
    assert!(affine.filter(|n| matches!(n.op, Op::BatchNorm { .. })).all(|n| n.op == Op::BatchNorm { affine: true }));
}

#[test]
fn an_unused_input_of_a_reduction_cell_is_reduced_to_be_joined() {
    // All nodes read input 1.
    let nodes = ["1:skip_connect+1:max_pool_3x3"; 5].join(", ");
    let architecture = SPACE.parse(&format!("normal=[{nodes}] reduce=[{nodes}]")).unwrap();
    let graph = SPACE.decode(&architecture, &settings(4, 3, 8)).unwrap();
    assert_eq!(shape(&graph, "cells.0.join.0.bn"), Features::new(8, 4, 4));
    assert_eq!(shape(&graph, "cells.0.concat"), Features::new(6 * 8, 4, 4));
    assert_eq!(shape(&graph, "cells.2.concat"), Features::new(6 * 16, 2, 2));
    assert!(!graph.nodes.iter().any(|node| node.name.contains("skip_connect.relu")));
}

#[test]
fn all_but_identities_are_dropped_and_only_if_asked() {
    let architecture = SPACE.random(&mut Random::new(3, 0));
    let count = |drop_path| {
        let graph = SPACE.decode(&architecture, &NetworkSettings { drop_path, ..settings(4, LAYERS, 16) }).unwrap();
        graph.nodes.iter().filter(|n| n.op == Op::DropPath).count()
    };
    let [normal, reduce] = SPACE.cells_of(&architecture).unwrap().map(|cell| {
        let sides = cell.nodes.into_iter().flatten();
        sides.filter(|side| side.primitive != Primitive::SkipConnect).count()
    });
    assert_eq!((count(false), count(true)), (0, 6 * normal + 2 * reduce));
    let auxiliary = NetworkSettings { auxiliary: true, ..settings(4, LAYERS, 32) };
    assert!(matches!(SPACE.decode(&architecture, &auxiliary), Err(SpaceError::NoAuxiliary { .. })));
}

#[test]
fn the_controller_begins_by_preferring_convolutions_in_the_normal_cell() {
    let bias = |question: &Question| match question {
        Question::Option { bias, .. } => Some(bias.clone()),
        _ => None,
    };
    let biases: Vec<Vec<f32>> = SPACE.questions().iter().filter_map(bias).collect();
    let (normal, reduce) = biases.split_at(10);
    assert!(normal.iter().all(|bias| *bias == [0.25, 0.25, -0.25, -0.25, -0.25]));
    assert!(reduce.len() == 10 && reduce.iter().all(Vec::is_empty));
}

#[test]
fn the_space_has_as_many_architectures_as_its_decisions_allow() {
    let cell = (2u128 * 3 * 4 * 5 * 6).pow(2) * 5u128.pow(10);
    assert_eq!(SPACE.size(), Some(cell * cell));
}
