//! What the end of an epoch comes to.

use super::freeze::Freezer;
use super::{Bilevel, Place, SearchError, derive};
use crate::graph::Choice;
use crate::search::EpochEnd;
use crate::search::collapse::{Signs, relative_entropy};
use crate::space::{Architecture, TableWeights};

impl Bilevel<'_> {
    /// How the supernet and the architecture that it stands for do after an epoch.
    pub(super) async fn end_epoch(&mut self, place: Place) -> Result<EpochEnd, SearchError> {
        let weights = self.weights().await?;
        let architecture = self.derived(&weights)?;
        let settled = self.space.settle(&architecture)?;
        let (supernet, derived) = match &self.phase.scoring {
            Some(scoring) => {
                // A derived network lacks what stands beside the options.
                let beside = self.config.auxiliary.weight(place.within, self.config.epochs);
                let supernet = scoring.score(&self.device, &weights, beside).await?;
                (supernet, scoring.score(&self.device, &settled, 0.0).await?)
            }
            None => {
                // The whole supernet would take the memory that paths save: the derived path stands for it.
                let accuracy = self.score_path(&settled).await?;
                (accuracy, accuracy)
            }
        };
        let operations = self.space.operations(&architecture);
        let steps = self.train.per_epoch() as f64;
        let images = self.train.images_per_epoch() as f64;
        let tables = self.phase.with_edges(&weights);
        let moved = place.within >= self.config.warmup;
        Ok(EpochEnd {
            epoch: place.epoch,
            rate: self.weight_rate(place.within),
            train_loss: self.sums[0] / steps,
            train_accuracy: self.sums[1] / images,
            valid_loss: moved.then_some(self.sums[2] / steps),
            valid_accuracy: moved.then_some(self.sums[3] / images),
            supernet_accuracy: supernet,
            eigenvalue: None,
            frozen: self.phase.freezer.as_ref().map(Freezer::frozen),
            collapse: Signs::new(&operations, relative_entropy(&tables), supernet - derived),
            weights: tables,
            architecture,
        })
    }

    /// Accuracy of a path with the shared weights.
    async fn score_path(&self, settled: &[TableWeights]) -> Result<f64, SearchError> {
        let supernet = &self.phase.supernet;
        let path = supernet.network().path(settled)?;
        let choices = crate::network::Choices::Path(&path);
        let (network, workspace) = (supernet.network(), supernet.workspace());
        let batch = self.config.batch;
        let evaluation =
            crate::estimate::Evaluation::new(network, &self.data, self.scored.clone(), batch, choices, workspace)?;
        Ok(evaluation.score().await?.accuracy)
    }

    /// The architecture that weights of options stand for.
    pub(super) fn derived(&self, weights: &[TableWeights]) -> Result<Architecture, SearchError> {
        let mut weights = weights.to_vec();
        if self.space.leaves_out() {
            derive::drop_light(&mut weights, self.config.threshold, &self.phase.edges);
        }
        let weights = self.phase.with_edges(&weights);
        // What the space repeats most is what its first table decides. Its rows need not have the same options.
        let supernet = &self.phase.supernet;
        let first = supernet.tables().first().map(|table| table.name.as_str());
        let choices: Vec<&Choice> =
            supernet.network().graph().choices().into_iter().map(|(_, choice)| choice).collect();
        let is_skip = |row: usize, option: usize| {
            let choice = choices.iter().find(|choice| Some(choice.table.as_str()) == first && choice.row == row);
            choice.is_some_and(|choice| {
                choice.options.labels().get(option).is_some_and(|label| label.starts_with("skip"))
            })
        };
        derive::with_few_skips(self.space, &is_skip, weights, self.config.most_skips)
    }

    /// Stops the search if it has gone too far.
    pub(super) async fn watch(&mut self, end: &mut EpochEnd) -> Result<(), SearchError> {
        let Self { watch, phase, valid, config, .. } = self;
        watch.note(end.supernet_accuracy, &end.architecture);
        let by_skips = watch.skips(config.stop, end.epoch, &end.architecture, end.collapse.skips[0]);
        let by_growth = watch.eigenvalue(config.stop, end.epoch, &end.architecture, phase, valid, self.seed).await?;
        end.eigenvalue = watch.eigenvalue_of(end.epoch);
        self.keep_epoch(end.epoch).await?;
        self.stopped = match by_skips {
            Some(architecture) => Some(architecture),
            None => self.go_back(by_growth).await?,
        };
        Ok(())
    }
}
