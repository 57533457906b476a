//! The step of the architecture weights: gradient of the validation loss, then Adam or the exponentiated gradient.
//!
//! Second order (equations 7 and 8 of the paper, with the published code's details): the gradient is
//! taken at w' = w − ξ(momentum · velocity + ∇w L_train + decay · w), and corrected by
//! −ξ (∇α L_train(w⁺) − ∇α L_train(w⁻)) / 2R, where w± = w ± R ∇w' L_val and R = 0.01 / ‖∇w' L_val‖.
//! Training passes update the running statistics; the pass at w' does not.

use super::{Order, SearchError};
use crate::autograd::ops;
use crate::device::Recorder;
use crate::estimate::{Scalars, Supernet, Wants};
use crate::kernels::copies::{SUM_COPIES, SumCopies};
use crate::kernels::{elementwise, optimiser, reduce};
use crate::network::Path;
use crate::optim::{Adam, AdamConfig, StepBuffer};
use crate::state::{State, StateError};
use crate::tensor::{Error, Tensor};

/// R · ‖∇w' L_val‖: how far the weights are moved to either side.
const DISTANCE: f32 = 0.01;

/// The architecture weights' gradient and optimiser.
#[derive(Debug)]
pub struct AlphaStep {
    order: Order,
    adam: Adam,
    /// For each table the least that an option may weigh, where the exponentiated gradient is followed instead of Adam.
    floors: Option<Vec<f32>>,
    /// For each table, how many copies it consists of, which move as one.
    copies: Vec<usize>,
    /// What its pass over the validation batch asks for (first order).
    wants: Wants,
    gradient: Tensor,
}

impl AlphaStep {
    /// Prepares the step for a supernet.
    ///
    /// # Errors
    /// Out of memory.
    pub fn new(supernet: &Supernet, order: Order, adam: AdamConfig) -> Result<Self, SearchError> {
        let count = supernet.alphas().values().count();
        let gradient = match order {
            Order::First => supernet.alphas().gradients().clone(),
            Order::Second => Tensor::zeros(supernet.device(), &[count])?,
        };
        Ok(Self {
            order,
            adam: Adam::new(supernet.device(), count, adam)?,
            floors: None,
            copies: Vec::new(),
            wants: Wants::Alphas,
            gradient,
        })
    }

    /// The same, following the exponentiated gradient: in rows of the table that has the number, options weigh so much at least.
    pub(super) fn exponentiated(self, floors: Vec<f32>) -> Self {
        Self { floors: Some(floors), ..self }
    }

    /// The same where the table that has the number consists of so many copies, which move as one.
    pub(super) fn tied(self, copies: Vec<usize>) -> Self {
        Self { copies, ..self }
    }

    /// The same, leaving the gradient of the weights, too.
    pub(super) fn with_weight_gradients(self) -> Self {
        Self { wants: Wants::Both, ..self }
    }

    /// The gradient that was followed last.
    pub fn gradient(&self) -> &Tensor {
        &self.gradient
    }

    /// First and second moments of its optimiser.
    pub fn moments(&self) -> [&Tensor; 2] {
        self.adam.moments()
    }

