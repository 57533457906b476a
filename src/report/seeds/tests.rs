use super::*;

fn done(seed: u64, accuracy: f64, random: &[f64], baseline: Option<f64>) -> (u64, Ended) {
    let summary = serde_json::from_value(serde_json::json!({
        "space": "darts", "strategy": "darts", "data": "digits", "data_source": "digits: some", "device": "CPU",
        "seed": seed, "genotype": "g", "parameters": 1000, "multiply_adds": 1, "test_accuracy": accuracy,
        "random_accuracies": random, "baseline_accuracy": baseline, "search_seconds": 2.0, "train_seconds": 1.0,
        "total_seconds": 5.0, "supernet_parameters": 1, "warnings": [], "networks": [],
    }));
    (seed, Ended::Done(Box::new(summary.unwrap())))
}

fn figures(runs: Vec<(u64, Ended)>) -> Figures {
    Figures::of(&Repeats { runs, others: 0 }, &Config::with(&[]).unwrap())
}

#[test]
fn all_random_networks_are_pooled_and_held_against_what_was_found() {
    let low = [0.50, 0.51, 0.52];
    let runs = (0u32..4).map(|seed| {
        let more = f64::from(seed) / 1000.0;
        done(seed.into(), 0.90 + more, &low.map(|accuracy| accuracy + more), Some(0.7))
    });
    let figures = figures(runs.collect());
    let random = figures.random.as_ref().unwrap();
    assert_eq!((figures.found.test_accuracies.len(), random.test_accuracies.len()), (4, 12));
    // Of 0.900, 0.901, 0.902, 0.903 the squares about the mean add up to 5e-6.
    assert!((figures.found.mean.unwrap() - 0.9015).abs() < 1e-12);
    assert!((figures.found.deviation.unwrap() - (5e-6_f64 / 3.0).sqrt()).abs() < 1e-12);
    let against = figures.against_random.unwrap();
    // All of 4 above all of 12: two of the C(16, 4) = 1,820 divisions are as extreme.
    assert!((against.p - 2.0 / 1820.0).abs() < 1e-12 && against.least_p == against.p && against.better == 1.0);
    assert!(against.significant);
    let text = markdown(&figures);
    assert!(text.contains("# darts in the space darts on digits, 4 seeds\n\n4 of 4 runs done; on CPU."), "{text}");
    assert!(text.contains("| 0 | 90.00 | 50.00, 51.00, 52.00 | 70.00 | 1000 | 2.0 | 5.0 |"), "{text}");
    assert!(text.contains("| found | 4 | 90.15 ± 0.13 | 90.30 |") && text.contains("| random | 12 | 51.15 "), "{text}");
    assert!(text.contains("In 100 % of the pairs") && text.contains("p = 0.001"), "{text}");
    assert!(text.contains("better than random search") && !text.contains("so few"), "{text}");
    let svg = picture(&figures).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(svg.matches("<circle").count(), 4 + 12 + 4);
}

#[test]
fn too_few_values_for_any_significance_are_said_to_be() {
    let figures = figures(vec![done(3, 0.9, &[0.5, 0.6], None)]);
    let against = figures.against_random.unwrap();
    assert!((against.p - 2.0 / 3.0).abs() < 1e-12 && !against.significant);
    assert_eq!((figures.found.deviation, figures.baseline.clone()), (None, None));
    let text = markdown(&figures);
    assert!(text.contains("not told apart") && text.contains("p cannot be less than 0.667"), "{text}");
    assert!(text.contains("| found | 1 | 90.00 | 90.00 |") && !text.contains("hand-designed |"), "{text}");
}

#[test]
fn without_random_networks_there_is_nothing_to_compare_with() {
    let failure = Failure { reason: "the loss became NaN".into(), because: vec!["a cause".into()] };
    let figures =
        figures(vec![done(0, 0.9, &[], None), (1, Ended::Failed(failure)), (2, Ended::Missing), (3, Ended::Missing)]);
    assert_eq!((figures.random.clone(), figures.against_random), (None, None));
    let text = markdown(&figures);
    assert!(text.contains("1 of 4 runs done, 1 failed, yet to be done: seed 2, 3; on CPU."), "{text}");
    assert!(text.contains("nothing to compare with") && text.contains("`random = 0`"), "{text}");
    assert!(text.contains("- seed 1 failed: the loss became NaN; because: a cause"), "{text}");
    roxmltree::Document::parse(&picture(&figures).unwrap()).unwrap();
}

#[test]
fn before_any_run_is_over_that_is_said() {
    let figures = figures(vec![(0, Ended::Missing)]);
    assert!(markdown(&figures).contains("No run is over yet"));
    assert!(picture(&figures).unwrap().contains("no data"));
}
