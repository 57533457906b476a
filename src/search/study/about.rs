//! Estimators, and rules by which trials are given up, as tables in Markdown: what `docs/methods.md` has of them.

use super::config::EstimatorConfig;
use super::stopping::Stopping;

impl EstimatorConfig {
    /// One of each kind.
    pub fn all() -> [Self; 3] {
        let (run, dataset, dir) = (String::new(), String::new(), String::new());
        [Self::Training, Self::Shared { run }, Self::Table { dataset, dir }]
    }

    /// Its row of the table: kind, method, what a trial is worth, lengths that it can have, what it suits.
    fn row(&self) -> [&'static str; 5] {
        match self {
            Self::Training => [
                "training",
                "training from scratch, for a few epochs or many",
                "accuracy, loss and others on training images that are kept out; `training_loss` is SoTL-E (Ru et al. 2021)",
                "any number of epochs; what is trained for longer goes on from where it ended",
                "all spaces, all samplers",
            ],
            Self::Shared { .. } => [
                "shared",
                "weights of a supernet (Bender et al. 2018), running statistics collected anew (Guo et al. 2020)",
                "accuracy and loss on training images that trained none of the weights",
                "one",
                "the space and images of a search with shared weights that computes all options or single paths of the plain supernet",
            ],
            Self::Table { .. } => [
                "table",
                "NAS-Bench-201 (Dong & Yang 2020)",
                "validation accuracy after 12 epochs; `test_accuracy` after 200; latencies",
                "one",
                "nas-bench-201",
            ],
        }
    }
}

impl Stopping {
    /// One of each kind.
    pub fn all() -> [Self; 4] {
        [Self::Never, Self::Patience { epochs: 1, least: 0.0 }, Self::Median, Self::Extrapolation]
    }

    /// Its row of the table: kind, method, when a trial is given up.
    fn row(self) -> [&'static str; 3] {
        match self {
            Self::Never => ["never", "–", "at its last epoch"],
            Self::Patience { .. } => {
                ["patience", "early stopping", "when its accuracy has not grown by `least` for `epochs` epochs"]
            }
            Self::Median => [
                "median",
                "median rule (Golovin et al. 2017)",
                "when its best is below the median of what earlier trials had in that epoch, once five are complete",
            ],
            Self::Extrapolation => [
                "extrapolation",
                "learning curves (Domhan et al. 2015)",
                "when its curve, extrapolated to the last epoch, falls short of the best so far",
            ],
        }
    }
}

fn rows<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [&'static str; N]>) -> String {
    let line = |cells: [&str; N]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(header) + &format!("|{}\n", "---|".repeat(N));
    for row in rows {
        let kind = format!("`{}`", row[0]);
        let mut cells: [&str; N] = row;
        cells[0] = &kind;
        text += &line(cells);
    }
    text
}

/// The estimators of studies, a row each.
pub fn estimators() -> String {
    let header = ["`--estimator`", "method", "what a trial is worth", "lengths", "suits"];
    rows(header, EstimatorConfig::all().iter().map(EstimatorConfig::row))
}

/// The rules by which trials are given up, a row each.
pub fn stopping() -> String {
    rows(["`search.stopping`", "method", "a trial ends"], Stopping::all().map(Stopping::row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_hold_the_tables_and_kinds_are_those_of_configurations() {
        let page = include_str!("../../../docs/methods.md");
        for table in [estimators(), stopping()] {
            assert!(
                page.contains(table.trim_end()),
                "docs/methods.md is not what `cellwright search --list` prints:\n{table}"
            );
        }
        let kind = |value: toml::Table| value["kind"].as_str().unwrap_or_default().to_owned();
        for estimator in EstimatorConfig::all() {
            assert_eq!(kind(toml::Table::try_from(&estimator).unwrap()), estimator.row()[0]);
        }
        for stopping in Stopping::all() {
            assert_eq!(kind(toml::Table::try_from(stopping).unwrap()), stopping.row()[0]);
        }
    }
}
