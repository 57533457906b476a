//! How architecture weights develop during a search.

use super::curves::{Names, Panel, Series, grid, lines};
use crate::report::{DrawError, Kind};

/// Softmax weights of one table over a search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlphaHistory {
    /// Names of the operations: the columns.
    pub operations: Vec<String>,
    /// Names of the edges: the rows. Edges beyond these are named by their number.
    pub edges: Vec<String>,
    /// Weights by epoch, edge and operation.
    pub epochs: Vec<Vec<Vec<f64>>>,
}

impl AlphaHistory {
    /// One operation's line: `value` of each epoch.
    fn series(&self, operation: usize, value: impl Fn(&[Vec<f64>]) -> f64) -> Series {
        let values: Vec<f64> = self.epochs.iter().map(|edges| value(edges)).collect();
        let series = Series::by_epoch(self.operations[operation].clone(), &values);
        Series { color: Some(self.color(operation)), ..series }
    }

    /// The colour of the operation's kind; further operations of one kind get lighter.
    fn color(&self, operation: usize) -> String {
        let kind = |index: usize| Kind::of_operation(&self.operations[index]);
        let line = kind(operation).tone().line;
        let before = (0..operation).filter(|&other| kind(other) == kind(operation)).count().min(3) as f64;
        let light = |at: usize| {
            let value = line.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
            let value = f64::from(value);
            (value + (255.0 - value) * 0.4 * (before / (1.0 + 0.35 * before)).min(1.7)).round().min(235.0) as u8
        };
        format!("#{:02x}{:02x}{:02x}", light(1), light(3), light(5))
    }
}

/// The mean weight of each operation over all edges, by epoch: one line an operation.
///
/// Weights that are not finite are left out of the mean.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn alpha_means(title: &str, history: &AlphaHistory) -> Result<String, DrawError> {
    let mean = |operation: usize| {
        move |edges: &[Vec<f64>]| {
            let weights: Vec<f64> =
                edges.iter().filter_map(|edge| edge.get(operation).copied()).filter(|w| w.is_finite()).collect();
            if weights.is_empty() { f64::NAN } else { weights.iter().sum::<f64>() / weights.len() as f64 }
        }
    };
    let series = (0..history.operations.len()).map(|o| history.series(o, mean(o))).collect();
    let panel = Panel { title: "mean softmax weight".into(), x_label: "epoch".into(), series, y_range: None };
    grid(title, &[panel], 1, [640.0, 360.0], Names::AtEnds)
}

/// One small panel an edge, all on one scale, with one line an operation.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn alpha_edges(title: &str, history: &AlphaHistory) -> Result<String, DrawError> {
    let count = history.epochs.iter().map(Vec::len).max().unwrap_or(0);
    if count == 0 {
        return lines(title, &[Panel::default()], 1);
    }
    let highest = history.epochs.iter().flatten().flatten().copied().filter(|w| w.is_finite()).fold(0.0, f64::max);
    let panels: Vec<Panel> = (0..count)
        .map(|edge| Panel {
            title: history.edges.get(edge).cloned().unwrap_or_else(|| format!("edge {edge}")),
            x_label: String::new(),
            series: (0..history.operations.len())
                .map(|operation| {
                    let value = |edges: &[Vec<f64>]| edges.get(edge).and_then(|e| e.get(operation)).copied();
                    history.series(operation, |edges| value(edges).unwrap_or(f64::NAN))
                })
                .collect(),
            y_range: Some((0.0, if highest > 0.0 { highest * 1.05 } else { 1.0 })),
        })
        .collect();
    grid(title, &panels, 5, [190.0, 150.0], Names::Above)
}
