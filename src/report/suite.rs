//! What the runs of a suite have come to: the figures (as JSON), a table in Markdown, a picture.

mod words;

use super::DrawError;
use super::plot::{Strip, StripPanel, strips};
use super::statistics::{Comparison, LEVEL, compare, deviation, expected_best, holm, mean};
use crate::run::Failure;
use crate::run::suite::{Cell, Ended, Network, RANDOM, Results};
use serde::Serialize;

pub use words::markdown;

/// The form of `suite.json`.
const FORMAT: u32 = 1;

/// The figures of a suite. Everything that depends on how long something took has a key that ends in `_seconds`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Form of the file.
    pub format: u32,
    /// How much work each run was: `small` or `published`.
    pub scale: String,
    /// The dataset.
    pub data: String,
    /// What was found of it, in one line.
    pub data_source: Option<String>,
    /// The device that it ran on.
    pub device: Option<String>,
    /// How many seeds.
    pub seeds: u32,
    /// How many runs there are.
    pub runs: Runs,
    /// The spaces, in the plan's order.
    pub spaces: Vec<SpaceFigures>,
}

/// How many runs there are, and what has become of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// Of the plan.
    pub planned: usize,
    /// Over.
    pub done: usize,
    /// Failed.
    pub failed: usize,
    /// Yet to be done.
    pub missing: usize,
}

/// The figures of a space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpaceFigures {
    /// Its name.
    pub space: String,
    /// One row for random architectures and one for each strategy, from the best mean to the worst; at the end those without results.
    pub rows: Vec<Row>,
}

/// What a strategy has come to in a space, or random architectures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The strategy, or `random`.
    pub strategy: String,
    /// 1 for the best mean; equal ones share it. None without results.
    pub rank: Option<usize>,
    /// Shares of right answers on the test images, by seed; of random architectures several of each.
    pub test_accuracies: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation, where there are two.
    pub deviation: Option<f64>,
    /// The largest of them.
    pub best: Option<f64>,
    /// Mean number of parameters.
    pub parameters: Option<f64>,
    /// What the architectures are made of: signs of collapse.
    pub operations: Option<Operations>,
    /// How many searches the collapse monitor warned of.
    pub warned: usize,
    /// How it compares with random architectures.
    pub against_random: Option<AgainstRandom>,
    /// Mean seconds of search.
    pub search_seconds: Option<f64>,
    /// Mean seconds of training a network.
    pub train_seconds: Option<f64>,
    /// What random search would have come to in the seconds of search.
    pub multi_trial_seconds: Option<MultiTrial>,
    /// Runs that failed.
    pub failed: Vec<FailedRun>,
    /// Runs yet to be done.
    pub missing: usize,
}

/// Mean numbers of operations in the normal cell, or in all layers of a space without cells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Operations {
    /// All of them.
    pub all: f64,
    /// Skip connections.
    pub skip: f64,
    /// Those that compute nothing of their input: `none`, and noise.
    pub nothing: f64,
}

/// Mann and Whitney's test of a strategy's accuracies against those of random architectures, two-sided and exact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AgainstRandom {
    /// The share of pairs in which the strategy's network is the better one; equal ones count one half.
    pub better: f64,
    /// The probability of as much or more, on either side, if both are drawn alike.
    pub p: f64,
    /// The same with Holm's correction for the strategies of the space.
    pub p_holm: f64,
    /// The least p that samples of these sizes can give.
    pub least_p: f64,
}

/// What random search would have come to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MultiTrial {
    /// How many random architectures could have been trained.
    pub architectures: f64,
    /// What the best of so many, rounded down, is expected to be on the test images; none if fewer are known.
    pub best: Option<f64>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRun {
    /// Its seed.
    pub seed: u32,
    /// Why.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Figures {
    /// The figures of what runs have come to.
    pub fn of(results: &Results) -> Self {
        let Results { plan, ran_on, runs } = results;
        let mut counts = Runs { planned: runs.len(), ..Runs::default() };
        for (_, ended) in runs {
            match ended {
                Ended::Missing => counts.missing += 1,
                Ended::Failed(_) => counts.failed += 1,
                Ended::Done { .. } => counts.done += 1,
            }
        }
        let spaces = plan.spaces.iter().map(|space| {
            let names = std::iter::once(RANDOM).chain(plan.strategies.iter().map(String::as_str));
            let rows = names.map(|strategy| {
                let own = |(cell, _): &&(Cell, Ended)| cell.space == *space && cell.strategy == strategy;
                Row::of(strategy, runs.iter().filter(own))
            });
            SpaceFigures::of(space, rows.collect())
        });
        Self {
            format: FORMAT,
            scale: plan.scale.name().to_owned(),
            data: plan.data.clone(),
            data_source: ran_on.as_ref().map(|[source, _]| source.clone()),
            device: ran_on.as_ref().map(|[_, device]| device.clone()),
            seeds: plan.seeds,
            runs: counts,
            spaces: spaces.collect(),
        }
    }

    /// Its heading: how many strategies, spaces and seeds, and on what.
    pub fn title(&self) -> String {
        let counted =
            |number: usize, one: &str, more: &str| format!("{number} {}", if number == 1 { one } else { more });
        let strategies = self.spaces.first().map_or(0, |space| space.rows.len().saturating_sub(1));
        format!(
            "{} × {} × {} on {}",
            counted(strategies, "strategy", "strategies"),
            counted(self.spaces.len(), "space", "spaces"),
            counted(self.seeds as usize, "seed", "seeds"),
            self.data,
        )
    }
}

impl Runs {
    /// In words.
    pub fn words(&self) -> String {
        let Self { planned, done, failed, missing } = self;
        let mut text = format!("{done} of {planned} runs done");
        for (count, what) in [(failed, "failed"), (missing, "yet to be done")] {
            if *count > 0 {
                text += &format!(", {count} {what}");
            }
        }
        text
    }
}

