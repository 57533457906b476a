//! Operations whose weights stop being trained when the gradients of the two halves no longer agree (Jiang et al. 2023, "Operation-
//! level early stopping for robustifying differentiable NAS", section 3.3).
//!
//! Behind each step of α every operation of every choice point gets a score: the cosine of its gradients of validation and of
//! training loss along the output channels, averaged over the other dimensions, then over its tensors. Scores are added up; when one
//! more than `window` has come, an operation whose sum falls short of `threshold` · `window` is frozen for good, all others count
//! anew.

use super::alpha::copy;
use super::{BilevelConfig, Freezing, SearchError};
use crate::device::{Device, Recorder, Recording};
use crate::estimate::Supernet;
use crate::graph::{Graph, Op, Options};
use crate::kernels::columns;
use crate::network::Footprint;
use crate::state::{State, StateError};
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// An operation that can be frozen.
#[derive(Clone, Debug)]
struct Operation {
    /// Its weights.
    places: Vec<Range<usize>>,
    /// The columns of each of its tensors, among all.
    columns: Vec<Range<usize>>,
}

/// How an operation has done since it was last judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Tally {
    count: u32,
    sum: f64,
    frozen: bool,
}

/// All of them, and what tells how they do.
#[derive(Debug)]
pub(super) struct Freezer {
    rule: Freezing,
    clip: f32,
    operations: Vec<Operation>,
    tallies: Vec<Tally>,
    /// The gradient of the last step of the weights, and what clipping multiplied it by; none before the first.
    previous: Tensor,
    scale: Option<f64>,
    products: Tensor,
    keep: Recording,
    compare: Recording,
}

impl Freezer {
    /// Nothing is frozen yet. `graph` is the supernet's, before anything in it was fused.
    pub fn new(supernet: &Supernet, graph: &Graph, config: &BilevelConfig) -> Result<Self, SearchError> {
        let device = supernet.device();
        let parameters = supernet.network().parameters();
        let mut words: Vec<u32> = Vec::new();
        let mut operations = Vec::new();
        for names in tensors(graph) {
            let (mut places, mut columns) = (Vec::new(), Vec::new());
            for index in names.iter().filter_map(|name| parameters.find(name)) {
                let (place, shape) = (parameters.place(index), parameters.value(index).shape().to_vec());
                let (rows, distance) = (shape[0], shape[1..].iter().product::<usize>());
                let first = words.len() / 3;
                for column in 0..distance {
                    words.extend([(place.start + column) as u32, rows as u32, distance as u32]);
                }
                columns.push(first..first + distance);
                places.push(place);
            }
            operations.push(Operation { places, columns });
        }
        let (count, gradients) = (words.len() / 3, parameters.gradients());
        let table = Tensor::zeros(device, &[words.len()])?;
        table.write_words(device, &words)?;
        let products = Tensor::zeros(device, &[count, 3])?;
        let previous = Tensor::zeros(device, &[gradients.count()])?;
        let mut keep = Recorder::new(device);
        copy(&mut keep, gradients, &previous)?;
        let mut compare = Recorder::new(device);
        let params = columns::ColumnProducts {
            a: previous.at(),
            b: gradients.at(),
            columns: table.at(),
            products: products.at(),
            count: count as u32,
        };
        let inputs = [previous.binding(), gradients.binding(), table.binding()];
        compare.dispatch(&columns::COLUMN_PRODUCTS, &params, &inputs, &[products.binding()])?;
        Ok(Self {
            rule: config.freezing,
            clip: config.sgd.clip,
            tallies: vec![Tally::default(); operations.len()],
            operations,
            previous,
            scale: None,
            products,
            keep: keep.finish(),
            compare: compare.finish(),
        })
    }

    /// Judges all operations behind a step of α whose pass has left the validation loss's gradient of the weights. Says whether
    /// more are frozen now.
    pub async fn judge(&mut self, device: &Device) -> Result<bool, SearchError> {
        let (Some(scale), Freezing::Gradients { threshold, window, clean }) = (self.scale, self.rule) else {
            return Ok(false);
        };
        device.run(&self.compare)?;
        let products = self.products.read(device).await?;
        let mut more = false;
        for (operation, tally) in self.operations.iter().zip(&mut self.tallies).filter(|(_, tally)| !tally.frozen) {
            let tensor = |columns: &Range<usize>| {
                let all = products[3 * columns.start..3 * columns.end].chunks(3);
                let cosines = all.map(|p| cosine([p[0], p[1], p[2]].map(f64::from), scale, clean));
                cosines.sum::<f64>() / columns.len().max(1) as f64
            };
            let score = operation.columns.iter().map(tensor).sum::<f64>() / operation.columns.len().max(1) as f64;
            more |= tally.add(score, window, threshold);
        }
        Ok(more)
    }

