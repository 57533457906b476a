//! Signs of the known failure of differentiable search: drifting to skip connections.

use crate::space::TableWeights;
use serde::{Deserialize, Serialize};

/// What the monitor sees at the end of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Signs {
    /// Skip connections in the derived architecture, and decisions about operations.
    pub skips: [usize; 2],
    /// Mean entropy of the softmaxed rows, as a share of the largest possible: 1 is undecided.
    pub entropy: f64,
    /// Accuracy of the supernet less that of the derived architecture with the same shared weights.
    pub gap: f64,
    /// What is wrong, by name, if anything is.
    pub warning: Option<String>,
}

/// Relative entropy from which on the architecture weights say nothing yet.
const UNDECIDED: f64 = 0.999;

/// Mean entropy of all rows, as shares of their sums, relative to that of a uniform row.
pub fn relative_entropy(tables: &[TableWeights]) -> f64 {
    let (mut sum, mut rows) = (0.0, 0);
    for table in tables.iter().filter(|t| t.options > 1) {
        for row in 0..table.rows {
            // Not all methods' weights add up to 1.
            let total: f64 = table.row(row).iter().map(|&p| f64::from(p)).sum();
            if total <= 0.0 {
                continue;
            }
            let shares = table.row(row).iter().map(|&p| f64::from(p) / total).filter(|&p| p > 0.0);
            sum += shares.map(|p| -p * p.ln()).sum::<f64>() / (table.options as f64).ln();
            rows += 1;
        }
    }
    if rows == 0 { 1.0 } else { sum / f64::from(rows) }
}

impl Signs {
    /// Signs of an architecture of the given operations, with the warning they deserve: at least half of the operations are skip connections, and the architecture
    /// weights have begun to decide. (Before, the derived architecture is chance, which is no drift.)
    ///
    /// Half is what the searches that are known as collapsed show (Zela et al. 2020, figure 1; Chu et
    /// al. 2020); good cells have one or two in eight.
    pub fn new(operations: &[String], entropy: f64, gap: f64) -> Self {
        let skips = operations.iter().filter(|o| o.starts_with("skip")).count();
        let operations = operations.len();
        let warning = (operations > 0 && 2 * skips >= operations && entropy < UNDECIDED).then(|| {
            format!(
                "collapse: {skips} of {operations} operations are skip connections (supernet ahead of the derived \
                 architecture by {:.1} points); fewer epochs or a larger weight decay help, or a strategy that stops before it, \
                 as robust-darts and darts-plus do",
                100.0 * gap
            )
        });
        Self { skips: [skips, operations], entropy, gap, warning }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(values: &[f32]) -> TableWeights {
        TableWeights { name: "a".into(), rows: 1, options: values.len(), values: values.to_vec() }
    }

    #[test]
    fn entropy_is_one_when_undecided_and_zero_when_decided() {
        assert!((relative_entropy(&[table(&[0.25; 4])]) - 1.0).abs() < 1e-12);
        assert_eq!(relative_entropy(&[table(&[0.0, 1.0])]), 0.0);
        // Weights that are each for themselves, or shares of an edge's.
        assert!((relative_entropy(&[table(&[0.5; 7])]) - 1.0).abs() < 1e-12);
        assert!(relative_entropy(&[table(&[0.01, 0.49, 0.0])]) < 0.2);
        assert_eq!(relative_entropy(&[table(&[0.0, 0.0])]), 1.0);
    }

    #[test]
    fn a_cell_of_skips_is_named_a_collapse() {
        let operations = |skips: usize| -> Vec<String> {
            (0..16).map(|k| if k < skips { "skip_connect" } else { "sep_conv_3x3" }.to_owned()).collect()
        };
        let warning = |skips, entropy| Signs::new(&operations(skips), entropy, 0.3).warning;
        assert!(warning(8, 0.2).is_some_and(|w| w.starts_with("collapse: 8 of 16")));
        assert_eq!(warning(2, 0.2), None);
        assert_eq!(warning(8, 0.9995), None, "chance");
    }
}
