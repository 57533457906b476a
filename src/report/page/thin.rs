//! Fewer points for long curves.

use super::document::{Number, Series};

/// The most points of a line: more than a screen can tell apart.
const MOST: usize = 300;
/// The most steps of a slider.
const MOST_STEPS: usize = 61;

/// A line through points in their order. Of more than [`MOST`] as many neighbours as it takes are one point, their mean, and the band goes
/// from the least to the greatest of them, so that no peak is lost. What is no number counts for nothing.
pub(super) fn line(name: &str, points: impl Iterator<Item = (f64, Option<f64>)>) -> Series {
    let points: Vec<(f64, f64)> =
        points.filter_map(|(x, y)| Some((x, y.filter(|y| y.is_finite() && x.is_finite())?))).collect();
    let together = points.len().div_ceil(MOST).max(1);
    let mut series = Series { name: name.to_owned(), x: Vec::new(), y: Vec::new(), low: Vec::new(), high: Vec::new() };
    for some in points.chunks(together) {
        let mean = |of: fn(&(f64, f64)) -> f64| Number(some.iter().map(of).sum::<f64>() / some.len() as f64);
        series.x.push(mean(|point| point.0));
        series.y.push(mean(|point| point.1));
        if together > 1 {
            series.low.push(Number(some.iter().map(|point| point.1).fold(f64::INFINITY, f64::min)));
            series.high.push(Number(some.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max)));
        }
    }
    series
}

/// How many points of a line of `count` are one.
pub(super) fn together(count: usize) -> usize {
    count.div_ceil(MOST).max(1)
}

/// Which of `count` steps a slider has: at most [`MOST_STEPS`], evenly, the first and the last among them.
pub(super) fn steps(count: usize) -> Vec<usize> {
    let kept = count.min(MOST_STEPS);
    let last = count.saturating_sub(1);
    (0..kept).map(|step| if kept > 1 { step * last / (kept - 1) } else { last }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_keeps_its_peaks_and_its_mean() {
        let loss = |n: u32| if n == 7_777 { Some(99.0) } else { Some(f64::from(n % 2)) };
        let series = line("loss", (0..23_000).map(|n| (f64::from(n), loss(n))));
        assert!(series.y.len() <= MOST && series.y.len() > MOST / 2);
        assert_eq!(series.high.iter().map(|n| n.0).fold(0.0, f64::max), 99.0);
        assert_eq!(series.low.iter().map(|n| n.0).fold(9.0, f64::min), 0.0);
        assert!((series.y[0].0 - 0.5).abs() < 0.01);
    }

    #[test]
    fn a_short_line_is_as_it_was_but_for_what_is_no_number() {
        let series = line("a", [(0.0, Some(1.0)), (1.0, None), (2.0, Some(f64::NAN)), (3.0, Some(2.0))].into_iter());
        assert_eq!(series.x, [Number(0.0), Number(3.0)]);
        assert!(series.low.is_empty());
    }

    #[test]
    fn a_slider_has_the_first_and_the_last_step() {
        assert_eq!((steps(0), steps(1), steps(3)), (vec![], vec![0], vec![0, 1, 2]));
        let many = steps(600);
        assert_eq!((many.len(), many[0], many[60]), (61, 0, 599));
        assert!(many.windows(2).all(|two| two[0] < two[1]));
    }
}
