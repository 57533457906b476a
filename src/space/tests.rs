use super::*;
use crate::cost;
use crate::graph::Features;
use crate::random::Random;

#[test]
fn every_named_space_does_everything_a_space_does() {
    let settings = NetworkSettings { image: Features::new(1, 8, 8), channels: 8, layers: 3, ..Default::default() };
    for name in NAMES {
        let space = find(name, &SpaceSettings::default()).unwrap();
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
fn every_combination_of_answers_decodes() {
    let settings = NetworkSettings { image: Features::new(1, 5, 6), channels: 2, layers: 4, ..Default::default() };
    for name in NAMES {
        let space = find(name, &SpaceSettings::default()).unwrap();
        let decisions = space.decisions();
        let mut random = Random::new(11, 0);
        for _ in 0..50 {
            space.decode(&Architecture::uniform(&decisions, &mut random), &settings).unwrap();
        }
    }
}

#[test]
fn the_same_seed_draws_the_same_architecture() {
    for name in NAMES {
        let space = find(name, &SpaceSettings::default()).unwrap();
        let draw = |seed| space.random(&mut Random::new(seed, 0));
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let unknown = |name: &str| find(name, &SpaceSettings::default()).err().unwrap().to_string();
    assert!(unknown("dart").contains("did you mean `darts`?"));
    assert!(
        unknown("chain-vgg").contains("did you mean `chain-vgg16`? (known: darts, chain, chain-vgg16, chain-mlp, ")
    );
    let settings = SpaceSettings { primitives: vec!["skip_conect".into()], ..Default::default() };
    assert!(find("darts", &settings).err().unwrap().to_string().contains("did you mean `skip_connect`?"));
}

#[test]
fn a_baseline_of_any_reasonable_size_is_found() {
    for image in [Features::new(1, 8, 8), Features::new(3, 32, 32), Features::new(1, 28, 28)] {
        let settings = NetworkSettings { image, ..Default::default() };
        for name in ["darts", "chain"] {
            let space = find(name, &SpaceSettings::default()).unwrap();
            for wanted in [2_000, 5_000, 8_234, 30_000, 100_000, 1_000_000, 30_000_000u64] {
                let graph = space.baseline(&settings, wanted).unwrap();
                let got = cost::parameters(&graph).unwrap();
                assert!(got.abs_diff(wanted) * 10 <= wanted, "{name}, {image}: {got} for {wanted}");
            }
        }
    }
}
