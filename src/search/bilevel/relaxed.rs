//! Weights of options that the host computes: what is drawn, written to the device and read as a path.

use super::SearchError;
use super::config::Penalty;
use super::weighing::{Row, Weighing};
use crate::estimate::Supernet;
use crate::network::Path;
use crate::random::Random;
use crate::space::TableWeights;

/// α as the device has it, and the rule by which it becomes weights.
#[derive(Debug)]
pub(super) struct Relaxed {
    weighing: Weighing,
    penalty: Penalty,
    /// Of each table its name, rows, options and α.
    tables: Vec<(String, usize, usize, Vec<f64>)>,
}

impl Relaxed {
    pub(super) async fn new(supernet: &Supernet, weighing: Weighing, penalty: Penalty) -> Result<Self, SearchError> {
        let mut made = Self { weighing, penalty, tables: Vec::new() };
        made.refresh(supernet).await?;
        Ok(made)
    }

    /// Takes over what the device has.
    pub(super) async fn refresh(&mut self, supernet: &Supernet) -> Result<(), SearchError> {
        let values = supernet.alphas().read(supernet.device()).await?;
        self.tables = supernet
            .alphas()
            .split(&values)
            .map(|(name, shape, values)| {
                (name.to_owned(), shape[0], shape[1], values.iter().map(|&v| f64::from(v)).collect())
            })
            .collect();
        Ok(())
    }

    /// Weights without noise, as an architecture is derived from them.
    pub(super) fn settled(&self) -> Vec<TableWeights> {
        let table = |(name, rows, options, alpha): &(String, usize, usize, Vec<f64>)| TableWeights {
            name: name.clone(),
            rows: *rows,
            options: *options,
            values: alpha.chunks(*options).flat_map(|row| self.weighing.settled(row)).map(|w| w as f32).collect(),
        };
        self.tables.iter().map(table).collect()
    }

    /// Draws the weights of every row in epoch `epoch` of `epochs`.
    pub(super) fn draw(&self, epoch: u32, epochs: u32, random: &mut Random) -> Vec<Vec<Row>> {
        let rows = |(_, _, options, alpha): &(String, usize, usize, Vec<f64>)| {
            alpha.chunks(*options).map(|row| self.weighing.row(row, epoch, epochs, random)).collect()
        };
        self.tables.iter().map(rows).collect()
    }

    /// Writes drawn weights and their Jacobians to where the supernet reads them, and the penalty's gradient.
    pub(super) fn write(&self, supernet: &Supernet, drawn: &[Vec<Row>]) -> Result<(), SearchError> {
        let Some(given) = supernet.given() else { return Ok(()) };
        let device = supernet.device();
        let narrow = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v as f32).collect::<Vec<f32>>();
        for (index, rows) in drawn.iter().enumerate() {
            given.weights(index).write(device, &narrow(&mut rows.iter().flat_map(|r| r.weights.iter().copied())))?;
            given.jacobian(index).write(device, &narrow(&mut rows.iter().flat_map(|r| r.jacobian.iter().copied())))?;
        }
        Ok(given.slope().write(device, &narrow(&mut self.slope(drawn).into_iter()))?)
    }

    /// The options that drawn weights take.
    pub(super) fn path(&self, drawn: &[Vec<Row>]) -> Path {
        let mut path = Path::new();
        for ((name, ..), rows) in self.tables.iter().zip(drawn) {
            for (index, Row { weights, .. }) in rows.iter().enumerate() {
                let heaviest = (0..weights.len()).fold(0, |best, k| if weights[k] > weights[best] { k } else { best });
                path.insert((name.clone(), index), heaviest);
            }
        }
        path
    }

    /// The gradient of the penalty for all of α.
    fn slope(&self, drawn: &[Vec<Row>]) -> Vec<f64> {
        let alphas = self.tables.iter().flat_map(|(.., alpha)| alpha);
        match self.penalty {
            Penalty::None => alphas.map(|_| 0.0).collect(),
            Penalty::Anchor { weight } => alphas.map(|a| weight * a).collect(),
            Penalty::ZeroOne { weight } => {
                let count = alphas.count() as f64;
                // ∂/∂α of −weight · mean((w − ½)²), by way of the weights.
                let slope = |row: &Row| {
                    let options = row.weights.len();
                    let back: Vec<f64> = row.weights.iter().map(|w| -weight * 2.0 * (w - 0.5) / count).collect();
                    let column = |j: usize| (0..options).map(|i| back[i] * row.jacobian[i * options + j]).sum();
                    (0..options).map(column).collect::<Vec<f64>>()
                };
                drawn.iter().flatten().flat_map(slope).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relaxed(weighing: Weighing, penalty: Penalty, alpha: &[f64]) -> Relaxed {
        Relaxed { weighing, penalty, tables: vec![("a".into(), alpha.len() / 3, 3, alpha.to_vec())] }
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_penalty() {
        let alpha = [0.4, -0.2, 1.5, 0.0, 0.3, -0.9];
        let zero_one = |alpha: &[f64]| {
            -10.0 * alpha.iter().map(|a| (1.0 / (1.0 + (-a).exp()) - 0.5f64).powi(2)).sum::<f64>() / alpha.len() as f64
        };
        let anchor = |alpha: &[f64]| 1e-3 * 0.5 * alpha.iter().map(|a| a * a).sum::<f64>();
        type Value<'a> = &'a dyn Fn(&[f64]) -> f64;
        let cases: [(Penalty, Weighing, Value<'_>); 2] = [
            (Penalty::ZeroOne { weight: 10.0 }, Weighing::Sigmoid, &zero_one),
            (Penalty::Anchor { weight: 1e-3 }, Weighing::Dirichlet, &anchor),
        ];
        for (penalty, weighing, value) in cases {
            let relaxed = relaxed(weighing, penalty, &alpha);
            let slope = relaxed.slope(&relaxed.draw(0, 1, &mut Random::new(0, 0)));
            for (j, slope) in slope.into_iter().enumerate() {
                let moved = |by: f64| {
                    let mut alpha = alpha;
                    alpha[j] += by;
                    value(&alpha)
                };
                assert!((slope - (moved(1e-5) - moved(-1e-5)) / 2e-5).abs() < 1e-9, "{penalty:?} {j}");
            }
        }
    }

    #[test]
    fn a_path_takes_the_heaviest_option_of_each_row() {
        let relaxed = relaxed(Weighing::Softmax, Penalty::None, &[0.0, 2.0, 1.0, 3.0, 0.0, 3.0]);
        let path = relaxed.path(&relaxed.draw(0, 1, &mut Random::new(0, 0)));
        assert_eq!((path[&("a".to_owned(), 0)], path[&("a".to_owned(), 1)]), (1, 0));
    }
}
