use super::*;

#[test]
fn shapes_follow_the_operations() {
    let mut graph = Graph::new(&[Features::new(3, 32, 32)]);
    let conv = graph.push("stem.0", Op::Conv(Conv::square(3, 8, 3, 2)), &[0]).unwrap();
    assert_eq!(graph.shape(conv), Features::new(8, 16, 16));
    let pool = Pool { kernel: 5, stride: 3, padding: 0, count_padding: false };
    let pooled = graph.push("", Op::AvgPool(pool), &[conv]).unwrap();
    assert_eq!(graph.shape(pooled), Features::new(8, 4, 4));
    let both = graph.push("", Op::Concat, &[pooled, pooled]).unwrap();
    assert_eq!(graph.shape(both), Features::new(16, 4, 4));
}

#[test]
fn a_shift_is_a_negative_padding() {
    let mut graph = Graph::new(&[Features::new(4, 7, 8)]);
    let conv = Conv { padding: Padding { top: -1, left: -1, bottom: 1, right: 0 }, ..Conv::square(4, 2, 1, 2) };
    let node = graph.push("conv_2", Op::Conv(conv), &[0]).unwrap();
    assert_eq!(graph.shape(node), Features::new(2, 4, 4));
}

#[test]
fn what_does_not_fit_is_named() {
    let mut graph = Graph::new(&[Features::new(3, 2, 2)]);
    let error = graph.push("aux", Op::Conv(Conv { padding: Padding::same(0), ..Conv::square(3, 8, 3, 1) }), &[0]);
    assert_eq!(error.unwrap_err().to_string(), "aux: conv kernel 3x3 (dilation 1) does not fit into 3x2x2");
    let error = graph.push("", Op::Conv(Conv::square(4, 8, 3, 1)), &[0]).unwrap_err();
    assert_eq!(error.to_string(), "node 1: conv expects 4 channels, got 3x2x2");
}

#[test]
fn choice_points_share_tables() {
    let x = Features::new(4, 8, 8);
    let candidate = |label: &str, op: Op| {
        let mut graph = Graph::new(&[x]);
        let node = graph.push("", op, &[0]).unwrap();
        graph.output("", node);
        Candidate { label: label.into(), graph }
    };
    let choice = |row, skip: &str| {
        Op::Choice(Choice {
            table: "alphas".into(),
            row,
            options: Options::Operations(vec![candidate("relu", Op::Relu), candidate(skip, Op::Identity)]),
        })
    };
    let mut graph = Graph::new(&[x]);
    let first = graph.push("a", choice(0, "skip"), &[0]).unwrap();
    graph.push("b", choice(2, "skip"), &[first]).unwrap();
    let tables = graph.tables().unwrap();
    assert_eq!(tables.len(), 1);
    assert_eq!((tables[0].rows, tables[0].options.len()), (3, 2));
    graph.push("c", choice(1, "other"), &[first]).unwrap();
    assert!(matches!(graph.tables(), Err(GraphError::Table { .. })));
}
