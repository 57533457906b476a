use super::*;
use crate::autograd::{Tape, Var};
use crate::cost;
use crate::device::Device;
use crate::graph::{Features, Op, Options};
use crate::network::{Choices, Network, Pass, Path};
use crate::nn::{Array, Value};
use crate::random::Random;
use crate::tensor::Tensor;
use pollster::block_on;
use std::collections::{BTreeMap, HashMap};

const EXAMPLE: &str = include_str!("../../../examples/space.toml");

/// Everything at once: choices of width side by side, depths with gaps, every kind of operation.
const ALL: &str = r#"
name = "all"
[stem]
channels = 4
kernel = 5
stride = 2
[[stage]]
channels = [3, "2C"]
depth = [1, 3]
operations = ["mbconv_3x3_e1", "mbconv_5x5_e2", "conv_3x3", "sep_conv_3x3", "max_pool_3x3", "avg_pool_3x3", "skip"]
[[stage]]
channels = ["1C", "3C", 7]
depth = [4, 1, 2]
stride = 2
kernel = [3, 5]
expansion = [2, 3]
operations = ["conv_1x1", "max_pool_3x3", "skip"]
[[stage]]
channels = 5
depth = [1, 2]
operations = "mbconv_3x3_e2"
[[stage]]
channels = 5
depth = 1
operations = ["mbconv_3x3_e2", "avg_pool_3x3", "skip"]
[[stage]]
channels = ["1C", "2C"]
depth = 1
operations = ["conv_3x3", "max_pool_3x3"]
"#;

fn settings(channels: usize, size: usize) -> NetworkSettings {
    NetworkSettings { image: Features::new(2, size, size), classes: 3, channels, ..NetworkSettings::default() }
}

fn spaces() -> Vec<Stages> {
    [MOBILE, EXAMPLE, ALL].into_iter().map(|text| Stages::read(text).unwrap()).collect()
}

fn random(space: &Stages, seed: u64) -> Architecture {
    space.random(&mut Random::new(seed, 0))
}

/// What `network` gives for random images, in training or evaluation.
fn logits(network: &Network, choices: Choices<'_>, training: bool) -> Vec<f32> {
    let shape = network.graph().shape(0);
    let mut draw = Random::new(9, 9);
    let values: Vec<f32> = (0..3 * shape.count()).map(|_| draw.normal()).collect();
    let device = network.device();
    let x = Tensor::from_values(device, &values, &[3, shape.channels, shape.height, shape.width]).unwrap();
    let mut tape = Tape::new(device);
    let pass = Pass { training, choices, ..Pass::evaluation() };
    let outputs = network.forward(&mut tape, &Var::constant(x), &pass).unwrap();
    let recording = tape.finish();
    device.run(&recording).unwrap();
    block_on(outputs[0].tensor().read(device)).unwrap()
}

/// A network of which every value, running statistics included, is random.
fn shaken(device: &Device, graph: Graph) -> (Network, BTreeMap<String, Array>) {
    let mut network = Network::new(device, graph, 1).unwrap();
    let mut state = block_on(network.state()).unwrap();
    let mut draw = Random::new(2, 2);
    for (name, array) in &mut state {
        if let Value::F32(values) = &mut array.value {
            for value in values.iter_mut() {
                *value = match name.rsplit('.').next() {
                    Some("running_var") => draw.range(0.5, 2.0),
                    _ => 0.5 * draw.normal(),
                };
            }
        }
    }
    network.load(&state).unwrap();
    (network, state)
}

/// The first values of each dimension.
fn corner(array: &Array, shape: &[usize]) -> Array {
    let Value::F32(values) = &array.value else { return array.clone() };
    assert_eq!(array.shape.len(), shape.len());
    let mut kept = Vec::new();
    for index in 0..shape.iter().product::<usize>() {
        let (mut rest, mut place, mut step) = (index, 0, 1);
        for (&part, &whole) in shape.iter().zip(&array.shape).rev() {
            assert!(part <= whole);
            place += (rest % part) * step;
            rest /= part;
            step *= whole;
        }
        kept.push(values[place]);
    }
    Array::f32(shape, kept)
}

