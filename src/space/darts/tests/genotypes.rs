use super::*;
use proptest::prelude::*;

/// NASNet-A's cells as the reference writes them: five nodes, an input read twice, a concatenation
/// that leaves nodes out in one cell and takes an input in in the other.
const FIVE_NODES: &str = "NASNet = Genotype(
  normal = [
    ('sep_conv_5x5', 1), ('sep_conv_3x3', 0),
    ('sep_conv_5x5', 0), ('sep_conv_3x3', 0),
    ('avg_pool_3x3', 1), ('skip_connect', 0),
    ('avg_pool_3x3', 0), ('avg_pool_3x3', 0),
    ('sep_conv_3x3', 1), ('skip_connect', 1),
  ],
  normal_concat = [2, 3, 4, 5, 6],
  reduce = [
    ('sep_conv_5x5', 1), ('sep_conv_7x7', 0),
    ('max_pool_3x3', 1), ('sep_conv_7x7', 0),
    ('avg_pool_3x3', 1), ('sep_conv_5x5', 0),
    ('skip_connect', 3), ('avg_pool_3x3', 2),
    ('sep_conv_3x3', 2), ('max_pool_3x3', 1),
  ],
  reduce_concat = [4, 5, 6],
)";

fn cell(nodes: usize) -> impl Strategy<Value = CellGenotype> {
    let edges: Vec<_> = (0..2 * nodes)
        .map(|i| {
            (0..Primitive::ALL.len(), 0..i / 2 + 2).prop_map(|(p, input)| Edge { primitive: Primitive::ALL[p], input })
        })
        .collect();
    let states: Vec<usize> = (2..2 + nodes).collect();
    (edges, proptest::sample::subsequence(states, 1..=nodes)).prop_map(|(edges, concat)| CellGenotype { edges, concat })
}

fn genotype() -> impl Strategy<Value = Genotype> {
    let any_cell = || (1usize..6).prop_flat_map(cell);
    (any_cell(), any_cell()).prop_map(|(normal, reduce)| Genotype { normal, reduce })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_and_json_give_back_what_was_written(genotype in genotype()) {
        prop_assert_eq!(&Genotype::read(&genotype.to_string()).unwrap(), &genotype);
        prop_assert_eq!(&Genotype::read(&genotype.json().to_string()).unwrap(), &genotype);
        let serialized = serde_json::to_value(&genotype).unwrap();
        prop_assert_eq!(&serialized, &genotype.json());
    }

    #[test]
    fn every_valid_genotype_makes_a_network(genotype in genotype(), layers in 1usize..5, size in 3usize..12) {
        let wanted = NetworkSettings { drop_path: true, ..settings(2, layers, size) };
        let graph = evaluation_network(&genotype, &wanted).unwrap();
        prop_assert!(!graph.has_choices());
        prop_assert_eq!(graph.shape(graph.outputs[0].node), Features::new(10, 1, 1));
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "(Genotype\\()?[a-z_0-9='\"\\[\\](),{} -]{0,80}") {
        let _ = Genotype::read(&text);
    }

    #[test]
    fn a_text_cut_short_is_an_error(length in 1usize..400) {
        let text: String = published("DARTS_V1").to_string().chars().take(length).collect();
        prop_assert!(Genotype::read(&text).is_err());
    }

    #[test]
    fn architectures_of_the_space_round_trip(seed in any::<u64>(), nodes in 1usize..6) {
        let space = Darts::new(nodes, Primitive::DARTS.to_vec()).unwrap();
        let architecture = space.random(&mut Random::new(seed, 0));
        prop_assert_eq!(&space.parse(&space.print(&architecture)).unwrap(), &architecture);
        prop_assert_eq!(&space.parse(&space.json(&architecture).to_string()).unwrap(), &architecture);
        let genotype = space.genotype(&architecture).unwrap();
        for cell in [&genotype.normal, &genotype.reduce] {
            prop_assert!(cell.edges.chunks(2).all(|pair| pair[0].input != pair[1].input));
        }
    }
}

