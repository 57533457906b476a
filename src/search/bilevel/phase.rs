//! One stage of a search under way: its supernet and what its steps run.

use super::align::Aligned;
use super::config::{BilevelConfig, Perturbation, Stage};
use super::freeze::Freezer;
use super::lora::LowRank;
use super::parts::{Alignment, Auxiliary, Freezing, Lora, Update};
use super::relaxed::Relaxed;
use super::scoring::Scoring;
use super::{AlphaStep, SearchError, Weighing, rollback::Rollback};
use crate::data::{Augmentation, Draw, Resident};
use crate::device::{Device, Recorder, Recording};
use crate::estimate::{ALPHA_DEVIATION, Scalars, Supernet, SupernetConfig};
use crate::graph::{EdgeWeights, Features, Graph, GraphError, Table};
use crate::network::Path;
use crate::space::darts::{Variant, factorized_reduce};
use crate::space::{NetworkSettings, Space, SpaceError, TableWeights};
use std::collections::HashSet;

/// An architecture weight so low that its option has no weight: the option has been dropped.
pub(super) const DROPPED: f32 = -1e4;

/// What all stages share.
#[derive(Clone, Copy)]
pub(super) struct Setting<'s> {
    pub device: &'s Device,
    pub space: &'s dyn Space,
    pub settings: &'s NetworkSettings,
    pub data: &'s Resident,
    pub config: &'s BilevelConfig,
    pub seed: u64,
}

/// A stage's supernet, its recordings and its relaxation.
pub(super) struct Phase {
    pub supernet: Supernet,
    pub alpha: AlphaStep,
    /// The steps of architecture weights and weights, where they are the same every time.
    pub recordings: Option<[Recording; 2]>,
    /// Gathers the batch of the weights' step where no step of the architecture weights has done so.
    pub gather: Recording,
    /// What the weights' step trains against, if it is the worst case.
    pub adversary: Option<Recording>,
    pub before: Rollback,
    pub relaxed: Option<Relaxed>,
    /// Of the whole supernet; none where only paths are computed.
    pub scoring: Option<Scoring>,
    /// The step of the weights, where the gradients of layers are aligned.
    pub aligned: Option<Aligned>,
    /// What tells which operations stop being trained.
    pub freezer: Option<Freezer>,
    /// Factors of convolutions.
    pub lora: Option<LowRank>,
    pub edges: Vec<EdgeWeights>,
    /// Tables of which the supernet has several copies, and how many.
    pub copies: Vec<(String, usize)>,
    data: Resident,
    augmentation: Augmentation,
    cutout_grows: bool,
    seed: u64,
}

impl Phase {
    /// Begins a stage with the options that `dropped` leaves.
    pub async fn new(
        setting: Setting<'_>,
        stage: &Stage,
        number: usize,
        dropped: &HashSet<(String, usize, usize)>,
        scored: Vec<u32>,
    ) -> Result<Self, SearchError> {
        let Setting { device, space, settings, data, config, .. } = setting;
        // Each stage has weights of its own.
        let seed = setting.seed ^ (number as u64) << 40;
        let Rewritten { graph, edges, copies } = supernet(space, settings, config, stage, dropped)?;
        let given = config.is_given();
        let shared = SupernetConfig { batch: config.batch, sgd: config.sgd, seed, fusion: config.fusion, given };
        let supernet = Supernet::new(device, graph.clone(), shared)?;
        begin(&supernet, config, dropped, &copies).await?;
        let mut alpha = AlphaStep::new(&supernet, config.order, config.adam)?;
        if let Update::Exponentiated { floor } = config.update {
            let is_edge = |name: &str| edges.iter().any(|edges| edges.table == name);
            let floor = |table: &Table| if is_edge(&table.name) { 0.0 } else { floor };
            alpha = alpha.exponentiated(supernet.tables().iter().map(floor).collect());
        }
        if !copies.is_empty() {
            let of = |table: &Table| copies.iter().find(|(name, _)| *name == table.name).map_or(1, |(_, n)| *n);
            alpha = alpha.tied(supernet.tables().iter().map(of).collect());
        }
        let freezer = match config.freezing {
            Freezing::None => None,
            Freezing::Gradients { .. } => {
                alpha = alpha.with_weight_gradients();
                Some(Freezer::new(&supernet, &graph, config)?)
            }
        };
        let lora = match config.lora {
            Lora::None => None,
            Lora::LowRank { rank, .. } => Some(LowRank::new(&supernet, &graph, rank, config, seed)?),
        };
        let before = Rollback::new(&supernet, &alpha)?;
        let relaxed = match given {
            true => Some(Relaxed::new(&supernet, config.rules(), &copies).await?),
            false => None,
        };
        let mut phase = Self {
            supernet,
            alpha,
            recordings: None,
            gather: Recorder::new(device).finish(),
            adversary: None,
            before,
            relaxed,
            scoring: None,
            aligned: None,
            freezer,
            lora,
            edges,
            copies,
            data: data.clone(),
            augmentation: config.augmentation,
            cutout_grows: config.cutout_grows,
            seed,
        };
        if !config.weighing.is_path() {
            let recorder = phase.gathered([true, true])?;
            let alpha = phase.alpha.record(&phase.supernet, recorder)?.finish();
            let recorder = Recorder::within(device, phase.supernet.workspace());
            let weights = phase.supernet.record_weight_step(recorder)?.finish();
            phase.recordings = Some([alpha, weights]);
            phase.gather = phase.gathered([true, false])?.finish();
            if matches!(config.perturbation, Perturbation::Adversarial { .. }) {
                phase.adversary = Some(phase.record_evaluated()?);
            }
            if config.alignment != Alignment::None {
                phase.aligned = Some(Aligned::new(&phase.supernet, config.alignment.distance())?);
            }
            phase.scoring = Some(Scoring::new(&phase.supernet, data, scored, config.batch, false)?);
        }
        Ok(phase)
    }