#[test]
fn a_supernet_settled_on_an_architecture_computes_what_its_own_network_does() {
    let device = Device::cpu();
    for (space, seeds) in spaces().iter().zip([2, 20, 60]) {
        let wanted = settings(2, 9);
        let (supernet, state) = shaken(&device, space.supernet(&wanted).unwrap());
        for seed in 0..seeds {
            let architecture = random(space, seed);
            let mut network = Network::new(&device, space.decode(&architecture, &wanted).unwrap(), 0).unwrap();
            let mut own = block_on(network.state()).unwrap();
            for (name, array) in &mut own {
                match state.get(name) {
                    Some(whole) => *array = corner(whole, &array.shape),
                    // Scale and shift, which batch norms that compete do not learn.
                    None => assert!(name.contains(".bn."), "{name}"),
                }
            }
            network.load(&own).unwrap();
            let settled = space.settle(&architecture).unwrap();
            let mut path = Path::new();
            let mut tables = HashMap::new();
            for table in &settled {
                for row in 0..table.rows {
                    path.insert((table.name.clone(), row), largest(table.row(row).iter().copied()));
                }
                let weights = Tensor::from_values(&device, &table.values, &[table.rows, table.options]).unwrap();
                tables.insert(table.name.clone(), Var::constant(weights));
            }
            for training in [false, true] {
                let right = logits(&network, Choices::None, training);
                for choices in [Choices::Path(&path), Choices::Mixed(&tables)] {
                    let got = logits(&supernet, choices, training);
                    for (a, b) in got.iter().zip(&right) {
                        let text = space.print(&architecture);
                        assert!((a - b).abs() <= 1e-3 * (1.0 + b.abs()), "{got:?} for {right:?}, {training}: {text}");
                    }
                }
            }
        }
    }
}

#[test]
fn tables_are_those_that_are_settled_and_derived_from() {
    for space in spaces() {
        let tables = space.supernet(&settings(4, 8)).unwrap().tables().unwrap();
        for seed in 0..10 {
            let architecture = random(&space, seed);
            let settled = space.settle(&architecture).unwrap();
            assert_eq!(settled.len(), tables.len(), "{}", space.name());
            for table in &tables {
                TableWeights::find(&settled, &table.name, table.rows, table.options.len()).unwrap();
            }
            assert_eq!(space.derive(&settled).unwrap(), architecture);
        }
    }
}

#[test]
fn a_stage_ends_at_the_first_depth_that_weighs_no_less_than_going_deeper() {
    let text = "name = 'd'\nstem.channels = 4\n[[stage]]\nchannels = 4\ndepth = [1, 2, 4]\noperations = 'conv_3x3'";
    let space = Stages::read(text).unwrap();
    let of = |values: [f32; 4]| {
        let weights = TableWeights { name: "alphas_stage0_depth".into(), rows: 2, options: 2, values: values.to_vec() };
        space.derive(&[weights]).unwrap().answers[0]
    };
    assert_eq!(of([0.4, 0.6, 0.4, 0.6]), 2);
    assert_eq!(of([0.4, 0.6, 0.6, 0.4]), 1);
    assert_eq!(of([0.6, 0.4, 0.4, 0.6]), 0);
    assert_eq!(of([0.5; 4]), 0);
    assert!(matches!(space.derive(&[]), Err(SpaceError::Weights { .. })));
}

#[test]
fn a_depth_is_the_number_of_blocks_and_blocks_beyond_it_change_nothing() {
    let text = "name = 'd'\nstem.channels = 4\n[[stage]]\nchannels = 4\ndepth = [4, 1, 2]\n\
                operations = ['conv_3x3', 'conv_5x5']";
    let space = Stages::read(text).unwrap();
    assert_eq!(space.size(), Some(3 * 2u128.pow(4)));
    let convolutions = |answers: &[usize]| -> Vec<usize> {
        let graph = space.decode(&Architecture { answers: answers.to_vec() }, &settings(4, 8)).unwrap();
        let kernel = |op: &Op| if let Op::Conv(conv) = op { Some(conv.kernel[0]) } else { None };
        graph.nodes.iter().filter_map(|node| kernel(&node.op)).skip(1).collect()
    };
    assert_eq!(convolutions(&[0, 1, 0, 0, 1]), [5]);
    assert_eq!(convolutions(&[0, 1, 1, 1, 0]), [5]);
    assert_eq!(convolutions(&[1, 1, 0, 0, 1]), [5, 3]);
    assert_eq!(convolutions(&[2, 1, 0, 0, 1]), [5, 3, 3, 5]);
    let chosen = |answers: &[usize]| space.operations(&Architecture { answers: answers.to_vec() });
    assert_eq!(chosen(&[1, 1, 0, 0, 1]), ["conv_5x5", "conv_3x3"]);
}

