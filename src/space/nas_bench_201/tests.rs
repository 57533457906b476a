use super::*;
use crate::cost;
use crate::graph::{Features, Op, Options};
use std::collections::HashSet;

const SPACE: NasBench201 = NasBench201;

fn published() -> NetworkSettings {
    NetworkSettings { layers: LAYERS, ..NetworkSettings::default() }
}

fn small(size: usize, layers: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(1, size, size), channels: 4, layers, ..NetworkSettings::default() }
}

fn cell(text: &str) -> Architecture {
    SPACE.parse(text).unwrap()
}

#[test]
fn every_cell_round_trips_through_index_text_and_json() {
    let mut seen = HashSet::new();
    for index in 0..CELLS {
        let architecture = SPACE.architecture_of(index).unwrap();
        assert_eq!(SPACE.index_of(&architecture).unwrap(), index);
        let text = SPACE.print(&architecture);
        assert_eq!(SPACE.parse(&text).unwrap(), architecture);
        assert_eq!(SPACE.parse(&format!("#{index}")).unwrap(), architecture);
        assert_eq!(SPACE.parse(&SPACE.json(&architecture).to_string()).unwrap(), architecture);
        seen.insert(text);
    }
    assert_eq!((seen.len(), SPACE.size()), (15_625, Some(15_625)));
}

