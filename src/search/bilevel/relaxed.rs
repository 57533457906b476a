//! Weights of options that the host computes: what is drawn, written to the device and read as a path.

use super::SearchError;
use super::config::{Penalty, Rules};
use super::weighing::{Row, Weighing};
use crate::estimate::Supernet;
use crate::graph::{AUXILIARY, Table};
use crate::network::Path;
use crate::random::Random;
use crate::space::TableWeights;

/// A table of α as the device has it, and how the supernet's table of weights is laid out.
#[derive(Clone, Debug)]
struct Rows {
    name: String,
    rows: usize,
    /// Options that are weighed by α.
    options: usize,
    /// Whether a column follows them for what stands beside the options.
    auxiliary: bool,
    /// How often the supernet's table has all rows, one copy after the other (see [`Graph::untied`](crate::graph::Graph)).
    copies: usize,
    /// α of the first copy: all are the same.
    alpha: Vec<f64>,
}

/// The weights of every row for one pass.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    /// Table by table.
    pub tables: Vec<Vec<Row>>,
    /// What stands beside the options weighs so much.
    pub auxiliary: f64,
}

impl Drawn {
    /// All rows of all tables.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.tables.iter().flatten()
    }

    /// The same, to be changed.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut Row> {
        self.tables.iter_mut().flatten()
    }
}

/// α as the device has it, and the rules by which it becomes weights.
#[derive(Debug)]
pub(super) struct Relaxed {
    rules: Rules,
    tables: Vec<Rows>,
}

impl Relaxed {
    /// `copies` names the tables of which the supernet has several copies, and how many.
    pub(super) async fn new(
        supernet: &Supernet,
        rules: Rules,
        copies: &[(String, usize)],
    ) -> Result<Self, SearchError> {
        let rows = |table: &Table| {
            let copies = copies.iter().find(|(name, _)| *name == table.name).map_or(1, |(_, copies)| *copies);
            let auxiliary = table.options.last().is_some_and(|last| last == AUXILIARY);
            let options = table.options.len() - usize::from(auxiliary);
            let (name, rows) = (table.name.clone(), table.rows / copies);
            Rows { name, rows, options, auxiliary, copies, alpha: Vec::new() }
        };
        let mut made = Self { rules, tables: supernet.tables().iter().map(rows).collect() };
        made.refresh(supernet).await?;
        Ok(made)
    }

    /// Takes over what the device has.
    pub(super) async fn refresh(&mut self, supernet: &Supernet) -> Result<(), SearchError> {
        let values = supernet.alphas().read(supernet.device()).await?;
        for (table, (_, _, values)) in self.tables.iter_mut().zip(supernet.alphas().split(&values)) {
            let first = values.chunks(table.columns()).take(table.rows);
            table.alpha = first.flat_map(|row| &row[..table.options]).map(|&v| f64::from(v)).collect();
        }
        Ok(())
    }

    /// Weights without noise, as an architecture is derived from them.
    pub(super) fn settled(&self) -> Vec<TableWeights> {
        let table = |Rows { name, rows, options, alpha, .. }: &Rows| TableWeights {
            name: name.clone(),
            rows: *rows,
            options: *options,
            values: alpha.chunks(*options).flat_map(|row| self.rules.weighing.settled(row)).map(|w| w as f32).collect(),
        };
        self.tables.iter().map(table).collect()
    }

    /// Draws the weights of every row in epoch `epoch` of `epochs`.
    pub(super) fn draw(&self, epoch: u32, epochs: u32, random: &mut Random) -> Drawn {
        let rows = |Rows { options, alpha, .. }: &Rows| {
            alpha.chunks(*options).map(|row| self.rules.weighing.row(row, epoch, epochs, random)).collect()
        };
        Drawn { tables: self.tables.iter().map(rows).collect(), auxiliary: self.rules.auxiliary.weight(epoch, epochs) }
    }

