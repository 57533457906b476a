//! What measures the trials of a study.

use super::config::{EstimatorConfig, StudyConfig};
use super::stopping::Stopping;
use crate::data::split;
use crate::estimate::{Estimator, FromScratch, Lookup, TrainingConfig};
use crate::search::SearchError;
use crate::search::strategy::Bench;
use crate::space::nas_bench_201;

/// The estimator that a configuration says, of what a search is built with. Several threads may start jobs of it.
///
/// # Errors
/// [`SearchError::Settings`] for a table that is not there or of another space, or images that cannot be split.
pub fn estimator<'a>(bench: Bench<'a>, config: &StudyConfig) -> Result<Box<dyn Estimator + Sync + 'a>, SearchError> {
    let Bench { device, space, images, labels, seed, network, train, table, .. } = bench;
    match &config.estimator {
        EstimatorConfig::Table { dataset, .. } => {
            let table = table.ok_or_else(|| {
                SearchError::Settings("there is no table: name the directory of its files by --table".into())
            })?;
            if space.name() != nas_bench_201::NAME {
                let problem = format!("the table is of the space nas-bench-201, not of {}", space.name());
                return Err(SearchError::Settings(problem));
            }
            Ok(Box::new(Lookup::new(table.clone(), dataset)?))
        }
        EstimatorConfig::Shared { run } => {
            let problem = format!("the supernet of {run} is not there: a study by itself has none");
            Err(SearchError::Settings(problem))
        }
        EstimatorConfig::Training => {
            let count = (labels.len() as f64 * config.validation).round() as usize;
            let (training, measuring) = split::stratified(labels, count, seed)?;
            let settings = network.clone();
            let training_config = TrainingConfig { epochs: config.trial_epochs, ..*train };
            let (train, measure) = (images, images);
            Ok(Box::new(FromScratch {
                device,
                space,
                settings,
                train,
                training,
                measure,
                measuring,
                config: training_config,
                watches: config.stopping != Stopping::Never,
                seed,
            }))
        }
    }
}
