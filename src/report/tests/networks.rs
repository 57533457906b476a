use super::*;
use network::{Detail, diagram};

fn labels(diagram: &Diagram) -> Vec<&str> {
    diagram.boxes.iter().map(|b| b.label.as_str()).collect()
}

#[test]
fn a_cell_is_one_box_with_its_shape() {
    insta::assert_snapshot!(text::write(&diagram(&network(3, true), "supernet", Detail::Groups(2)).unwrap()).unwrap(), @r#"
    supernet
      input  (3×32×32)
      stem  (16×32×32, 2 operations)
        from input
      cells.0  (16×32×32, 8 operations, 2 choice points, each of: none, max_pool_3x3, sep_conv_3x3, dil_conv_5x5)
        from stem
      cells.1  (32×16×16, 8 operations, 2 choice points, each of: none, max_pool_3x3, sep_conv_3x3, dil_conv_5x5)
        from stem, cells.0
      cells.2  (64×8×8, 8 operations, 2 choice points, each of: none, max_pool_3x3, sep_conv_3x3, dil_conv_5x5)
        from cells.0, cells.1
      auxiliary_head.features  (64×1×1, 2 operations)
        from cells.2
      global_avg_pool  (global_pooling, 64×1×1)
        from cells.2
      linear  (auxiliary_head.classifier, 10×1×1)
        from auxiliary_head.features
      linear  (classifier, 10×1×1)
        from global_avg_pool
      auxiliary  (10×1×1)
        from linear (auxiliary_head.classifier)
      logits  (10×1×1)
        from linear (classifier)
    "#);
}

#[test]
fn a_network_of_twenty_cells_stays_legible() {
    let drawn = diagram(&network(20, false), "", Detail::Groups(2)).unwrap();
    assert_eq!(drawn.boxes.len(), 1 + 1 + 20 + 2 + 2 + 2, "input, stem, cells, auxiliary head, classifier, outputs");
    let reductions: Vec<&str> =
        drawn.boxes.iter().filter(|b| b.kind == Kind::Reduction).map(|b| b.label.as_str()).collect();
    assert_eq!(reductions, ["cells.6", "cells.13", "auxiliary_head.features"]);
    let skips = drawn.edges.iter().filter(|e| e.to == e.from + 2).count();
    assert!(skips >= 18, "each cell also reads the one before the last");
}

#[test]
fn all_operations_are_shown_on_demand() {
    let graph = network(3, true);
    let drawn = diagram(&graph, "", Detail::Operations).unwrap();
    assert_eq!(drawn.boxes.len(), graph.nodes.len() + graph.outputs.len());
    let edges: usize = graph.nodes.iter().map(|n| n.inputs.len()).sum();
    assert_eq!(drawn.edges.len(), edges + graph.outputs.len());
    let choice = drawn.boxes.iter().find(|b| b.kind == Kind::Choice).unwrap();
    assert_eq!(choice.label, "choice alphas_normal [0]");
    assert_eq!(choice.details[1..], ["16×32×32", "none, max_pool_3x3,", "sep_conv_3x3, dil_conv_5x5"]);
}

#[test]
fn depth_says_how_much_is_shown() {
    let graph = network(3, false);
    let whole = diagram(&graph, "", Detail::Groups(0)).unwrap();
    assert_eq!(labels(&whole), ["input", "network", "auxiliary", "logits"]);
    let stages = diagram(&graph, "", Detail::Groups(1)).unwrap();
    assert_eq!(labels(&stages)[..4], ["input", "stem", "cells", "auxiliary_head"]);
}

#[test]
fn names_that_come_back_do_not_make_circles() {
    let mut graph = Graph::new(&[Features::new(1, 4, 4)]);
    let mut last = 0;
    for name in ["a.0", "b.0", "a.1", "b.1"] {
        last = graph.push(name, Op::Relu, &[last]).unwrap();
    }
    graph.output("y", last);
    let drawn = diagram(&graph, "", Detail::Groups(1)).unwrap();
    assert_eq!(drawn.boxes.len(), 6);
    assert!(svg::draw(&drawn).is_ok());
}

#[test]
fn a_large_network_is_drawn_all_the_same() {
    let drawn = diagram(&network(60, false), "", Detail::Operations).unwrap();
    assert!(drawn.boxes.len() > 480);
    assert!(roxmltree::Document::parse(&svg::draw(&drawn).unwrap()).is_ok());
}