    /// A recorder that has gathered the batches of the training and the validation half, if wanted.
    pub fn gathered(&self, [train, valid]: [bool; 2]) -> Result<Recorder, SearchError> {
        let supernet = &self.supernet;
        let mut recorder = Recorder::within(supernet.device(), supernet.workspace());
        for (wanted, stream, batch) in [(train, 1, supernet.train()), (valid, 2, supernet.valid())] {
            if wanted {
                let draw = Draw { seed: self.seed, stream, step: supernet.step(), by_chance: self.cutout_grows };
                self.data.record_varied_gather(&mut recorder, batch, self.augmentation, draw)?;
            }
        }
        Ok(recorder)
    }

    /// Records the step of the weights anew: of those that are not frozen, or of their factors.
    pub fn record_trained(&mut self) -> Result<(), SearchError> {
        if let (Some(freezer), Some([_, weights])) = (&self.freezer, &mut self.recordings) {
            let used = freezer.trained(self.supernet.network().whole());
            let recorder = Recorder::within(self.supernet.device(), self.supernet.workspace());
            *weights = self.supernet.record_weight_step_of(recorder, &used)?.finish();
        }
        if let (Some(lora), Some([_, weights])) = (self.lora.as_ref().filter(|l| l.begun()), &mut self.recordings) {
            let recorder = Recorder::within(self.supernet.device(), self.supernet.workspace());
            *weights = lora.record(&self.supernet, recorder)?;
        }
        Ok(())
    }

    /// The step of the architecture weights along a path.
    pub fn record_path_alpha(&self, path: &Path, others: bool) -> Result<Recording, SearchError> {
        let recorder = self.gathered([false, true])?;
        Ok(self.alpha.record_sampled(&self.supernet, recorder, path, others)?.finish())
    }

    /// The step of the weights along a path.
    pub fn record_path_weights(&self, path: &Path) -> Result<Recording, SearchError> {
        Ok(self.supernet.record_path_step(self.gathered([true, false])?, path, None)?.finish())
    }

    /// The training loss with running statistics, and its gradient for the weights of options.
    fn record_evaluated(&self) -> Result<Recording, SearchError> {
        let recorder = self.gathered([true, false])?;
        Ok(self.supernet.record_evaluated_pass(recorder, self.supernet.train(), Scalars::INNER_LOSSES)?.finish())
    }

    /// Weights of edges times weights of their options, for deriving: what edge weights there are is no table of the
    /// space's.
    pub fn with_edges(&self, weights: &[TableWeights]) -> Vec<TableWeights> {
        let is_edge = |name: &str| self.edges.iter().any(|e| e.table == name);
        let mut tables: Vec<TableWeights> = weights.iter().filter(|t| !is_edge(&t.name)).cloned().collect();
        for EdgeWeights { table, edges } in &self.edges {
            let Some(shares) = weights.iter().find(|t| t.name == *table) else { continue };
            for ((name, row), &share) in edges.iter().zip(&shares.values) {
                if let Some(table) = tables.iter_mut().find(|t| t.name == *name) {
                    let options = table.options;
                    table.values[row * options..][..options].iter_mut().for_each(|weight| *weight *= share);
                }
            }
        }
        tables
    }
}

/// A supernet that was made from the space's.
struct Rewritten {
    graph: Graph,
    edges: Vec<EdgeWeights>,
    copies: Vec<(String, usize)>,
}