    /// Keeps the gradient that a step of the weights has left, whose norm was `norm`.
    pub fn keep(&mut self, device: &Device, norm: f32) -> Result<(), SearchError> {
        device.run(&self.keep)?;
        let clipped = f64::from(self.clip) / (f64::from(norm) + 1e-6);
        self.scale = Some(if self.clip > 0.0 { clipped.min(1.0) } else { 1.0 });
        Ok(())
    }

    /// Operations that are frozen, of how many.
    pub fn frozen(&self) -> [usize; 2] {
        [self.tallies.iter().filter(|tally| tally.frozen).count(), self.tallies.len()]
    }

    /// What is still trained of everything.
    pub fn trained(&self, whole: Footprint) -> Footprint {
        let frozen = self.operations.iter().zip(&self.tallies).filter(|(_, tally)| tally.frozen);
        whole.without(frozen.flat_map(|(operation, _)| operation.places.clone()).collect())
    }

    /// Its state.
    pub async fn save(&self, device: &Device) -> Result<State, StateError> {
        let mut state = State::of("freezer");
        state.set("tallies", &self.tallies)?;
        state.set("scale", self.scale)?;
        state.keep("previous", device, &self.previous).await?;
        Ok(state)
    }

    /// Goes on from a state.
    pub fn restore(&mut self, device: &Device, state: &State) -> Result<(), StateError> {
        state.check("freezer")?;
        let tallies: Vec<Tally> = state.get("tallies")?;
        if tallies.len() != self.operations.len() {
            return Err(state.wrong("tallies", format!("there are {} operations", self.operations.len())));
        }
        self.tallies = tallies;
        self.scale = state.get("scale")?;
        state.write("previous", device, &self.previous)
    }
}

impl Tally {
    /// Adds a score; says whether it is frozen by it.
    fn add(&mut self, score: f64, window: u32, threshold: f64) -> bool {
        self.sum += score;
        if self.count < window {
            self.count += 1;
            return false;
        }
        // The sum has one score more than it is divided by: so has the published code.
        self.frozen = self.sum / f64::from(window) < threshold;
        (self.count, self.sum) = (0, 0.0);
        self.frozen
    }
}

/// The cosine of one column: `clean` that of the gradients of both losses; else that of their sum (the training loss's multiplied by
/// `scale`) and the training loss's, which the published code takes, since nothing clears the gradients between the two.
fn cosine([both, train, valid]: [f64; 3], scale: f64, clean: bool) -> f64 {
    let (dot, squares) = match clean {
        true => (both, train * valid),
        false => {
            let sum = scale * scale * train + 2.0 * scale * both + valid;
            (scale * train + both, train * sum)
        }
    };
    dot / squares.max(0.0).sqrt().max(1e-8)
}

/// Names of the tensors of each operation that has any, of all choice points.
fn tensors(graph: &Graph) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for node in &graph.nodes {
        let Op::Choice(choice) = &node.op else { continue };
        let Options::Operations(candidates) = &choice.options else { continue };
        for candidate in candidates {
            let inner = tensors(&candidate.graph);
            let own: Vec<String> = candidate.graph.parameters().into_iter().map(|parameter| parameter.name).collect();
            match inner.is_empty() {
                true if own.is_empty() => {}
                true => found.push(own),
                false => found.extend(inner),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_cosine_is_of_the_sum_of_both_gradients() {
        // Gradients of equal norm that have nothing to do with one another.
        let products = [0.0, 4.0, 4.0];
        assert_eq!(cosine(products, 1.0, true), 0.0);
        assert!((cosine(products, 1.0, false) - 0.5f64.sqrt()).abs() < 1e-12);
        // a = (1, 2), b = (3, −1), and a clipped to half of it.
        let (both, a, b) = (1.0, 5.0, 10.0);
        assert!((cosine([both, a, b], 0.5, true) - 1.0 / 50.0f64.sqrt()).abs() < 1e-12);
        let sum = [3.5f64, 0.0];
        let wanted = sum[0] * 1.0 / (sum[0] * 5.0f64.sqrt());
        assert!((cosine([both, a, b], 0.5, false) - wanted).abs() < 1e-12);
        assert_eq!(cosine([0.0; 3], 1.0, true), 0.0);
    }

    #[test]
    fn it_is_judged_when_one_score_more_than_the_window_has_come() {
        let mut tally = Tally::default();
        assert!((0..20).all(|_| !tally.add(0.35, 20, 0.4)));
        // Σ = 21 · 0.35 = 7.35, over 20 is 0.3675.
        assert!(tally.add(0.35, 20, 0.4) && tally.frozen);
        let mut tally = Tally::default();
        assert!((0..21).all(|_| !tally.add(0.39, 20, 0.4)), "0.4095 is enough");
        assert_eq!(tally, Tally::default());
    }
}
