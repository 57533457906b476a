//! What a run found, as one JSON object.

use super::classes::Imbalance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Value;

/// Size and accuracy of one network trained from scratch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkFacts {
    /// `searched`, `random 1`, `baseline`.
    pub name: String,
    /// The architecture in one line; none for the hand-designed network.
    pub genotype: Option<String>,
    /// Number of parameters, without an auxiliary head.
    pub parameters: u64,
    /// Multiply-adds for one image.
    pub multiply_adds: u64,
    /// Share of right answers on the test images.
    pub test_accuracy: f64,
    /// Mean over the classes of the share of their test images that were recognised; none where this was not counted yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<f64>,
    /// Seconds of training.
    pub train_seconds: f64,
}

/// Accuracies of architectures with the same shared weights, on images that trained none of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedWeights {
    /// Those that the strategy came by, in the order of ranking.
    pub strategy: Vec<f64>,
    /// Random ones, as many.
    pub random: Vec<f64>,
}

/// What the trials of a study have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialCounts {
    /// How many have ended.
    pub count: usize,
    /// How many of them were measured.
    pub finished: usize,
    /// How many could not be, for another reason than a limit.
    pub failed: usize,
    /// How many were beyond a limit, and were not trained.
    pub beyond_limits: usize,
    /// Epochs that all of them were trained for, together with those of trials that were given up or failed.
    pub epochs: u64,
    /// The number of the best in `trials.jsonl`, from 0.
    pub best: Option<usize>,
}

/// Where what was found stands among all architectures of a benchmark, by its table. Accuracies are shares of right answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The benchmark.
    pub name: String,
    /// Which of its datasets.
    pub dataset: String,
    /// The architecture's index there.
    pub index: usize,
    /// Its accuracy on validation images after a training of 12 epochs.
    pub valid_accuracy: f64,
    /// Its accuracy on test images after a training of 200.
    pub test_accuracy: f64,
    /// Its place by that among all architectures: 1 and the number of those that are better, so that equal ones share the best place.
    pub rank: usize,
    /// How many architectures there are.
    pub of: usize,
    /// The best accuracy on test images of all.
    pub optimum: f64,
    /// Random search with as many epochs of training.
    pub random_search: RandomSearch,
    /// Random search in as many seconds.
    pub random_search_seconds: RandomInTime,
}

/// What random search would come to with as many epochs as the search had.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomSearch {
    /// Epochs of the search.
    pub epochs: u64,
    /// So many architectures can be trained for 12 epochs each in them: rounded, 1 at least.
    pub architectures: u64,
    /// The expected accuracy on test images of the best of so many on validation images.
    pub test_accuracy: f64,
}

/// What random search would come to in the seconds that the search took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomInTime {
    /// So many networks can be trained for 12 epochs each in them, by what trainings in this run took.
    pub architectures: f64,
    /// The same of that number, rounded, 1 at least.
    pub test_accuracy: f64,
}

/// The file `summary.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Form of the run's directory: [`FORMAT`](super::FORMAT). Those of before it was written are of form 1.
    #[serde(default = "first")]
    pub format: u32,
    /// Version of the program; none in summaries of before this was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Search space.
    pub space: String,
    /// Search strategy.
    pub strategy: String,
    /// Dataset.
    pub data: String,
    /// What was found of it and how it was read, in one line; empty in summaries of before this was written.
    #[serde(default)]
    pub data_source: String,
    /// Device.
    pub device: String,
    /// Seed.
    pub seed: u64,
    /// The architecture found, in one line.
    pub genotype: String,
    /// Parameters of its network.
    pub parameters: u64,
    /// Multiply-adds of its network for one image.
    pub multiply_adds: u64,
    /// Share of right answers of its network on the test images.
    pub test_accuracy: f64,
    /// Its balanced accuracy there: the mean of the classes' recalls. None in summaries of before this was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balanced_accuracy: Option<f64>,
    /// Share of right answers for random architectures, trained alike.
    pub random_accuracies: Vec<f64>,
    /// The same for a hand-designed network of similar size.
    pub baseline_accuracy: Option<f64>,
    /// Seconds of search.
    pub search_seconds: f64,
    /// Seconds of training the network found.
    pub train_seconds: f64,
    /// Seconds altogether.
    pub total_seconds: f64,
    /// Parameters of the supernet.
    pub supernet_parameters: u64,
    /// Number of pictures that could not be read and were left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Warnings of the collapse monitor, the last one first.
    pub warnings: Vec<String>,
    /// All networks trained from scratch.
    pub networks: Vec<NetworkFacts>,
    /// How the network found does on the classes, where these are not equally frequent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imbalance: Option<Imbalance>,
    /// What the strategy's architectures and random ones were worth with the shared weights, where it compares them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_weights: Option<SharedWeights>,
    /// The trials of a study.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<TrialCounts>,
    /// Settings of training that a study has decided beside the architecture, by key. Only the network found is trained with them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, Value>,
    /// Where what was found stands in the table of its benchmark, if it was looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<Standing>,
}

