//! Alignment of the gradients that layers give the architecture weights they share (Movahedi et al. 2023, "Λ-DARTS: mitigating
//! performance collapse by harmonizing operation selection among cells").
//!
//! The supernet has a copy p_l of the options' weights for each layer l that shares them; g_l is the gradient of the training
//! loss with respect to it. Its alignment Λ(g_1 … g_L) is *raised* by the step of the shared weights w, whose gradient gets
//! λ·(∇w L(p − εd) − ∇w L(p + εd))/2ε, d_l = ∂Λ/∂g_l, ε = ε₀/‖d‖ (equations 9 and 10): −λ·∇w Λ by central differences.

use super::alpha::copy;
use super::parts::Alignment;
use super::relaxed::{Drawn, Relaxed};
use super::{SearchError, weighing::Row};
use crate::device::{Recorder, Recording};
use crate::estimate::{Scalars, Supernet, Wants};
use crate::kernels::optimiser;
use crate::tensor::{Error, Tensor};

/// What the step of the weights runs in turn.
#[derive(Debug)]
pub(super) struct Aligned {
    /// The ordinary pass, one at p + εd, and one at p − εd with the update.
    recordings: [Recording; 3],
    /// λ, as a word, and ‖d‖.
    factor: Tensor,
    length: Tensor,
}

/// Training passes of a step.
pub(super) const PASSES: u64 = 3;

impl Aligned {
    /// Records the passes over the training batch that has been gathered by then. `distance` is ε₀.
    pub fn new(supernet: &Supernet, distance: f64) -> Result<Self, Error> {
        let device = supernet.device();
        let gradients = supernet.network().parameters().gradients();
        let [whole, plus] = [(); 2].map(|()| Tensor::zeros(device, &[gradients.count()]));
        let (whole, plus) = (whole?, plus?);
        let [factor, length] = [(); 2].map(|()| Tensor::zeros(device, &[1]));
        let (factor, length) = (factor?, length?);
        let begin = || Recorder::within(device, supernet.workspace());

        let (mut recorder, outputs) =
            supernet.record_pass(begin(), supernet.train(), Wants::Both, Scalars::TRAIN_LOSS)?;
        supernet.record_score(&mut recorder, supernet.train(), &outputs, Scalars::TRAIN_CORRECT)?;
        drop(outputs);
        let everything = supernet.network().whole();
        let statistics = |recorder: &mut Recorder, loss: usize| {
            let guard = supernet.scalars().one(loss);
            supernet.network().statistics().record_update(recorder, &everything.statistics, &guard)
        };
        statistics(&mut recorder, Scalars::TRAIN_LOSS)?;
        copy(&mut recorder, gradients, &whole)?;
        let first = recorder.finish();

        let loss = Scalars::INNER_LOSSES + 1;
        let (mut recorder, _) = supernet.record_pass(begin(), supernet.train(), Wants::Weights, loss)?;
        statistics(&mut recorder, loss)?;
        copy(&mut recorder, gradients, &plus)?;
        let ahead = recorder.finish();

        let loss = Scalars::INNER_LOSSES + 2;
        let (mut recorder, _) = supernet.record_pass(begin(), supernet.train(), Wants::Weights, loss)?;
        recorder.set_scope("alignment");
        // −λ(∇⁺ − ∇⁻)/2ε is what the Hessian product takes off, with λ for its learning rate.
        let params = optimiser::Hessian {
            plus: plus.at(),
            minus: gradients.at(),
            gradient: whole.at(),
            count: gradients.count() as u32,
            learning_rate: factor.at(),
            norm: length.at(),
            epsilon: distance as f32,
        };
        let inputs = [plus.binding(), gradients.binding(), factor.binding(), length.binding()];
        recorder.dispatch(&optimiser::HESSIAN, &params, &inputs, &[whole.binding()])?;
        copy(&mut recorder, &whole, gradients)?;
        let behind = supernet.record_update(recorder, &everything)?.finish();
        Ok(Self { recordings: [first, ahead, behind], factor, length })
    }