#[test]
fn indices_are_the_benchmarks() {
    for (index, text) in [
        (0, "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"),
        (1459, "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"),
        (1462, "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"),
        (1651, "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
        (15_624, "|nor_conv_1x1~0|+|none~0|nor_conv_1x1~1|+|none~0|nor_conv_1x1~1|nor_conv_1x1~2|"),
    ] {
        assert_eq!(SPACE.print(&SPACE.architecture_of(index).unwrap()), text);
        assert_eq!(SPACE.index_of(&cell(text)).unwrap(), index);
        assert_eq!(cell(&format!(" {index}\n")), cell(text));
    }
    let error = SPACE.architecture_of(15_625).unwrap_err().to_string();
    assert!(error.contains("no cell #15625: there are #0 to #15624"), "{error}");
}

#[test]
fn a_malformed_text_is_answered_with_the_place_and_what_would_do() {
    let end = "+|none~0|none~1|+|none~0|none~1|none~2|";
    for (text, said) in [
        ("", "character 1: expected `|` before the edges of node 1, found the end"),
        ("|none~0", "character 8: expected `|` after an edge, found the end"),
        ("|none~0|", "character 9: expected `+` before node 2, found the end"),
        ("|none~0||none~0|none~1|", "character 9: expected `+` before node 2, found `|none~0|none~1|`"),
        ("|none~1|", "character 6: expected `~0`, the node that this edge of node 1 reads, found `~1|`"),
        ("|none|", "character 6: expected `~0`"),
        ("|none~0|none~1|", "character 9: expected `+` before node 2"),
        ("|~0|", "character 2: expected the operation from node 0 to node 1"),
        (
            &format!("|nor_conv3x3~0|{end}"),
            "character 2: unknown operation `nor_conv3x3`: did you mean `nor_conv_3x3`?",
        ),
        (&format!("|noné~0|{end}"), "character 2: unknown operation `noné`: did you mean `none`?"),
        (&format!("|none~0|{}", end.replace("~1|+", "~0|+")), "character 22: expected `~1`"),
        (&format!("|none~0|{end}+|none~0|"), "character 48: expected nothing more, found `+|none~0|`"),
        ("nor_conv_3x3", "expected `|` before the edges of node 1, found `nor_conv_3x3`; write a cell as |op~0|+"),
        ("15625", "`15625` is no index: there are cells #0 to #15624"),
        ("#", "`#` is no index"),
        ("#-1", "`#-1` is no index"),
        ("#99999999999999999999999", "is no index"),
        ("{\"edge_0_1\": \"none\"}", "the edge `0_2` is missing"),
        ("{\"edge_0_1\": \"conv\"}", "edge `edge_0_1`: unknown operation `conv`: did you mean `nor_conv"),
        ("{\"edge_1_0\": \"none\"}", "unknown edge `edge_1_0` (known: 0_1, 0_2, 1_2"),
        ("{\"0_1\": \"none\", \"0_1\": \"none\"}", "the edge `0_1` is given twice"),
        ("(4, 0, 3, 1, 4, 3)", "a bare tuple does not say whose it is: write naslib:(…)"),
        (
            "naslib:(4, 0, 3, 1, 4, 5)",
            "expected 6 numbers from 0 to 4; write naslib:(4, 0, 3, 1, 4, 3): for the edges 1-2",
        ),
        ("naslib:(4, 0, 3, 1, 4)", "expected 6 numbers"),
        ("[(('none', 0),), (('none', 0), ('none', 0)), (('none', 0),)]", "expected a list of three nodes"),
    ] {
        let error = SPACE.parse(text).unwrap_err().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
    for answers in [vec![0; 5], vec![0, 0, 0, 0, 0, 5]] {
        assert!(matches!(SPACE.index_of(&Architecture { answers }), Err(SpaceError::Architecture { .. })));
    }
}

#[test]
fn the_network_is_as_published() {
    let graph = SPACE.decode(&cell("#1462"), &published()).unwrap();
    let find = |name: &str| graph.nodes.iter().find(|n| n.name == name).unwrap_or_else(|| panic!("no {name}"));
    let conv = |name: &str| match &find(name).op {
        Op::Conv(conv) => (conv.inputs, conv.outputs, conv.kernel[0], conv.stride[0], conv.bias),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!(conv("stem.0"), (3, 16, 3, 1, false));
    for (layer, channels) in [(5, 32), (11, 64)] {
        assert_eq!(conv(&format!("cells.{layer}.conv_a.op.1")), (channels / 2, channels, 3, 2, false));
        assert_eq!(conv(&format!("cells.{layer}.conv_b.op.1")), (channels, channels, 3, 1, false));
        assert_eq!(conv(&format!("cells.{layer}.downsample.1")), (channels / 2, channels, 1, 1, false));
        let pool = crate::graph::Pool::new(2, 2, 0);
        assert_eq!(find(&format!("cells.{layer}.downsample.0")).op, Op::AvgPool(pool));
    }
    assert_eq!(conv("cells.16.edges.3<-2.3.op.1"), (64, 64, 3, 1, false));
    assert_eq!(find("cells.16.nodes.3").shape, Features::new(64, 8, 8));
    assert_eq!(find("lastact.0").op, Op::BatchNorm { affine: true });
    assert!(graph.nodes.iter().all(|n| !n.name.starts_with("cells.17")));
    // The first row of the benchmark's table and the largest cell.
    assert_eq!(cost::parameters(&SPACE.decode(&cell("#0"), &published()).unwrap()).unwrap(), 129_306);
    assert_eq!(cost::parameters(&graph).unwrap(), 1_531_546);
}

#[test]
fn layers_are_spread_over_the_stages_and_the_first_get_what_is_left() {
    for (layers, residuals) in [(1, [1, 2]), (2, [1, 3]), (3, [1, 3]), (4, [2, 4]), (5, [2, 5]), (15, [5, 11])] {
        let graph = SPACE.supernet(&small(8, layers)).unwrap();
        let found: Vec<String> =
            graph.nodes.iter().filter_map(|n| n.name.strip_suffix(".conv_a.op.1").map(str::to_owned)).collect();
        assert_eq!(found, residuals.map(|layer| format!("cells.{layer}")), "{layers} layers");
        assert_eq!(graph.choices().len(), EDGES * layers);
    }
}

#[test]
fn the_supernet_has_one_table_that_all_cells_share() {
    let graph = SPACE.supernet(&small(8, 4)).unwrap();
    let tables = graph.tables().unwrap();
    assert_eq!((tables.len(), tables[0].name.as_str(), tables[0].rows), (1, "alphas", 6));
    assert_eq!(tables[0].options, Operation::ALL.map(Operation::name));
    for (node, choice) in graph.choices() {
        let edge = node.name.rsplit('.').next().unwrap();
        let expected = ["1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"][choice.row];
        assert_eq!(edge, expected);
        let Options::Operations(candidates) = &choice.options else { panic!("{:?}", choice.options) };
        for candidate in candidates {
            for inner in &candidate.graph.nodes {
                match &inner.op {
                    Op::BatchNorm { affine } => assert!(!affine, "{}", inner.name),
                    Op::Conv(conv) => assert!(conv.bias, "{}", inner.name),
                    _ => {}
                }
            }
        }
    }
    let sums = graph.nodes.iter().filter(|n| n.op == Op::Add && n.name.contains(".nodes.")).count();
    assert_eq!(sums, 2 * 4, "nodes 2 and 3 of each cell");
}

#[test]
fn a_cells_weights_are_called_as_in_the_supernet() {
    let supernet = SPACE.supernet(&small(8, 3)).unwrap().parameters();
    for index in [0, 1459, 1462, 15_624] {
        for parameter in SPACE.decode(&cell(&index.to_string()), &small(8, 3)).unwrap().parameters() {
            // The batch norms of edges are affine outside the search only.
            if !(parameter.name.contains(".edges.") && parameter.name.contains(".op.2.")) {
                let whole = supernet.iter().find(|p| p.name == parameter.name);
                assert_eq!(whole.map(|p| &p.shape), Some(&parameter.shape), "{}", parameter.name);
            }
        }
    }
}

#[test]
fn derive_takes_the_largest_weight_of_each_edge_and_none_can_win() {
    for index in [0, 1651, 7000] {
        let architecture = cell(&index.to_string());
        let mut weights = SPACE.settle(&architecture).unwrap();
        assert_eq!(SPACE.derive(&weights).unwrap(), architecture);
        assert_eq!(weights[0].values.iter().sum::<f32>(), 6.0);
        weights[0].values.iter_mut().for_each(|w| *w = 0.1 + 0.5 * *w);
        assert_eq!(SPACE.derive(&weights).unwrap(), architecture);
        weights[0].values[3] = f32::NAN;
        assert!(matches!(SPACE.derive(&weights), Err(SpaceError::Weights { .. })));
    }
}

#[test]
fn drop_path_is_on_every_edge_that_computes_something() {
    let text = "|nor_conv_3x3~0|+|skip_connect~0|none~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|";
    let drops = |drop_path| {
        let graph = SPACE.decode(&cell(text), &NetworkSettings { drop_path, ..small(8, 3) }).unwrap();
        graph.nodes.iter().filter(|n| n.op == Op::DropPath).count()
    };
    assert_eq!((drops(true), drops(false)), (3 * 3, 0));
}

#[test]
fn maps_are_halved_even_or_odd_and_refused_where_they_cannot_be() {
    for (size, last) in [(3, 1), (5, 2), (7, 2), (8, 2), (9, 3), (28, 7), (33, 9)] {
        for graph in [SPACE.supernet(&small(size, 3)).unwrap(), SPACE.decode(&cell("1459"), &small(size, 3)).unwrap()] {
            let shape = graph.nodes.iter().find(|n| n.name == "lastact.1").unwrap().shape;
            assert_eq!(shape, Features::new(16, last, last), "{size}");
        }
    }
    let error = SPACE.decode(&cell("1459"), &small(2, 15)).unwrap_err();
    assert!(matches!(error, SpaceError::ImageTooSmall { layer: 11, layers: 17, .. }), "{error}");
    assert!(matches!(SPACE.supernet(&small(1, 3)), Err(SpaceError::ImageTooSmall { layer: 1, layers: 5, .. })));
    let with_head = NetworkSettings { auxiliary: true, ..small(8, 3) };
    assert!(matches!(SPACE.decode(&cell("0"), &with_head), Err(SpaceError::NoAuxiliary { .. })));
}

#[test]
fn a_cell_is_drawn_from_its_one_input_to_its_last_node() {
    let [plan] = &SPACE.cells(&cell("1459"))[..] else { panic!("one kind of cell") };
    let diagram = plan.diagram("").unwrap();
    let arrows: Vec<(&str, &str, &str)> = diagram
        .edges
        .iter()
        .map(|e| (diagram.boxes[e.from].label.as_str(), diagram.boxes[e.to].label.as_str(), e.label.as_str()))
        .collect();
    assert_eq!(
        arrows,
        [
            ("c_{k-1}", "1", "nor_conv_3x3"),
            ("c_{k-1}", "2", "nor_conv_1x1"),
            ("1", "2", "nor_conv_3x3"),
            ("c_{k-1}", "3", "skip_connect"),
            ("1", "3", "nor_conv_1x1"),
            ("2", "3", "nor_conv_3x3"),
            ("3", "c_{k}", ""),
        ]
    );
}

#[test]
fn a_cell_is_read_in_all_forms_and_written_in_them() {
    let text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|";
    let wanted = SPACE.parse(text).unwrap();
    let forms = SPACE.forms(&wanted);
    let form = |name: &str| forms.iter().find(|form| form.name == name).unwrap().text.clone().unwrap();
    assert_eq!(form("nas-bench-201"), text);
    let nni = "{\"0_1\": \"conv_3x3\", \"0_2\": \"none\", \"1_2\": \"avg_pool_3x3\", \"0_3\": \"skip_connect\", \"1_3\": \
               \"conv_1x1\", \"2_3\": \"conv_3x3\"}";
    assert_eq!(form("nni"), nni);
    assert_eq!(form("naslib"), "naslib:(2, 1, 0, 4, 3, 2)");
    for given in [
        form("nni"),
        form("naslib"),
        form("autodl"),
        form("index"),
        format!("['{text}']"),
        format!("\"{text}\""),
        format!("2020-05-01 genotype: {text}\n"),
        format!("Structure(4 nodes with {text})"),
        text.replace("+|", "+\n  |"),
        text.replace("~1|", "~1 | "),
        form("nni").replace('"', "'"),
        "{'2_3': 'conv_3x3', '1_3': 'conv_1x1', '0_3': 'skip_connect', '1_2': 'avg_pool_3x3', '0_2': 'none', '0_1': \
         'conv_3x3'}"
            .into(),
        " naslib : (2,1,0,4,3,2)".replace(" : ", ":"),
    ] {
        assert_eq!(SPACE.parse(&given).unwrap(), wanted, "{given}");
    }
    let two = format!("['{text}', '{}']", text.replace("none", "skip_connect"));
    assert!(SPACE.parse(&two).unwrap_err().to_string().contains("the text holds 2 cells"));
}

#[test]
fn edges_have_the_published_names_of_a_list() {
    let named = |layer: &str| NasBench201.published_layer(layer);
    for (edge, place) in ["1<-0", "2<-0", "2<-1", "3<-0", "3<-1", "3<-2"].into_iter().zip(0..) {
        assert_eq!(named(&format!("cells.4.edges.{edge}.3.op.1")), format!("cells.4.layers.{place}.op.1"));
    }
    assert_eq!(named("cells.5.conv_a.op.1"), "cells.5.conv_a.op.1");
    assert_eq!(named("cells.5.edges.7<-9.3.op.1"), "cells.5.edges.7<-9.3.op.1");
}
