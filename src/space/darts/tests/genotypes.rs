use super::*;
use crate::space::Stem;
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
    (edges, proptest::sample::subsequence(states, 1..=nodes))
        .prop_map(|(edges, concat)| CellGenotype::of_pairs(edges, concat))
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
            prop_assert!(cell.nodes.iter().all(|pair| pair[0].input != pair[1].input));
        }
    }
}

#[test]
fn published_names_mean_the_published_cells() {
    let v1 = published("DARTS_V1");
    let edge = |e: &Edge| (e.primitive.name(), e.input);
    assert_eq!(edge(&v1.normal.nodes[0][0]), ("sep_conv_3x3", 1));
    assert_eq!(edge(v1.reduce.edges().last().unwrap()), ("avg_pool_3x3", 0));
    assert_eq!(edge(published("darts_v2").normal.edges().last().unwrap()), ("dil_conv_3x3", 2));
    let error = Genotype::read("DARTS_V3").unwrap_err().to_string();
    assert!(error.contains("unknown genotype `DARTS_V3`: did you mean `DARTS_V"), "{error}");
}

#[test]
fn pasted_text_is_read_whatever_its_layout() {
    let wanted = published("DARTS_V2");
    let text = wanted.to_string();
    let json = wanted.json();
    let parts: Vec<String> =
        json.as_object().unwrap().iter().map(|(part, value)| format!("('{part}', {value})")).collect();
    for variant in [
        text.replace("[2, 3, 4, 5]", "range(2, 6)"),
        text.replace('\'', "\""),
        text.replace(' ', ""),
        text.replace(", ", " ,\n\t"),
        text.replace(']', ",]"),
        format!("DARTS = {text}\n"),
        text.replace('[', "(").replace(']', ")"),
        text.replace("', ", "',\n"),
        text.chars().enumerate().flat_map(|(i, c)| (i % 79 == 78).then_some('\n').into_iter().chain([c])).collect(),
        text.replace("', 0)", "', np.int64(0))").replace("', 1)", "', numpy.int32(1))"),
        text.replace(", ", ", # and then\n"),
        format!("2018-06-27 13:25:46,379 genotype = {text}"),
        format!("3: {text}"),
        format!("07:11 genotype = {}\n07:12 genotype = {text}\n", published("DARTS_V1")),
        format!("# OLD = {}\nNEW = {text}  # the best\nBEST = NEW\n", published("DARTS_V1")),
        format!("def make(x):\n  return Genotype(normal=f(x))\nNEW = {text}\n"),
        format!("{text} and more"),
        format!("\u{feff}{text}"),
        text.replacen("Genotype(", "genotypes.Genotype (", 1),
        text.replacen("Genotype(", "Cells(", 1),
        text.replacen("Genotype(", "dict(", 1),
        text.replace('\'', "\u{2019}"),
        text.replace('\'', "&#39;"),
        format!("{{\"epoch\": 49, \"genotype\": \"{}\"}}", text.replace('\'', "\\\"")),
        text.replace("', 0)", "', 0L)").replace("', 1)", "', torch.tensor(1))"),
        text.replace("', 0)", "', 0.0)"),
        format!("OrderedDict([{}])", parts.join(", ")),
        wanted.json().to_string().replace('"', "'"),
        format!("best = {}", wanted.json()),
    ] {
        assert_eq!(Genotype::read(&variant).unwrap(), wanted, "{variant}");
    }
}

#[test]
fn cells_beyond_the_space_still_make_networks() {
    let genotype = Genotype::read(FIVE_NODES).unwrap();
    assert_eq!((genotype.normal.nodes.len(), genotype.reduce.concat.len()), (5, 3));
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
        (good.replacen("[2, 3, 4, 5]", "range(2, 99999999999999999999999)", 1), "a range of at most"),
        (good.replacen("[2, 3, 4, 5]", "[-1]", 1), "expected a state"),
        (good.replace("reduce_concat=[2, 3, 4, 5]", "reduce_concat=[1, 2]"), "reduce cell: joins its input 1"),
        (good.replace(", reduce_concat=[2, 3, 4, 5]", ""), "`reduce_concat` is missing"),
        (good.replace("reduce_concat", "normal_concat"), "`normal_concat` is given twice"),
        ("Genotyp(3)".into(), "character 1: expected `Genotype(…)`, a dictionary of its parts, or a published"),
        (String::new(), "expected `Genotype(…)`, a dictionary of its parts, or a published name, found the end"),
        ("Genotype".into(), "expected `Genotype(…)`"),
        ("{\"normal_concat\": []}".into(), "`normal` is missing"),
        (good.replacen("dil_conv_3x3", "att_squeeze", 1), "the operation `att_squeeze` weighs channels"),
        (
            "Genotype(recurrent=[('tanh', 0)], concat=range(1, 9))".into(),
            "`recurrent=` is a cell of a recurrent network, for text",
        ),
        (format!("{good}\n{}", published("DARTS_V1")), "the text holds 2 genotypes: line 1, line 2; name one of them"),
        (format!("A = {good}\nB = {}", published("DARTS_V1")), "the text holds 2 genotypes: A, B; name one"),
        (
            "{'normal/op_2_0': 'none', 'normal/input_2_0': 0, 'normal/op_2_1': 'none'}".into(),
            "`normal/input_2_1` is missing",
        ),
        (good.replacen("reduce=[", "reduce=[[], ", 1), "expected a list of the edges of one node"),
        (
            good.replacen("('sep_conv_3x3', 0)", "('sep_conv_3x3', 2, 0)", 1),
            "some edges say where they lead and others do not",
        ),
        (good.replacen(")])", ")], connects=[1])", 1).replacen("])", "], connects=[1])", 1), "connections are no part"),
        (published("DARTS_V2").json().to_string().replacen("sep_conv_3x3", "sep", 1), "unknown primitive `sep`"),
        (published("DARTS_V2").json().to_string().replacen("[2,3,4,5]", "[9]", 1), "joins state 9"),
    ] {
        let error = Genotype::read(&text).unwrap_err().to_string();
        assert!(error.contains(said), "{error} should say {said}");
    }
}

