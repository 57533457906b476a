//! Samplers on a benchmark's table, held against one another and against random search.

use super::DrawError;
use super::plot::{Panel, Series, lines};
use super::statistics::{deviation, holm, mann_whitney, mean};
use crate::run::tabular::Course;
use serde::Serialize;

/// The name of what all others are held against.
const RANDOM: &str = "random";
/// From which p on, corrected, two are told apart.
const LEVEL: f64 = 0.05;

/// The figures of one strategy, accuracies in per cent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its name.
    pub strategy: String,
    /// Mean test accuracy over the seeds of what was best by validation.
    pub mean: f64,
    /// Standard deviation over the seeds.
    pub std: f64,
    /// The best of the seeds.
    pub best: f64,
    /// Its place among the means, from 1.
    pub rank: usize,
    /// Mann and Whitney's p against random search, times Holm's factor; none for random search itself.
    pub p: Option<f64>,
    /// Seconds for all seeds, on one core.
    pub seconds: f64,
    /// After each evaluation, over the seeds: lower quartile, median, upper quartile.
    pub anytime: Vec<[f64; 3]>,
}

/// The figures of all, from the best mean to the worst.
pub fn rows(courses: &[Course]) -> Vec<Row> {
    let of_random = courses.iter().find(|course| course.strategy == RANDOM).map(Course::last);
    let p = |course: &Course| {
        let random = of_random.as_ref().filter(|_| course.strategy != RANDOM)?;
        Some(mann_whitney(&course.last(), random)?.p)
    };
    let ps: Vec<Option<f64>> = courses.iter().map(p).collect();
    let corrected = holm(&ps.iter().flatten().copied().collect::<Vec<_>>());
    let mut corrected = corrected.into_iter();
    let mut rows: Vec<Row> = courses
        .iter()
        .zip(&ps)
        .map(|(course, p)| {
            let last: Vec<f64> = course.last().iter().map(|accuracy| 100.0 * accuracy).collect();
            Row {
                strategy: course.strategy.to_owned(),
                mean: mean(&last).unwrap_or(0.0),
                std: deviation(&last).unwrap_or(0.0),
                best: last.iter().copied().fold(0.0, f64::max),
                rank: 0,
                p: p.and_then(|_| corrected.next()),
                seconds: course.seconds,
                anytime: anytime(course),
            }
        })
        .collect();
    rows.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    rows.iter_mut().enumerate().for_each(|(at, row)| row.rank = at + 1);
    rows
}

fn anytime(course: &Course) -> Vec<[f64; 3]> {
    let budget = course.curves.iter().map(Vec::len).max().unwrap_or(0);
    let at = |step: usize| {
        let mut values: Vec<f64> =
            course.curves.iter().filter_map(|curve| curve.get(step)).map(|accuracy| 100.0 * accuracy).collect();
        values.sort_by(f64::total_cmp);
        [0.25, 0.5, 0.75].map(|share| quantile(&values, share))
    };
    (0..budget).map(at).collect()
}

/// Between two values in line.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = share * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// The figures as a table in Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| rank | strategy | test accuracy, % | best, % | seconds | p against random (Holm) |\n|---|---|---|---|---|---|\n",
    );
    let random = rows.iter().find(|row| row.strategy == RANDOM).map(|row| row.mean);
    for Row { strategy, mean, std, best, rank, p, seconds, .. } in rows {
        let verdict = match (p, random) {
            (Some(p), Some(random)) if *p < LEVEL => {
                format!("{}, {}", number(*p), if *mean > random { "better" } else { "worse" })
            }
            (Some(p), _) => format!("{}, not told apart", number(*p)),
            (None, _) => "–".to_owned(),
        };
        text += &format!("| {rank} | {strategy} | {mean:.2} ± {std:.2} | {best:.2} | {seconds:.1} | {verdict} |\n");
    }
    text
}

fn number(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

/// Medians and quartiles after each evaluation, as a picture. The first tenth, in which everything is far below, is left out.
///
/// # Errors
/// If it cannot be drawn.
pub fn picture(rows: &[Row], title: &str) -> Result<String, DrawError> {
    let series = |which: usize| -> Vec<Series> {
        let of = |row: &Row| {
            let values = row.anytime.iter().enumerate().skip(row.anytime.len() / 10);
            let points = values.map(|(step, quartiles)| (step as f64 + 1.0, quartiles[which])).collect();
            Series { name: row.strategy.clone(), points, color: None }
        };
        rows.iter().map(of).collect()
    };
    let panel = |name: &str, which: usize| Panel {
        title: format!("{name} (%)"),
        x_label: "evaluations".to_owned(),
        series: series(which),
        ..Panel::default()
    };
    let title = format!("test accuracy of the best by validation: {title}");
    lines(&title, &[panel("median", 1), panel("lower quartile", 0), panel("upper quartile", 2)], 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(strategy: &'static str, ends: &[f64]) -> Course {
        Course { strategy, curves: ends.iter().map(|end| vec![0.5, *end]).collect(), seconds: 1.0 }
    }

    #[test]
    fn strategies_are_ranked_and_held_against_random_search() {
        let high: Vec<f64> = (0..10).map(|n| 0.9 + 0.001 * f64::from(n)).collect();
        let low: Vec<f64> = high.iter().map(|end| end - 0.2).collect();
        let rows = rows(&[course("random", &low), course("bayes", &high), course("grid", &low)]);
        assert_eq!(rows.iter().map(|row| row.strategy.as_str()).next(), Some("bayes"));
        assert!(rows[0].p.unwrap() < 0.001 && rows[0].rank == 1 && (rows[0].mean - 90.45).abs() < 1e-9);
        let of = |name: &str| rows.iter().find(|row| row.strategy == name).unwrap();
        assert_eq!((of("random").p, of("grid").p), (None, Some(1.0)));
        assert_eq!(rows[0].anytime[0], [50.0; 3]);
        assert!((rows[0].anytime[1][1] - 90.45).abs() < 1e-9 && (rows[0].anytime[1][0] - 90.225).abs() < 1e-9);
        let text = markdown(&rows);
        assert!(text.contains("| 1 | bayes | 90.45 ± 0.30 | 90.90 | 1.0 | < 0.001, better |"), "{text}");
        assert!(picture(&rows, "strategies").unwrap().contains("bayes"));
    }
}
