use super::*;
use crate::space::darts::robust::spaces;
use Primitive::{AvgPool3x3, DilConv3x3, DilConv5x5, MaxPool3x3, Noise, None, SepConv3x3, SkipConnect};

/// RobustDARTS' S4 as PC-DARTS searched it (SmoothDARTS' `genotypes.py`).
const S4_PC_DARTS: &str = "c10_s4_pcdarts = Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), \
    ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('noise', 3)], \
    normal_concat=range(2, 6), reduce=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), \
    ('sep_conv_3x3', 3), ('sep_conv_3x3', 1), ('sep_conv_3x3', 2), ('sep_conv_3x3', 0)], reduce_concat=range(2, 6))";

/// Weights of a space's tables: so much for (table, row, option), little for all else.
fn weights(space: &Darts, heavy: &[(usize, usize, usize, f32)]) -> Vec<TableWeights> {
    let table = |(number, sets): (usize, &EdgeSets)| {
        let (rows, options) = (space.edges(), sets.options());
        let mut values = vec![0.01; rows * options];
        for &(_, row, option, weight) in heavy.iter().filter(|&&(table, ..)| table == number) {
            values[row * options + option] = weight;
        }
        TableWeights { name: sets.table().into(), rows, options, values }
    };
    space.cells.iter().enumerate().map(table).collect()
}

#[test]
fn edges_have_the_published_primitives() {
    let [s1, s2, s3, s4] = spaces();
    let (k, m, a, s, d, e) = (SkipConnect, MaxPool3x3, AvgPool3x3, SepConv3x3, DilConv3x3, DilConv5x5);
    let normal = [[k, d], [k, e], [k, e], [k, s], [k, d], [m, k], [k, s]];
    let reduce = [[m, a], [m, d], [m, a], [m, a], [k, e], [m, a], [m, s]];
    for (sets, (first, last)) in s1.cells.iter().zip([(normal, [[d, e], [d, e]]), (reduce, [[k, e], [k, e]])]) {
        assert!(sets.edges[..7].iter().eq(&first) && sets.edges[12..].iter().eq(&last), "{}", sets.kind());
    }
    for (space, set) in [(&s2, vec![k, s]), (&s3, vec![None, k, s]), (&s4, vec![Noise, s])] {
        assert!(space.cells.iter().all(|sets| sets.edges.len() == 14 && sets.edges.iter().all(|edge| *edge == set)));
    }
    // Which edges stay in each of two cells, and one of two operations on each of the 16: `none` is not one of them.
    assert!(spaces().iter().all(|space| space.size() == Some((180 * 180) << 16)));
}

#[test]
fn a_table_names_what_its_rows_share_a_place_for() {
    let [s1, ..] = spaces();
    let graph = s1.supernet(&settings(4, 3, 16)).unwrap();
    let tables = graph.tables().unwrap();
    assert_eq!(
        tables[0].options,
        ["skip_connect|max_pool_3x3|dil_conv_3x3", "dil_conv_3x3|dil_conv_5x5|sep_conv_3x3|skip_connect"]
    );
    assert!(tables.iter().all(|table| table.rows == 14));
    // Candidates are called what they are.
    let of = |row: usize| {
        let chosen =
            graph.choices().into_iter().find(|(_, choice)| choice.table == "alphas_normal" && choice.row == row);
        chosen.unwrap().1.options.labels()
    };
    assert_eq!(
        (of(5), of(13)),
        (
            ["max_pool_3x3", "skip_connect"].map(String::from).to_vec(),
            ["dil_conv_3x3", "dil_conv_5x5"].map(String::from).to_vec()
        )
    );
    let mut other = graph.clone();
    other.declared[0].options[0] = "skip_connect|max_pool_3x3".into();
    assert!(other.tables().is_err(), "edge 12 has `dil_conv_3x3`");
}

