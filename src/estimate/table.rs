//! Architectures are worth what a table says: a benchmark that has trained all of them.

use super::measured::{ACCURACY, PARAMETERS};
use super::{BoxFuture, EstimateError, Estimator, Fidelity, Job, JobEvent, Measured, Progress};
use crate::data::archive::is_gzip;
use crate::data::gunzip;
use crate::space::nas_bench_201::{CELLS, NasBench201};
use crate::space::{Architecture, Space};
use crate::state::State;
use std::collections::BTreeMap;
use std::sync::Arc;
use toml::Value;

/// What accuracies after the whole training are called among objectives: what is reported, and not searched by.
pub const TEST_ACCURACY: &str = "test_accuracy";
/// What stands before the name of a device in objectives.
pub const LATENCY: &str = "latency_";
/// Bytes that a file may unpack to.
const MOST_BYTES: u64 = 64 << 20;

/// Datasets of NAS-Bench-201, as users write them, and how columns of the table begin that are theirs.
const DATASETS: [(&str, &str); 3] = [("cifar10", "c10"), ("cifar100", "c100"), ("imagenet16-120", "in16")];

/// Why a table cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct TableError {
    /// Which file.
    pub file: String,
    /// What is wrong, and in which line.
    pub problem: String,
}

/// The table of NAS-Bench-201: a row of numbers for each of its 15,625 cells, by the benchmark's own index.
///
/// It is read from two files of comma-separated values, plain or gzipped. `nb201_accuracy.csv` has the columns `index`, `arch`,
/// `params` and, in per cent, `c10_val_12` (accuracy on CIFAR-10's validation images after a training of 12 epochs), `c10_test_200` (on the
/// test images after 200), and the same of `c100` and `in16`. `nb201_latency_ms.csv`, which may be missing, has `index` and a column for each
/// device.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    /// Row after row.
    values: Vec<f32>,
}

impl Table {
    /// Reads the files' bytes.
    ///
    /// # Errors
    /// [`TableError`] naming the file and the line: a column that is missing, a cell that is not the one of its index, a number
    /// that is none, an accuracy outside 0 to 100, a row too few or too many.
    pub fn read(accuracy: (&str, &[u8]), latency: Option<(&str, &[u8])>) -> Result<Self, TableError> {
        let mut columns = Vec::new();
        let mut parts = Vec::new();
        for (is_latency, file) in [(false, Some(accuracy)), (true, latency)] {
            let Some((name, bytes)) = file else { continue };
            let part = Part::read(name, bytes, is_latency)?;
            columns.extend(part.columns.clone());
            parts.push(part);
        }
        let row = |index: usize| parts.iter().flat_map(move |part| part.row(index).iter().copied());
        Ok(Self { values: (0..CELLS).flat_map(row).collect(), columns })
    }

    /// Names of its columns: those of the accuracies, `params`, and [`LATENCY`] with the name of each device.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.values[..])
    }

    /// The number in a column of a cell's row.
    pub fn value(&self, index: usize, column: &str) -> Option<f32> {
        let at = self.columns.iter().position(|name| name == column)?;
        self.values.get(index * self.columns.len() + at).copied()
    }

    /// All numbers of a column, by index.
    pub fn column(&self, column: &str) -> Option<Vec<f32>> {
        let at = self.columns.iter().position(|name| name == column)?;
        Some(self.values.iter().skip(at).step_by(self.columns.len()).copied().collect())
    }
}

/// The columns that one file gives, in the order of the benchmark's index.
struct Part {
    columns: Vec<String>,
    values: Vec<f32>,
}

