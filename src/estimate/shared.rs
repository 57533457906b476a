//! An architecture is worth what it does with the weights that all architectures share.

use super::measured::{ACCURACY, LOSS};
use super::{BoxFuture, EstimateError, Estimator, Fidelity, Job, JobEvent, Measured, PathTraining, Progress};
use crate::network::Path;
use crate::space::{Architecture, Space};
use crate::state::State;
use std::collections::BTreeMap;

/// Measures architectures with shared weights, as they are: see [`PathTraining::score`].
pub struct SharedWeights<'a> {
    /// The space that the architectures are of.
    pub space: &'a dyn Space,
    /// The shared weights.
    pub paths: &'a mut PathTraining,
    /// The images that measure.
    pub images: &'a [u32],
    /// Batches that statistics are collected over before.
    pub calibration: u32,
}

impl Estimator for SharedWeights<'_> {
    fn start<'a>(
        &'a mut self,
        architecture: &Architecture,
        fidelity: Fidelity,
    ) -> Result<Box<dyn Job + 'a>, EstimateError> {
        if let Fidelity::Epochs(epochs) = fidelity {
            let problem =
                format!("a fidelity of {epochs} epochs: shared weights are measured as they are, at full fidelity");
            return Err(EstimateError::Settings(problem));
        }
        let path = self.paths.path(self.space, architecture)?;
        let Self { paths, images, calibration, .. } = self;
        Ok(Box::new(Scoring { paths, images, calibration: *calibration, path, over: false }))
    }
}

/// A measurement of one step. Weights and statistics are those of the supernet, whose state is saved by who trains them.
struct Scoring<'a> {
    paths: &'a mut PathTraining,
    images: &'a [u32],
    calibration: u32,
    path: Path,
    over: bool,
}

impl Job for Scoring<'_> {
    /// Measures.
    ///
    /// # Errors
    /// Also [`EstimateError::Evaluation`]: weights that give no finite loss are ruined for all architectures.
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<JobEvent>, EstimateError>> {
        Box::pin(async move {
            if self.over {
                return Ok(Vec::new());
            }
            let score = self.paths.score(&self.path, self.images, self.calibration).await?;
            self.over = true;
            let objectives = [(ACCURACY, score.accuracy), (LOSS, score.loss)];
            let objectives: BTreeMap<String, f64> =
                objectives.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Ok(vec![JobEvent::Measured(Measured::Worth { objectives, curve: Vec::new() })])
        })
    }

    fn progress(&self) -> Progress {
        Progress { taken: self.over.into(), total: 1 }
    }

    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>> {
        Box::pin(async move {
            let mut state = State::of("scoring job");
            state.set("over", self.over)?;
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>> {
        Box::pin(async move {
            state.check("scoring job")?;
            self.over = state.get("over")?;
            Ok(())
        })
    }
}
