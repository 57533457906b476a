use super::*;
use crate::run::NetworkFacts;
use crate::run::suite::{Asked, Plan};

fn network(name: &str, accuracy: f64, operations: &[&str]) -> Network {
    let facts = NetworkFacts {
        name: name.into(),
        genotype: Some("g".into()),
        parameters: 1000,
        multiply_adds: 1,
        test_accuracy: accuracy,
        balanced_accuracy: None,
        train_seconds: 10.0,
    };
    Network { facts, operations: operations.iter().map(|name| (*name).to_owned()).collect() }
}

fn done(accuracies: &[f64], search_seconds: f64, operations: &[&str]) -> Ended {
    let networks = accuracies.iter().map(|&accuracy| network("n", accuracy, operations)).collect();
    Ended::Done { networks, search_seconds, warnings: Vec::new() }
}

/// Two strategies in one space: `gdas` beats all of random, `darts` has one result, one failure and one run to go.
fn results() -> Results {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let plan = Plan::new(&Asked {
        strategies: names(&["darts", "gdas"]),
        spaces: names(&["darts"]),
        seeds: Some(3),
        ..Asked::default()
    });
    let mut runs = Vec::new();
    let mut run = |strategy: &str, seed: u32, ended: Ended| {
        runs.push((Cell { space: "darts".into(), strategy: strategy.into(), seed }, ended));
    };
    for (seed, random) in
        [[0.50, 0.51, 0.52, 0.53], [0.54, 0.55, 0.56, 0.57], [0.58, 0.59, 0.60, 0.61]].iter().enumerate()
    {
        run(RANDOM, seed as u32, done(random, 0.0, &["skip_connect", "sep_conv_3x3"]));
        run(
            "gdas",
            seed as u32,
            done(&[0.70 + 0.01 * seed as f64], 25.0, &["noise", "none", "skip_connect", "dil_conv"]),
        );
    }
    run("darts", 0, done(&[0.40], 500.0, &[]));
    let failure = Failure { reason: "a loss that is not finite".into(), because: vec!["a cause".into()] };
    run("darts", 1, Ended::Failed(failure));
    run("darts", 2, Ended::Missing);
    let ran_on = Some(["digits: some".to_owned(), "CPU".to_owned()]);
    Results { plan: plan.unwrap(), ran_on, runs }
}

#[test]
fn rows_are_ranked_and_held_against_random() {
    let figures = Figures::of(&results());
    assert_eq!(figures.runs, Runs { planned: 9, done: 7, failed: 1, missing: 1 });
    let [gdas, random, darts] = &figures.spaces[0].rows[..] else { panic!("{figures:?}") };
    assert_eq!([gdas, random, darts].map(|row| row.strategy.as_str()), ["gdas", RANDOM, "darts"]);
    assert_eq!([gdas.rank, random.rank, darts.rank], [Some(1), Some(2), Some(3)]);
    // Of two tests the smaller p counts twice.
    let found = gdas.against_random.unwrap();
    approx::assert_relative_eq!(found.p, 2.0 / 455.0, max_relative = 1e-12);
    approx::assert_relative_eq!(found.p_holm, 4.0 / 455.0, max_relative = 1e-12);
    assert_eq!((found.better, random.against_random), (1.0, None));
    assert_eq!(gdas.operations, Some(Operations { all: 4.0, skip: 1.0, nothing: 2.0 }));
    assert_eq!((darts.operations, darts.deviation, darts.missing), (None, None, 1));
    // 25 seconds are two and a half trainings; of the best of two the mean is 1/66 Σ (i−1)·x_i.
    let trial = gdas.multi_trial_seconds.unwrap();
    assert_eq!(trial.architectures, 2.5);
    let expected: f64 = (0..12).map(|i| f64::from(i) * (0.50 + 0.01 * f64::from(i))).sum::<f64>() / 66.0;
    approx::assert_relative_eq!(trial.best.unwrap(), expected, max_relative = 1e-12);
    let trial = darts.multi_trial_seconds.unwrap();
    assert_eq!((trial.architectures, trial.best), (50.0, None), "only twelve are known");
}

#[test]
fn words_and_picture_say_what_the_figures_do() {
    let figures = Figures::of(&results());
    let text = markdown(&figures);
    for part in [
        "# 2 strategies × 1 space × 3 seeds on digits",
        "7 of 9 runs done, 1 failed, 1 yet to be done; on CPU.",
        "| 1 | gdas | 3 | 71.00 ± 1.00 | 72.00 | 1000 | 1.0 of 4 | 2.0 of 4 | 25.0 | 2.5, best ",
        " | 0.009, better |",
        "| 2 | *random* | 12 | ",
        "| 3 | darts | 1 | 40.00 | 40.00 | 1000 | – | – | 500.0 | 50.0 | ",
        "not told apart |",
        "- `darts`, seed 1, failed: a loss that is not finite; because: a cause",
    ] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("With so few networks"), "{text}");
    let json = serde_json::to_value(&figures).unwrap();
    assert_eq!(json["spaces"][0]["rows"][2]["failed"][0]["reason"], "a loss that is not finite");
    let svg = picture(&figures).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(svg.matches("<circle").count(), 12 + 3 + 1);
}

#[test]
fn where_nothing_can_be_told_apart_it_is_said() {
    let mut few = results();
    few.runs.retain(|(cell, _)| cell.seed == 0);
    let text = markdown(&Figures::of(&few));
    assert!(text.contains("With so few networks no strategy can be told apart"), "{text}");
    few.runs.clear();
    let text = markdown(&Figures::of(&few));
    assert!(text.contains("0 of 0 runs done") && text.contains("| – | gdas | 0 | – |"), "{text}");
}