impl Part {
    fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.columns.len()..][..self.columns.len()]
    }

    fn read(file: &str, bytes: &[u8], is_latency: bool) -> Result<Self, TableError> {
        let wrong = |problem: String| TableError { file: file.to_owned(), problem };
        let text = unpack(bytes).map_err(wrong)?;
        let mut reader = csv::Reader::from_reader(&text[..]);
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        let place = |name: &str| header.iter().position(|column| column == name);
        let missing = |name: &str| wrong(format!("line 1: there is no column `{name}`"));
        let index_at = place("index").ok_or_else(|| missing("index"))?;
        let architecture_at = place("arch");
        if !is_latency {
            for (_, short) in DATASETS {
                for column in [format!("{short}_val_12"), format!("{short}_test_200")] {
                    place(&column).ok_or_else(|| missing(&column))?;
                }
            }
            architecture_at.ok_or_else(|| missing("arch"))?;
            place("params").ok_or_else(|| missing("params"))?;
        }
        let taken: Vec<usize> = (0..header.len()).filter(|&at| at != index_at && Some(at) != architecture_at).collect();
        let name = |&at: &usize| if is_latency { format!("{LATENCY}{}", &header[at]) } else { header[at].to_owned() };
        let columns: Vec<String> = taken.iter().map(name).collect();
        let mut values = vec![f32::NAN; CELLS * columns.len()];
        let mut met = vec![false; CELLS];
        for (number, record) in reader.records().enumerate() {
            let at_line = |problem: String| wrong(format!("line {}: {problem}", number + 2));
            let record = record.map_err(|error| at_line(error.to_string()))?;
            let index = record[index_at].parse::<usize>().ok().filter(|index| *index < CELLS);
            let index = index.ok_or_else(|| {
                at_line(format!("`{}` is no index of a cell, from 0 to {}", &record[index_at], CELLS - 1))
            })?;
            if std::mem::replace(&mut met[index], true) {
                return Err(at_line(format!("the cell {index} is there twice")));
            }
            if let Some(at) = architecture_at {
                let own = NasBench201.parse(&record[at]).and_then(|cell| NasBench201.index_of(&cell));
                if own.as_ref().ok() != Some(&index) {
                    return Err(at_line(format!("`{}` is not the cell {index} of the benchmark", &record[at])));
                }
            }
            for (slot, &at) in taken.iter().enumerate() {
                let is_accuracy = !is_latency && &header[at] != "params";
                let fits = |value: &f32| value.is_finite() && *value >= 0.0 && (!is_accuracy || *value <= 100.0);
                let value = record[at].parse::<f32>().ok().filter(fits);
                values[index * columns.len() + slot] = value.ok_or_else(|| {
                    let kind = if is_accuracy { "no percentage" } else { "no number from 0 on" };
                    at_line(format!("`{}` in the column `{}` is {kind}", &record[at], &header[at]))
                })?;
            }
        }
        match met.iter().filter(|met| !**met).count() {
            0 => Ok(Self { columns, values }),
            gone => Err(wrong(format!("{gone} of the {CELLS} cells are missing"))),
        }
    }
}

/// The text of a file, gzipped or not.
fn unpack(bytes: &[u8]) -> Result<Vec<u8>, String> {
    match is_gzip(bytes) {
        true => gunzip(bytes, MOST_BYTES).map_err(|error| error.to_string()),
        false => Ok(bytes.to_vec()),
    }
}

/// Looks architectures up, for one of the benchmark's datasets. Objectives: [`ACCURACY`] (on validation images, after 12 epochs),
/// [`TEST_ACCURACY`] (after 200), [`PARAMETERS`], and a [`LATENCY`] in milliseconds for each device.
#[derive(Clone, Debug)]
pub struct Lookup {
    table: Arc<Table>,
    /// Objectives, the places of their columns, and what numbers are divided by.
    objectives: Vec<(String, usize, f64)>,
}

impl Lookup {
    /// Looks up in a table, for a dataset: `cifar10`, `cifar100` or `imagenet16-120`.
    ///
    /// # Errors
    /// [`EstimateError::Settings`] for another dataset.
    pub fn new(table: Arc<Table>, dataset: &str) -> Result<Self, EstimateError> {
        let known = DATASETS.iter().find(|(name, _)| *name == dataset);
        let (_, short) = known.ok_or_else(|| {
            let names = DATASETS.map(|(name, _)| name).join(", ");
            EstimateError::Settings(format!("the table has nothing of `{dataset}`: it is of {names}"))
        })?;
        let mut objectives = Vec::new();
        for (at, column) in table.columns.iter().enumerate() {
            let named = match column.as_str() {
                "params" => Some((PARAMETERS.to_owned(), 1.0)),
                name if name.starts_with(LATENCY) => Some((name.to_owned(), 1.0)),
                name if name.strip_prefix(short) == Some("_val_12") => Some((ACCURACY.to_owned(), 100.0)),
                name if name.strip_prefix(short) == Some("_test_200") => Some((TEST_ACCURACY.to_owned(), 100.0)),
                _ => None,
            };
            objectives.extend(named.map(|(name, divisor)| (name, at, divisor)));
        }
        Ok(Self { table, objectives })
    }

    /// Names of the objectives.
    pub fn objectives(&self) -> impl Iterator<Item = &str> {
        self.objectives.iter().map(|(name, ..)| name.as_str())
    }

    /// One objective of all architectures, by index.
    pub fn all(&self, objective: &str) -> Option<Vec<f64>> {
        let (_, at, divisor) = self.objectives.iter().find(|(name, ..)| name == objective)?;
        let column = self.table.values.iter().skip(*at).step_by(self.table.columns.len());
        Some(column.map(|value| f64::from(*value) / divisor).collect())
    }

    /// What the table has of an architecture.
    ///
    /// # Errors
    /// An architecture of another space.
    pub fn look_up(&self, architecture: &Architecture) -> Result<BTreeMap<String, f64>, EstimateError> {
        let index = NasBench201.index_of(architecture)?;
        let row = &self.table.values[index * self.table.columns.len()..][..self.table.columns.len()];
        let value = |(name, at, divisor): &(String, usize, f64)| (name.clone(), f64::from(row[*at]) / divisor);
        Ok(self.objectives.iter().map(value).collect())
    }
}

