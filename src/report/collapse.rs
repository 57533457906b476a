//! How searches went, held side by side: skip connections by epoch.

use super::DrawError;
use super::plot::{Panel, Series, lines};
use crate::run::History;

/// Skip connections of the derived architecture, and how far the supernet is ahead of it, by epoch: a line for each search.
///
/// # Errors
/// [`DrawError::Plot`] if the drawing backend fails.
pub fn collapse(title: &str, searches: &[History]) -> Result<String, DrawError> {
    let panel = |title: &str, values: fn(&History) -> &[f64]| Panel {
        title: title.into(),
        x_label: "epoch".into(),
        series: searches.iter().map(|h| Series::by_epoch(&*h.strategy, values(h))).collect(),
        y_range: None,
    };
    let panels = [
        panel("skip connections in the derived architecture", |h| &h.skips),
        panel("supernet ahead of the derived architecture (points)", |h| &h.gap),
    ];
    lines(title, &panels, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_search_has_its_line() {
        let history = |strategy: &str| History {
            strategy: strategy.into(),
            skips: vec![0.0, 1.0, 3.0],
            gap: vec![5.0, 9.0, 30.0],
            collapse: None,
            found: None,
        };
        let svg = collapse("searches", &[history("darts"), history("pc-darts")]).unwrap();
        roxmltree::Document::parse(&svg).unwrap();
        assert!(svg.contains("darts") && svg.contains("pc-darts"));
    }
}