#[test]
fn mobile_is_mobilenets_chain_with_choices() {
    let space = Stages::mobile().unwrap();
    // Sixteen blocks behind the fixed one; the first of each stage cannot be left out.
    let options: Vec<usize> = space.decisions().iter().map(|d| d.options.len()).collect();
    assert_eq!((options.len(), options.iter().filter(|&&n| n == 6).count()), (16, 6));
    assert_eq!(space.size(), Some(6u128.pow(6) * 7u128.pow(10)));
    // MobileNetV2 without strides in stem and second stage: kernels of 3, expansions of 6, no block left out.
    let decisions = space.decisions();
    let answer = |d: &Decision| d.options.iter().position(|o| o == "mbconv_3x3_e6").unwrap();
    let architecture = Architecture { answers: decisions.iter().map(answer).collect() };
    let wanted = NetworkSettings { classes: 1000, ..NetworkSettings::default() };
    let graph = space.decode(&architecture, &wanted).unwrap();
    let sums = graph.nodes.iter().filter(|n| matches!(n.op, Op::Add)).count();
    assert_eq!(sums, 10, "residual sums, as in MobileNetV2");
    // Widths 16, 32, 48, 64, 96, 160, 320, by hand: expansion, depthwise and projection with batch norms.
    let block = |i: u64, o: u64| (i * 6 * i + 12 * i) + (9 * 6 * i + 12 * i) + (6 * i * o + 2 * o);
    let mut wanted = (3 * 32 * 9 + 64) + (32 * 9 + 64 + 32 * 16 + 32);
    for (i, o, n) in [(16, 32, 2), (32, 48, 3), (48, 64, 4), (64, 96, 3), (96, 160, 3), (160, 320, 1)] {
        wanted += block(i, o) + (n - 1) * block(o, o);
    }
    wanted += 320 * 1280 + 2560 + 1280 * 1000 + 1000;
    assert_eq!(cost::parameters(&graph).unwrap(), wanted);
    assert!((3_400_000..3_800_000).contains(&wanted), "{wanted}: MobileNetV2 has 3.5 million");
}

#[test]
fn the_base_channels_scale_what_is_given_in_multiples_only() {
    let space = Stages::read(ALL).unwrap();
    let masks = |channels| -> Vec<Vec<usize>> {
        let graph = space.supernet(&settings(channels, 8)).unwrap();
        let of = |(_, choice): (_, &crate::graph::Choice)| match &choice.options {
            Options::Widths(widths) if choice.table.ends_with("stage1_width") => Some(widths.clone()),
            _ => None,
        };
        graph.choices().into_iter().filter_map(of).collect()
    };
    assert!(masks(4).contains(&vec![4, 12, 7]) && masks(4).contains(&vec![12, 36, 21]));
    assert!(masks(5).contains(&vec![5, 15, 7]));
    let error = space.supernet(&settings(7, 8)).unwrap_err().to_string();
    assert!(error.contains("two of its widths are the same for 7 channels: [7, 21, 7]"), "{error}");
}

#[test]
fn a_skip_is_offered_only_where_the_shape_stays() {
    let offered = |before: &str, channels: &str, stride: usize| {
        let text = format!(
            "name = 's'\nstem.channels = {before}\n[[stage]]\nchannels = {channels}\ndepth = 2\nstride = {stride}\n\
             operations = ['conv_3x3', 'conv_5x5', 'skip']"
        );
        let decisions = Stages::read(&text).unwrap().decisions();
        let of = |block: usize| decisions.iter().find(|d| d.name == format!("stage0_block{block}_operation")).unwrap();
        assert!(of(1).options.contains(&"skip".to_owned()));
        of(0).options.contains(&"skip".to_owned())
    };
    assert!(offered("8", "8", 1) && offered("'2C'", "'2C'", 1));
    for (before, channels, stride) in [("8", "8", 2), ("8", "9", 1), ("8", "'2C'", 1), ("8", "[8, 9]", 1)] {
        assert!(!offered(before, channels, stride), "{before} {channels} {stride}");
    }
}

#[test]
fn a_networks_residual_branches_are_dropped_as_asked() {
    let space = Stages::read(ALL).unwrap();
    let with = NetworkSettings { drop_path: true, ..settings(4, 8) };
    let count = |graph: &Graph, drop: bool| {
        graph.nodes.iter().filter(|n| if drop { n.op == Op::DropPath } else { n.op == Op::Add }).count()
    };
    let graphs: Vec<Graph> = (0..20).map(|seed| space.decode(&random(&space, seed), &with).unwrap()).collect();
    assert!(graphs.iter().any(|graph| count(graph, true) > 0));
    assert!(graphs.iter().all(|graph| count(graph, true) == count(graph, false)));
    let auxiliary = NetworkSettings { auxiliary: true, ..settings(4, 8) };
    assert!(matches!(space.decode(&random(&space, 0), &auxiliary), Err(SpaceError::NoAuxiliary { .. })));
}

