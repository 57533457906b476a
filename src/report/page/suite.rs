//! The document of a suite: what each strategy has come to in each space, beside random architectures, what that took, and its runs.

use super::document::{
    Axis, Better, Block, Cell, Column, Document, FORMAT, Figure, Form, Number, Plot, Sample, Section, Table,
};
use super::written::{count, number};
use crate::report::statistics::{LEVEL, mean};
use crate::report::suite::{Figures, Row, SpaceFigures};
use crate::run::suite::{Cell as Run, Ended, RANDOM, Results};

/// What is shown of a run of a suite beside its results.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunShown {
    /// Where its own page is, from the suite's; nothing where it has none.
    pub link: String,
    /// How it stands, where more is known than that it is yet to be done.
    pub state: Option<String>,
}

pub(super) fn document(figures: &Figures, results: &Results, shown: &dyn Fn(&Run) -> RunShown) -> Document {
    let section = |id: &'static str, title: &str, blocks: Vec<Block>| Section { id, title: title.to_owned(), blocks };
    let spaces = || figures.spaces.iter().enumerate();
    let sections = [
        section("summary", "Summary", summary(figures)),
        section("accuracy", "What was found", found(figures)),
        section("costs", "What it took", spaces().filter_map(|(at, space)| costs(at, space)).collect()),
        section("runs", "Runs", vec![Block::Table(runs(results, shown))]),
    ];
    Document {
        format: FORMAT,
        title: figures.title(),
        subtitle: format!("Suite · {}", figures.runs.words()),
        sections: sections.into_iter().filter(|section| !section.blocks.is_empty()).collect(),
    }
}

/// How far it is, and what can be said of each space.
fn summary(figures: &Figures) -> Vec<Block> {
    let words = |text: String| Block::Words { text };
    let Figures { scale, device, data_source, runs, spaces, .. } = figures;
    let device = device.as_ref().map_or(String::new(), |device| format!(", on {device}"));
    let mut blocks = vec![words(format!("Scale {scale}{device}: {}.", runs.words()))];
    blocks.extend(data_source.as_ref().map(|source| words(format!("Data: {source}."))));
    blocks.extend(spaces.iter().filter_map(best).map(words));
    for SpaceFigures { space, rows } in spaces {
        for row in rows.iter().filter(|row| row.warned > 0) {
            let text = format!(
                "{} in {space}: signs of collapse in {} of its searches.",
                row.strategy,
                number(row.warned as f64, Form::Whole)
            );
            blocks.push(Block::Warning { text });
        }
        for (row, run) in rows.iter().flat_map(|row| row.failed.iter().map(move |run| (row, run))) {
            let text = format!("{} in {space}, seed {}, failed: {}", row.strategy, run.seed, run.failure.reason);
            blocks.push(Block::Warning { text });
        }
    }
    blocks
}

/// Mean and deviation, where there are any.
fn spread(row: &Row) -> Option<String> {
    let mean = number(row.mean?, Form::Share);
    Some(row.deviation.map_or(mean.clone(), |deviation| format!("{mean} ± {}", number(deviation, Form::Share))))
}

/// Which strategy is ahead in a space, and which are told apart from random architectures.
fn best(figures: &SpaceFigures) -> Option<String> {
    let SpaceFigures { space, rows } = figures;
    let searched = || rows.iter().filter(|row| row.strategy != RANDOM);
    // Rows come from the best to the worst.
    let first = searched().find(|row| row.mean.is_some())?;
    let mut text = format!("In {space} the best mean is that of {}, {}", first.strategy, spread(first)?);
    if let Some(random) = rows.iter().find(|row| row.strategy == RANDOM).and_then(spread) {
        text += &format!("; random architectures have {random}");
    }
    let told = |row: &Row| {
        let against = row.against_random.filter(|against| against.p_holm < LEVEL)?;
        Some(format!("{} ({}, p = {:.3})", row.strategy, against.verdict(), against.p_holm))
    };
    let told: Vec<String> = searched().filter_map(told).collect();
    text += &match (told.is_empty(), figures.too_few()) {
        (false, _) => format!(". Told apart from these at a level of {LEVEL}, corrected by Holm: {}.", told.join(", ")),
        (true, Some(_)) => format!(". With so few networks none could be told apart from these at a level of {LEVEL}."),
        (true, None) => format!(". None is told apart from these at a level of {LEVEL}."),
    };
    Some(text)
}

