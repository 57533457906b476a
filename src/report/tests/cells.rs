use super::*;

#[test]
fn a_cell_as_text() {
    let [normal, _] = darts_v2();
    insta::assert_snapshot!(text::write(&normal.diagram("normal").unwrap()).unwrap(), @r#"
    normal
      c_{k-2}
      c_{k-1}
      0
        sep_conv_3x3  from c_{k-2}
        sep_conv_3x3  from c_{k-1}
      1
        sep_conv_3x3  from c_{k-2}
        sep_conv_3x3  from c_{k-1}
      2
        sep_conv_3x3  from c_{k-1}
        skip_connect  from c_{k-2}
      3
        skip_connect  from c_{k-2}
        dil_conv_3x3  from 0
      c_{k}
        from 0, 1, 2, 3
    "#);
}

#[test]
fn a_cell_as_dot() {
    let small = CellPlan {
        name: String::new(),
        inputs: 2,
        edges: vec![(0, 0, SKIP.into()), (1, 0, S3.into())],
        nodes: 1,
        concat: vec![2],
    };
    insta::assert_snapshot!(dot::write(&small.diagram("normal").unwrap()), @r##"
    digraph {
      rankdir=LR;
      label="normal"; labelloc=t;
      node [shape=box, style="rounded,filled", fontname="Helvetica"];
      edge [fontname="Helvetica", fontsize=11];
      n0 [label="c_{k-2}", color="#7b8794", fillcolor="#eef1f4"];
      n1 [label="c_{k-1}", color="#7b8794", fillcolor="#eef1f4"];
      n2 [label="0", color="#52606d", fillcolor="#ffffff"];
      n3 [label="c_{k}", color="#7b8794", fillcolor="#e1e6eb"];
      n0 -> n2 [label="skip_connect", color="#cc79a7", fontcolor="#86345f", style=dashed];
      n1 -> n2 [label="sep_conv_3x3", color="#0072b2", fontcolor="#00476f"];
      n2 -> n3 [color="#a3adb8", fontcolor="#52606d"];
    }
    "##);
}

#[test]
fn arrows_carry_the_colour_of_their_operation() {
    let [normal, reduction] = darts_v2().map(|cell| cell.diagram("").unwrap());
    let kinds = |d: &Diagram| d.edges.iter().take(8).map(|e| e.kind).collect::<Vec<_>>();
    use Kind::*;
    assert_eq!(kinds(&normal), [Separable, Separable, Separable, Separable, Separable, Skip, Skip, Dilated]);
    assert_eq!(kinds(&reduction), [Pooling, Pooling, Skip, Pooling, Pooling, Skip, Skip, Pooling]);
    for (name, kind) in
        [("nor_conv_1x1", Convolution), ("none", None), ("dil_conv_5x5", Dilated), ("relu", Elementwise)]
    {
        assert_eq!(Kind::of_operation(name), kind, "{name}");
    }
}

#[test]
fn a_cell_that_reads_the_future_is_refused() {
    let wrong =
        CellPlan { name: String::new(), inputs: 2, edges: vec![(2, 0, SKIP.into())], nodes: 1, concat: vec![2] };
    assert_eq!(
        wrong.diagram("").unwrap_err().to_string(),
        "edge 0 of the cell (skip_connect) goes from state 2 to node 0: nodes are 0..1, and node i reads states 0..i+2 (0 and 1 are the cell's inputs, 2+i is node i)"
    );
    let wrong = CellPlan { name: String::new(), inputs: 2, edges: vec![], nodes: 1, concat: vec![3] };
    assert_eq!(
        wrong.diagram("").unwrap_err().to_string(),
        "the cell's output reads state 3, but it has only 3 states, numbered from 0 (0 and 1 are its inputs)"
    );
}
