//! What one search with several seeds has come to: the figures (as JSON), tables in Markdown, a picture.

use super::DrawError;
use super::plot::{Strip, StripPanel, strips};
use super::statistics::{Comparison, LEVEL, compare, deviation, mean};
use crate::run::seeds::{Ended, Repeats};
use crate::run::{Config, Failure, Standing, Summary};
use serde::Serialize;
use std::fmt::Write;

/// The form of `seeds.json`.
const FORMAT: u32 = 1;

/// The figures of a search with several seeds. Accuracies are shares of right answers on the test images, from 0 to 1. Everything
/// that depends on how long something took has a key that ends in `_seconds`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// Form of the file.
    pub format: u32,
    /// Search space.
    pub space: String,
    /// Search strategy.
    pub strategy: String,
    /// Dataset.
    pub data: String,
    /// What was found of it, in one line: that of the first run that is over.
    pub data_source: Option<String>,
    /// The device that it ran on, likewise.
    pub device: Option<String>,
    /// The runs that are over, by seed.
    pub seeds: Vec<Seed>,
    /// The networks found.
    pub found: Sample,
    /// The random networks of all seeds; none where the runs train none.
    pub random: Option<Sample>,
    /// The hand-designed networks, one of each seed; none where the runs train none.
    pub baseline: Option<Sample>,
    /// What the architectures found have by the table of their benchmark, after its whole training; none where it is not looked up.
    pub benchmark: Option<Sample>,
    /// How the networks found compare with random ones.
    pub against_random: Option<AgainstRandom>,
    /// Runs that failed.
    pub failed: Vec<FailedRun>,
    /// Seeds whose runs have not come to their end.
    pub missing: Vec<u64>,
    /// Runs of other seeds in the same directory, which are not counted.
    pub others: usize,
}

/// What the run of a seed has come to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seed {
    /// The seed.
    pub seed: u64,
    /// The architecture found, in one line.
    pub genotype: String,
    /// Accuracy of its network.
    pub test_accuracy: f64,
    /// Parameters of its network.
    pub parameters: u64,
    /// Multiply-adds of its network for one image.
    pub multiply_adds: u64,
    /// Accuracies of random networks, trained alike.
    pub random_accuracies: Vec<f64>,
    /// The accuracy of a hand-designed network of similar size, trained alike.
    pub baseline_accuracy: Option<f64>,
    /// Where it stands in the table of its benchmark, if it was looked up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<Standing>,
    /// Warnings of the collapse monitor.
    pub warnings: Vec<String>,
    /// Seconds of search.
    pub search_seconds: f64,
    /// Seconds of training the network found.
    pub train_seconds: f64,
    /// Seconds of the whole run.
    pub total_seconds: f64,
}

/// Accuracies of several networks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Each of them.
    pub test_accuracies: Vec<f64>,
    /// Their mean.
    pub mean: Option<f64>,
    /// Their standard deviation (that of a sample: n − 1), where there are two.
    pub deviation: Option<f64>,
    /// The largest of them.
    pub best: Option<f64>,
}

/// Mann and Whitney's test of the networks found against random ones, two-sided, and exact for up to 1,600 pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AgainstRandom {
    /// The share of pairs in which the network found is the better one; equal ones count one half.
    pub better: f64,
    /// The probability of as much or more, on either side, if both are drawn alike.
    pub p: f64,
    /// The least p that samples of these sizes can give.
    pub least_p: f64,
    /// Whether p is below 0.05.
    pub significant: bool,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FailedRun {
    /// Its seed.
    pub seed: u64,
    /// Why.
    #[serde(flatten)]
    pub failure: Failure,
}