/// The identifier of a space's table.
fn table_of(at: usize) -> String {
    format!("strategies-{at}")
}

fn better(name: &str, form: Form, better: Better) -> Column {
    Column { better: Some(better), ..Column::new(name, form) }
}

/// Every accuracy as a dot, space by space, and the tables.
fn found(figures: &Figures) -> Vec<Block> {
    let spaces = || figures.spaces.iter().enumerate();
    let text = "Accuracies are those on the test images, with mean and standard deviation of the sample (n − 1). Skips, and none or noise, are \
                shares of an architecture's operations. p is that of Mann and Whitney's test against random architectures, two-sided and \
                exact, with Holm's correction for the strategies of a space. Among all columns are how many random architectures could have \
                been trained in the time of search, and what the best of so many is expected to reach, where so many are known: it is \
                chosen by the test images, which flatters it.";
    spaces()
        .filter_map(|(at, space)| dots(at, space))
        .chain([Block::Words { text: text.to_owned() }])
        .chain(spaces().map(|(at, space)| Block::Table(table(at, space))))
        .collect()
}

fn dots(at: usize, SpaceFigures { space, rows }: &SpaceFigures) -> Option<Block> {
    let sample = |row: &Row| Sample {
        name: row.strategy.clone(),
        values: row.test_accuracies.iter().copied().map(Number).collect(),
        mean: Number(row.mean.unwrap_or(f64::NAN)),
        deviation: Number(row.deviation.unwrap_or(f64::NAN)),
        yardstick: row.strategy == RANDOM,
    };
    let samples: Vec<Sample> = rows.iter().filter(|row| row.mean.is_some()).map(sample).collect();
    (!samples.is_empty()).then(|| {
        Block::Figure(Figure {
            id: format!("accuracies-{at}"),
            title: format!("Test accuracy in {space}"),
            caption: "Each dot is a network trained from scratch; the stroke is the mean, the bar one standard deviation to both sides. \
                      Random architectures are of the same space and were trained alike."
                .to_owned(),
            plot: Plot::Dots { axis: Axis::new("test accuracy", Form::Share), rows: samples },
        })
    })
}

/// Seconds of searching and training all that a strategy has found.
fn altogether(row: &Row) -> Option<f64> {
    Some(row.test_accuracies.len() as f64 * (row.search_seconds.unwrap_or(0.0) + row.train_seconds?))
}

fn table(at: usize, SpaceFigures { space, rows }: &SpaceFigures) -> Table {
    let aside = |name: &str, form: Form| Column { hidden: true, ..Column::new(name, form) };
    let columns = vec![
        Column::new("strategy", Form::Text),
        better("rank", Form::Whole, Better::Less),
        Column::new("networks", Form::Whole),
        better("mean", Form::Share, Better::More),
        Column::new("deviation", Form::Share),
        better("best", Form::Share, Better::More),
        Column::new("p (Holm)", Form::Number),
        Column::new("against random", Form::Text),
        better("parameters", Form::Whole, Better::Less),
        Column::new("skips", Form::Share),
        Column::new("none, noise", Form::Share),
        better("search", Form::Seconds, Better::Less),
        better("altogether", Form::Seconds, Better::Less),
        aside("random in the time of search", Form::Number),
        aside("the best of these", Form::Share),
        aside("collapses", Form::Whole),
        aside("failed", Form::Whole),
        aside("yet to be done", Form::Whole),
    ];
    let whole = |count: usize| Cell::number(Some(count as f64));
    let cells = rows.iter().map(|row| {
        let operations = row.operations.filter(|operations| operations.all > 0.0);
        vec![
            Cell::Text(row.strategy.clone()),
            Cell::number(row.rank.map(|rank| rank as f64)),
            whole(row.test_accuracies.len()),
            Cell::number(row.mean),
            Cell::number(row.deviation),
            Cell::number(row.best),
            Cell::number(row.against_random.map(|against| against.p_holm)),
            Cell::from(row.against_random.map_or("", |against| against.verdict())),
            Cell::number(row.parameters.map(f64::round)),
            Cell::number(operations.map(|operations| operations.skip / operations.all)),
            Cell::number(operations.map(|operations| operations.nothing / operations.all)),
            Cell::number(row.search_seconds),
            Cell::number(altogether(row)),
            Cell::number(row.multi_trial_seconds.map(|trial| trial.architectures)),
            Cell::number(row.multi_trial_seconds.and_then(|trial| trial.best)),
            whole(row.warned),
            whole(row.failed.len()),
            whole(row.missing),
        ]
    });
    Table {
        id: table_of(at),
        caption: format!("Strategies in {space}; random architectures are marked"),
        columns,
        rows: cells.collect(),
        marked: (0..rows.len()).filter(|at| rows[*at].strategy == RANDOM).collect(),
        links: Vec::new(),
        together: None,
    }
}

