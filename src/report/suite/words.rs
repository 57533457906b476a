//! The figures of a suite in words: Markdown.

use super::{Figures, Operations, Row, SpaceFigures};
use crate::run::suite::RANDOM;
use std::fmt::Write;

const HEADINGS: [&str; 11] = [
    "rank",
    "strategy",
    "networks",
    "test accuracy, %",
    "best, %",
    "parameters",
    "skips",
    "none, noise",
    "search, s",
    "random in that time",
    "p against random (Holm)",
];

/// The figures as Markdown: a table for each space, and how to read it.
pub fn markdown(figures: &Figures) -> String {
    let Figures { scale, data_source, device, runs, spaces, .. } = figures;
    let mut text = format!("# {}\n\nScale {scale}; {}", figures.title(), runs.words());
    // Writing to a String cannot fail.
    let _ = match device {
        Some(device) => writeln!(text, "; on {device}."),
        None => writeln!(text, "."),
    };
    if let Some(source) = data_source {
        let _ = writeln!(text, "Data: {source}.");
    }
    for space in spaces {
        of_space(&mut text, space);
    }
    text += "\nEach network is trained from scratch alike; accuracies are those on the test images, mean ± standard deviation. \
        *skips* and *none, noise* count operations of the normal cell (of all layers, where there are no cells). *random in that \
        time* is how many random architectures could have been trained in the seconds of search, and what the best of so many \
        is expected to reach, where so many are known; it is chosen by the test images, which flatters it. *p* is that of \
        Mann and Whitney's test, two-sided and exact, with Holm's correction for the strategies of a space.\n";
    text
}

fn of_space(text: &mut String, figures: &SpaceFigures) {
    let SpaceFigures { space, rows } = figures;
    let _ = writeln!(text, "\n## {space}\n\n| {} |\n|{}", HEADINGS.join(" | "), "---|".repeat(HEADINGS.len()));
    for row in rows {
        let _ = writeln!(text, "| {} |", cells(row).join(" | "));
    }
    if let Some((least, tested)) = figures.too_few() {
        let _ = writeln!(
            text,
            "\nWith so few networks no strategy can be told apart from random architectures: p cannot be less than \
             {least:.3} for one, {:.3} corrected for {tested}.",
            (least * tested as f64).min(1.0),
        );
    }
    for row in rows {
        for run in &row.failed {
            let causes = run.failure.because.iter().map(|cause| format!("; because: {cause}")).collect::<String>();
            let _ = writeln!(text, "\n- `{}`, seed {}, failed: {}{causes}", row.strategy, run.seed, run.failure.reason);
        }
        if row.warned > 0 {
            let _ = writeln!(text, "\n- `{}`: signs of collapse in {} of its searches", row.strategy, row.warned);
        }
    }
}

fn cells(row: &Row) -> [String; HEADINGS.len()] {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let percent = |value: f64| format!("{:.2}", 100.0 * value);
    let mean = row.mean.map(|mean| match row.deviation {
        Some(deviation) => format!("{} ± {}", percent(mean), percent(deviation)),
        None => percent(mean),
    });
    let trial = row.multi_trial_seconds.map(|trial| match trial.best {
        Some(best) => format!("{:.1}, best {}", trial.architectures, percent(best)),
        None => format!("{:.1}", trial.architectures),
    });
    let operations = |of: fn(Operations) -> f64| {
        or_none(row.operations.map(|operations| format!("{:.1} of {:.0}", of(operations), operations.all)))
    };
    [
        or_none(row.rank.map(|rank| rank.to_string())),
        if row.strategy == RANDOM { format!("*{RANDOM}*") } else { row.strategy.clone() },
        row.test_accuracies.len().to_string(),
        or_none(mean),
        or_none(row.best.map(percent)),
        or_none(row.parameters.map(|parameters| format!("{parameters:.0}"))),
        operations(|all| all.skip),
        operations(|all| all.nothing),
        or_none(row.search_seconds.map(|seconds| format!("{seconds:.1}"))),
        or_none(trial),
        or_none(row.against_random.map(|found| format!("{:.3}, {}", found.p_holm, found.verdict()))),
    ]
}
