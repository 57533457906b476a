//! What the phases of a run work with, and how they are driven.

use super::benchmark::read_table;
use super::config::Config;
use super::directory::{Directory, Log, METRICS, TIMING};
use super::error::RunError;
use super::files::{self, Loaded, Request};
use super::identity::hash;
use super::ledger::Ledger;
use super::member::Member;
use super::observer::Observer;
use super::supernet::Supernet;
use crate::data::{Batches, Dataset, Last, Resident, Shuffle};
use crate::device::Device;
use crate::estimate::{BoxFuture, EstimateError, Progress, Table};
use crate::graph::Features;
use crate::search::study::{EstimatorConfig, StudyConfig};
use crate::search::{Event, SearchError, Shared, Stepper};
use crate::space::{NetworkSettings, Space};
use crate::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// What the phases of a run work with.
pub(super) struct Setup<'a> {
    pub device: &'a Device,
    pub config: &'a Config,
    pub space: &'a dyn Space,
    /// The dataset's source, in one line, and how many files were left out of it.
    pub source: &'a str,
    pub left_out: usize,
    pub labels: &'a [u32],
    /// A hash of the dataset's content.
    pub data: String,
    /// Names of the classes.
    pub classes: &'a [String],
    /// Mean and standard deviation of each channel, by which images are normalised.
    pub normal: [&'a [f32]; 2],
    pub train: Resident,
    pub test: Resident,
    /// Further devices, for trials of a study, each with the training images.
    pub others: Vec<(&'a Device, Resident)>,
    /// What networks that are trained from scratch are built for.
    pub settings: NetworkSettings,
    /// The table in which architectures are looked up, if they are.
    pub table: Option<Arc<Table>>,
    /// The supernet whose weights measure the study's trials, if one does.
    pub supernet: Option<Supernet>,
    pub directory: &'a Directory,
    pub metrics: Log,
    pub timing: Log,
    pub observer: &'a mut dyn Observer,
    pub ledger: Ledger<'a>,
    /// Trainings that were begun before their turn.
    pub beside: Vec<Member>,
}

/// The first of several devices, and the others.
pub(super) fn first(devices: &[Device]) -> Result<(&Device, &[Device]), EstimateError> {
    devices.split_first().ok_or_else(|| EstimateError::Settings("there is no device to run on".into()))
}

/// Loads the configuration's dataset and says what the user should know of it.
pub(super) fn load(device: &Device, config: &Config, observer: &mut dyn Observer) -> Result<Loaded, RunError> {
    let limits = device.limits();
    let request = Request {
        name: &config.data.name,
        directory: config.data.dir.as_deref(),
        images: &config.data.images,
        room: Some(limits.memory_bytes.map_or(limits.buffer_bytes, |bytes| bytes.min(limits.buffer_bytes))),
    };
    let loaded = files::load(&request, observer)?;
    loaded.notes.iter().for_each(|note| observer.warn(note));
    Ok(loaded)
}

impl<'a> Setup<'a> {
    /// On devices, the first of which does all that is not shared out among them.
    pub fn new(
        devices: &'a [Device],
        config: &'a Config,
        space: &'a dyn Space,
        loaded: &'a Loaded,
        directory: &'a Directory,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, RunError> {
        let Loaded { dataset: Dataset { train, test, mean, std, source, .. }, left_out, .. } = loaded;
        let (device, others) = first(devices)?;
        if !others.is_empty() && !config.search.is_study() {
            let problem = format!("several devices are for studies: {} searches on one", config.search.name());
            return Err(EstimateError::Settings(problem).into());
        }
        let others = others.iter().map(|other| Ok((other, Resident::new(other, train, mean, std)?)));
        let [channels, height, width] = train.shape();
        let settings = NetworkSettings {
            image: Features::new(channels, height, width),
            classes: train.classes().len(),
            channels: config.network.channels,
            layers: config.network.layers,
            stem: config.network.stem,
            auxiliary: config.network.auxiliary,
            drop_path: config.train.drop_path > 0.0,
        };
        let setup = Self {
            device,
            config,
            space,
            source,
            left_out: *left_out,
            labels: train.labels(),
            data: hash(&loaded.dataset),
            classes: train.classes(),
            normal: [mean, std],
            train: Resident::new(device, train, mean, std)?,
            test: Resident::new(device, test, mean, std)?,
            others: others.collect::<Result<_, EstimateError>>()?,
            settings,
            table: None,
            supernet: None,
            directory,
            metrics: directory.log(METRICS)?,
            timing: directory.log(TIMING)?,
            observer,
            ledger: Ledger::new(directory, config.checkpoint.seconds)?,
            beside: Vec::new(),
        };
        setup.check_batch()?;
        Ok(setup)
    }

    /// Reads what a study measures its trials with, if it does not train them.
    pub fn read_estimator(&mut self) -> Result<(), RunError> {
        self.table = table(self.config)?;
        self.supernet = supernet(self)?;
        Ok(())
    }

    /// Names of the devices.
    pub fn devices(&self) -> String {
        let others = self.others.iter().map(|(device, _)| device.name());
        std::iter::once(self.device.name()).chain(others).collect::<Vec<_>>().join(", ")
    }

    /// Makes sure that the training images fill a batch: it is found out before anything is computed.
    fn check_batch(&self) -> Result<(), EstimateError> {
        let images = (0..self.train.count() as u32).collect();
        Batches::new(images, self.config.train.batch, Last::Drop, Shuffle { seed: 0, stream: 0 })?;
        Ok(())
    }

    /// Takes all steps of something, from where an earlier run of this phase has left it. Between two steps it is saved when
    /// it is time to, and the observer may ask to stop.
    pub fn drive<W: Work, L: Listener<W::Event>>(
        &mut self,
        name: &str,
        work: &mut W,
        listener: &mut L,
    ) -> Result<(), RunError> {
        if let Some((_, begun)) = self.ledger.begun.take_if(|(phase, _)| phase == name) {
            let problem = |error: EstimateError| self.ledger.unusable(error.to_string());
            pollster::block_on(work.restore(begun.part("work").map_err(|e| problem(e.into()))?)).map_err(problem)?;
            *listener = begun.get("heard").map_err(|error| problem(error.into()))?;
        }
        self.observer.begin(name, work.progress().total);
        while !work.is_over() {
            let events = pollster::block_on(work.advance())?;
            let (mut state, mut ended) = (None, false);
            for event in events {
                let Heard { state: said, epoch, is_late } = listener.hear(self, event)?;
                if is_late {
                    work.cut();
                }
                (state, ended) = (said.or(state), ended || epoch);
            }
            let Progress { taken, total } = work.progress();
            self.observer.step(taken, state.as_deref());
            if work.is_over() {
                break;
            }
            let stops = self.observer.stops();
            if stops || self.ledger.is_due(ended) {
                let began = Instant::now();
                let mut part = State::of("phase under way");
                part.set("heard", &*listener).map_err(EstimateError::from)?;
                part.nest("work", pollster::block_on(work.save())?);
                self.save(Some((name, part)), began)?;
            }
            if stops {
                self.observer.end();
                return Err(RunError::Stopped { phase: name.to_owned(), taken, total });
            }
        }
        self.observer.end();
        Ok(())
    }

    /// Writes a line to the metrics, and tells it.
    pub fn measured(&mut self, line: &Value) -> Result<(), RunError> {
        self.metrics.append(line)?;
        self.observer.wrote(line);
        Ok(())
    }

    /// Tells the lines that a log has.
    pub fn tell_found(&mut self, log: &str) {
        // What a run does depends on none of them.
        let Ok(file) = File::open(self.directory.path().join(log)) else { return };
        let lines = BufReader::new(file).lines().map_while(Result::ok);
        lines.filter_map(|line| serde_json::from_str(&line).ok()).for_each(|line| self.observer.found(&line));
    }

    /// Cuts the metrics to a length that they had.
    pub fn cut_metrics(&mut self, length: u64) -> Result<(), RunError> {
        if self.metrics.length() < length {
            return Err(self.ledger.unusable(format!("metrics.jsonl has less than the {length} bytes it had then")));
        }
        self.metrics.cut(length)
    }

    /// Writes down where the run stands: what its phases have come to, and how far the one of that name is, if one is under
    /// way. `began` is when that was begun.
    pub fn save(&mut self, part: Option<(&str, State)>, began: Instant) -> Result<(), RunError> {
        // What a checkpoint counts on must not be lost after it.
        self.metrics.sync()?;
        self.ledger.save(self.metrics.length(), part, began)
    }
}

/// The table that the configuration's study looks architectures up in, if it does.
fn table(config: &Config) -> Result<Option<Arc<Table>>, RunError> {
    let text = |key: &str| config.search.settings.get(key).and_then(|value| value.as_str());
    match (config.search.is_study(), text("estimator.kind"), text("estimator.dir")) {
        (true, Some("table"), Some(dir)) => Ok(Some(Arc::new(read_table(Path::new(dir))?))),
        _ => Ok(None),
    }
}

/// The supernet that the configuration's study measures its trials with, if it does.
fn supernet(setup: &Setup<'_>) -> Result<Option<Supernet>, RunError> {
    match StudyConfig::read(&setup.config.search.settings).map(|(study, _)| study.estimator) {
        Ok(EstimatorConfig::Shared { run }) if setup.config.search.is_study() => {
            Supernet::read(Path::new(&run), setup.config, &setup.data, setup.train.count()).map(Some)
        }
        _ => Ok(None),
    }
}

/// Who is told what happens. Where the run stands is also what was heard so far.
pub(super) trait Listener<E>: Serialize + DeserializeOwned {
    fn hear(&mut self, setup: &mut Setup<'_>, event: E) -> Result<Heard, RunError>;
}

/// What to make of an event.
#[derive(Default)]
pub(super) struct Heard {
    /// How it stands, if that is worth a word.
    pub state: Option<String>,
    /// Whether an epoch has ended.
    pub epoch: bool,
    /// Whether time is up.
    pub is_late: bool,
}

/// What goes step by step.
pub(super) trait Work {
    type Event;

    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Self::Event>, EstimateError>>;
    fn progress(&self) -> Progress;
    fn is_over(&self) -> bool;
    /// Has it end with what there is.
    fn cut(&mut self) {}
    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>>;
    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>>;
}

/// A search, until something is derived.
pub(super) struct Searching<'a> {
    search: Box<dyn Stepper + 'a>,
    over: bool,
}

impl<'a> From<Box<dyn Stepper + 'a>> for Searching<'a> {
    fn from(search: Box<dyn Stepper + 'a>) -> Self {
        Self { search, over: false }
    }
}

impl Searching<'_> {
    /// The weights that its architectures share.
    pub fn shared(&self) -> Option<Shared<'_>> {
        self.search.shared()
    }
}

impl Work for Searching<'_> {
    type Event = Event;

    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>> {
        Box::pin(async move {
            let events = self.search.advance().await?;
            let Progress { taken, total } = self.search.progress();
            // A search that ends without a word would be waited for without end.
            let silent = events.is_empty() && taken >= total;
            self.over = silent || events.iter().any(|event| matches!(event, Event::Derived { .. }));
            Ok(events)
        })
    }

    fn progress(&self) -> Progress {
        self.search.progress()
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn cut(&mut self) {
        self.search.cut();
    }

    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>> {
        self.search.save()
    }

    fn restore<'b>(&'b mut self, state: &'b State) -> BoxFuture<'b, Result<(), SearchError>> {
        self.search.restore(state)
    }
}
