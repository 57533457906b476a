use super::*;
use crate::report::page::document::{Block, Cell as PageCell, Plot};
use crate::report::page::{Document, RunShown, html};
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

/// What a name may hold: ends of elements and comments, terminal controls, a line separator.
const HOSTILE: &str = "</script><!--<img src=x onerror=alert(1)>\"'&\u{2028}\u{1b}[31m\u{9b}2J";

/// Where the tests' suite has pages: nowhere but of `gdas`.
fn shown(run: &Cell) -> RunShown {
    match run.strategy.as_str() {
        "gdas" => RunShown { link: format!("darts/gdas/seed-{}/report.html", run.seed), state: None },
        "darts" => RunShown { link: String::new(), state: Some("running: search".to_owned()) },
        _ => RunShown::default(),
    }
}

#[test]
fn a_page_shows_strategies_their_costs_and_every_run() {
    let results = results();
    let document = Document::of_suite(&Figures::of(&results), &results, shown);
    assert_eq!(document.title, "2 strategies × 1 space × 3 seeds on digits");
    assert_eq!(document.subtitle, "Suite · 7 of 9 runs done, 1 failed, 1 yet to be done");
    let blocks: Vec<&Block> = document.sections.iter().flat_map(|section| &section.blocks).collect();
    let table = |id: &str| {
        let mut tables =
            blocks.iter().filter_map(|block| if let Block::Table(table) = block { Some(table) } else { None });
        tables.find(|table| table.id == id).unwrap()
    };
    let plot = |id: &str| {
        let mut all =
            blocks.iter().filter_map(|block| if let Block::Figure(figure) = block { Some(figure) } else { None });
        &all.find(|figure| figure.id == id).unwrap().plot
    };
    let Plot::Dots { rows, .. } = plot("accuracies-0") else { panic!() };
    assert_eq!(
        rows.iter().map(|row| (row.name.as_str(), row.values.len(), row.yardstick)).collect::<Vec<_>>(),
        [("gdas", 3, false), (RANDOM, 12, true), ("darts", 1, false)]
    );
    let strategies = table("strategies-0");
    assert!(strategies.rows.iter().all(|row| row.len() == strategies.columns.len()));
    assert_eq!(strategies.marked, [1]);
    let Plot::Scatter { table: of, x, y } = plot("costs-0") else { panic!() };
    assert_eq!(
        (of, strategies.columns[*x].name.as_str(), strategies.columns[*y].name.as_str()),
        (&strategies.id, "altogether", "best")
    );
    // Three searches of 25 seconds with a training of 10 each; twelve trainings.
    let at = |row: usize| [&strategies.rows[row][*x], &strategies.rows[row][*y]];
    let number = |value: f64| PageCell::number(Some(value));
    assert_eq!((at(0), at(1)), ([&number(105.0), &number(0.72)], [&number(120.0), &number(0.61)]));
    let runs = table("suite-runs");
    assert_eq!((runs.rows.len(), runs.links.len(), runs.columns.last().unwrap().name.as_str()), (9, 9, "because"));
    let row = |name: &str| runs.rows.iter().position(|row| row[0] == PageCell::from(name)).unwrap();
    assert_eq!(runs.links[row("darts/gdas/seed-2")], "darts/gdas/seed-2/report.html");
    assert_eq!(runs.rows[row("darts/darts/seed-2")][4], PageCell::from("running: search"));
    assert_eq!(runs.rows[row("darts/random/seed-0")][5], number(0.515));

    let page = html(&document);
    for part in [
        "In darts the best mean is that of gdas, 71.00\u{a0}% ± 1.00\u{a0}%; random architectures have 55.50\u{a0}%",
        "Told apart from these at a level of 0.05, corrected by Holm: gdas (better, p = 0.009).",
        "darts in darts, seed 1, failed: a loss that is not finite",
        "<a href=\"darts/gdas/seed-0/report.html\">darts/gdas/seed-0</a>",
    ] {
        assert!(page.contains(part), "{part} is missing in\n{page}");
    }
    assert_eq!(page.matches("<a href=\"darts/").count(), 3, "what has no page has no link");
    assert!(!page.contains("href=\"\""), "a link to nowhere");
}

#[test]
fn a_page_of_a_suite_that_was_just_begun_says_so_and_hostile_texts_stay_text() {
    let mut results = results();
    results.runs.iter_mut().for_each(|(_, ended)| *ended = Ended::Missing);
    let page = html(&Document::of_suite(&Figures::of(&results), &results, |_| RunShown::default()));
    assert!(page.contains("0 of 9 runs done, 9 yet to be done") && !page.contains("<figure"), "{page}");
    let failure = || Failure { reason: HOSTILE.into(), because: vec![HOSTILE.into()] };
    results.runs.iter_mut().for_each(|(_, ended)| *ended = Ended::Failed(failure()));
    results.ran_on = Some([HOSTILE.to_owned(), HOSTILE.to_owned()]);
    let page = html(&Document::of_suite(&Figures::of(&results), &results, |_| RunShown::default()));
    assert_eq!((page.matches("<script").count(), page.matches("</script").count()), (2, 2));
    assert!(!page.contains("<img") && !page.contains("<!--") && !page.contains('\u{2028}'));
    assert!(page.chars().all(|c| !c.is_control() || c == '\n' || c == '\t'), "control characters");
    assert!(page.contains("9 failed"));
}