#[test]
fn an_answer_means_what_stands_at_its_place_on_its_edge() {
    let [s1, ..] = spaces();
    // Node 1 reads states 2 and 1, node 3 states 4 and 3.
    let found = s1.derive(&weights(&s1, &[(0, 4, 1, 0.9), (0, 3, 1, 0.8), (0, 13, 0, 0.9), (0, 12, 1, 0.8)])).unwrap();
    let genotype = s1.genotype(&found).unwrap();
    let edge = |primitive, input| Edge { primitive, input };
    assert_eq!(genotype.normal.nodes[1], [edge(DilConv3x3, 2), edge(SepConv3x3, 1)]);
    assert_eq!(genotype.normal.nodes[3], [edge(DilConv3x3, 4), edge(DilConv5x5, 3)]);
    let settled = s1.settle(&found).unwrap();
    assert_eq!(
        (settled[0].row(4), settled[0].row(12), settled[0].row(10)),
        (&[0.0, 1.0][..], &[0.0, 1.0][..], &[0.0; 2][..])
    );
    // Of equal edges the earlier comes first.
    let again = s1.genotype(&s1.derive(&settled).unwrap()).unwrap();
    assert_eq!(again.normal.nodes[1], [edge(SepConv3x3, 1), edge(DilConv3x3, 2)]);
    // No other edge's primitive is one of an edge.
    let text = s1.print(&found).replacen("('dil_conv_5x5', 3)", "('skip_connect', 3)", 1);
    let error = s1.parse(&text).unwrap_err().to_string();
    assert!(error.contains("uses `skip_connect`, not one of dil_conv_3x3, dil_conv_5x5"), "{error}");
}

#[test]
fn deriving_passes_over_none_but_not_over_noise() {
    let [_, _, s3, s4] = spaces();
    for (space, wanted) in [(s3, SkipConnect), (s4, Noise)] {
        let found = space.derive(&weights(&space, &[(0, 0, 0, 0.9), (0, 1, 1, 0.5)])).unwrap();
        let node = &space.genotype(&found).unwrap().normal.nodes[0];
        let first = node.iter().find(|edge| edge.input == 0).unwrap();
        assert_eq!(first.primitive, wanted);
        assert_eq!(node[0].input, usize::from(wanted == SkipConnect), "`none` makes no edge strong");
    }
}

#[test]
fn cells_with_noise_are_read_and_learn_as_much_as_without() {
    let genotype = Genotype::read(S4_PC_DARTS).unwrap();
    let parameters =
        |genotype: &Genotype| cost::parameters(&evaluation_network(genotype, &settings(36, 20, 32)).unwrap()).unwrap();
    assert_eq!(parameters(&genotype), PARAMETERS);
    let pooled = Genotype::read(&S4_PC_DARTS.replace("noise", "max_pool_3x3")).unwrap();
    assert_eq!(parameters(&pooled), PARAMETERS);
    let [.., s4] = spaces();
    let architecture = s4.parse(S4_PC_DARTS).unwrap();
    assert_eq!(s4.genotype(&architecture).unwrap(), genotype);
    assert!(spaces()[1].parse(S4_PC_DARTS).unwrap_err().to_string().contains("uses `noise`"));
    let network = s4.decode(&architecture, &settings(4, 3, 16)).unwrap();
    let noise: Vec<_> = network.nodes.iter().filter(|n| matches!(n.op, Op::Noise { .. })).collect();
    // Only the normal cell has it, as the last of its eight edges.
    assert_eq!(noise.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(), ["cells.0._ops.7"]);
    let multiply_adds = |graph: &Graph| Cost::of(graph, 1).unwrap().multiply_adds;
    assert_eq!(multiply_adds(&network), multiply_adds(&evaluation_network(&pooled, &settings(4, 3, 16)).unwrap()));
}

/// Counted by hand: of a cell of C channels 7 (normal) or 8 separable convolutions of 2·(9C + C² + 2C).
const PARAMETERS: u64 = 4_341_862;

#[test]
fn a_settled_supernet_computes_what_the_path_does() {
    use crate::space::tests::running::{agree, settled, shaken};
    let device = crate::device::Device::cpu();
    for space in spaces() {
        let wanted = NetworkSettings { classes: 3, ..settings(2, 3, 6) };
        let (supernet, _) = shaken(&device, space.supernet(&wanted).unwrap());
        // Noise differs between the two: each candidate that is computed draws from a stream of its own.
        if space.edge_primitives().contains(&"noise".to_owned()) {
            continue;
        }
        for (seed, training) in [(1, false), (2, true)] {
            let architecture = space.random(&mut Random::new(seed, 0));
            let [path, mixed] = settled(&supernet, &space, &architecture, training);
            agree(&path, &mixed, &space.print(&architecture));
        }
    }
}