    /// Writes drawn weights and their Jacobians to where the supernet reads them, and the penalty's gradient in epoch `epoch` of
    /// `epochs`.
    pub(super) fn write(&self, supernet: &Supernet, drawn: &Drawn, epoch: u32, epochs: u32) -> Result<(), SearchError> {
        self.write_weights(supernet, drawn)?;
        let Some(given) = supernet.given() else { return Ok(()) };
        let mut slope = self.slope(drawn, epoch, epochs).into_iter();
        let mut laid = Vec::new();
        for table in &self.tables {
            let own: Vec<f64> = slope.by_ref().take(table.rows * table.options).collect();
            // Of several copies each is moved by the sum over all: the first has it all.
            laid.extend(table.lay(&own, 0.0));
            laid.resize(laid.len() + (table.copies - 1) * table.rows * table.columns(), 0.0);
        }
        Ok(given.slope().write(supernet.device(), &laid)?)
    }

    /// Writes drawn weights and their Jacobians alone.
    pub(super) fn write_weights(&self, supernet: &Supernet, drawn: &Drawn) -> Result<(), SearchError> {
        let Some(given) = supernet.given() else { return Ok(()) };
        for (index, (table, rows)) in self.tables.iter().zip(&drawn.tables).enumerate() {
            let weights: Vec<f64> = rows.iter().flat_map(|row| row.weights.iter().copied()).collect();
            let weights = table.lay(&weights, drawn.auxiliary).repeat(table.copies);
            given.weights(index).write(supernet.device(), &weights)?;
            let jacobian: Vec<f32> = rows.iter().flat_map(|row| table.lay_square(&row.jacobian)).collect();
            given.jacobian(index).write(supernet.device(), &jacobian.repeat(table.copies))?;
        }
        Ok(())
    }

    /// The gradient of the weights of the table that has copies, copy by copy, without what stands beside the options.
    pub(super) fn copies(&self, gradient: &[f32]) -> Vec<Vec<f64>> {
        let mut rest = gradient;
        for table in &self.tables {
            let (own, after) = rest.split_at(table.copies * table.rows * table.columns());
            rest = after;
            if table.copies > 1 {
                let row = |row: &[f32]| row[..table.options].iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
                let copy = |copy: &[f32]| copy.chunks(table.columns()).flat_map(row).collect();
                return own.chunks(table.rows * table.columns()).map(copy).collect();
            }
        }
        Vec::new()
    }

    /// Writes drawn weights, those of the table that has copies moved by `scale` times a direction for each copy.
    pub(super) fn write_moved(
        &self,
        supernet: &Supernet,
        drawn: &Drawn,
        direction: &[Vec<f64>],
        scale: f64,
    ) -> Result<(), SearchError> {
        let Some(given) = supernet.given() else { return Ok(()) };
        for (index, (table, rows)) in
            self.tables.iter().zip(&drawn.tables).enumerate().filter(|(_, (t, _))| t.copies > 1)
        {
            let own = || rows.iter().flat_map(|row| row.weights.iter());
            let moved = |copy: &Vec<f64>| own().zip(copy).map(|(w, d)| w + scale * d).collect::<Vec<f64>>();
            let laid: Vec<f32> = direction.iter().flat_map(|copy| table.lay(&moved(copy), drawn.auxiliary)).collect();
            given.weights(index).write(supernet.device(), &laid)?;
        }
        Ok(())
    }