/// The best of each strategy against what all its networks took.
fn costs(at: usize, figures: &SpaceFigures) -> Option<Block> {
    let SpaceFigures { space, rows } = figures;
    let table = table(at, figures);
    let column = |name: &str| table.columns.iter().position(|column| column.name == name);
    let (x, y) = (column("altogether")?, column("best")?);
    rows.iter().any(|row| row.best.is_some()).then(|| {
        Block::Figure(Figure {
            id: format!("costs-{at}"),
            title: format!("The best in {space} against what it took"),
            caption: "Each point is a strategy, or random architectures: the best of its networks on the test images, and the seconds of \
                      searching and training all of them. The line is the Pareto front: none is better and took less. The axes can be chosen."
                .to_owned(),
            plot: Plot::Scatter { table: table.id.clone(), x, y },
        })
    })
}

/// All runs in their order, each with a link to its own page.
fn runs(results: &Results, shown: &dyn Fn(&Run) -> RunShown) -> Table {
    let fails = results.runs.iter().any(|(_, ended)| matches!(ended, Ended::Failed(_)));
    let mut columns = vec![
        Column::new("run", Form::Text),
        Column::new("space", Form::Text),
        Column::new("strategy", Form::Text),
        Column::new("seed", Form::Whole),
        Column::new("state", Form::Text),
        better("test accuracy", Form::Share, Better::More),
        better("parameters", Form::Whole, Better::Less),
        better("search", Form::Seconds, Better::Less),
        better("training", Form::Seconds, Better::Less),
    ];
    if fails {
        columns.push(Column::new("because", Form::Text));
    }
    let (mut rows, mut links) = (Vec::new(), Vec::new());
    for (run, ended) in &results.runs {
        let RunShown { link, state } = shown(run);
        let Run { space, strategy, seed } = run;
        let (state, networks, search, reason) = match ended {
            Ended::Missing => (state.unwrap_or("yet to be done".to_owned()), &[][..], None, ""),
            Ended::Failed(failure) => (state.unwrap_or("failed".to_owned()), &[][..], None, failure.reason.as_str()),
            Ended::Done { networks, search_seconds, .. } => {
                ("done".to_owned(), &networks[..], Some(*search_seconds).filter(|_| strategy != RANDOM), "")
            }
        };
        let each = |of: fn(&crate::run::NetworkFacts) -> f64| -> Vec<f64> {
            networks.iter().map(|network| of(&network.facts)).collect()
        };
        let training = each(|facts| facts.train_seconds);
        let mut row = vec![
            Cell::Text(format!("{space}/{strategy}/seed-{seed}")),
            Cell::from(space.as_str()),
            Cell::from(strategy.as_str()),
            Cell::number(Some(f64::from(*seed))),
            Cell::Text(state),
            Cell::number(mean(&each(|facts| facts.test_accuracy))),
            Cell::number(mean(&each(|facts| facts.parameters as f64)).map(f64::round)),
            Cell::number(search),
            Cell::number(Some(training.iter().sum()).filter(|_| !training.is_empty())),
        ];
        if fails {
            row.push(Cell::from(reason));
        }
        rows.push(row);
        links.push(link);
    }
    if links.iter().all(String::is_empty) {
        links.clear();
    }
    Table {
        id: "suite-runs".to_owned(),
        caption: format!("{}; of random architectures the mean of those of a seed", count(rows.len(), "run")),
        columns,
        rows,
        marked: Vec::new(),
        links,
        together: None,
    }
}