impl Estimator for Lookup {
    /// All but accuracies.
    fn known(&self, architecture: &Architecture) -> Result<BTreeMap<String, f64>, EstimateError> {
        let mut all = self.look_up(architecture)?;
        all.retain(|name, _| !name.contains(ACCURACY));
        Ok(all)
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
            let problem = format!("a fidelity of {epochs} epochs: the table has one training of each architecture");
            return Err(EstimateError::Settings(problem));
        }
        if let Some((key, _)) = settings.first() {
            let problem = format!("`{key}`: the table has each architecture trained in one way");
            return Err(EstimateError::Settings(problem));
        }
        Ok(Box::new(Looking { objectives: self.look_up(architecture)?, over: false }))
    }
}

/// A look at the table: one step.
struct Looking {
    objectives: BTreeMap<String, f64>,
    over: bool,
}

impl Job for Looking {
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<JobEvent>, EstimateError>> {
        let before = std::mem::replace(&mut self.over, true);
        let measured = Measured::Worth { objectives: self.objectives.clone(), curve: Vec::new() };
        let events = if before { Vec::new() } else { vec![JobEvent::Measured(measured)] };
        Box::pin(async move { Ok(events) })
    }

    fn progress(&self) -> Progress {
        Progress { taken: self.over.into(), total: 1 }
    }

    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>> {
        Box::pin(async move {
            let mut state = State::of("look at a table");
            state.set("over", self.over)?;
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>> {
        Box::pin(async move {
            state.check("look at a table")?;
            self.over = state.get("over")?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole table of made-up numbers, cell by cell in the order of the index.
    fn made(change: impl Fn(usize, String) -> String) -> String {
        let mut text = String::from(
            "index,arch,c10_val_12,c10_test_200,c100_val_12,c100_test_200,in16_val_12,in16_test_200,params\n",
        );
        for index in 0..CELLS {
            let cell = NasBench201.print(&NasBench201.parse(&format!("#{index}")).unwrap());
            let low = index as f32 / CELLS as f32;
            let line = format!("{index},{cell},{},{},50,60,30,40,{}", 50.0 + low, 90.0 + low, 1000 + index);
            text += &change(index, line);
            text.push('\n');
        }
        text
    }

    fn read(text: &str, latency: Option<&str>) -> Result<Table, TableError> {
        Table::read(("accuracy.csv", text.as_bytes()), latency.map(|text| ("latency.csv", text.as_bytes())))
    }

    #[test]
    fn a_cell_is_found_by_its_index() {
        let latency: String = (0..CELLS).rev().map(|index| format!("{index},{}\n", index as f32 / 8.0)).collect();
        let table = read(&made(|_, line| line), Some(&format!("index,phone\n{latency}"))).unwrap();
        assert!(table.bytes() < 20 << 20);
        assert_eq!((table.value(8, "params"), table.value(8, "latency_phone")), (Some(1008.0), Some(1.0)));
        assert_eq!((table.value(0, "nothing"), table.value(CELLS, "params")), (None, None));
        let lookup = Lookup::new(Arc::new(table), "cifar10").unwrap();
        let cell = NasBench201.parse("#1459").unwrap();
        let all = lookup.look_up(&cell).unwrap();
        assert!((all[ACCURACY] - (50.0 + 1459.0 / 15625.0) / 100.0).abs() < 1e-6);
        assert!((all[TEST_ACCURACY] - (90.0 + 1459.0 / 15625.0) / 100.0).abs() < 1e-6);
        assert_eq!((all[PARAMETERS], all["latency_phone"], all.len()), (2459.0, 1459.0 / 8.0, 4));
        let column = lookup.all(ACCURACY).unwrap();
        assert_eq!((column.len(), column[1459], lookup.all("loss")), (CELLS, all[ACCURACY], None));
        let known: Vec<String> = lookup.known(&cell).unwrap().into_keys().collect();
        assert_eq!(known, ["latency_phone", "parameters"]);
        let job = lookup.start(&cell, &[], Fidelity::Full).unwrap();
        assert_eq!(job.progress().total, 1);
        assert!(lookup.start(&cell, &[], Fidelity::Epochs(3)).is_err());
        assert!(Lookup::new(lookup.table.clone(), "mnist").unwrap_err().to_string().contains("cifar100"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let swapped = |index: usize, line: String| if index == 7 { line.replacen("7,", "8,", 1) } else { line };
        let told = |text: &str| read(text, None).unwrap_err().to_string();
        assert!(told(&made(swapped)).starts_with("accuracy.csv: line 9: `"));
        let high = |index: usize, line: String| if index == 3 { line.replacen(",50.", ",150.", 1) } else { line };
        assert!(told(&made(high)).contains("line 5: `150.0") && told(&made(high)).contains("c10_val_12"));
        let short: String = made(|_, line| line).lines().take(CELLS).map(|line| format!("{line}\n")).collect();
        assert!(told(&short).contains("1 of the 15625 cells are missing"));
        assert!(told("index,arch\n").contains("no column `c10_val_12`"));
        let twice = format!("{}0,1,1,1,1,1,1,1,1\n", made(|_, line| line));
        assert!(told(&twice).contains("the cell 0 is there twice"));
    }
}
