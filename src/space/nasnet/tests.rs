use super::*;
use crate::cost;
use crate::graph::{Features, Op};
use crate::space::Space;
use crate::space::darts::{Genotype, evaluation_network};

fn settings(channels: usize, layers: usize) -> NetworkSettings {
    NetworkSettings { channels, layers, ..NetworkSettings::default() }
}

/// The genotypes as the DARTS reference lists them.
const GENOTYPES: [(&str, &str); 2] = [
    (
        "nasnet-a",
        "Genotype(normal=[('sep_conv_5x5', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 0), ('sep_conv_3x3', 0), \
         ('avg_pool_3x3', 1), ('skip_connect', 0), ('avg_pool_3x3', 0), ('avg_pool_3x3', 0), ('sep_conv_3x3', 1), \
         ('skip_connect', 1)], normal_concat=[2, 3, 4, 5, 6], reduce=[('sep_conv_5x5', 1), ('sep_conv_7x7', 0), \
         ('max_pool_3x3', 1), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('sep_conv_5x5', 0), ('skip_connect', 3), \
         ('avg_pool_3x3', 2), ('sep_conv_3x3', 2), ('max_pool_3x3', 1)], reduce_concat=[4, 5, 6])",
    ),
    (
        "AMOEBANET_A",
        "Genotype(normal=[('avg_pool_3x3', 0), ('max_pool_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_5x5', 2), \
         ('sep_conv_3x3', 0), ('avg_pool_3x3', 3), ('sep_conv_3x3', 1), ('skip_connect', 1), ('skip_connect', 0), \
         ('avg_pool_3x3', 1)], normal_concat=[4, 5, 6], reduce=[('avg_pool_3x3', 0), ('sep_conv_3x3', 1), \
         ('max_pool_3x3', 0), ('sep_conv_7x7', 2), ('sep_conv_7x7', 0), ('avg_pool_3x3', 1), ('max_pool_3x3', 0), \
         ('max_pool_3x3', 1), ('conv_7x1_1x7', 0), ('sep_conv_3x3', 5)], reduce_concat=[3, 4, 6])",
    ),
];

#[test]
fn published_cells_are_known_by_name_and_read_as_genotypes() {
    for (name, text) in GENOTYPES {
        let architecture = SPACE.parse(name).unwrap();
        assert_eq!(SPACE.parse(text).unwrap(), architecture, "{name}");
        // The same operations, joined alike: by another builder.
        let genotype = Genotype::read(text).unwrap();
        for settings in [settings(36, 20), NetworkSettings { auxiliary: true, drop_path: true, ..settings(8, 4) }] {
            let ours = SPACE.decode(&architecture, &settings).unwrap();
            let theirs = evaluation_network(&genotype, &settings).unwrap();
            let operations = |graph: &Graph| graph.nodes.iter().map(|n| n.op.clone()).collect::<Vec<_>>();
            assert_eq!(operations(&ours), operations(&theirs), "{name}");
            assert_eq!(cost::parameters(&ours).unwrap(), cost::parameters(&theirs).unwrap(), "{name}");
        }
    }
    let other = GENOTYPES[0].1.replace("reduce_concat=[4, 5, 6]", "reduce_concat=[3, 4, 5, 6]");
    let error = SPACE.parse(&other).unwrap_err().to_string();
    assert!(error.contains("joins states [3, 4, 5, 6]") && error.contains("are [4, 5, 6]"), "{error}");
    let darts = SPACE.parse("Genotype(normal=[('none', 0)], normal_concat=[2], reduce=[], reduce_concat=[2])");
    assert!(darts.is_err());
}

#[test]
fn an_unused_input_of_a_reduction_cell_is_reduced_to_be_joined() {
    let nodes = ["1:skip_connect+1:dil_conv_3x3"; 5].join(", ");
    let architecture = SPACE.parse(&format!("normal=[{nodes}] reduce=[{nodes}]")).unwrap();
    let graph = SPACE.decode(&architecture, &settings(4, 3)).unwrap();
    let shape = |name: &str| graph.nodes.iter().find(|n| n.name == name).unwrap().shape;
    assert_eq!(shape("cells.1.join.0.bn"), Features::new(8, 16, 16));
    assert_eq!(shape("cells.1.concat"), Features::new(6 * 8, 16, 16));
    assert_eq!(shape("cells.0.concat"), Features::new(6 * 4, 32, 32));
}

#[test]
fn candidates_have_no_scale_and_shift_in_the_supernet_and_cells_keep_their_width() {
    let graph = SPACE.supernet(&settings(4, 3)).unwrap();
    let inner = graph.nodes.iter().flat_map(|n| n.op.inner()).flat_map(|(_, inner)| &inner.nodes);
    assert!(inner.filter(|n| matches!(n.op, Op::BatchNorm { .. })).all(|n| n.op == Op::BatchNorm { affine: false }));
    let shape = |name: &str| graph.nodes.iter().find(|n| n.name == name).unwrap().shape;
    assert_eq!(shape("cells.0.norm"), Features::new(4, 32, 32));
    assert_eq!(shape("cells.1.norm"), Features::new(8, 16, 16));
    assert_eq!(shape("cells.2.norm"), Features::new(16, 8, 8));
}

#[test]
fn the_space_has_as_many_architectures_as_its_decisions_allow() {
    let cell = (2u128 * 3 * 4 * 5 * 6).pow(2) * 8u128.pow(10);
    assert_eq!(SPACE.size(), Some(cell * cell));
}
