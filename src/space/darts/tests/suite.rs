use super::*;
use crate::space::darts::suite::{Operations, deep, single_cell, wide};
use crate::space::{Size, find};

const ALL: [Operations; 3] = [Operations::Regular, Operations::NoSkip, Operations::AllSkip];

fn of(Size { channels, layers }: Size) -> NetworkSettings {
    settings(channels, layers, 32)
}

/// A supernet's size as published, without its architecture weights.
#[test]
fn supernets_have_their_published_sizes() {
    let spaces = [
        (wide as fn(Operations) -> Darts, [1_399_168, 1_347_328, 1_451_008]),
        (deep, [991_392, 983_552, 999_232]),
        (single_cell, [1_002_960, 959_696, 1_046_224]),
    ];
    for (space, sizes) in spaces {
        for (operations, wanted) in ALL.into_iter().zip(sizes) {
            let space = space(operations);
            let graph = space.supernet(&of(space.published().supernet)).unwrap();
            assert_eq!(cost::parameters(&graph).unwrap(), wanted, "{} {operations:?}", space.name());
        }
    }
}

#[test]
fn cells_reduce_where_they_were_published_to() {
    let reducing = |space: &Darts| {
        let size = space.published().supernet;
        let graph = space.supernet(&of(size)).unwrap();
        let table = |cell: usize| {
            let inside = |name: &str| name.starts_with(&format!("cells.{cell}."));
            graph.choices().into_iter().find(|(node, _)| inside(&node.name)).unwrap().1.table.clone()
        };
        (0..size.layers).filter(|&cell| table(cell) == "alphas_reduce").collect::<Vec<_>>()
    };
    assert_eq!(reducing(&wide(Operations::Regular)), [1, 2]);
    assert_eq!(reducing(&deep(Operations::Regular)), [6, 12]);
    assert_eq!(reducing(&single_cell(Operations::Regular)), [0]);
}

#[test]
fn a_single_cell_joins_its_last_nodes_and_is_all_there_is_to_decide() {
    let space = single_cell(Operations::Regular);
    let graph = space.supernet(&of(space.published().supernet)).unwrap();
    assert_eq!(graph.choices().len(), 44);
    let tables: Vec<_> = graph.tables().unwrap().into_iter().map(|t| (t.name, t.rows)).collect();
    assert_eq!(tables, [("alphas_reduce".to_owned(), 44)]);
    let joined = graph.nodes.iter().find(|n| n.name == "cells.0.concat").unwrap();
    assert_eq!((joined.inputs.len(), joined.shape), (4, Features::new(4 * 52, 16, 16)));
    // Whatever number of cells is asked for.
    assert_eq!(graph, space.supernet(&settings(26, 20, 32)).unwrap());
    assert!(space.decisions().iter().all(|decision| decision.name.starts_with("reduce_")));
    let architecture = space.random(&mut Random::new(1, 0));
    let genotype = space.genotype(&architecture).unwrap();
    assert_eq!((&genotype.normal, &genotype.reduce.concat[..]), (&genotype.reduce, &[6, 7, 8, 9][..]));
    assert_eq!(space.cells(&architecture).iter().map(|cell| cell.name.as_str()).collect::<Vec<_>>(), ["reduce"]);
    assert_eq!(space.operations(&architecture).len(), 16);
    let other = Genotype { normal: published("DARTS_V2").normal, ..genotype.clone() };
    assert_eq!(space.parse(&other.to_string()).unwrap(), architecture);
    let error = space.parse(&genotype.to_string().replace("[6, 7, 8, 9]", "[2, 3, 4, 5]")).unwrap_err().to_string();
    assert!(error.contains("joins states [2, 3, 4, 5], not its last 4 nodes"), "{error}");
}

#[test]
fn a_skip_stands_beside_each_edge_in_derived_networks_too() {
    let [plain, skips] = [Operations::Regular, Operations::AllSkip].map(wide);
    let wanted = NetworkSettings { drop_path: true, ..settings(4, 4, 16) };
    let beside = |graph: &Graph| {
        let of = |n: &&crate::graph::Node| n.name.contains("._auxiliary.");
        let ends = |n: &&crate::graph::Node| n.op == Op::Identity || n.name.ends_with(".bn");
        graph.nodes.iter().filter(of).filter(ends).map(|n| n.name.clone()).collect::<Vec<_>>()
    };
    let architecture = plain.parse("DARTS_V2").unwrap();
    let [without, with] = [&plain, &skips].map(|space| space.decode(&architecture, &wanted).unwrap());
    assert_eq!((beside(&without).len(), beside(&with).len()), (0, 4 * 8));
    let node = with.nodes.iter().find(|n| n.name == "cells.0.states.2").unwrap();
    assert_eq!(node.inputs.len(), 4, "two edges and their skips");
    assert_eq!(with, skips.decode_text("DARTS_V2", &wanted).unwrap());
    // Reduction cells: six edges that read the inputs. Of 8 and of 16 channels, with a scale and a shift.
    let inputs = published("DARTS_V2").reduce.edges().filter(|edge| edge.input < CELL_INPUTS).count() as u64;
    let more = cost::parameters(&with).unwrap() - cost::parameters(&without).unwrap();
    assert_eq!(more, inputs * (8 * 8 + 2 * 8 + 16 * 16 + 2 * 16));
    // An edge that is left out has none.
    let text = "Genotype(normal=[('none', 0), ('skip_connect', 1)], normal_concat=[2], \
                reduce=[('max_pool_3x3', 0), ('none', 1)], reduce_concat=[2])";
    assert_eq!(beside(&skips.decode_text(text, &settings(4, 4, 16)).unwrap()).len(), 4);
}

#[test]
fn edges_of_a_node_are_found_where_skips_stand_beside_them() {
    let graph = wide(Operations::AllSkip).supernet(&settings(8, 4, 16)).unwrap();
    let (partial, edges) = graph.partial(4).unwrap();
    assert_eq!(edges.iter().map(|e| e.edges.len()).collect::<Vec<_>>(), [2, 3, 4, 5, 2, 3, 4, 5]);
    assert_eq!(partial.shape(partial.outputs[0].node), Features::new(10, 1, 1));
    assert!(graph.fuse().0.nodes.iter().any(|n| matches!(n.op, Op::Fused(_))));
}

#[test]
fn what_is_on_the_edges_is_a_setting() {
    let named = |text: &str| {
        let settings = text.parse().unwrap();
        crate::space::SpaceConfig { name: "darts-deep".into(), settings }.build()
    };
    assert_eq!(named("operations = 'no_skip'").unwrap().edge_primitives().len(), 6);
    assert_eq!(named("").unwrap().edge_primitives(), find("darts-wide").unwrap().edge_primitives());
    let error = named("operations = 'noskip'").err().unwrap().to_string();
    assert!(error.contains("no_skip") && error.contains("all_skip"), "{error}");
}
