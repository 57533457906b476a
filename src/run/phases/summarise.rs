//! The phases that say what a run came to, in `summary.json`.

use super::{Phase, Results};
use crate::estimate::{EstimateError, Lookup, Measured};
use crate::run::config::{Config, FORMAT};
use crate::run::error::RunError;
use crate::run::outcome::{Searched, Trained};
use crate::run::setup::Setup;
use crate::run::standing::{Spent, standing};
use crate::run::summary::{RandomSummary, SharedWeights, Summary, TrialCounts};
use crate::search::collapse::Signs;
use crate::search::study::BEYOND;
use crate::space::Space;
use serde_json::json;
use toml::Value;

/// What a search and all that followed it came to.
pub(in crate::run) struct SummariseSearch {
    /// What looks up what was found, if it is.
    pub lookup: Option<Lookup>,
}

/// What the training of one architecture came to.
pub(in crate::run) struct SummariseTraining {
    /// The space that its architecture is of, if it is of one.
    pub space: Option<String>,
}

/// What the training of random architectures came to.
pub(in crate::run) struct SummariseRandom;

fn missing() -> EstimateError {
    EstimateError::Settings("there is nothing yet to be summarised".into())
}

impl Phase for SummariseSearch {
    fn name(&self) -> String {
        "summarise".to_owned()
    }

    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError> {
        let Results { searched, trained, summary } = results;
        let searched = searched.as_ref().ok_or_else(missing)?;
        let first = trained.first().ok_or_else(missing)?;
        let found = &first.facts;
        let accuracies = |prefix: &str| -> Vec<f64> {
            trained.iter().map(|t| &t.facts).filter(|f| f.name.starts_with(prefix)).map(|f| f.test_accuracy).collect()
        };
        let (config, space) = (setup.config, setup.space);
        let Searched { architecture, ranked, compared, .. } = searched;
        let written = Summary {
            format: FORMAT,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            space: config.space.name.clone(),
            strategy: config.search.name().to_owned(),
            data: config.data.name.clone(),
            data_source: setup.source.to_owned(),
            device: setup.devices(),
            seed: config.seed,
            genotype: space.print(architecture),
            parameters: found.parameters,
            multiply_adds: found.multiply_adds,
            test_accuracy: found.test_accuracy,
            balanced_accuracy: found.balanced_accuracy,
            random_accuracies: accuracies("random"),
            baseline_accuracy: accuracies("baseline").first().copied(),
            search_seconds: searched.seconds,
            train_seconds: found.train_seconds,
            total_seconds: setup.ledger.total_seconds(),
            supernet_parameters: searched.supernet_parameters,
            left_out: setup.left_out,
            // Of what was found: a search that was stopped in time has not collapsed.
            warnings: signs(space, searched).and_then(|signs| signs.warning).into_iter().collect(),
            networks: trained.iter().map(|t| t.facts.clone()).collect(),
            imbalance: first.imbalance.clone(),
            shared_weights: (!compared.is_empty())
                .then(|| SharedWeights { strategy: ranked.clone(), random: compared.clone() }),
            trials: config.search.is_study().then(|| counts(searched)),
            settings: searched.settings.iter().cloned().collect(),
            benchmark: match self.lookup.as_ref().zip(config.benchmark.as_ref()) {
                Some((lookup, benchmark)) => {
                    let spent = spent(config, searched, trained);
                    Some(standing(lookup, benchmark, architecture, spent)?)
                }
                None => None,
            },
        };
        setup.directory.write_json("summary.json", &written)?;
        *summary = Some(written);
        Ok(())
    }
}

/// What the search cost: epochs that it says it had, or that its settings say; seconds of it, and of trainings from scratch.
fn spent(config: &Config, searched: &Searched, trained: &[Trained]) -> Spent {
    let told = searched.trial_epochs.max((searched.epochs.len() + searched.controller.len()) as u64);
    let set = || config.search.settings.get("epochs").and_then(Value::as_integer).unwrap_or(0).try_into().unwrap_or(0);
    let found_alike = trained.iter().filter(|trained| trained.facts.genotype.is_some() && !trained.epochs.is_empty());
    let each: Vec<f64> = found_alike.map(|t| t.facts.train_seconds / t.epochs.len() as f64).collect();
    Spent {
        epochs: if told > 0 || config.search.is_study() { told } else { set() },
        seconds: searched.seconds,
        epoch_seconds: each.iter().sum::<f64>() / each.len().max(1) as f64,
    }
}

/// What the trials of a study have come to.
fn counts(Searched { trials, trial_epochs, .. }: &Searched) -> TrialCounts {
    let reasons: Vec<&str> = trials
        .iter()
        .filter_map(|tried| match &tried.measured {
            Measured::Failed { reason } => Some(reason.as_str()),
            Measured::Worth { .. } => None,
        })
        .collect();
    let beyond_limits = reasons.iter().filter(|reason| reason.starts_with(BEYOND)).count();
    TrialCounts {
        count: trials.len(),
        finished: trials.len() - reasons.len(),
        failed: reasons.len() - beyond_limits,
        beyond_limits,
        epochs: *trial_epochs,
        // The best of all is the last that was the best so far.
        best: trials.iter().rfind(|tried| tried.is_best).map(|tried| tried.trial),
    }
}

/// Signs of collapse in what a search by architecture weights has found: those of the epoch that stood for it, or, of what
/// was chosen otherwise, with the last epoch's entropy and gap.
fn signs(space: &dyn Space, Searched { epochs, architecture: found, .. }: &Searched) -> Option<Signs> {
    let stood = epochs.iter().rfind(|e| e.architecture == *found).map(|e| e.collapse.clone());
    let otherwise = || epochs.last().map(|e| Signs::new(&space.operations(found), e.collapse.entropy, e.collapse.gap));
    stood.or_else(otherwise)
}

impl Phase for SummariseTraining {
    fn name(&self) -> String {
        "summarise".to_owned()
    }

    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError> {
        let trained = results.trained.first().ok_or_else(missing)?;
        let mut summary = json!({
            "format": FORMAT,
            "space": self.space,
            "data": setup.config.data.name,
            "data_source": setup.source,
            "device": setup.device.name(),
            "seed": setup.config.seed,
            "genotype": trained.facts.genotype,
            "parameters": trained.facts.parameters,
            "multiply_adds": trained.facts.multiply_adds,
            "test_accuracy": trained.facts.test_accuracy,
            "test_loss": trained.test_loss,
            "balanced_accuracy": trained.facts.balanced_accuracy,
            "train_seconds": trained.facts.train_seconds,
        });
        if let Some(model) = &setup.config.model {
            summary["begun_with"] = json!(model);
        }
        if let Some(imbalance) = &trained.imbalance {
            summary["imbalance"] = json!(imbalance);
        }
        if setup.left_out > 0 {
            summary["left_out"] = setup.left_out.into();
        }
        setup.directory.write_json("summary.json", &summary)
    }
}

impl Phase for SummariseRandom {
    fn name(&self) -> String {
        "summarise".to_owned()
    }

    fn run(&self, setup: &mut Setup<'_>, results: &mut Results) -> Result<(), RunError> {
        let summary = RandomSummary {
            format: FORMAT,
            space: setup.config.space.name.clone(),
            data: setup.config.data.name.clone(),
            data_source: setup.source.to_owned(),
            device: setup.device.name().to_owned(),
            seed: setup.config.seed,
            total_seconds: setup.ledger.total_seconds(),
            networks: results.trained.iter().map(|t| t.facts.clone()).collect(),
        };
        setup.directory.write_json("summary.json", &summary)
    }
}