#[test]
fn one_list_a_node_is_read_as_pairs_are() {
    let wanted = published("DARTS_V2");
    for form in wanted.forms() {
        let text = form.text.unwrap();
        assert_eq!(Genotype::read(&text).unwrap(), wanted, "{}: {text}", form.name);
    }
    // A dictionary of AutoDL-Projects has the weight of each edge behind it.
    let weighed = super::super::text::nested(&wanted).replace("', 0)", "', 0, 0.25)").replace("', 1)", "', 1, 1e-3)");
    assert_eq!(Genotype::read(&weighed).unwrap(), wanted);
}

#[test]
fn nodes_have_any_number_of_edges_and_some_do_not_exist() {
    let triples = "Genotype(normal=[('sep_conv_3x3', 2, 0), ('sep_conv_5x5', 2, 1), ('max_pool_3x3', 4, 0), \
                   ('skip_connect', 5, 3), ('dil_conv_3x3', 5, 4), ('sep_conv_3x3', 2, 0)], normal_concat=range(2, 6), \
                   reduce=[('max_pool_3x3', 2, 0), ('avg_pool_3x3', 5, 2)], reduce_concat=range(2, 6))";
    let genotype = Genotype::read(triples).unwrap();
    // The edge that reads node 3, which no edge enters, is left out.
    assert_eq!(genotype.normal.nodes.iter().map(Vec::len).collect::<Vec<_>>(), [3, 0, 1, 1]);
    assert_eq!((&genotype.normal.concat[..], &genotype.reduce.concat[..]), (&[2, 4, 5][..], &[2, 5][..]));
    for form in genotype.forms() {
        match form.name {
            "darts" => assert!(form.text.unwrap_err().contains("write it `nested`, `autodl` or `triples`")),
            "nni" => assert!(form.text.unwrap_err().contains("not all nodes have two edges")),
            name => assert_eq!(Genotype::read(&form.text.unwrap()).unwrap(), genotype, "{name}"),
        }
    }
    assert_eq!(Genotype::read(&genotype.to_string()).unwrap(), genotype);
    assert_eq!(Genotype::read(&genotype.json().to_string()).unwrap(), genotype);
    let graph = evaluation_network(&genotype, &NetworkSettings { drop_path: true, ..settings(4, 3, 16) }).unwrap();
    let concat =
        |cell: usize| graph.nodes.iter().find(|n| n.name == format!("cells.{cell}.concat")).unwrap().shape.channels;
    assert_eq!((concat(0), concat(1)), (3 * 4, 2 * 8));
    let error = Darts::default().architecture(&genotype).unwrap_err().to_string();
    assert!(error.contains("node 0 of the normal cell sums 3 edges"), "{error}");
}

#[test]
fn images_like_imagenets_have_a_stem_and_a_head_of_their_own() {
    let cell = published("DARTS_V2");
    let settings = NetworkSettings { auxiliary: true, ..Stem::ImageNet.settings() };
    let graph = evaluation_network(&cell, &settings).unwrap();
    let shape = |name: &str| graph.nodes.iter().find(|n| n.name == name).unwrap_or_else(|| panic!("no {name}")).shape;
    assert_eq!(shape("stem0.1"), Features::new(24, 112, 112));
    assert_eq!((shape("stem0.4"), shape("stem1.2")), (Features::new(48, 56, 56), Features::new(48, 28, 28)));
    assert_eq!(shape("cells.0.preprocess0.bn"), Features::new(48, 28, 28));
    assert_eq!(
        (shape("cells.4.concat"), shape("cells.9.concat")),
        (Features::new(384, 14, 14), Features::new(768, 7, 7))
    );
    assert_eq!(shape("auxiliary_head.features.1"), Features::new(768, 2, 2));
    // After the second convolution comes no norm.
    assert!(matches!(graph.nodes.iter().find(|n| n.name == "auxiliary_head.features.6").unwrap().op, Op::Relu));
    let small = NetworkSettings { image: Features::new(3, 7, 64), ..settings.clone() };
    let error = evaluation_network(&cell, &small).unwrap_err().to_string();
    assert!(error.contains("halves rows and columns three times"), "{error}");
    let wide = NetworkSettings { image: Features::new(3, 256, 256), ..settings.clone() };
    let error = evaluation_network(&cell, &wide).unwrap_err().to_string();
    assert!(error.contains("needs a map of 7x7") && error.contains("193 to 224"), "{error}");
    let others: Vec<_> = crate::space::names().filter(|name| !name.contains("darts") && *name != "nasnet").collect();
    for name in others {
        let space = crate::space::find(name).unwrap();
        assert!(matches!(space.supernet(&Stem::ImageNet.settings()), Err(SpaceError::NoStem { .. })), "{name}");
    }
}