    /// The gradient of the weights of each row, from that of all the supernet's: summed over copies, without what stands beside
    /// the options.
    pub(super) fn gather(&self, gradient: &[f32]) -> Vec<Vec<f32>> {
        let mut gathered = Vec::new();
        let mut rest = gradient;
        for table in &self.tables {
            let (own, after) = rest.split_at(table.copies * table.rows * table.columns());
            rest = after;
            let mut sums = vec![vec![0.0; table.options]; table.rows];
            for (at, row) in own.chunks(table.columns()).enumerate() {
                sums[at % table.rows].iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            gathered.extend(sums);
        }
        gathered
    }

    /// The options that drawn weights take.
    pub(super) fn path(&self, drawn: &Drawn) -> Path {
        let mut path = Path::new();
        for (Rows { name, .. }, rows) in self.tables.iter().zip(&drawn.tables) {
            for (index, Row { weights, .. }) in rows.iter().enumerate() {
                let heaviest = (0..weights.len()).fold(0, |best, k| if weights[k] > weights[best] { k } else { best });
                path.insert((name.clone(), index), heaviest);
            }
        }
        path
    }

    /// The gradient of the penalty for all of α.
    fn slope(&self, drawn: &Drawn, epoch: u32, epochs: u32) -> Vec<f64> {
        let alphas = self.tables.iter().flat_map(|table| &table.alpha);
        match self.rules.penalty {
            Penalty::None => alphas.map(|_| 0.0).collect(),
            Penalty::Anchor { weight } => alphas.map(|a| weight * a).collect(),
            Penalty::LogSumExp { weight } => {
                let weight = f64::from(weight.rate(epoch, epochs));
                let rows = |Rows { rows, options, alpha, .. }: &Rows| {
                    let share = weight / (*rows).max(1) as f64;
                    let shares = alpha.chunks(*options).flat_map(|row| Weighing::Softmax.settled(row));
                    shares.map(|w| share * w).collect::<Vec<f64>>()
                };
                self.tables.iter().flat_map(rows).collect()
            }
            // ∂/∂p of p·ln(Kp), by way of the weights.
            Penalty::Divergence { weight } => drawn
                .rows()
                .flat_map(|row| {
                    let options = row.weights.len() as f64;
                    // Nothing weighs nothing where its logarithm is asked.
                    let slope = |w: f64| weight * ((options * w.max(f64::MIN_POSITIVE)).ln() + 1.0);
                    row.back(&row.weights.iter().map(|&w| slope(w)).collect::<Vec<f64>>())
                })
                .collect(),
            Penalty::ZeroOne { weight } => {
                let count = alphas.count() as f64;
                // ∂/∂α of −weight · mean((w − ½)²), by way of the weights.
                let slope = |row: &Row| {
                    row.back(&row.weights.iter().map(|w| -weight * 2.0 * (w - 0.5) / count).collect::<Vec<f64>>())
                };
                drawn.rows().flat_map(slope).collect()
            }
        }
    }
}

/// A table of weights as the supernet has it, of `rows` rows and `columns` columns: as often as it has copies, and with what stands
/// beside the options, which weighs `auxiliary`.
///
/// # Errors
/// [`SearchError::Space`] if it is missing, has another shape, or holds NaN or infinity.
pub(super) fn laid(
    weights: &[TableWeights],
    name: &str,
    [rows, columns]: [usize; 2],
    auxiliary: f64,
) -> Result<Vec<f32>, SearchError> {
    let found = weights.iter().find(|table| table.name == name);
    let fits = |table: &&TableWeights| {
        table.rows > 0 && rows.is_multiple_of(table.rows) && [0, 1].contains(&columns.abs_diff(table.options))
    };
    let own = found.filter(fits).map_or([rows, columns], |table| [table.rows, table.options]);
    let table = TableWeights::find(weights, name, own[0], own[1])?;
    let beside = (columns > own[1]).then_some(auxiliary as f32);
    let row = |row: &[f32]| row.iter().copied().chain(beside).collect::<Vec<f32>>();
    Ok(table.values.chunks(own[1].max(1)).flat_map(row).collect::<Vec<f32>>().repeat(rows / own[0].max(1)))
}

impl Rows {
    /// Columns of the supernet's table.
    fn columns(&self) -> usize {
        self.options + usize::from(self.auxiliary)
    }

    /// Values of one copy with what stands beside the options of each row.
    fn lay(&self, values: &[f64], auxiliary: f64) -> Vec<f32> {
        let beside = self.auxiliary.then_some(auxiliary);
        let row = |row: &[f64]| row.iter().copied().chain(beside).map(|v| v as f32).collect::<Vec<f32>>();
        values.chunks(self.options).flat_map(row).collect()
    }

    /// A row's Jacobian, with zeros for what stands beside its options: no α moves that.
    fn lay_square(&self, jacobian: &[f64]) -> Vec<f32> {
        let mut laid = self.lay(jacobian, 0.0);
        laid.resize(self.columns() * self.columns(), 0.0);
        laid
    }
}

#[cfg(test)]
mod tests {
    use super::super::parts::Auxiliary;
    use super::*;
    use crate::optim::Schedule;

    fn relaxed(weighing: Weighing, penalty: Penalty, alpha: &[f64]) -> Relaxed {
        let rules = Rules { weighing, penalty, auxiliary: Auxiliary::None };
        Relaxed { rules, tables: vec![rows(alpha, 1, false)] }
    }

    fn rows(alpha: &[f64], copies: usize, auxiliary: bool) -> Rows {
        let rows = alpha.len() / 3;
        Rows { name: "a".into(), rows, options: 3, auxiliary, copies, alpha: alpha.to_vec() }
    }

