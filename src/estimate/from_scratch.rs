//! An architecture is worth what it is trained to from scratch.

use super::costs::costs;
use super::measured::{self, TRAINING_LOSS};
use super::{BoxFuture, EpochReport, EstimateError, Estimator, Fidelity, Job, JobEvent, Measured, Progress};
use super::{Training, TrainingConfig};
use crate::data::Resident;
use crate::device::Device;
use crate::space::{Architecture, NetworkSettings, Space};
use crate::state::State;
use std::collections::BTreeMap;
use toml::Value;

/// Trains each architecture from scratch and measures it on other images.
pub struct FromScratch<'a> {
    /// Where.
    pub device: &'a Device,
    /// The space that the architectures are of.
    pub space: &'a dyn Space,
    /// Settings of the networks.
    pub settings: NetworkSettings,
    /// The images that train.
    pub train: &'a Resident,
    /// Which of them do.
    pub training: Vec<u32>,
    /// The images that measure.
    pub measure: &'a Resident,
    /// Which of them do.
    pub measuring: Vec<u32>,
    /// How they are trained.
    pub config: TrainingConfig,
    /// Whether the images that measure are looked at after each epoch.
    pub watches: bool,
    /// Seed of initial weights and of all random choices.
    pub seed: u64,
}

impl FromScratch<'_> {
    fn costs(&self, architecture: &Architecture) -> Result<BTreeMap<String, f64>, EstimateError> {
        costs(self.space, architecture, &self.settings)
    }
}

impl Estimator for FromScratch<'_> {
    fn known(&self, architecture: &Architecture) -> Result<BTreeMap<String, f64>, EstimateError> {
        self.costs(architecture)
    }

    fn start<'j>(
        &self,
        architecture: &Architecture,
        settings: &[(String, Value)],
        fidelity: Fidelity,
    ) -> Result<Box<dyn Job + 'j>, EstimateError>
    where
        Self: 'j,
    {
        let config = self.config.with(settings)?;
        let all = config.epochs;
        let epochs = match fidelity {
            Fidelity::Full => all,
            Fidelity::Epochs(epochs) if epochs <= all => epochs,
            Fidelity::Epochs(epochs) => {
                let problem = format!("a fidelity of {epochs} epochs: the training has {all}");
                return Err(EstimateError::Settings(problem));
            }
        };
        let costs = self.costs(architecture)?;
        let graph = self.space.decode(architecture, &self.settings)?;
        let training = Training::new(self.device, graph, self.train, self.training.clone(), config, self.seed)?;
        let steps = u64::from(epochs) * training.per_epoch();
        Ok(Box::new(Scratch {
            training,
            measure: self.measure.clone(),
            measuring: self.measuring.clone(),
            costs,
            steps,
            watches: self.watches,
            curve: Vec::new(),
            cut: false,
            over: false,
            failed: false,
        }))
    }
}

/// An architecture in training.
struct Scratch {
    training: Training,
    measure: Resident,
    measuring: Vec<u32>,
    costs: BTreeMap<String, f64>,
    /// Steps of training before it is measured.
    steps: u64,
    watches: bool,
    curve: Vec<EpochReport>,
    /// Whether it was told to go no further.
    cut: bool,
    over: bool,
    /// Whether it is over because it could not be trained.
    failed: bool,
}

impl Scratch {
    async fn step(&mut self) -> Result<Vec<JobEvent>, EstimateError> {
        if self.training.progress().0 < self.steps {
            let mut ended = self.training.advance().await?;
            if let (Some(epoch), true) = (&mut ended, self.watches) {
                let score = self.training.score_on(&self.measure, self.measuring.clone()).await?;
                epoch.valid_accuracy = Some(score.accuracy);
            }
            self.curve.extend(ended);
            return Ok(ended.map(JobEvent::Epoch).into_iter().collect());
        }
        let score = self.training.score_on(&self.measure, self.measuring.clone()).await?;
        let mut objectives = self.costs.clone();
        objectives.extend(measured::objectives(&score));
        objectives.extend(self.curve.last().map(|last| (TRAINING_LOSS.to_owned(), last.train_loss)));
        self.over = true;
        Ok(vec![JobEvent::Measured(Measured::Worth { objectives, curve: self.curve.clone() })])
    }
}

impl Job for Scratch {
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<JobEvent>, EstimateError>> {
        Box::pin(async move {
            if self.over {
                return Ok(Vec::new());
            }
            match self.step().await {
                Err(error @ (EstimateError::NotFinite { .. } | EstimateError::Evaluation { .. })) => {
                    (self.over, self.failed) = (true, true);
                    Ok(vec![JobEvent::Measured(Measured::Failed { reason: error.to_string() })])
                }
                other => other,
            }
        })
    }

    /// Steps of training, and one that measures.
    fn progress(&self) -> Progress {
        let total = self.steps + 1;
        Progress { taken: if self.over { total } else { self.training.progress().0 }, total }
    }

    fn cut(&mut self) {
        self.cut = true;
        self.steps = self.training.progress().0;
    }

    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>> {
        Box::pin(async move {
            let mut state = State::of("training job");
            state.set("curve", &self.curve)?;
            state.set("cut", self.cut)?;
            state.set("over", self.over)?;
            state.set("failed", self.failed)?;
            state.nest("training", self.training.save().await?);
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>> {
        Box::pin(async move {
            state.check("training job")?;
            self.training.restore(state.part("training")?)?;
            let taken = self.training.progress().0;
            self.cut = state.get("cut")?;
            if self.cut {
                self.steps = taken;
            }
            if taken > self.steps {
                return Err(state
                    .wrong("training", format!("{taken} steps were taken, {} are wanted", self.steps))
                    .into());
            }
            self.curve = state.get("curve")?;
            // What was measured after fewer epochs goes on; what failed has failed.
            self.failed = state.get("failed")?;
            self.over = state.get("over")? && (self.failed || taken == self.steps);
            Ok(())
        })
    }
}
