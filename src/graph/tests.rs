use super::*;

#[test]
fn shapes_follow_the_operations() {
    let mut graph = Graph::new(&[Features::new(3, 32, 32)]);
    let conv = graph.push("stem.0", Op::Conv(Conv::square(3, 8, 3, 2)), &[0]).unwrap();
    assert_eq!(graph.shape(conv), Features::new(8, 16, 16));
    let pool = Pool::new(5, 3, 0);
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
        Op::Choice(Choice::new(
            "alphas",
            row,
            Options::Operations(vec![candidate("relu", Op::Relu), candidate(skip, Op::Identity)]),
        ))
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

#[test]
fn what_cannot_be_addressed_is_refused() {
    let mut graph = Graph::new(&[Features::new(1, 1 << 31, 1 << 31)]);
    let error = graph.push("wide", Op::Conv(Conv::square(1, 4, 1, 1)), &[0]).unwrap_err().to_string();
    assert!(error.contains("too many values to address"), "{error}");
    let mut graph = Graph::new(&[Features::new(4, 1 << 31, 1 << 31)]);
    let error = graph.push("fc", Op::Linear { outputs: 1, bias: false }, &[0]).unwrap_err().to_string();
    assert!(error.contains("cannot read"), "{error}");
}

#[test]
fn parameters_are_listed_by_full_name_candidates_included() {
    let x = Features::new(4, 8, 8);
    let mut inner = Graph::new(&[x]);
    let conv = inner.push("mixed.0.conv", Op::Conv(Conv::depthwise(4, 3, 1, 1)), &[0]).unwrap();
    inner.output("", conv);
    let options = Options::Operations(vec![Candidate { label: "conv".into(), graph: inner }]);
    let mut graph = Graph::new(&[x]);
    let mixed = graph.push("mixed", Op::Choice(Choice::new("alphas", 0, options)), &[0]).unwrap();
    let norm = graph.push("bn", Op::BatchNorm { affine: true }, &[mixed]).unwrap();
    let plain = graph.push("", Op::BatchNorm { affine: false }, &[norm]).unwrap();
    graph.push("fc", Op::Linear { outputs: 3, bias: true }, &[plain]).unwrap();
    let listed: Vec<(String, Vec<usize>)> = graph.parameters().into_iter().map(|p| (p.name, p.shape)).collect();
    let named = |name: &str, shape: &[usize]| (name.to_owned(), shape.to_vec());
    assert_eq!(
        listed,
        [
            named("mixed.0.conv.weight", &[4, 1, 3, 3]),
            named("bn.weight", &[4]),
            named("bn.bias", &[4]),
            named("fc.weight", &[3, 256]),
            named("fc.bias", &[3]),
        ]
    );
}

#[test]
fn choices_of_width_share_a_row_if_they_are_multiples_of_each_other() {
    let tables = |second: &[usize]| {
        let mask = |widths: &[usize]| Op::Choice(Choice::new("alphas", 0, Options::Widths(widths.to_vec())));
        let mut graph = Graph::new(&[Features::new(8, 2, 2), Features::new(24, 2, 2)]);
        graph.push("narrow", mask(&[8, 4]), &[0]).unwrap();
        graph.push("wide", mask(second), &[1]).unwrap();
        graph.tables()
    };
    assert_eq!(tables(&[24, 12]).unwrap()[0].options, ["8", "4"]);
    for other in [&[24, 8][..], &[12, 24], &[24], &[24, 12, 6], &[24, 13]] {
        assert!(matches!(tables(other), Err(GraphError::Table { .. })), "{other:?}");
    }
}
