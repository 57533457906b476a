mod hostile;
pub(crate) mod running;

use super::*;
use crate::cost;
use crate::graph::Features;
use crate::random::Random;
use crate::settings::Settings;

#[test]
fn every_named_space_does_everything_a_space_does() {
    let settings = NetworkSettings { image: Features::new(1, 8, 8), channels: 8, layers: 3, ..Default::default() };
    for name in names() {
        let space = find(name).unwrap();
        assert_eq!(space.name(), name);
        let supernet = space.supernet(&settings).unwrap();
        assert!(supernet.has_choices() && supernet.find_output("logits").is_some(), "{name}");

        let uniform: Vec<TableWeights> = supernet
            .tables()
            .unwrap()
            .into_iter()
            .map(|t| {
                let options = t.options.len();
                TableWeights {
                    name: t.name,
                    rows: t.rows,
                    options,
                    values: vec![1.0 / options as f32; t.rows * options],
                }
            })
            .collect();
        let derived = space.derive(&uniform).unwrap();
        for architecture in [derived, space.random(&mut Random::new(5, 0))] {
            architecture.check(name, &space.decisions()).unwrap();
            assert_eq!(space.parse(&space.print(&architecture)).unwrap(), architecture);
            let graph = space.decode(&architecture, &settings).unwrap();
            assert!(!graph.has_choices(), "{name}");
            assert_eq!(graph, space.decode_text(&space.print(&architecture), &settings).unwrap());
            let json = serde_json::to_string(&architecture).unwrap();
            assert_eq!(serde_json::from_str::<Architecture>(&json).unwrap(), architecture);
            let wanted = cost::parameters(&graph).unwrap();
            let baseline = cost::parameters(&space.baseline(&settings, wanted).unwrap()).unwrap();
            assert!(baseline.abs_diff(wanted) * 10 <= wanted, "{name}: {baseline} for {wanted}");
        }
        let size = space.size().unwrap();
        assert!(((size as f64).log10() - space.size_log10()).abs() < 1e-6, "{name}");
    }
}

#[test]
fn every_entry_is_found_by_its_name_and_owns_its_settings() {
    for (i, entry) in ALL.iter().enumerate() {
        let name = entry.name;
        assert!(ALL[..i].iter().all(|other| other.name != name), "{name} is there twice");
        let defaults = (entry.defaults)();
        assert_eq!((entry.build)(&defaults).unwrap().name(), name);
        let config = SpaceConfig::of(name);
        assert_eq!((config.name.as_str(), &config.settings), (name, &defaults));
        // They are all there is, and what is left out is as they are: a supernet shows it.
        let settings = NetworkSettings { image: Features::new(1, 8, 8), channels: 8, layers: 3, ..Default::default() };
        let supernet = |settings_of: &Settings| (entry.build)(settings_of).unwrap().supernet(&settings).unwrap();
        assert_eq!(supernet(&defaults), supernet(&Settings::default()), "{name}");
        for key in defaults.keys() {
            assert_eq!(supernet(&defaults.clone().without(&[&key])), supernet(&defaults), "{name}: {key}");
            let mut wrong = defaults.clone();
            *wrong.get_mut(&key).unwrap() = toml::Value::Boolean(true);
            assert!(matches!((entry.build)(&wrong), Err(SpaceError::Settings { .. })), "{name}: {key}");
        }
        let mut foreign = defaults;
        foreign.table_mut().insert("foreign".into(), 1.into());
        let error = (entry.build)(&foreign).err().unwrap();
        assert!(matches!(&error, SpaceError::Settings { space, .. } if space == name), "{error}");
        assert!(error.to_string().starts_with(&format!("{name}: unknown field `foreign`")), "{error}");
    }
    assert_eq!(SpaceConfig::of("dart").settings, Settings::default());
    fn same<T: Default + PartialEq + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned>(name: &str) {
        assert_eq!(SpaceConfig::of(name).settings.read::<T>().unwrap(), T::default(), "{name}");
    }
    same::<darts::DartsConfig>("darts");
    same::<darts::suite::SuiteConfig>("darts-wide");
    same::<chain::ChainConfig>("chain");
    same::<chain::Vgg16Config>("chain-vgg16");
    same::<chain::MlpConfig>("chain-mlp");
    same::<enas_macro::MacroConfig>("enas-macro");
}

#[test]
fn published_sizes_are_built() {
    for entry in ALL {
        let space = (entry.build)(&(entry.defaults)()).unwrap();
        let Recipe { supernet, network, shared, training } = space.published();
        let own = |size: Size| NetworkSettings { channels: size.channels, layers: size.layers, ..Default::default() };
        space.supernet(&own(supernet)).unwrap();
        space.decode(&space.random(&mut Random::new(1, 0)), &own(network)).unwrap();
        assert!(shared.iter().chain(&training).all(|regime| regime.rate.is_usable()), "{}", entry.name);
    }
    let darts = NetworkSettings::default();
    assert_eq!(Recipe::default().supernet, Size { channels: darts.channels, layers: darts.layers });
}

