use super::*;
use crate::device::Device;
use crate::graph::Pool;
use crate::network::{Choices, Network};
use crate::random::Random;
use crate::space::tests::running::{agree, logits, shaken};
use crate::space::{self, NetworkSettings, SpaceConfig};
use pollster::block_on;

/// The network of a path with the supernet's weights, and what both compute.
fn compare(supernet: &Network, path: &Path, what: &str) -> Graph {
    let state = block_on(supernet.state()).unwrap();
    let graph = settled(supernet.graph(), path).unwrap();
    assert!(!graph.has_choices(), "{what}");
    let mut network = Network::new(supernet.device(), graph.clone(), 0).unwrap();
    network.load(&part(&graph, &state).unwrap()).unwrap();
    let right = logits(supernet, Choices::Path(path), false);
    agree(&logits(&network, Choices::None, false), &right, what);
    graph
}

fn settings(name: &str) -> NetworkSettings {
    let side = if name == "mobile" { 16 } else { 9 };
    NetworkSettings { image: Features::new(3, side, side), channels: 4, layers: 3, ..Default::default() }
}

#[test]
fn a_path_alone_computes_what_the_supernet_does_along_it_in_every_space() {
    let device = Device::cpu();
    for name in space::names() {
        let mut config = SpaceConfig::of(name);
        if name == "enas-macro" {
            config.settings = "layers = 4".parse().unwrap();
        }
        let space = config.build().unwrap();
        let (supernet, _) = shaken(&device, space.supernet(&settings(name)).unwrap());
        for seed in 0..3 {
            let architecture = space.random(&mut Random::new(seed, 3));
            let path = supernet.path(&space.settle(&architecture).unwrap()).unwrap();
            let state = block_on(supernet.state()).unwrap();
            let graph = settled(supernet.graph(), &path).unwrap();
            if graph.nodes.iter().any(|node| matches!(node.op, Op::Noise { .. })) {
                // The two draw from other streams.
                part(&graph, &state).unwrap();
                continue;
            }
            compare(&supernet, &path, &format!("{name}: {}", space.print(&architecture)));
        }
    }
}

#[test]
fn a_narrow_path_is_as_large_as_its_own_network() {
    let space = space::find("chain").unwrap();
    let settings = settings("chain");
    let supernet = space.supernet(&settings).unwrap();
    let network = Network::new(&Device::cpu(), supernet.clone(), 0).unwrap();
    for seed in 0..10 {
        let architecture = space.random(&mut Random::new(seed, 5));
        let path = network.path(&space.settle(&architecture).unwrap()).unwrap();
        let of = |graph: &Graph| {
            let learned = graph.parameters().into_iter().filter(|p| !p.name.contains(".bn."));
            let mut learned: Vec<_> = learned.map(|p| (p.name, p.shape)).collect();
            learned.sort();
            learned
        };
        let own = space.decode(&architecture, &settings).unwrap();
        assert_eq!(of(&settled(&supernet, &path).unwrap()), of(&own), "{}", space.print(&architecture));
    }
}

#[test]
fn weights_of_a_supernet_serve_the_decoded_network_where_names_agree() {
    let device = Device::cpu();
    let space = space::find("mobile").unwrap();
    let wanted = settings("mobile");
    let (supernet, state) = shaken(&device, space.supernet(&wanted).unwrap());
    for seed in 0..3 {
        let architecture = space.random(&mut Random::new(seed, 7));
        let graph = space.decode(&architecture, &wanted).unwrap();
        let mut network = Network::new(&device, graph.clone(), 0).unwrap();
        network.load(&part(&graph, &state).unwrap()).unwrap();
        let path = supernet.path(&space.settle(&architecture).unwrap()).unwrap();
        let right = logits(&supernet, Choices::Path(&path), false);
        agree(&logits(&network, Choices::None, false), &right, &space.print(&architecture));
    }
}

/// A choice of width with everything behind it that treats channels in a way of its own.
fn awkward() -> Graph {
    let mut graph = Graph::new(&[Features::new(3, 6, 6)]);
    let stem = graph.push("stem", Op::Conv(Conv { bias: true, ..Conv::square(3, 8, 3, 1) }), &[0]).unwrap();
    let width = Choice::new("width", 0, Options::Widths(vec![8, 3, 5]));
    let x = graph.push("width", Op::Choice(width), &[stem]).unwrap();
    let relu = graph.push("", Op::Relu, &[x]).unwrap();
    let pool = Pool { count_padding: true, ..Pool::new(3, 1, 1) };
    let pool = graph.push("", Op::MaxPool(pool), &[relu]).unwrap();
    let sigmoid = graph.push("", Op::Sigmoid, &[x]).unwrap();
    let norm = graph.push("norm", Op::BatchNorm { affine: true }, &[x]).unwrap();
    let shuffled = graph.push("", Op::Shuffle { groups: 4 }, &[relu]).unwrap();
    let depthwise = graph.push("depthwise", Op::Conv(Conv::depthwise(8, 3, 1, 1)), &[relu]).unwrap();
    let grouped = Conv { groups: 2, ..Conv::square(8, 8, 3, 1) };
    let grouped = graph.push("grouped", Op::Conv(grouped), &[relu]).unwrap();
    let pointwise = graph.push("pointwise", Op::Conv(Conv::square(8, 8, 1, 1)), &[depthwise]).unwrap();
    let some = graph.push("", Op::Channels { first: 2, count: 4 }, &[relu]).unwrap();
    let sum = graph.push("", Op::Add, &[pool, sigmoid, norm, shuffled, depthwise, grouped, pointwise]).unwrap();
    let joined = graph.push("", Op::Concat, &[sum, x, some]).unwrap();
    let linear = graph.push("classifier", Op::Linear { outputs: 5, bias: true }, &[joined]).unwrap();
    graph.output("logits", linear);
    graph
}

#[test]
fn whatever_reads_a_narrow_map_reads_zeros_beyond_it() {
    let (supernet, _) = shaken(&Device::cpu(), awkward());
    for taken in 0..3 {
        let path = Path::from([(("width".to_owned(), 0), taken)]);
        compare(&supernet, &path, &format!("width {taken}"));
    }
}

#[test]
fn kernels_that_options_share_are_cut_out_and_edges_that_take_nothing_are_zero() {
    let space = space::find("darts").unwrap();
    let plain = space.supernet(&settings("darts")).unwrap();
    let entangled = plain.entangled().unwrap();
    assert!(entangled.is_entangled());
    let (supernet, _) = shaken(&Device::cpu(), entangled);
    for seed in 0..4 {
        let mut random = Random::new(seed, 11);
        let mut path = Path::new();
        for table in supernet.graph().tables().unwrap() {
            for row in 0..table.rows {
                let taken = random.below(table.options.len() + 1);
                path.insert((table.name.clone(), row), if taken < table.options.len() { taken } else { NOTHING });
            }
        }
        compare(&supernet, &path, &format!("seed {seed}"));
    }
}

#[test]
fn what_is_open_or_missing_is_named() {
    let graph = awkward();
    let error = settled(&graph, &Path::new()).unwrap_err().to_string();
    assert_eq!(error, "network: choice point `width`, row 0 is not settled");
    let path = Path::from([(("width".to_owned(), 0), 1)]);
    let graph = settled(&graph, &path).unwrap();
    let mut state = block_on(Network::new(&Device::cpu(), awkward(), 0).unwrap().state()).unwrap();
    state.remove("stem.bias");
    assert_eq!(part(&graph, &state).unwrap_err().to_string(), "parameter `stem.bias` is missing");
}
