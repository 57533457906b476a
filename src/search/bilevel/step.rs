//! One step of a gradient search.

use super::config::{BilevelConfig, Perturbation, Stage};
use super::parts::Lora;
use super::relaxed::{Drawn, laid};
use super::{Bilevel, Place, SearchError, adversary, align, perturb};
use crate::device::Recording;
use crate::estimate::Scalars;
use crate::network::Path;
use crate::optim::{Schedule, Step};
use crate::random::Random;
use crate::space::TableWeights;

/// Streams of the run's seed that weights of options are drawn from: one for each pass of each step.
const WEIGHED: u64 = 0xB11E << 48;
/// The passes of a step.
const ALPHAS: u64 = 0;
const WEIGHTS: u64 = 1;

impl Bilevel<'_> {
    /// Weights of options for one of the two passes of a step, where they come from the host; a path if only that is computed.
    async fn draw(&self, place: Place, pass: u64) -> Result<(Option<Drawn>, Option<Path>), SearchError> {
        let Some(relaxed) = &self.phase.relaxed else { return Ok((None, None)) };
        let epochs = self.config.epochs;
        let mut random = Random::new(self.seed, WEIGHED + 2 * self.taken + pass);
        let mut drawn = relaxed.draw(place.within, epochs, &mut random);
        if pass == WEIGHTS {
            match (self.config.perturbation, &self.phase.adversary) {
                (Perturbation::Random { epsilon }, _) => {
                    let epsilon = f64::from(epsilon.rate(place.within, epochs));
                    drawn.rows_mut().for_each(|row| perturb::uniformly(&mut row.weights, epsilon, &mut random));
                }
                (Perturbation::Adversarial { epsilon, steps }, Some(recording)) => {
                    let epsilon = f64::from(epsilon.rate(place.within, epochs));
                    adversary::worsen(&self.phase, recording, &mut drawn, epsilon, steps).await?;
                }
                _ => {}
            }
        }
        relaxed.write(&self.phase.supernet, &drawn, place.within, epochs)?;
        let path = self.config.weighing.is_path().then(|| relaxed.path(&drawn));
        Ok((Some(drawn), path))
    }

    /// Takes a step of the architecture weights, if they move, and one of the weights. Gives the scalars of both.
    pub(super) async fn step(&mut self, place: Place, images: &[u32], moves: bool) -> Result<Vec<f32>, SearchError> {
        let device = self.device.clone();
        let supernet = &self.phase.supernet;
        supernet.train().indices.write_words(&device, images)?;
        supernet.valid().indices.write_words(&device, &self.valid.at(self.taken as u32))?;
        let grown = self.grown(place);
        let values = Step {
            counter: self.taken as u32,
            weight_rate: self.weight_rate(place.within),
            alpha_rate: self.config.alpha_rate,
            alpha_corrections: self.phase.alpha.corrections(self.moved + 1),
            drop_path: (self.config.edge_drop_path * grown).max(self.skip_dropout(place)),
            chance: grown,
            ..Step::default()
        };
        supernet.step().write(&device, &values)?;
        device.run(&self.phase.before.save)?;
        // Recordings of paths live as long as the step: a value that is not finite is looked for in them.
        let mut own = Vec::new();
        let alphas_first = moves && !self.config.weights_first;
        match alphas_first {
            true => self.move_alphas(place, &mut own).await?,
            false => device.run(&self.phase.gather)?,
        }
        if let Some(freezer) = &mut self.phase.freezer
            && moves
            && freezer.judge(&device).await?
        {
            self.phase.record_trained()?;
        }
        self.move_weights(place, &mut own).await?;
        if moves && !alphas_first {
            self.move_alphas(place, &mut own).await?;
        }
        let again = self.again(moves, &own);
        let scalars = match self.phase.supernet.read_scalars(self.taken, place.epoch, &again).await {
            Err(error @ SearchError::NotFinite { .. }) => {
                device.run(&self.phase.before.restore)?;
                if let Some(relaxed) = &mut self.phase.relaxed {
                    relaxed.refresh(&self.phase.supernet).await?;
                }
                return Err(error);
            }
            other => other?,
        };
        if let Some(freezer) = &mut self.phase.freezer {
            freezer.keep(&device, scalars[Scalars::NORM])?;
        }
        let own_passes = if self.phase.aligned.is_some() { align::PASSES } else { 1 };
        let passes = if moves { self.phase.alpha.passes() + own_passes } else { own_passes };
        self.moved += u32::from(moves);
        self.phase.supernet.network_mut().statistics_mut().count_batches(passes);
        Ok(scalars)
    }

    /// Takes the step of the architecture weights.
    async fn move_alphas(&mut self, place: Place, own: &mut Vec<Recording>) -> Result<(), SearchError> {
        match (self.draw(place, ALPHAS).await?.1, &self.phase.recordings) {
            (Some(path), _) => {
                let recording = self.phase.record_path_alpha(&path, self.config.weighing.adds_others())?;
                self.device.run(&recording)?;
                own.push(recording);
            }
            (None, Some([alpha, _])) => self.device.run(alpha)?,
            (None, None) => {}
        }
        match &mut self.phase.relaxed {
            Some(relaxed) => Ok(relaxed.refresh(&self.phase.supernet).await?),
            None => Ok(()),
        }
    }

    /// Takes the step of the weights.
    async fn move_weights(&mut self, place: Place, own: &mut Vec<Recording>) -> Result<(), SearchError> {
        let (drawn, path) = self.draw(place, WEIGHTS).await?;
        let by_layer = (&self.phase.aligned, &self.phase.relaxed, &drawn);
        match (path, &self.phase.recordings, by_layer) {
            (Some(path), ..) => {
                let recording = self.phase.record_path_weights(&path)?;
                self.device.run(&recording)?;
                own.push(recording);
            }
            (None, _, (Some(aligned), Some(relaxed), Some(drawn))) => {
                let (alignment, epochs) = (self.config.alignment, self.config.epochs);
                let weight = alignment.weight(place.within, epochs);
                aligned.step(&self.phase.supernet, relaxed, drawn, alignment, weight).await?;
            }
            (None, Some([_, weights]), ..) => self.device.run(weights)?,
            (None, None, ..) => {}
        }
        Ok(())
    }

    /// What a step has run, in order, to find in it where a value ceased to be finite.
    fn again<'a>(&'a self, moves: bool, own: &'a [Recording]) -> Vec<&'a Recording> {
        let mut again = vec![&self.phase.before.restore];
        let Some([alpha, weights]) = &self.phase.recordings else {
            again.extend(own);
            return again;
        };
        let weights = match &self.phase.aligned {
            Some(aligned) => aligned.recordings().iter().collect(),
            None => vec![weights],
        };
        match (moves, self.config.weights_first) {
            (true, false) => again.extend([alpha].into_iter().chain(weights)),
            (true, true) => again.extend([&self.phase.gather].into_iter().chain(weights).chain([alpha])),
            (false, _) => again.extend([&self.phase.gather].into_iter().chain(weights)),
        }
        again
    }

    /// Does what is to be done once an epoch, before its first step.
    pub(super) async fn begin_epoch(&mut self, place: Place) -> Result<(), SearchError> {
        let Some(lora) = &mut self.phase.lora else { return Ok(()) };
        let parameters = self.phase.supernet.network().parameters();
        if place.step == 0 && lora.begin_epoch(&self.device, parameters, &self.config.lora, place.within).await? {
            self.phase.record_trained()?;
        }
        Ok(())
    }

    /// Learning rate of the weights: once factors are trained, a cosine starts anew from what it has come to.
    pub(super) fn weight_rate(&self, epoch: u32) -> f32 {
        let BilevelConfig { rate, epochs, lora, .. } = &self.config;
        match (lora, rate) {
            (Lora::LowRank { from, .. }, Schedule::Cosine { to, .. }) if epoch >= *from => {
                let again = Schedule::Cosine { from: rate.rate(*from, *epochs).into(), to: *to };
                again.rate(epoch - from, *epochs)
            }
            _ => rate.rate(epoch, *epochs),
        }
    }

    /// What grows from 0 to 1 in equal steps, epoch by epoch: RobustDARTS' regularisation.
    fn grown(&self, place: Place) -> f32 {
        let last = self.config.epochs.saturating_sub(1).max(1);
        place.within as f32 / last as f32
    }

    /// Probability of dropout on plain identities: it falls in a straight line until α moves, and exponentially then
    /// (P-DARTS' code).
    fn skip_dropout(&self, place: Place) -> f32 {
        let (epochs, Stage { dropout, .. }) = (self.config.epochs, self.stages[place.stage]);
        let within = place.within as f32;
        if place.within < self.config.warmup {
            dropout * (epochs as f32 - within - 1.0) / epochs.max(1) as f32
        } else {
            dropout * (-0.2 * (within - self.config.warmup as f32)).exp()
        }
    }

    /// What stands beside the options weighs after the last epoch.
    pub(super) fn last_auxiliary(&self) -> f64 {
        let epochs = self.config.epochs;
        self.config.auxiliary.weight(epochs.saturating_sub(1), epochs)
    }

    /// Takes a step of the weights alone, with weights of options that are no function of α.
    pub(super) async fn tune(
        &mut self,
        number: u64,
        rate: f32,
        images: &[u32],
        weights: &[TableWeights],
    ) -> Result<f32, SearchError> {
        let device = self.device.clone();
        let supernet = &self.phase.supernet;
        let Some(given) = supernet.given() else { return Ok(0.0) };
        for (index, table) in supernet.tables().iter().enumerate() {
            let shape = [table.rows, table.options.len()];
            given.weights(index).write(&device, &laid(weights, &table.name, shape, self.last_auxiliary())?)?;
        }
        supernet.train().indices.write_words(&device, images)?;
        supernet
            .step()
            .write(&device, &Step { counter: number as u32, weight_rate: rate, chance: 1.0, ..Step::default() })?;
        let Some([_, recording]) = &self.phase.recordings else { return Ok(0.0) };
        device.run(&self.phase.gather)?;
        device.run(recording)?;
        let scalars = supernet.read_scalars(number, 0, &[&self.phase.gather, recording]).await?;
        self.phase.supernet.network_mut().statistics_mut().count_batches(1);
        Ok(scalars[Scalars::TRAIN_LOSS])
    }
}
