//! What a run's directory says about how its search went, epoch by epoch.

use super::RunError;
use std::fs;
use std::path::Path;
use toml::Table;

/// Longest log that is read.
const MOST_BYTES: u64 = 1 << 30;

/// A search as its directory tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The strategy.
    pub strategy: String,
    /// Skip connections of the architecture that each epoch stood for.
    pub skips: Vec<f64>,
    /// Accuracy of the supernet less that of the derived architecture with the same weights, in points, by epoch.
    pub gap: Vec<f64>,
    /// What was said of collapse at the end of the last epoch.
    pub collapse: Option<String>,
    /// The architecture that the search ended with, if the run went so far: some end with an earlier one.
    pub found: Option<String>,
}

impl History {
    /// Reads `config.toml` and `metrics.jsonl` of a search by a gradient method.
    ///
    /// # Errors
    /// [`RunError::History`] naming the file and what is wrong with it.
    pub fn read(directory: &Path) -> Result<Self, RunError> {
        let wrong = |name: &str, problem: String| RunError::History { path: directory.join(name), problem };
        let read = |name: &str| {
            let path = directory.join(name);
            match fs::metadata(&path) {
                Ok(facts) if facts.len() > MOST_BYTES => {
                    return Err(wrong(name, format!("is larger than {MOST_BYTES} bytes")));
                }
                _ => {}
            }
            fs::read_to_string(&path).map_err(|error| wrong(name, error.to_string()))
        };
        let config: Table = read("config.toml")?.parse().map_err(|error| wrong("config.toml", format!("{error}")))?;
        let strategy = config
            .get("search")
            .and_then(|search| search.get("strategy"))
            .or(config.get("strategy"))
            .and_then(|v| v.as_str())
            .unwrap_or("?")
            .to_owned();
        let mut history = Self { strategy, skips: Vec::new(), gap: Vec::new(), collapse: None, found: None };
        for (number, line) in read("metrics.jsonl")?.lines().enumerate() {
            let record: serde_json::Value = serde_json::from_str(line)
                .map_err(|error| wrong("metrics.jsonl", format!("line {}: {error}", number + 1)))?;
            if record["kind"] != "search epoch" {
                continue;
            }
            let value = |key: &str| {
                let missing = || wrong("metrics.jsonl", format!("line {}: `{key}` is no number", number + 1));
                record[key].as_f64().ok_or_else(missing)
            };
            history.skips.push(value("skips")?);
            history.gap.push(100.0 * value("gap")?);
            history.collapse = record["collapse"].as_str().map(str::to_owned);
        }
        if history.skips.is_empty() {
            return Err(wrong("metrics.jsonl", "has no epochs of a search by a gradient method".into()));
        }
        if directory.join("summary.json").exists() {
            let summary: serde_json::Value = serde_json::from_str(&read("summary.json")?)
                .map_err(|error| wrong("summary.json", error.to_string()))?;
            history.found = summary["genotype"].as_str().map(str::to_owned);
        }
        Ok(history)
    }
}

/// Architecture weights of one table: its name, and a row for each decision.
pub type WeightRows = (String, Vec<Vec<f64>>);

/// The weights of each table of architecture weights, row by row, that a search had at the end of the last epoch in `metrics.jsonl`.
///
/// # Errors
/// [`RunError::History`] where it has none.
pub fn last_weights(directory: &Path) -> Result<Vec<WeightRows>, RunError> {
    let path = directory.join("metrics.jsonl");
    let wrong = |problem: String| RunError::History { path: path.clone(), problem };
    if fs::metadata(&path).is_ok_and(|facts| facts.len() > MOST_BYTES) {
        return Err(wrong(format!("is larger than {MOST_BYTES} bytes")));
    }
    let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    let records = text.lines().rev().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut epochs = records.filter(|record| record["kind"] == "search epoch");
    let numbers = |row: &serde_json::Value| row.as_array().into_iter().flatten().filter_map(|n| n.as_f64()).collect();
    let rows = |table: &serde_json::Value| table.as_array().into_iter().flatten().map(numbers).collect();
    let last =
        epochs.next().and_then(|record| record["weights"].as_object().cloned()).filter(|tables| !tables.is_empty());
    let tables = last.ok_or_else(|| wrong("has no epochs of a search by a gradient method".into()))?;
    Ok(tables.iter().map(|(name, table)| (name.clone(), rows(table))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_and_what_is_wrong_with_it_named() {
        let place = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
        let error = |place: &Path| History::read(place).unwrap_err().to_string();
        assert!(error(place.path()).contains("config.toml"));
        write("config.toml", "strategy = \"darts\"\n");
        write("metrics.jsonl", "{\"kind\":\"search step\"}\n");
        assert!(error(place.path()).contains("no epochs"));
        let epoch = |skips: u32, collapse: &str| {
            format!("{{\"kind\":\"search epoch\",\"skips\":{skips},\"gap\":0.25,\"collapse\":{collapse}}}\n")
        };
        write("metrics.jsonl", &(epoch(1, "null") + &epoch(4, "\"collapse: 4 of 6\"")));
        let history = History::read(place.path()).unwrap();
        assert_eq!((history.strategy.as_str(), history.skips, history.gap), ("darts", vec![1.0, 4.0], vec![25.0; 2]));
        assert_eq!(history.collapse.as_deref(), Some("collapse: 4 of 6"));
        assert_eq!(history.found, None);
        write("summary.json", "{\"genotype\":\"|a~0|\"}");
        assert_eq!(History::read(place.path()).unwrap().found.as_deref(), Some("|a~0|"));
        write("metrics.jsonl", "{\"kind\":\"search epoch\"}\n");
        assert!(error(place.path()).contains("line 1: `skips` is no number"));
        write("metrics.jsonl", "nonsense\n");
        assert!(error(place.path()).contains("line 1"));
    }
}