    /// The recordings of a step, in their order.
    pub fn recordings(&self) -> &[Recording; 3] {
        &self.recordings
    }

    /// Takes the step at drawn weights, with λ = `weight`.
    pub async fn step(
        &self,
        supernet: &Supernet,
        relaxed: &Relaxed,
        drawn: &Drawn,
        alignment: Alignment,
        weight: f64,
    ) -> Result<(), SearchError> {
        let (device, distance) = (supernet.device(), alignment.distance());
        let [first, ahead, behind] = &self.recordings;
        // The gradient wanted is that of the weights themselves.
        let mut own = drawn.clone();
        own.rows_mut().for_each(|row| *row = Row::direct(std::mem::take(&mut row.weights)));
        relaxed.write_weights(supernet, &own)?;
        device.run(first)?;
        let gradients = relaxed.copies(&supernet.alphas().gradients().read(device).await?);
        let direction = alignment.direction(&gradients);
        let length = direction.iter().flatten().map(|d| d * d).sum::<f64>().sqrt();
        let scale = if length > 0.0 && length.is_finite() { distance / length } else { 0.0 };
        self.factor.write(device, &[weight as f32])?;
        // Nothing is added where there is no direction: both passes are then the same.
        self.length.write(device, &[if scale > 0.0 { length as f32 } else { 0.0 }])?;
        relaxed.write_moved(supernet, drawn, &direction, scale)?;
        device.run(ahead)?;
        relaxed.write_moved(supernet, drawn, &direction, -scale)?;
        Ok(device.run(behind)?)
    }
}