#[test]
fn architectures_round_trip_and_every_image_will_do() {
    for space in spaces() {
        for (seed, size) in [1, 2, 5, 8].into_iter().enumerate() {
            let architecture = random(&space, seed as u64);
            assert_eq!(space.parse(&space.print(&architecture)).unwrap(), architecture);
            assert_eq!(space.parse(&space.json(&architecture).to_string()).unwrap(), architecture);
            assert!(!space.decode(&architecture, &settings(2, size)).unwrap().has_choices());
            space.supernet(&settings(2, size)).unwrap();
        }
    }
}

#[test]
fn operations_are_read_as_they_are_written() {
    for name in ["mbconv_3x3_e6", "mbconv_7x7_e1", "conv_5x5", "sep_conv_3x3", "max_pool_3x3", "avg_pool_5x5", "skip"] {
        assert_eq!(name.parse::<Operation>().unwrap().to_string(), name);
    }
    for (name, said) in [
        ("mbconv_3x3", "did you mean `mbconv_3x3_e6`?"),
        ("mbconv3x3_e6", "did you mean `mbconv_3x3_e6`?"),
        ("mbconv_3x5_e6", "unknown operation"),
        ("mbconv_03x03_e6", "did you mean `mbconv_3x3_e6`?"),
        ("mbconv_4x4_e6", "kernel = 4: must be odd"),
        ("mbconv_3x3_e0", "expansion = 0"),
        ("sep_conf_3x3", "did you mean `sep_conv_3x3`?"),
        ("skip_connect", "did you mean `skip`?"),
    ] {
        let error = name.parse::<Operation>().unwrap_err().to_string();
        assert!(error.contains(said), "{name}: {error}");
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let good = "name = \"x\"\n[stem]\nchannels = 8\n[[stage]]\nchannels = 8\ndepth = [1, 2]\nstride = 2\n\
                operations = [\"conv_3x3\", \"skip\"]\n[head]\nchannels = 16\n";
    Stages::read(good).unwrap();
    let none = "line 1, `stage`: there is no [[stage]]";
    for (old, new, said) in [
        ("\"conv_3x3\"", "\"conf_3x3\"", "line 8, `stage.operations`: unknown operation `conf_3x3`: did you mean `conv_3x3`?"),
        ("conv_3x3", "conv_4x4", "line 8, `stage.operations`: in `conv_4x4`, kernel = 4: must be odd and from 1 to 31"),
        ("\"conv_3x3\", ", "", "line 8, `stage.operations`: `skip` is all there is to choose, but"),
        ("[\"conv_3x3\", \"skip\"]", "[]", "line 8, `stage.operations`: lists nothing: give at least one"),
        ("\"conv_3x3\"", "\"skip\"", "line 8, `stage.operations`: lists skip twice"),
        ("operations =", "operation =", "line 8: unknown field `operation`, expected one of"),
        ("operations = [\"conv_3x3\", \"skip\"]", "", "line 4, `stage`: names no operation: give `operations`"),
        ("operations =", "kernel = 3\noperations =", "line 8, `stage.kernel`: needs `expansion` beside it"),
        ("operations =", "expansion = 3\noperations =", "line 8, `stage.expansion`: needs `kernel` beside it"),
        ("operations =", "kernel = [3, 4]\nexpansion = 3\noperations =", "line 8, `stage.kernel`: 4 must be odd"),
        ("operations =", "kernel = 3\nexpansion = 0\noperations =", "line 9, `stage.expansion`: 0 must be from 1"),
        ("\"skip\"]", "\"mbconv_3x3_e3\"]\nkernel = 3\nexpansion = 3", "`kernel` and `expansion` give already"),
        ("[1, 2]", "[0, 2]", "line 6, `stage.depth`: 0 must be from 1 to 100"),
        ("[1, 2]", "[1, 1]", "line 6, `stage.depth`: lists 1 twice"),
        ("[1, 2]", "[]", "line 6, `stage.depth`: lists nothing"),
        ("[1, 2]", "-1", "line 6, `depth`: invalid value: integer `-1`"),
        ("[1, 2]", "1.5", "line 6, `depth`: invalid type: floating point `1.5`, expected one value, or a list"),
        ("depth = [1, 2]", "", "line 4: missing field `depth`"),
        ("stride = 2", "stride = 0", "line 7, `stage.stride`: 0 must be from 1 to 4"),
        ("channels = 8\ndepth", "channels = [8, 8]\ndepth", "line 5, `stage.channels`: lists 8 twice"),
        ("channels = 8\ndepth", "channels = 0\ndepth", "line 5, `stage.channels`: 0 must be from 1"),
        ("channels = 8\ndepth", "channels = \"2X\"\ndepth", "line 5, `channels`: \"2X\" is no number of channels: give"),
        ("channels = 8\ndepth", "channels = [1,2,3,4,5,6,7,8,9]\ndepth", "lists 9 to choose from: 8 are the most"),
        ("channels = 8\n[[", "channels = [8, 9]\n[[", "line 3, `channels`: invalid type: sequence"),
        ("channels = 8\n[[", "channels = 8\nkernel = 2\n[[", "line 4, `stem.kernel`: 2 must be odd"),
        ("channels = 16", "channels = 9999999", "line 10, `head.channels`: 9999999 must be from 1"),
        ("\"x\"", "\"../x\"", "line 1, `name`: must be 1 to 64 letters, digits, hyphens and underscores"),
        ("\"x\"", "\"\"", "line 1, `name`"),
        ("name = \"x\"", "", "missing field `name`"),
        ("depth = [1, 2]", "depth = [1, 2", "line 7: missing comma between array elements"),
        ("[head]", "[heads]", "unknown field `heads`"),
    ] {
        assert!(good.contains(old), "{old}");
        let text = good.replacen(old, new, 1);
        let error = Stages::read(&text).unwrap_err().to_string();
        assert!(error.contains(said), "{new} should say `{said}`:\n{error}");
        assert!(error.lines().last().unwrap().trim_end().ends_with('^'), "{error}");
    }
    let error = Stages::read("name = 'x'\nstem.channels = 8\n").unwrap_err().to_string();
    assert!(error.contains(none), "{error}");
}

#[test]
fn the_line_is_shown_with_a_mark_under_what_is_meant() {
    let text = "name = \"ü\"\r\n";
    let text = format!("# ü\n{text}stem.channels = 1\nstage = []");
    assert_eq!(
        Stages::read(&text).unwrap_err().to_string(),
        "line 2, `name`: must be 1 to 64 letters, digits, hyphens and underscores\n  |\n2 | name = \"ü\"\n  |        ^^^"
    );
    let error = Stages::read("name = 'x'\nstem.channels = [\n  \"ü\",\n").unwrap_err().to_string();
    assert!(error.starts_with("line "), "{error}");
}

#[test]
fn what_is_too_large_is_refused_before_or_after_reading() {
    let long = format!("# {}", "x".repeat(1 << 20));
    assert!(matches!(
        Stages::read(&long),
        Err(SpaceError::Description(DescriptionError::TooLong { bytes })) if bytes == long.len()
    ));
    let stage = "[[stage]]\nchannels = 8\ndepth = 100\noperations = 'conv_3x3'\n";
    let text = |count: usize| format!("name = 'x'\nstem.channels = 8\n{}", stage.repeat(count));
    Stages::read(&text(10)).unwrap();
    let error = Stages::read(&text(11)).unwrap_err().to_string();
    assert!(error.contains("`stage.depth`: the stages have 1100 blocks up to here"), "{error}");
    let error = Stages::read(&text(101).replace("100", "1")).unwrap_err().to_string();
    assert!(error.contains("one stage too many"), "{error}");
    for text in ["[".repeat(1 << 16), format!("a = {}", "[".repeat(1 << 16)), "\0".into(), "\u{feff}".into()] {
        Stages::read(&text).unwrap_err();
    }
}

#[test]
fn a_description_in_the_settings_is_found_by_its_name() {
    let settings = crate::space::SpaceSettings { stages: EXAMPLE.into(), ..Default::default() };
    assert_eq!(crate::space::find("my-space", &settings).unwrap().name(), "my-space");
    let written = toml::to_string(&settings).unwrap();
    assert_eq!(toml::from_str::<crate::space::SpaceSettings>(&written).unwrap(), settings);
    let error = crate::space::find("your-space", &settings).err().unwrap().to_string();
    assert!(error.contains("describes the space `my-space`: set space to that"), "{error}");
    assert_eq!(crate::space::find("mobile", &settings).unwrap().name(), "mobile");
}
