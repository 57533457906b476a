use super::*;

const CHANNELS: usize = 6;

fn built(primitive: Primitive, size: (usize, usize), stride: usize, variant: Variant) -> (Graph, Features) {
    let mut graph = Graph::new(&[Features::new(CHANNELS, size.0, size.1)]);
    let last = primitive.append(&mut graph, "p", 0, stride, variant).unwrap();
    let shape = graph.shape(last);
    (graph, shape)
}

#[test]
fn all_primitives_agree_on_shapes() {
    for primitive in Primitive::ALL {
        for variant in [Variant::Search, Variant::Evaluation] {
            for size in [(1, 1), (2, 3), (7, 7), (8, 8), (5, 12)] {
                let (_, same) = built(primitive, size, 1, variant);
                assert_eq!(same, Features::new(CHANNELS, size.0, size.1), "{primitive}");
                let (_, halved) = built(primitive, size, 2, variant);
                assert_eq!(halved, Features::new(CHANNELS, size.0.div_ceil(2), size.1.div_ceil(2)), "{primitive}");
            }
        }
    }
}

#[test]
fn parameters_are_those_of_the_definitions() {
    let c = CHANNELS as u64;
    let separable = |k: u64| 2 * (c * k * k + c * c);
    for (primitive, stride, search, norms) in [
        (Primitive::None, 1, 0, 0),
        (Primitive::Noise, 2, 0, 0),
        (Primitive::MaxPool3x3, 2, 0, 0),
        (Primitive::AvgPool3x3, 1, 0, 0),
        (Primitive::SkipConnect, 1, 0, 0),
        (Primitive::SkipConnect, 2, c * c, 1),
        (Primitive::SepConv3x3, 1, separable(3), 2),
        (Primitive::SepConv5x5, 2, separable(5), 2),
        (Primitive::SepConv7x7, 1, separable(7), 2),
        (Primitive::DilConv3x3, 1, separable(3) / 2, 1),
        (Primitive::DilConv5x5, 2, separable(5) / 2, 1),
        (Primitive::Conv3x1Then1x3, 2, 2 * 3 * c * c, 1),
        (Primitive::Conv7x1Then1x7, 2, 2 * 7 * c * c, 1),
    ] {
        let count = |variant| cost::parameters(&built(primitive, (8, 8), stride, variant).0).unwrap();
        assert_eq!(count(Variant::Search), search, "{primitive}");
        assert_eq!(count(Variant::Evaluation), search + norms * 2 * c, "{primitive}");
    }
}

#[test]
fn pools_are_normalised_in_search_only_and_do_not_count_padding() {
    for primitive in [Primitive::MaxPool3x3, Primitive::AvgPool3x3] {
        let ops = |variant| -> Vec<(String, &'static str)> {
            built(primitive, (8, 8), 2, variant).0.nodes[1..].iter().map(|n| (n.name.clone(), n.op.name())).collect()
        };
        let pool = if primitive == Primitive::MaxPool3x3 { "max_pool" } else { "avg_pool" };
        assert_eq!(ops(Variant::Search), [("p.0".into(), pool), ("p.1".into(), "batch_norm")]);
        assert_eq!(ops(Variant::Evaluation), [("p".into(), pool)]);
    }
    let (graph, _) = built(Primitive::AvgPool3x3, (8, 8), 1, Variant::Evaluation);
    assert!(matches!(graph.nodes[1].op, Op::AvgPool(pool) if !pool.count_padding && pool.padding == 1));
}

#[test]
fn batch_norms_are_affine_outside_the_search_only() {
    for primitive in Primitive::ALL {
        for (variant, wanted) in [(Variant::Search, false), (Variant::Evaluation, true)] {
            let (graph, _) = built(primitive, (8, 8), 2, variant);
            let affine = graph.nodes.iter().filter_map(|n| match n.op {
                Op::BatchNorm { affine } => Some(affine),
                _ => None,
            });
            assert!(affine.into_iter().all(|a| a == wanted), "{primitive}");
        }
    }
}

#[test]
fn halving_an_odd_number_of_channels_is_refused() {
    let mut graph = Graph::new(&[Features::new(5, 8, 8)]);
    let error = Primitive::SkipConnect.append(&mut graph, "edge", 0, 2, Variant::Search).unwrap_err();
    assert!(matches!(error, SpaceError::OddChannels { channels: 5, .. }));
    assert!(error.to_string().contains("use an even number of channels"));
    assert!(Primitive::SkipConnect.append(&mut graph, "edge", 0, 1, Variant::Search).is_ok());
}

#[test]
fn the_shifted_half_reads_one_row_and_column_further() {
    let (graph, _) = built(Primitive::SkipConnect, (7, 8), 2, Variant::Search);
    let node = graph.nodes.iter().find(|n| n.name == "p.conv_2").unwrap();
    let Op::Conv(conv) = &node.op else { panic!("not a convolution") };
    assert_eq!(conv.padding, crate::graph::Padding { top: -1, left: -1, bottom: 1, right: 0 });
    assert_eq!(conv.stride, [2, 2]);
}

#[test]
fn names_round_trip_and_a_wrong_one_is_corrected() {
    for primitive in Primitive::ALL {
        assert_eq!(primitive.name().parse::<Primitive>().unwrap(), primitive);
        let json = serde_json::to_string(&primitive).unwrap();
        assert_eq!(serde_json::from_str::<Primitive>(&json).unwrap(), primitive);
    }
    let error = "sep_conv3x3".parse::<Primitive>().unwrap_err().to_string();
    assert!(error.contains("did you mean `sep_conv_3x3`?"), "{error}");
}