/// The supernet of a stage.
fn supernet(
    space: &dyn Space,
    settings: &NetworkSettings,
    config: &BilevelConfig,
    stage: &Stage,
    dropped: &HashSet<(String, usize, usize)>,
) -> Result<Rewritten, SearchError> {
    let settings = NetworkSettings { layers: settings.layers + stage.deeper, auxiliary: false, ..settings.clone() };
    let mut graph = space.supernet(&settings)?;
    for table in graph.tables()? {
        if !graph.choices().iter().any(|(_, choice)| choice.table == table.name) {
            return Err(SearchError::Settings(format!(
                "nothing in the supernet uses the architecture weights `{}`, so they cannot be searched: give it more \
                 layers (a DARTS supernet has a normal cell from 3 layers on)",
                table.name
            )));
        }
    }
    if !dropped.is_empty() {
        graph = graph
            .without(&|table, row, k| dropped.contains(&(table.to_owned(), row, k)))
            .map_err(|error| SearchError::Settings(error.to_string()))?;
    }
    if config.entangle {
        graph = graph.entangled()?;
        // Later stages may have dropped what shared.
        if dropped.is_empty() && !graph.is_entangled() {
            let problem = "entangle has nothing to share weights: no edge of the space has two options that differ in the size of \
                           their windows only";
            return Err(SearchError::Settings(problem.into()));
        }
    }
    if stage.dropout > 0.0 {
        graph = graph.with_skip_dropout()?;
    }
    let mut edges = Vec::new();
    if stage.parts > 1 {
        (graph, edges) = graph.partial(stage.parts).map_err(|error| SearchError::Settings(error.to_string()))?;
    }
    if config.auxiliary != Auxiliary::None {
        graph = graph.with_auxiliary_skips(&halved).map_err(|error| SearchError::Settings(error.to_string()))?;
    }
    let mut copies = Vec::new();
    if config.edge_drop_path > 0.0 {
        graph = graph.with_edge_drop_path()?;
    }
    if config.alignment != Alignment::None {
        (graph, copies) = graph.untied().map_err(|error| SearchError::Settings(error.to_string()))?;
        if copies.is_empty() {
            let problem =
                "no two layers of the supernet share architecture weights: there are no gradients to be aligned";
            return Err(SearchError::Settings(problem.into()));
        }
    }
    Ok(Rewritten { graph, edges, copies })
}

/// A skip connection that halves the map: the factorised reduction of DARTS.
fn halved(name: &str, shape: Features) -> Result<Graph, GraphError> {
    let mut graph = Graph::new(&[shape]);
    let made =
        factorized_reduce(&mut graph, name, 0, shape.channels, Variant::Search).map_err(|error| match error {
            SpaceError::Graph(error) => error,
            other => GraphError::Shape { node: name.to_owned(), operation: "skip", problem: other.to_string() },
        })?;
    graph.output("", made);
    Ok(graph)
}

/// Gives the architecture weights their first values: of dropped options, and of all others where these are to lie
/// otherwise than the supernet's.
async fn begin(
    supernet: &Supernet,
    config: &BilevelConfig,
    dropped: &HashSet<(String, usize, usize)>,
    copies: &[(String, usize)],
) -> Result<(), SearchError> {
    if config.weighing == Weighing::Direct {
        let uniform = |table: &Table| vec![1.0 / table.options.len() as f32; table.rows * table.options.len()];
        let values: Vec<f32> = supernet.tables().iter().flat_map(uniform).collect();
        return Ok(supernet.alphas().values().write(supernet.device(), &values)?);
    }
    let deviation = config.alpha_deviation;
    if dropped.is_empty() && deviation == ALPHA_DEVIATION && copies.is_empty() {
        return Ok(());
    }
    let mut values = supernet.alphas().read(supernet.device()).await?;
    if deviation != ALPHA_DEVIATION {
        values.iter_mut().for_each(|value| *value *= deviation / ALPHA_DEVIATION);
    }
    let mut at = 0;
    for table in supernet.tables() {
        // Copies begin alike.
        if let Some((_, copies)) = copies.iter().find(|(name, _)| *name == table.name) {
            let count = table.rows * table.options.len();
            let (first, others) = values[at..at + count].split_at_mut(count / copies);
            others.chunks_mut(first.len().max(1)).for_each(|copy| copy.copy_from_slice(first));
        }
        for row in 0..table.rows {
            for option in 0..table.options.len() {
                if dropped.contains(&(table.name.clone(), row, option)) {
                    values[at] = DROPPED;
                }
                at += 1;
            }
        }
    }
    Ok(supernet.alphas().values().write(supernet.device(), &values)?)
}