    /// State of its optimiser. (The gradient is computed before it is read.)
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self, supernet: &Supernet) -> Result<State, StateError> {
        self.adam.save(supernet.device()).await
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`StateError`] if it is that of other architecture weights; an error of the device.
    pub fn restore(&self, supernet: &Supernet, state: &State) -> Result<(), StateError> {
        self.adam.restore(supernet.device(), state)
    }

    /// Training passes in one step that enter the running statistics.
    pub fn passes(&self) -> u64 {
        match self.order {
            Order::First => 1,
            Order::Second => 3,
        }
    }

    /// Adam's corrections of the t-th step, counted from 1.
    pub fn corrections(&self, t: u32) -> [f32; 2] {
        self.adam.corrections(t)
    }

    /// Records the step on the supernet's present batches.
    ///
    /// # Errors
    /// As recording does.
    pub fn record(&self, supernet: &Supernet, recorder: Recorder) -> Result<Recorder, Error> {
        let mut recorder = match self.order {
            Order::First => self.record_first(supernet, recorder)?,
            Order::Second => self.record_second(supernet, recorder)?,
        };
        self.record_update(supernet, &mut recorder)?;
        Ok(recorder)
    }

    /// Records the first-order step along a path: see [`Supernet::record_sampled_pass`].
    ///
    /// # Errors
    /// [`Error::Shape`] if the path leaves a choice point open; else as recording does.
    pub fn record_sampled(
        &self,
        supernet: &Supernet,
        recorder: Recorder,
        path: &Path,
        others: bool,
    ) -> Result<Recorder, Error> {
        let valid = supernet.valid();
        let used = supernet.network().used(path)?;
        let (mut recorder, outputs) =
            supernet.record_sampled_pass(recorder, valid, path, others, Scalars::VALID_LOSS)?;
        supernet.record_score(&mut recorder, valid, &outputs, Scalars::VALID_CORRECT)?;
        let guard = supernet.scalars().one(Scalars::VALID_LOSS);
        supernet.network().statistics().record_update(&mut recorder, &used.statistics, &guard)?;
        self.record_update(supernet, &mut recorder)?;
        Ok(recorder)
    }

    /// Records what follows the gradient of the validation loss: the penalty's own, and Adam.
    fn record_update(&self, supernet: &Supernet, recorder: &mut Recorder) -> Result<(), Error> {
        recorder.set_scope("architecture step");
        if let Some(given) = supernet.given() {
            let (slope, gradient) = (given.slope(), &self.gradient);
            let params = elementwise::Scale {
                x: slope.at(),
                y: gradient.at(),
                count: slope.count() as u32,
                factor: 1.0,
                accumulate: 1,
            };
            recorder.dispatch(&elementwise::SCALE, &params, &[slope.binding()], &[gradient.binding()])?;
        }
        let mut at = 0;
        for (table, &copies) in supernet.tables().iter().zip(&self.copies) {
            let count = (table.rows * table.options.len()) as u32;
            if copies > 1 {
                let params =
                    SumCopies { x: self.gradient.at() + at, copies: copies as u32, count: count / copies as u32 };
                recorder.dispatch(&SUM_COPIES, &params, &[], &[self.gradient.binding()])?;
            }
            at += count;
        }
        let (values, step, guards) = (supernet.alphas().values(), supernet.step(), supernet.scalars().alpha_guards());
        let Some(floors) = &self.floors else {
            let (rate, corrections) = (StepBuffer::ALPHA_RATE, StepBuffer::ALPHA_CORRECTIONS);
            return self.adam.record(recorder, values, &self.gradient, step, rate, corrections, &guards);
        };
        let mut at = 0;
        for (table, &floor) in supernet.tables().iter().zip(floors) {
            let params = optimiser::ExponentiatedGradient {
                weight: values.at() + at,
                gradient: self.gradient.at() + at,
                rows: table.rows as u32,
                columns: table.options.len() as u32,
                learning_rate: step.words().at() + StepBuffer::ALPHA_RATE,
                guard: guards.at(),
                guards: guards.count() as u32,
                floor,
            };
            let inputs = [self.gradient.binding(), step.words().binding(), guards.binding()];
            recorder.dispatch(&optimiser::EXPONENTIATED_GRADIENT, &params, &inputs, &[values.binding()])?;
            at += params.rows * params.columns;
        }
        Ok(())
    }

    fn record_first(&self, supernet: &Supernet, recorder: Recorder) -> Result<Recorder, Error> {
        let valid = supernet.valid();
        let (mut recorder, outputs) = supernet.record_pass(recorder, valid, self.wants, Scalars::VALID_LOSS)?;
        supernet.record_score(&mut recorder, valid, &outputs, Scalars::VALID_CORRECT)?;
        let guard = supernet.scalars().one(Scalars::VALID_LOSS);
        let network = supernet.network();
        network.statistics().record_update(&mut recorder, &network.whole().statistics, &guard)?;
        Ok(recorder)
    }

    fn record_second(&self, supernet: &Supernet, recorder: Recorder) -> Result<Recorder, Error> {
        let parameters = supernet.network().parameters();
        let (weights, gradients) = (parameters.values(), parameters.gradients());
        let (scalars, valid) = (supernet.scalars(), supernet.valid());
        let count = weights.count();

        let mut recorder = self.train_pass(supernet, recorder, Wants::Weights, 0)?;
        recorder.set_scope("unrolled step");
        let original = Tensor::scratch(&recorder, &[count])?;
        let unrolled = Tensor::scratch(&recorder, &[count])?;
        self.record_unroll(supernet, &mut recorder, &unrolled)?;
        copy(&mut recorder, weights, &original)?;
        copy(&mut recorder, &unrolled, weights)?;
        drop(unrolled);

        let (mut recorder, outputs) = supernet.record_pass(recorder, valid, Wants::Both, Scalars::VALID_LOSS)?;
        supernet.record_score(&mut recorder, valid, &outputs, Scalars::VALID_CORRECT)?;
        drop(outputs);
        copy(&mut recorder, supernet.alphas().gradients(), &self.gradient)?;
        let norm = scalars.one(Scalars::UNROLLED_NORM);
        ops::record_reduce(&mut recorder, reduce::NORM, gradients, &norm)?;

        // The passes at w± ask for no gradient of the weights, so ∇w' stays where it is.
        record_perturb(&mut recorder, &original, gradients, &norm, weights, DISTANCE)?;
        let mut recorder = self.train_pass(supernet, recorder, Wants::Alphas, 1)?;
        let plus = Tensor::scratch(&recorder, &[self.gradient.count()])?;
        copy(&mut recorder, supernet.alphas().gradients(), &plus)?;
        record_perturb(&mut recorder, &original, gradients, &norm, weights, -DISTANCE)?;
        let mut recorder = self.train_pass(supernet, recorder, Wants::Alphas, 2)?;
        recorder.set_scope("unrolled step");
        copy(&mut recorder, &original, weights)?;

        let minus = supernet.alphas().gradients();
        let params = optimiser::Hessian {
            plus: plus.at(),
            minus: minus.at(),
            gradient: self.gradient.at(),
            count: self.gradient.count() as u32,
            learning_rate: supernet.step().words().at() + StepBuffer::WEIGHT_RATE,
            norm: norm.at(),
            epsilon: DISTANCE,
        };
        let inputs = [plus.binding(), minus.binding(), supernet.step().words().binding(), norm.binding()];
        recorder.dispatch(&optimiser::HESSIAN, &params, &inputs, &[self.gradient.binding()])?;
        Ok(recorder)
    }

    /// A pass over the training batch that enters the running statistics.
    fn train_pass(
        &self,
        supernet: &Supernet,
        recorder: Recorder,
        wants: Wants,
        which: usize,
    ) -> Result<Recorder, Error> {
        let loss = Scalars::INNER_LOSSES + which;
        let (mut recorder, _) = supernet.record_pass(recorder, supernet.train(), wants, loss)?;
        let guard = supernet.scalars().one(loss);
        let network = supernet.network();
        network.statistics().record_update(&mut recorder, &network.whole().statistics, &guard)?;
        Ok(recorder)
    }

    fn record_unroll(&self, supernet: &Supernet, recorder: &mut Recorder, result: &Tensor) -> Result<(), Error> {
        let parameters = supernet.network().parameters();
        let (weights, gradients, sgd) = (parameters.values(), parameters.gradients(), supernet.sgd());
        let params = optimiser::Unroll {
            weight: weights.at(),
            gradient: gradients.at(),
            velocity: sgd.velocity().at(),
            result: result.at(),
            count: weights.count() as u32,
            learning_rate: supernet.step().words().at() + StepBuffer::WEIGHT_RATE,
            momentum: sgd.config().momentum,
            weight_decay: sgd.config().weight_decay,
        };
        let step = supernet.step().words();
        let inputs = [weights.binding(), gradients.binding(), sgd.velocity().binding(), step.binding()];
        Ok(recorder.dispatch(&optimiser::UNROLL, &params, &inputs, &[result.binding()])?)
    }
}

/// Records `result = weight + scale · direction / norm`.
fn record_perturb(
    recorder: &mut Recorder,
    weight: &Tensor,
    direction: &Tensor,
    norm: &Tensor,
    result: &Tensor,
    scale: f32,
) -> Result<(), Error> {
    let params = optimiser::Perturb {
        weight: weight.at(),
        direction: direction.at(),
        result: result.at(),
        count: weight.count() as u32,
        norm: norm.at(),
        scale,
    };
    let inputs = [weight.binding(), direction.binding(), norm.binding()];
    Ok(recorder.dispatch(&optimiser::PERTURB, &params, &inputs, &[result.binding()])?)
}

pub(super) fn copy(recorder: &mut Recorder, from: &Tensor, to: &Tensor) -> Result<(), Error> {
    Ok(recorder.copy(from.buffer(), from.at() as usize, to.buffer(), to.at() as usize, from.count())?)
}