impl Figures {
    /// The figures of what the runs of a configuration have come to.
    pub fn of(repeats: &Repeats, config: &Config) -> Self {
        let mut figures = Self {
            format: FORMAT,
            space: config.space.name.clone(),
            strategy: config.search.name().to_owned(),
            data: config.data.name.clone(),
            data_source: None,
            device: None,
            seeds: Vec::new(),
            found: Sample::of(Vec::new()),
            random: None,
            baseline: None,
            benchmark: None,
            against_random: None,
            failed: Vec::new(),
            missing: Vec::new(),
            others: repeats.others,
        };
        for (seed, ended) in &repeats.runs {
            match ended {
                Ended::Missing => figures.missing.push(*seed),
                Ended::Failed(failure) => {
                    figures.failed.push(FailedRun { seed: *seed, failure: failure.clone() });
                }
                Ended::Done(summary) => {
                    figures.data_source.get_or_insert_with(|| summary.data_source.clone());
                    figures.device.get_or_insert_with(|| summary.device.clone());
                    figures.seeds.push(Seed::of(summary));
                }
            }
        }
        let seeds = &figures.seeds;
        figures.found = Sample::of(seeds.iter().map(|seed| seed.test_accuracy).collect());
        figures.random = Sample::some(seeds.iter().flat_map(|seed| seed.random_accuracies.iter().copied()).collect());
        figures.baseline = Sample::some(seeds.iter().filter_map(|seed| seed.baseline_accuracy).collect());
        figures.benchmark =
            Sample::some(seeds.iter().filter_map(|seed| Some(seed.benchmark.as_ref()?.test_accuracy)).collect());
        let random = figures.random.as_ref();
        let compared = random.and_then(|random| compare(&figures.found.test_accuracies, &random.test_accuracies));
        figures.against_random = compared.map(|Comparison { better, p, least_p }| AgainstRandom {
            better,
            p,
            least_p,
            significant: p < LEVEL,
        });
        figures
    }
}

impl Seed {
    fn of(summary: &Summary) -> Self {
        Self {
            seed: summary.seed,
            genotype: summary.genotype.clone(),
            test_accuracy: summary.test_accuracy,
            parameters: summary.parameters,
            multiply_adds: summary.multiply_adds,
            random_accuracies: summary.random_accuracies.clone(),
            baseline_accuracy: summary.baseline_accuracy,
            benchmark: summary.benchmark.clone(),
            warnings: summary.warnings.clone(),
            search_seconds: summary.search_seconds,
            train_seconds: summary.train_seconds,
            total_seconds: summary.total_seconds,
        }
    }
}

impl Sample {
    fn of(test_accuracies: Vec<f64>) -> Self {
        Self {
            mean: mean(&test_accuracies),
            deviation: deviation(&test_accuracies),
            best: test_accuracies.iter().copied().reduce(f64::max),
            test_accuracies,
        }
    }

    /// The same, if there are any.
    fn some(test_accuracies: Vec<f64>) -> Option<Self> {
        (!test_accuracies.is_empty()).then(|| Self::of(test_accuracies))
    }
}

fn percent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

fn or_none(value: Option<String>) -> String {
    value.unwrap_or_else(|| "–".to_owned())
}