/// The file `summary.json` of a run that trained random architectures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RandomSummary {
    /// Form of the run's directory: [`FORMAT`](super::FORMAT).
    pub format: u32,
    /// Search space.
    pub space: String,
    /// Dataset.
    pub data: String,
    /// What was found of it and how it was read, in one line.
    pub data_source: String,
    /// Device.
    pub device: String,
    /// Seed.
    pub seed: u64,
    /// Seconds altogether.
    pub total_seconds: f64,
    /// The networks: `random 1`, `random 2`, …
    pub networks: Vec<NetworkFacts>,
}

fn first() -> u32 {
    1
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_from_before_pictures_could_be_left_out_is_read() {
        let old = r#"{"space": "darts", "strategy": "darts", "data": "digits", "device": "cpu", "seed": 0,
            "genotype": "", "parameters": 1, "multiply_adds": 1, "test_accuracy": 0.5, "random_accuracies": [],
            "baseline_accuracy": null, "search_seconds": 1.0, "train_seconds": 1.0, "total_seconds": 2.0,
            "supernet_parameters": 1, "warnings": [], "networks": []}"#;
        let mut summary: Summary = serde_json::from_str(old).unwrap();
        assert_eq!(summary.left_out, 0);
        assert!(!serde_json::to_string(&summary).unwrap().contains("left_out"));
        summary.left_out = 3;
        assert!(serde_json::to_string(&summary).unwrap().contains("\"left_out\":3"));
    }

    #[test]
    fn what_only_studies_have_is_optional_and_read_as_it_was_written() {
        let old = serde_json::json!({
            "space": "chain", "strategy": "tpe", "data": "digits", "device": "cpu", "seed": 0, "genotype": "",
            "parameters": 1, "multiply_adds": 1, "test_accuracy": 0.5, "random_accuracies": [],
            "baseline_accuracy": null, "search_seconds": 1.0, "train_seconds": 1.0, "total_seconds": 2.0,
            "supernet_parameters": 0, "warnings": [], "networks": [],
        });
        let mut summary: Summary = serde_json::from_value(old).unwrap();
        assert_eq!((summary.version.clone(), summary.trials, summary.settings.len()), (None, None, 0));
        let text = serde_json::to_string(&summary).unwrap();
        assert!(["version", "trials", "settings"].iter().all(|key| !text.contains(key)), "{text}");
        summary.trials =
            Some(TrialCounts { count: 5, finished: 3, failed: 1, beyond_limits: 1, epochs: 9, best: Some(4) });
        summary.settings = [
            ("train.batch".to_owned(), Value::Integer(32)),
            ("train.rate.from".to_owned(), Value::Float(1.0)),
            ("train.flip".to_owned(), Value::Boolean(true)),
        ]
        .into();
        let text = serde_json::to_string(&summary).unwrap();
        assert!(text.contains(r#""settings":{"train.batch":32,"train.flip":true,"train.rate.from":1.0}"#), "{text}");
        assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
    }

    #[test]
    fn a_summary_without_the_datas_source_is_read() {
        let mut old: serde_json::Value = serde_json::json!({
            "space": "darts", "strategy": "darts", "data": "mnist", "data_source": "mnist: 2 + 1 pictures",
            "device": "cpu", "seed": 0, "genotype": "", "parameters": 1, "multiply_adds": 1, "test_accuracy": 0.5,
            "random_accuracies": [], "baseline_accuracy": null, "search_seconds": 1.0, "train_seconds": 1.0,
            "total_seconds": 2.0, "supernet_parameters": 1, "warnings": [], "networks": [],
        });
        let read = |value: &serde_json::Value| Summary::deserialize(value).unwrap().data_source;
        assert_eq!(read(&old), "mnist: 2 + 1 pictures");
        old.as_object_mut().unwrap().shift_remove("data_source");
        assert_eq!(read(&old), "");
    }
}