impl AgainstRandom {
    /// Whether the strategy's networks are told apart from random ones, and how.
    pub fn verdict(&self) -> &'static str {
        match (self.p_holm < LEVEL, self.better > 0.5) {
            (false, _) => "not told apart",
            (true, true) => "better",
            (true, false) => "worse",
        }
    }
}

impl Row {
    /// What runs of a strategy have come to.
    fn of<'a>(strategy: &str, runs: impl Iterator<Item = &'a (Cell, Ended)>) -> Self {
        let mut trained: Vec<&Network> = Vec::new();
        let (mut searched, mut failed, mut missing, mut warned) = (Vec::new(), Vec::new(), 0, 0);
        for (cell, ended) in runs {
            match ended {
                Ended::Missing => missing += 1,
                Ended::Failed(failure) => failed.push(FailedRun { seed: cell.seed, failure: failure.clone() }),
                Ended::Done { networks, search_seconds, warnings } => {
                    trained.extend(networks);
                    searched.push(*search_seconds);
                    warned += usize::from(!warnings.is_empty());
                }
            }
        }
        let each = |of: fn(&Network) -> f64| trained.iter().map(|network| of(network)).collect::<Vec<f64>>();
        let accuracies = each(|network| network.facts.test_accuracy);
        Self {
            strategy: strategy.to_owned(),
            rank: None,
            mean: mean(&accuracies),
            deviation: deviation(&accuracies),
            best: accuracies.iter().copied().reduce(f64::max),
            parameters: mean(&each(|network| network.facts.parameters as f64)),
            operations: Operations::of(&trained),
            warned,
            against_random: None,
            search_seconds: mean(&searched).filter(|_| strategy != RANDOM),
            train_seconds: mean(&each(|network| network.facts.train_seconds)),
            multi_trial_seconds: None,
            test_accuracies: accuracies,
            failed,
            missing,
        }
    }
}

impl Operations {
    fn of(networks: &[&Network]) -> Option<Self> {
        let known: Vec<&[String]> = networks
            .iter()
            .map(|network| &network.operations[..])
            .filter(|operations| !operations.is_empty())
            .collect();
        let count = |is_one: fn(&str) -> bool| {
            let counts: Vec<f64> =
                known.iter().map(|all| all.iter().filter(|operation| is_one(operation)).count() as f64).collect();
            mean(&counts)
        };
        Some(Self {
            all: count(|_| true)?,
            skip: count(|operation| operation.starts_with("skip"))?,
            nothing: count(|operation| ["none", "noise", "zero"].iter().any(|name| operation.starts_with(name)))?,
        })
    }
}

impl SpaceFigures {
    /// Rows, of which one is that of random architectures, held against each other.
    fn of(space: &str, mut rows: Vec<Row>) -> Self {
        let random =
            rows.iter().find(|row| row.strategy == RANDOM).map(|row| (row.test_accuracies.clone(), row.train_seconds));
        let (random, seconds) = random.unwrap_or_default();
        for row in rows.iter_mut().filter(|row| row.strategy != RANDOM) {
            let against = |Comparison { better, p, least_p }| AgainstRandom { better, p, p_holm: p, least_p };
            row.against_random = compare(&row.test_accuracies, &random).map(against);
            let trial = |(search, training): (f64, f64)| {
                let architectures = search / training;
                MultiTrial { architectures, best: expected_best(&random, architectures as usize) }
            };
            row.multi_trial_seconds =
                row.search_seconds.zip(seconds).filter(|(_, training)| *training > 0.0).map(trial);
        }
        let tested: Vec<f64> = rows.iter().filter_map(|row| row.against_random.map(|found| found.p)).collect();
        let found = rows.iter_mut().filter_map(|row| row.against_random.as_mut());
        found.zip(holm(&tested)).for_each(|(found, p)| found.p_holm = p);
        let means: Vec<f64> = rows.iter().filter_map(|row| row.mean).collect();
        for row in &mut rows {
            row.rank = row.mean.map(|own| 1 + means.iter().filter(|mean| **mean > own).count());
        }
        // Those of equal means, and those without results, stay in the plan's order.
        rows.sort_by_key(|row| row.rank.unwrap_or(usize::MAX));
        Self { space: space.to_owned(), rows }
    }

    /// Where so few networks cannot be told apart from random ones, whatever they have come to: the least p of one strategy, and of
    /// how many it is corrected for.
    pub fn too_few(&self) -> Option<(f64, usize)> {
        let tested: Vec<f64> = self.rows.iter().filter_map(|row| Some(row.against_random?.least_p)).collect();
        let least = tested.iter().copied().fold(1.0, f64::min);
        (!tested.is_empty() && least * tested.len() as f64 >= LEVEL).then_some((least, tested.len()))
    }
}

/// Test accuracies as dots, a panel for each space, as SVG.
///
/// # Errors
/// [`DrawError`] if it cannot be drawn.
pub fn picture(figures: &Figures) -> Result<String, DrawError> {
    let strip = |row: &Row| Strip {
        name: row.strategy.clone(),
        values: row.test_accuracies.iter().map(|accuracy| 100.0 * accuracy).collect(),
        yardstick: row.strategy == RANDOM,
    };
    let panel = |space: &SpaceFigures| StripPanel {
        title: space.space.clone(),
        strips: space.rows.iter().map(strip).collect(),
    };
    let panels: Vec<StripPanel> = figures.spaces.iter().map(panel).collect();
    let title = format!("Architectures found on {}", figures.data);
    strips(&title, "test accuracy (%), the mean as a stroke; shaded: random", &panels)
}

#[cfg(test)]
mod tests;