#[test]
fn every_combination_of_answers_decodes() {
    let settings = NetworkSettings { image: Features::new(1, 5, 6), channels: 2, layers: 4, ..Default::default() };
    for name in names() {
        let space = find(name).unwrap();
        let decisions = space.decisions();
        let mut random = Random::new(11, 0);
        for _ in 0..50 {
            space.decode(&Architecture::uniform(&decisions, &mut random), &settings).unwrap();
        }
    }
}

#[test]
fn the_same_seed_draws_the_same_architecture() {
    for name in names() {
        let space = find(name).unwrap();
        let draw = |seed| space.random(&mut Random::new(seed, 0));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let unknown = |name: &str| find(name).err().unwrap().to_string();
    assert!(unknown("dart").contains("did you mean `darts`?"));
    assert!(unknown("chain-vgg").contains("did you mean `chain-vgg16`? (known: darts, chain, chain-vgg16, chain-mlp,"));
    let settings = "primitives = ['skip_conect']".parse().unwrap();
    let darts = SpaceConfig { name: "darts".into(), settings };
    assert!(darts.build().err().unwrap().to_string().contains("did you mean `skip_connect`?"));
}

#[test]
fn a_baseline_of_any_reasonable_size_is_found() {
    for image in [Features::new(1, 8, 8), Features::new(3, 32, 32), Features::new(1, 28, 28)] {
        let settings = NetworkSettings { image, ..Default::default() };
        for name in ["darts", "chain"] {
            let space = find(name).unwrap();
            for wanted in [2_000, 5_000, 8_234, 30_000, 100_000, 1_000_000, 30_000_000u64] {
                let graph = space.baseline(&settings, wanted).unwrap();
                let got = cost::parameters(&graph).unwrap();
                assert!(got.abs_diff(wanted) * 10 <= wanted, "{name}, {image}: {got} for {wanted}");
            }
        }
    }
}

#[test]
fn moves_stay_in_the_space_and_change_what_they_should() {
    let differences =
        |a: &Architecture, b: &Architecture| a.answers.iter().zip(&b.answers).filter(|(a, b)| a != b).count();
    for name in names() {
        let space = find(name).unwrap();
        let decisions = space.decisions();
        let mut random = Random::new(3, 0);
        for _ in 0..20 {
            let [a, b] = [0, 1].map(|_| space.random(&mut random));
            let mutated = space.mutate(&a, Mutation::One, &mut random);
            mutated.check(name, &decisions).unwrap();
            assert_eq!(differences(&a, &mutated), 1, "{name}");
            assert_eq!(space.mutate(&a, Mutation::Each(0.0), &mut random), a, "{name}");
            space.mutate(&a, Mutation::Each(0.5), &mut random).check(name, &decisions).unwrap();
            let child = space.crossover(&a, &b, &mut random);
            child.check(name, &decisions).unwrap();
            let parents = |d: usize| [a.answers[d], b.answers[d]];
            assert!((0..decisions.len()).all(|d| parents(d).contains(&child.answers[d])), "{name}");
            let neighbours = space.neighbours(&a);
            // Of a state that a node of DARTS reads, one option is its own, and one that of the node's other edge.
            let excluded = |d: usize| if name.contains("darts") && d.is_multiple_of(2) { 2 } else { 1 };
            let possible = decisions.iter().enumerate().map(|(d, decision)| decision.options.len() - excluded(d));
            assert_eq!(neighbours.len(), possible.sum::<usize>(), "{name}");
            assert!(neighbours.iter().all(|n| differences(&a, n) == 1 && n.check(name, &decisions).is_ok()), "{name}");
            assert!(neighbours.contains(&mutated), "{name}");
        }
    }
}

#[test]
fn moves_of_darts_cells_lead_to_cells_that_can_be_drawn() {
    let space = darts::Darts::default();
    let reads_two_states =
        |a: &Architecture| a.answers.chunks_exact(4).all(|node| node[0] != node[2]) && space.check(a).is_ok();
    let mut random = Random::new(5, 0);
    for _ in 0..200 {
        let [a, b] = [0, 1].map(|_| space.random(&mut random));
        for mutation in [Mutation::One, Mutation::Each(0.1), Mutation::Each(1.0)] {
            assert!(reads_two_states(&space.mutate(&a, mutation, &mut random)), "{mutation:?} of {a:?}");
        }
        assert!(reads_two_states(&space.crossover(&a, &b, &mut random)), "{a:?} {b:?}");
        assert!(space.neighbours(&a).iter().all(reads_two_states), "{a:?}");
    }
}

#[test]
fn different_architectures_have_different_encodings_of_one_length() {
    for name in names() {
        let space = find(name).unwrap();
        let mut random = Random::new(4, 0);
        let drawn: Vec<Architecture> = (0..20).map(|_| space.random(&mut random)).collect();
        let mut encodings = vec![Encoding::OneHot];
        if !space.cells(&drawn[0]).is_empty() {
            encodings.extend([Encoding::Adjacency, Encoding::Path { longest: 3 }]);
        }
        for encoding in encodings {
            let vectors: Vec<Vec<f32>> = drawn.iter().map(|a| space.encode(a, encoding).unwrap()).collect();
            assert!(vectors.iter().all(|v| v.len() == vectors[0].len()), "{name} {encoding:?}");
            assert!(vectors.iter().flatten().all(|&v| v == 0.0 || v == 1.0), "{name} {encoding:?}");
            assert!(vectors.iter().any(|v| *v != vectors[0]), "{name} {encoding:?}");
        }
        // Only one-hot is exact: states of a cell may be numbered in several ways.
        let one_hot = |a: &Architecture| space.encode(a, Encoding::OneHot).unwrap();
        assert!(drawn.iter().all(|a| drawn.iter().all(|b| (a == b) == (one_hot(a) == one_hot(b)))), "{name}");
    }
}

#[test]
fn each_decision_is_asked_just_once() {
    for name in names() {
        let space = find(name).unwrap();
        let decisions = space.decisions();
        let mut asked = vec![0; decisions.len()];
        let mut vocabularies: Vec<Option<Vec<String>>> = Vec::new();
        for question in space.questions() {
            match question {
                Question::State { decision } => asked[decision] += 1,
                Question::Option { decision, vocabulary, bias } => {
                    asked[decision] += 1;
                    let options = &decisions[decision].options;
                    assert!(bias.is_empty() || bias.len() == options.len(), "{name}");
                    vocabularies.resize(vocabularies.len().max(vocabulary + 1), None);
                    assert_eq!(vocabularies[vocabulary].get_or_insert_with(|| options.clone()), options, "{name}");
                }
                Question::Skips { decisions } => decisions.for_each(|decision| asked[decision] += 1),
                Question::Cell { .. } | Question::Node => {}
            }
        }
        assert!(asked.iter().all(|&times| times == 1), "{name}: {asked:?}");
    }
}

#[test]
fn each_form_of_an_architecture_is_read_as_that_architecture_and_says_its_space() {
    for name in names() {
        let space = find(name).unwrap();
        for seed in 0..5 {
            let architecture = space.random(&mut Random::new(seed, 7));
            for form in space.forms(&architecture) {
                let Ok(text) = form.text else { continue };
                let read = space.parse(&text).unwrap_or_else(|error| panic!("{name} {}: {error}", form.name));
                assert_eq!(read, architecture, "{name} {}: {text}", form.name);
            }
            // Texts of pairs are those of two spaces, genotypes those of many.
            let of = of_text(&space.print(&architecture));
            assert!(
                of == name
                    || name == nasnet::NAME && of == enas_micro::NAME
                    || name.contains("darts") && of == darts::NAME
                    || name.starts_with("chain"),
                "{name}: {of}"
            );
        }
    }
    for (text, name) in [
        ("(4, 0, 3, 1, 4, 3)", nas_bench_201::NAME),
        ("#1459", nas_bench_201::NAME),
        (
            "fixed_arc = \"0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1\"",
            enas_micro::NAME,
        ),
        ("enas-micro", enas_micro::NAME),
        ("nonsense", "darts"),
    ] {
        assert_eq!(of_text(text), name, "{text}");
    }
}

#[test]
fn numbers_are_read_whatever_stands_around_them() {
    let space = enas_macro::EnasMacro::new(3).unwrap();
    let wanted = space.parse("0 | 1 0 | 5 1 0").unwrap();
    for text in [
        "[0, 1, 0, 5, 1, 0]",
        "fixed_arc = [0, 1, 0,\n 5, 1, 0]",
        "fixed_arc=\"0\"\nfixed_arc=\"$fixed_arc 1 0\"\nfixed_arc=\"$fixed_arc 5 1 0\"",
        "--child_fixed_arc \"0 1 0 5 1 0\"",
        "Sample: [0] [1 0] [5 1 0]",
        "[[0], [1, 0], [5, 1, 0]]",
        "(0,1,0,5,1,0)  # found",
        "conv_3x3 | 1 0 | 5 10",
    ] {
        assert_eq!(space.parse(text).unwrap(), wanted, "{text}");
    }
    assert!(
        notation::numbers("a b").is_none() && notation::numbers("").is_none() && notation::numbers("x = []").is_none()
    );
}
