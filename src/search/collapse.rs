//! Signs of the known failure of differentiable search: drifting to skip connections.

use crate::space::TableWeights;
use serde::Serialize;

/// What the monitor sees at the end of an epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
const UNDECIDED: f64 = 0.99;

/// Mean entropy of all rows relative to that of a uniform row.
pub fn relative_entropy(tables: &[TableWeights]) -> f64 {
    let (mut sum, mut rows) = (0.0, 0);
    for table in tables.iter().filter(|t| t.options > 1) {
        for row in 0..table.rows {
            let entropy: f64 =
                table.row(row).iter().map(|&p| f64::from(p)).filter(|&p| p > 0.0).map(|p| -p * p.ln()).sum();
            sum += entropy / (table.options as f64).ln();
            rows += 1;
        }
    }
    if rows == 0 { 1.0 } else { sum / f64::from(rows) }
}

impl Signs {
    /// Signs with the warning they deserve: at least half of the operations are skip connections, and the architecture
    /// weights have begun to decide. (Before, the derived architecture is chance, which is no drift.)
    ///
    /// Half is what the searches that are known as collapsed show (Zela et al. 2020, figure 1; Chu et
    /// al. 2020); good cells have one or two in eight.
    pub fn new(skips: usize, operations: usize, entropy: f64, gap: f64) -> Self {
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
    }

    #[test]
    fn a_cell_of_skips_is_named_a_collapse() {
        assert!(Signs::new(8, 16, 0.2, 0.3).warning.is_some_and(|w| w.starts_with("collapse: 8 of 16")));
        assert_eq!(Signs::new(2, 16, 0.2, 0.3).warning, None);
        assert_eq!(Signs::new(8, 16, 0.999, 0.3).warning, None, "chance");
    }
}