impl Alignment {
    /// λ in epoch `epoch` of `epochs`.
    pub(super) fn weight(&self, epoch: u32, epochs: u32) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Correlation { weight, .. } | Self::SignCorrelation { weight, .. } => {
                weight.rate(epoch, epochs).into()
            }
        }
    }

    /// ε₀.
    pub(super) fn distance(&self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Correlation { distance, .. } | Self::SignCorrelation { distance, .. } => *distance,
        }
    }

    /// ∂Λ/∂g for the gradient g of each layer. A layer without gradient has no direction.
    pub(super) fn direction(&self, gradients: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let layers = gradients.len() as f64;
        let share = 2.0 / (layers * (layers - 1.0)).max(1.0);
        match self {
            Self::None => gradients.iter().map(|g| vec![0.0; g.len()]).collect(),
            Self::Correlation { .. } => {
                let units: Vec<Vec<f64>> = gradients.iter().map(|g| unit(g)).collect();
                let width = gradients.first().map_or(0, Vec::len);
                let sum: Vec<f64> = (0..width).map(|i| units.iter().map(|u| u[i]).sum()).collect();
                let each = |(g, u): (&Vec<f64>, &Vec<f64>)| {
                    let (norm, along) = (dot(g, g).sqrt(), dot(u, &sum));
                    let entry = |(u, s): (&f64, &f64)| share * (s - u * along) / norm;
                    if norm > 0.0 { u.iter().zip(&sum).map(entry).collect() } else { vec![0.0; width] }
                };
                gradients.iter().zip(&units).map(each).collect()
            }
            Self::SignCorrelation { .. } => {
                let each = |(l, g): (usize, &Vec<f64>)| {
                    let mut direction = vec![0.0; g.len()];
                    for (_, other) in gradients.iter().enumerate().filter(|(j, _)| *j != l) {
                        let all: f64 = g.iter().zip(other).map(|(a, b)| (a * b).abs()).sum();
                        if all > 0.0 {
                            let value = dot(g, other) / all;
                            for ((d, &a), &b) in direction.iter_mut().zip(g).zip(other) {
                                *d += share * (1.0 - value * sign(a) * sign(b)) * b / all;
                            }
                        }
                    }
                    direction
                };
                gradients.iter().enumerate().map(each).collect()
            }
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Zeros where there is no direction.
fn unit(g: &[f64]) -> Vec<f64> {
    let norm = dot(g, g).sqrt();
    g.iter().map(|g| if norm > 0.0 { g / norm } else { 0.0 }).collect()
}

/// −1, 0 or 1.
fn sign(a: f64) -> f64 {
    if a == 0.0 { 0.0 } else { a.signum() }
}

#[cfg(test)]
mod tests {
    use super::super::config::{Penalty, Rules};
    use super::super::parts::Auxiliary;
    use super::super::weighing::Weighing;
    use super::*;
    use crate::device::Device;
    use crate::estimate::SupernetConfig;
    use crate::graph::{Candidate, Choice, Conv, Features, Graph, Op, Options, Pool};
    use crate::optim::{Schedule, SgdConfig, Step};
    use crate::random::Random;
    use pollster::block_on;

    const WEIGHT: Schedule = Schedule::Constant { rate: 1.0 };
    const CORRELATION: Alignment = Alignment::Correlation { weight: WEIGHT, distance: 1e-4 };
    const SIGNS: Alignment = Alignment::SignCorrelation { weight: WEIGHT, distance: 1e-4 };

    fn gradients() -> Vec<Vec<f64>> {
        vec![vec![1.0, 2.0, 3.0], vec![1.0, 0.0, -1.0], vec![2.0, 1.0, 0.0]]
    }

    /// The mean over pairs of `pair`.
    fn mean(gradients: &[Vec<f64>], pair: &dyn Fn(&[f64], &[f64]) -> f64) -> f64 {
        let pairs: Vec<(usize, usize)> = (0..3).flat_map(|i| (i + 1..3).map(move |j| (i, j))).collect();
        pairs.iter().map(|&(i, j)| pair(&gradients[i], &gradients[j])).sum::<f64>() / pairs.len() as f64
    }

    fn cosine(a: &[f64], b: &[f64]) -> f64 {
        dot(&unit(a), &unit(b))
    }

    /// Of signs, with the magnitudes held: (Σab)/(Σ|ab|).
    fn agreement(a: &[f64], b: &[f64]) -> f64 {
        dot(a, b) / a.iter().zip(b).map(|(a, b)| (a * b).abs()).sum::<f64>()
    }

    #[test]
    fn directions_are_the_published_ones() {
        assert!((mean(&gradients(), &cosine) - 0.244_194_167_586).abs() < 1e-11);
        assert!((mean(&gradients(), &agreement) - 0.5).abs() < 1e-11);
        let close = |got: &[f64], wanted: [f64; 3]| {
            assert!(got.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-7), "{got:?} {wanted:?}");
        };
        let corr = CORRELATION.direction(&gradients());
        close(&corr[0], [0.140_292_010_630, 0.035_073_002_658, -0.070_146_005_315]);
        close(&corr[1], [0.231_397_413_009; 3]);
        let signs = SIGNS.direction(&gradients());
        close(&signs[0], [0.125, 0.0, -0.041_666_7]);
        close(&signs[1], [0.125, 0.333_333_3, 0.125]);
    }

    #[test]
    fn the_direction_is_the_gradient_of_the_mean_cosine() {
        let direction = CORRELATION.direction(&gradients());
        for (l, i) in (0..3).flat_map(|l| (0..3).map(move |i| (l, i))) {
            let moved = |by: f64| {
                let mut gradients = gradients();
                gradients[l][i] += by;
                mean(&gradients, &cosine)
            };
            let slope = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((slope - direction[l][i]).abs() < 1e-8, "{l} {i}");
        }
    }

    /// Three layers of two choices each, among an identity, a convolution and a mean, without kinks: differences are to be taken.
    fn smooth() -> Graph {
        let image = Features::new(2, 6, 6);
        let mut graph = Graph::new(&[image]);
        let mut last = graph.push("stem", Op::Conv(Conv::square(2, 3, 3, 1)), &[0]).unwrap();
        let pool = Pool::new(3, 1, 1);
        for layer in 0..3 {
            for row in 0..2 {
                let place = format!("layers.{layer}.{row}");
                let option = |label: &str, op: Op| {
                    let mut graph = Graph::new(&[Features::new(3, 6, 6)]);
                    let result = graph.push(format!("{place}.{label}"), op, &[0]).unwrap();
                    graph.output("", result);
                    Candidate { label: label.to_owned(), graph }
                };
                let options = vec![
                    option("skip", Op::Identity),
                    option("conv", Op::Conv(Conv::square(3, 3, 3, 1))),
                    option("mean", Op::AvgPool(pool)),
                ];
                let choice = Choice::new("a", row, Options::Operations(options));
                last = graph.push(place.clone(), Op::Choice(choice), &[last]).unwrap();
            }
        }
        let pooled = graph.push("pool", Op::GlobalAvgPool, &[last]).unwrap();
        let scores = graph.push("classifier", Op::Linear { outputs: 3, bias: true }, &[pooled]).unwrap();
        graph.output("logits", scores);
        graph
    }

    /// The correction that a step makes of w's gradient is −λ times the gradient of the mean cosine, by differences of that.
    #[test]
    fn the_step_raises_the_mean_cosine() {
        let device = Device::cpu();
        let (graph, copies) = smooth().untied().unwrap();
        let config = SupernetConfig { batch: 12, sgd: SgdConfig::default(), seed: 4, fusion: false, given: true };
        let supernet = Supernet::new(&device, graph, config).unwrap();
        let mut random = Random::new(8, 0);
        let pixels: Vec<f32> = (0..supernet.train().x.count()).map(|_| random.range(-1.0, 1.0)).collect();
        supernet.train().x.write(&device, &pixels).unwrap();
        let labels: Vec<u32> = (0..12).map(|image| image % 3).collect();
        supernet.train().y.write_words(&device, &labels).unwrap();
        // No step: nothing moves but gradients.
        supernet.step().write(&device, &Step::default()).unwrap();
        let rules = Rules { weighing: Weighing::Softmax, penalty: Penalty::None, auxiliary: Auxiliary::None };
        let relaxed = block_on(Relaxed::new(&supernet, rules, &copies)).unwrap();
        let drawn = relaxed.draw(0, 1, &mut Random::new(0, 0));
        let alignment = Alignment::Correlation { weight: WEIGHT, distance: 1e-2 };
        let aligned = Aligned::new(&supernet, alignment.distance()).unwrap();
        let parameters = supernet.network().parameters();
        let gradient = |weight: f64| -> Vec<f64> {
            block_on(aligned.step(&supernet, &relaxed, &drawn, alignment, weight)).unwrap();
            block_on(parameters.gradients().read(&device)).unwrap().into_iter().map(f64::from).collect()
        };
        let (with, without) = (gradient(1.0), gradient(0.0));
        let correction: Vec<f64> = with.iter().zip(&without).map(|(a, b)| a - b).collect();
        let norm = dot(&correction, &correction).sqrt();

        let start = block_on(parameters.read(&device)).unwrap();
        let mut own = drawn.clone();
        own.rows_mut().for_each(|row| *row = Row::direct(std::mem::take(&mut row.weights)));
        relaxed.write_weights(&supernet, &own).unwrap();
        let value = |by: f64| {
            let moved = |(w, c): (&f32, &f64)| (f64::from(*w) + by * c / norm) as f32;
            let moved: Vec<f32> = start.iter().zip(&correction).map(moved).collect();
            parameters.values().write(&device, &moved).unwrap();
            device.run(&aligned.recordings[0]).unwrap();
            mean(&relaxed.copies(&block_on(supernet.alphas().gradients().read(&device)).unwrap()), &cosine)
        };
        let slope = (value(3e-3) - value(-3e-3)) / 6e-3;
        assert!(norm > 1e-3 && (slope + norm).abs() < 0.03 * norm, "{slope} {norm}");
    }

    #[test]
    fn layers_without_gradient_have_no_direction() {
        let still = vec![vec![0.0; 3], vec![1.0, 2.0, 3.0]];
        for alignment in [CORRELATION, SIGNS] {
            assert!(alignment.direction(&still).iter().flatten().all(|d| d.is_finite()), "{alignment:?}");
            assert_eq!(alignment.direction(&still)[0], [0.0; 3]);
        }
    }
}
