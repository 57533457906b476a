//! An architecture is worth what it does with the weights that all architectures share.

use super::costs::costs;
use super::{BoxFuture, EstimateError, Estimator, Fidelity, Job, JobEvent, Measured, PathTraining, Progress, measured};
use crate::network::Path;
use crate::space::{Architecture, NetworkSettings, Space};
use crate::state::State;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use toml::Value;

/// Measures architectures with shared weights, as they are: see [`PathTraining::score`].
pub struct SharedWeights<'a> {
    space: &'a dyn Space,
    paths: Rc<Cell<Option<&'a mut PathTraining>>>,
    images: &'a [u32],
    calibration: u32,
    /// What the network of an architecture is built for where it is counted.
    network: Option<NetworkSettings>,
}

impl<'a> SharedWeights<'a> {
    /// Measures architectures of `space` with the weights of `paths` on `images`, after statistics were collected over so many
    /// batches.
    pub fn new(space: &'a dyn Space, paths: &'a mut PathTraining, images: &'a [u32], calibration: u32) -> Self {
        Self { space, paths: Rc::new(Cell::new(Some(paths))), images, calibration, network: None }
    }

    /// Counts also what an architecture's network costs that is built for this.
    pub fn counting(self, network: NetworkSettings) -> Self {
        Self { network: Some(network), ..self }
    }
}

impl Estimator for SharedWeights<'_> {
    fn known(&self, architecture: &Architecture) -> Result<BTreeMap<String, f64>, EstimateError> {
        self.network.as_ref().map_or(Ok(BTreeMap::new()), |network| costs(self.space, architecture, network))
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
        if let Fidelity::Epochs(epochs) = fidelity {
            let problem =
                format!("a fidelity of {epochs} epochs: shared weights are measured as they are, at full fidelity");
            return Err(EstimateError::Settings(problem));
        }
        if let Some((key, _)) = settings.first() {
            let problem = format!("`{key}`: shared weights are measured as they are, not trained in another way");
            return Err(EstimateError::Settings(problem));
        }
        let paths = self.paths.take().ok_or_else(busy)?;
        let path = paths.path(self.space, architecture);
        self.paths.set(Some(paths));
        let (paths, images) = (Rc::clone(&self.paths), self.images);
        let costs = self.known(architecture)?;
        Ok(Box::new(Scoring { paths, images, calibration: self.calibration, path: path?, costs, over: false }))
    }
}

fn busy() -> EstimateError {
    EstimateError::Settings("another architecture is being measured with the shared weights".into())
}

/// A measurement of one step. Weights and statistics are those of the supernet, whose state is saved by who trains them.
struct Scoring<'a> {
    paths: Rc<Cell<Option<&'a mut PathTraining>>>,
    images: &'a [u32],
    calibration: u32,
    path: Path,
    costs: BTreeMap<String, f64>,
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
            let paths = self.paths.take().ok_or_else(busy)?;
            let score = paths.score(&self.path, self.images, self.calibration).await;
            self.paths.set(Some(paths));
            let mut objectives = self.costs.clone();
            objectives.extend(measured::objectives(&score?));
            self.over = true;
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