    #[test]
    fn the_slope_is_the_derivative_of_the_penalty() {
        let alpha = [0.4, -0.2, 1.5, 0.0, 0.3, -0.9];
        let zero_one = |alpha: &[f64]| {
            -10.0 * alpha.iter().map(|a| (1.0 / (1.0 + (-a).exp()) - 0.5f64).powi(2)).sum::<f64>() / alpha.len() as f64
        };
        let anchor = |alpha: &[f64]| 1e-3 * 0.5 * alpha.iter().map(|a| a * a).sum::<f64>();
        type Value<'a> = &'a dyn Fn(&[f64]) -> f64;
        // The rows of one table are averaged, in an epoch whose factor is 3.
        let spread = |alpha: &[f64]| {
            3.0 * alpha.chunks(3).map(|row| row.iter().map(|a| a.exp()).sum::<f64>().ln()).sum::<f64>()
                / (alpha.len() / 3) as f64
        };
        let entropy = |alpha: &[f64]| {
            let weights = alpha.chunks(3).flat_map(|row| Weighing::Softmax.settled(row));
            0.1 * weights.map(|w| w * (3.0 * w).ln()).sum::<f64>()
        };
        let growing = Schedule::Linear { from: 0.0, to: 6.0 };
        let cases: [(Penalty, Weighing, Value<'_>); 4] = [
            (Penalty::ZeroOne { weight: 10.0 }, Weighing::Sigmoid, &zero_one),
            (Penalty::Anchor { weight: 1e-3 }, Weighing::Dirichlet, &anchor),
            (Penalty::LogSumExp { weight: growing }, Weighing::Softmax, &spread),
            (Penalty::Divergence { weight: 0.1 }, Weighing::Softmax, &entropy),
        ];
        for (penalty, weighing, value) in cases {
            let relaxed = relaxed(weighing, penalty, &alpha);
            let slope = relaxed.slope(&relaxed.draw(2, 5, &mut Random::new(0, 0)), 2, 5);
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
    fn the_log_of_the_sum_is_averaged_over_rows() {
        let rows: [f64; 6] = [0.1, 0.5, -0.3, 0.0, 0.0, 0.0];
        let mean = rows.chunks(3).map(|row| row.iter().map(|a| a.exp()).sum::<f64>().ln()).sum::<f64>() / 2.0;
        assert!((mean - 1.174_931_401_198).abs() < 1e-11, "{mean}");
        let penalty = Penalty::LogSumExp { weight: Schedule::Constant { rate: 1.0 } };
        let relaxed = relaxed(Weighing::Softmax, penalty, &rows);
        let slope = relaxed.slope(&relaxed.draw(0, 1, &mut Random::new(0, 0)), 0, 1);
        assert!((slope[1] - 0.471_776_221_068 / 2.0).abs() < 1e-11 && (slope[3] - 1.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn tables_are_laid_out_with_copies_and_what_stands_beside_the_options() {
        let table = rows(&[0.0; 6], 2, true);
        assert_eq!(table.lay(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 0.5), [1.0, 2.0, 3.0, 0.5, 4.0, 5.0, 6.0, 0.5]);
        let square = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        let laid = [1., 2., 3., 0., 4., 5., 6., 0., 7., 8., 9., 0., 0., 0., 0., 0.];
        assert_eq!(table.lay_square(&square), laid);
        let mut relaxed = relaxed(Weighing::Softmax, Penalty::None, &[0.0; 6]);
        relaxed.tables = vec![table];
        let gradient: Vec<f32> = (0..16u8).map(f32::from).collect();
        assert_eq!(relaxed.gather(&gradient), [[8.0, 10.0, 12.0], [16.0, 18.0, 20.0]]);
    }

    #[test]
    fn a_path_takes_the_heaviest_option_of_each_row() {
        let relaxed = relaxed(Weighing::Softmax, Penalty::None, &[0.0, 2.0, 1.0, 3.0, 0.0, 3.0]);
        let path = relaxed.path(&relaxed.draw(0, 1, &mut Random::new(0, 0)));
        assert_eq!((path[&("a".to_owned(), 0)], path[&("a".to_owned(), 1)]), (1, 0));
    }
}