#[test]
fn published_names_mean_the_published_cells() {
    let v1 = published("DARTS_V1");
    let edge = |e: &Edge| (e.primitive.name(), e.input);
    assert_eq!(edge(&v1.normal.edges[0]), ("sep_conv_3x3", 1));
    assert_eq!(edge(v1.reduce.edges.last().unwrap()), ("avg_pool_3x3", 0));
    assert_eq!(edge(published("darts_v2").normal.edges.last().unwrap()), ("dil_conv_3x3", 2));
    let error = Genotype::read("DARTS_V3").unwrap_err().to_string();
    assert!(error.contains("unknown genotype `DARTS_V3`: did you mean `DARTS_V"), "{error}");
}

#[test]
fn pasted_text_is_read_whatever_its_layout() {
    let wanted = published("DARTS_V2");
    let text = wanted.to_string();
    for variant in [
        text.replace("[2, 3, 4, 5]", "range(2, 6)"),
        text.replace('\'', "\""),
        text.replace(' ', ""),
        text.replace(", ", " ,\n\t"),
        text.replace(']', ",]"),
        format!("DARTS = {text}\n"),
        text.replace('[', "(").replace(']', ")"),
    ] {
        assert_eq!(Genotype::read(&variant).unwrap(), wanted, "{variant}");
    }
}

#[test]
fn cells_beyond_the_space_still_make_networks() {
    let genotype = Genotype::read(FIVE_NODES).unwrap();
    assert_eq!((genotype.normal.nodes(), genotype.reduce.concat.len()), (5, 3));
    let graph = Darts::default().decode_text(FIVE_NODES, &settings(8, 6, 32)).unwrap();
    let concat = |cell: usize| graph.nodes.iter().find(|n| n.name == format!("cells.{cell}.concat")).unwrap().shape;
    assert_eq!(concat(0), Features::new(5 * 8, 32, 32));
    assert_eq!(concat(2), Features::new(3 * 16, 16, 16));
    let error = Darts::default().parse(FIVE_NODES).unwrap_err().to_string();
    assert!(error.contains("the normal cell has 5 nodes, the space 4"), "{error}");
}

#[test]
fn what_is_wrong_with_a_genotype_is_said() {
    let good = published("DARTS_V2").to_string();
    for (text, said) in [
        (good.replacen("sep_conv_3x3", "sep_conv_3x4", 1), "did you mean `sep_conv_3x3`?"),
        (good.replacen("normal=", "norml=", 1), "unknown part `norml`: did you mean `normal`?"),
        (good.replacen("('sep_conv_3x3', 0)", "('sep_conv_3x3', 2)", 1), "node 0 can read states 0 to 1 only"),
        (good.replacen("('sep_conv_3x3', 0), ", "", 1), "7 edges: each node has two"),
        (good.replacen("[2, 3, 4, 5]", "[2, 3, 4, 6]", 1), "normal cell: joins state 6"),
        (good.replacen("[2, 3, 4, 5]", "[2, 2]", 1), "joins state 2 twice"),
        (good.replacen("[2, 3, 4, 5]", "[]", 1), "the concatenation is empty"),
        (good.replacen("[2, 3, 4, 5]", "range(2, 99999999999)", 1), "a range of at most"),
        (good.replacen("[2, 3, 4, 5]", "range(2, 99999999999999999999999)", 1), "a number from 0"),
        (good.replacen("[2, 3, 4, 5]", "[-1]", 1), "expected a state"),
        (good.replace("reduce_concat=[2, 3, 4, 5]", "reduce_concat=[1, 2]"), "reduce cell: joins its input 1"),
        (good.replace(", reduce_concat=[2, 3, 4, 5]", ""), "`reduce_concat` is missing"),
        (good.replace("reduce_concat", "normal_concat"), "`normal_concat` is given twice"),
        (format!("{good} and more"), "expected nothing after the closing `)`, found `and more`"),
        (good.replacen("Genotype", "Genotyp", 1), "character 1: expected `Genotype(`"),
        (String::new(), "expected `Genotype(`, found the end"),
        ("Genotype".into(), "expected `(`, found the end"),
        ("{\"normal\": []}".into(), "genotype in JSON: missing field"),
        (published("DARTS_V2").json().to_string().replacen("sep_conv_3x3", "sep", 1), "unknown primitive `sep`"),
        (published("DARTS_V2").json().to_string().replacen("[2,3,4,5]", "[9]", 1), "joins state 9"),
    ] {
        let error = Genotype::read(&text).unwrap_err().to_string();
        assert!(error.contains(said), "{error} should say {said}");
    }
}