/// The figures as Markdown: a row for each seed, what they come to, and whether that is more than random search.
pub fn markdown(figures: &Figures) -> String {
    let Figures { space, strategy, data, data_source, device, seeds, failed, missing, others, .. } = figures;
    let all = seeds.len() + failed.len() + missing.len();
    let plural = if all == 1 { "" } else { "s" };
    let mut text = format!("# {strategy} in the space {space} on {data}, {all} seed{plural}\n\n");
    // Writing to a String cannot fail.
    let _ = write!(text, "{} of {all} run{plural} done", seeds.len());
    if !failed.is_empty() {
        let _ = write!(text, ", {} failed", failed.len());
    }
    if !missing.is_empty() {
        let list: Vec<String> = missing.iter().map(u64::to_string).collect();
        let _ = write!(text, ", yet to be done: seed {}", list.join(", "));
    }
    let _ = writeln!(text, "{}.", device.as_ref().map_or(String::new(), |device| format!("; on {device}")));
    if let Some(source) = data_source {
        let _ = writeln!(text, "Data: {source}.");
    }
    if *others > 0 {
        let _ = writeln!(text, "Runs of other seeds in the same directory, which are not counted: {others}.");
    }
    text += "\n| seed | found, % | random, % | hand-designed, % | parameters | search, s | altogether, s |\n";
    text += "|---|---|---|---|---|---|---|\n";
    for seed in seeds {
        let random: Vec<String> = seed.random_accuracies.iter().copied().map(percent).collect();
        let cells = [
            seed.seed.to_string(),
            percent(seed.test_accuracy),
            or_none((!random.is_empty()).then(|| random.join(", "))),
            or_none(seed.baseline_accuracy.map(percent)),
            seed.parameters.to_string(),
            format!("{:.1}", seed.search_seconds),
            format!("{:.1}", seed.total_seconds),
        ];
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text += "\n| networks | number | test accuracy, % | best, % |\n|---|---|---|---|\n";
    let samples = [
        ("found", Some(&figures.found)),
        ("random", figures.random.as_ref()),
        ("hand-designed", figures.baseline.as_ref()),
        ("found, by the benchmark's table", figures.benchmark.as_ref()),
    ];
    for (name, sample) in samples {
        let Some(Sample { test_accuracies, mean, deviation, best }) = sample else { continue };
        let spread = deviation.map_or(String::new(), |deviation| format!(" ± {}", percent(deviation)));
        let mean = or_none(mean.map(|mean| format!("{}{spread}", percent(mean))));
        let _ = writeln!(text, "| {name} | {} | {mean} | {} |", test_accuracies.len(), or_none(best.map(percent)));
    }
    text += "\n";
    text += &verdict(figures);
    let places = seeds.iter().filter_map(|seed| Some((seed.seed, seed.benchmark.as_ref()?)));
    for (seed, Standing { name, dataset, index, rank, of, random_search, .. }) in places {
        let _ = writeln!(
            text,
            "\n- seed {seed}: #{index} of {name}, rank {rank} of {of} on {dataset}; random search with as many epochs \
             ({}): {} % on average",
            random_search.epochs,
            percent(random_search.test_accuracy)
        );
    }
    for FailedRun { seed, failure } in failed {
        let causes = failure.because.iter().map(|cause| format!("; because: {cause}")).collect::<String>();
        let _ = writeln!(text, "\n- seed {seed} failed: {}{causes}", failure.reason);
    }
    for seed in seeds {
        for warning in &seed.warnings {
            let _ = writeln!(text, "\n- seed {}: {warning}", seed.seed);
        }
    }
    text += "\nEach network is trained from scratch alike. Accuracies are those on the test images, mean ± standard deviation \
        of the sample.\n";
    text
}

/// Whether what was found is better than what is drawn at random, in a paragraph.
fn verdict(figures: &Figures) -> String {
    let Some(AgainstRandom { better, p, least_p, significant }) = figures.against_random else {
        return match (figures.seeds.is_empty(), &figures.random) {
            (true, _) => "No run is over yet: there is nothing to compare.\n".to_owned(),
            (false, None) => {
                "There is nothing to compare with: these runs train no random networks (`random = 0`).\n".to_owned()
            }
            (false, Some(_)) => "What was found cannot be compared: an accuracy is not a number.\n".to_owned(),
        };
    };
    let p_text = if p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p:.3}") };
    let side = match (significant, better > 0.5) {
        (false, _) => "not told apart from random search",
        (true, true) => "better than random search",
        (true, false) => "worse than random search",
    };
    let mut text = format!(
        "In {:.0} % of the pairs of a network found and a random one that found is the better (equal ones count one half): \
         {p_text} by Mann and Whitney's test, two-sided: {side}.\n",
        100.0 * better
    );
    if least_p >= LEVEL {
        let _ = writeln!(
            text,
            "With so few networks not even the most extreme result could be significant: p cannot be less than {least_p:.3}. \
             More seeds, or more random networks (`random`), can tell more."
        );
    }
    text
}

/// Test accuracies as dots, as SVG.
///
/// # Errors
/// [`DrawError`] if it cannot be drawn.
pub fn picture(figures: &Figures) -> Result<String, DrawError> {
    let strip = |name: &str, sample: &Sample, yardstick| Strip {
        name: name.to_owned(),
        values: sample.test_accuracies.iter().map(|accuracy| 100.0 * accuracy).collect(),
        yardstick,
    };
    let mut all = vec![strip(&figures.strategy, &figures.found, false)];
    all.extend(figures.random.as_ref().map(|sample| strip("random", sample, true)));
    all.extend(figures.baseline.as_ref().map(|sample| strip("hand-designed", sample, false)));
    let unit = match figures.random {
        Some(_) => "test accuracy (%), the mean as a stroke; shaded: random",
        None => "test accuracy (%), the mean as a stroke",
    };
    let runs = figures.seeds.len();
    let title = format!("{} on {}, {runs} seed{}", figures.strategy, figures.data, if runs == 1 { "" } else { "s" });
    strips(&title, unit, &[StripPanel { title: figures.space.clone(), strips: all }])
}

#[cfg(test)]
mod tests;
