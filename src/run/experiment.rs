//! An experiment from beginning to end: search, derive, train from scratch, compare, write it all down.

use super::directory::Log;
use super::files::{self, Loaded, Request};
use super::follow::Followed;
use super::{Config, Directory, NetworkFacts, Observer, RunError, SharedWeights, Summary};
use crate::cost::Cost;
use crate::data::{Batches, Dataset, Last, Resident, Shuffle};
use crate::device::Device;
use crate::estimate::{EpochReport, EstimateError, Score, Training};
use crate::graph::{Features, Graph};
use crate::nn::to_safetensors;
use crate::random::Random;
use crate::search::bilevel::Bilevel;
use crate::search::collapse::Signs;
use crate::search::enas::Enas;
use crate::search::one_shot::{OneShot, Rank};
use crate::search::{ControllerEpoch, EpochEnd};
use crate::space::{self, Architecture, NetworkSettings, Space};
use serde_json::json;
use std::collections::HashMap;
use std::time::Instant;

/// Stream of the run's seed that random architectures are drawn from.
const RANDOM_ARCHITECTURES: u64 = 0xA2C4 << 48;

/// A network trained from scratch.
#[derive(Clone, Debug)]
pub struct Trained {
    /// Its size and accuracy.
    pub facts: NetworkFacts,
    /// Its graph.
    pub graph: Graph,
    /// What each epoch came to.
    pub epochs: Vec<EpochReport>,
    /// Mean cross-entropy on the test images.
    pub test_loss: f64,
}

/// What a search came to, for reports.
#[derive(Debug)]
pub struct Outcome {
    /// The file `summary.json`.
    pub summary: Summary,
    /// The architecture found.
    pub architecture: Architecture,
    /// The search, epoch by epoch, if it moves architecture weights.
    pub epochs: Vec<EpochEnd>,
    /// Accuracies with shared weights of the architectures that the strategy ranked, in the order of ranking.
    pub ranked: Vec<f64>,
    /// The same of random ones, where the strategy ranks some to be held against.
    pub compared: Vec<f64>,
    /// The search, epoch by epoch, if a controller learns.
    pub controller: Vec<ControllerEpoch>,
    /// Names of the options of each table of architecture weights.
    pub options: Vec<(String, Vec<String>)>,
    /// The networks trained: the one found, random ones, the hand-designed one.
    pub trained: Vec<Trained>,
}

/// What is to be trained from scratch.
struct Subject {
    graph: Graph,
    /// The same without auxiliary head: the network whose size is stated.
    counted: Graph,
    /// The architecture, unless it is the hand-designed network.
    genotype: Option<String>,
}

pub(super) struct Bench<'a> {
    device: &'a Device,
    config: &'a Config,
    train: Resident,
    test: Resident,
    settings: NetworkSettings,
    pub(super) metrics: Log,
    timing: Log,
    pub(super) observer: &'a mut dyn Observer,
}

/// Searches, derives, trains from scratch, compares. Writes `config.toml`, `metrics.jsonl`, `timing.jsonl`,
/// `genotype.json`, `weights.safetensors` and `summary.json` to `directory`.
///
/// ```
/// use cellwright::device::Device;
/// use cellwright::run::{self, Config, Directory, Silent};
///
/// // One epoch on the digits that come with the crate, with the smallest networks, nothing to compare with.
/// let mut config = Config::preset("digits").for_space("chain").with_budget(1);
/// (config.random, config.baseline, config.train.epochs) = (0, false, 1);
/// (config.supernet.channels, config.network.channels) = (1, 1);
/// # let place = tempfile::tempdir()?;
/// # let parent = place.path();
/// let directory = Directory::create_numbered(parent, "digits")?;
/// let outcome = run::search(&Device::cpu(), &config, &directory, &mut Silent)?;
/// assert!(outcome.summary.test_accuracy > 0.0);
/// assert!(directory.path().join("metrics.jsonl").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`RunError`]; what had been written by then stays.
pub fn search(
    device: &Device,
    config: &Config,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Outcome, RunError> {
    let start = Instant::now();
    config.check()?;
    let Loaded { dataset: data, left_out, .. } = load(device, config, observer)?;
    let space = space::find(&config.space, &config.space_settings)?;
    let space = space.as_ref();
    let mut bench = Bench::new(device, config, &data, directory, observer)?;
    let settings = bench.settings.clone();
    let wide = NetworkSettings {
        channels: config.supernet.channels,
        layers: config.supernet.layers,
        stem: config.supernet.stem,
        auxiliary: false,
        ..settings.clone()
    };
    let graph = space.supernet(&wide)?;
    let supernet_parameters = crate::cost::parameters(&graph)?;
    let options = graph.tables().map_err(EstimateError::from)?.into_iter().map(|t| (t.name, t.options)).collect();
    // What can be wrong with the networks to be trained is found out before the search.
    bench.check_batch()?;
    if config.baseline {
        space.baseline(&settings, supernet_parameters)?;
    }
    space.decode(&space.random(&mut Random::new(config.seed, RANDOM_ARCHITECTURES)), &settings)?;
    directory.write("config.toml", config.settled()?.to_toml()?.as_bytes())?;
    bench.observer.say(&data.source);

    let began = Instant::now();
    let labels = data.train.labels();
    let Config { seed, one_shot, .. } = *config;
    let by_paths = |rank| OneShot::new(device, space, graph.clone(), &bench.train, labels, one_shot, rank, seed);
    let Followed { architecture, epochs, ranked, compared, controller } = match config.strategy.as_str() {
        "rsps" => bench.follow(&mut by_paths(Rank::Random)?)?,
        "spos" => bench.follow(&mut by_paths(Rank::Evolution)?)?,
        "enas" => {
            bench.follow(&mut Enas::new(device, space, graph, &bench.train, labels, config.enas.clone(), seed)?)?
        }
        _ => {
            let search = config.search.clone();
            let new = Bilevel::new(device, space, &wide, &bench.train, labels, search, seed);
            bench.follow(&mut pollster::block_on(new)?)?
        }
    };
    device.trim();
    let search_seconds = began.elapsed().as_secs_f64();
    bench.timing.append(&json!({ "stage": "search", "seconds": search_seconds }))?;
    directory.write_json("genotype.json", &space.json(&architecture))?;

    let mut trained = vec![bench.train("searched", bench.subject(space, &architecture)?, Some(directory))?];
    let mut random = Random::new(config.seed, RANDOM_ARCHITECTURES);
    for number in 1..=config.random {
        let drawn = space.random(&mut random);
        trained.push(bench.train(&format!("random {number}"), bench.subject(space, &drawn)?, None)?);
    }
    let found = trained[0].facts.clone();
    if config.baseline {
        let graph = space.baseline(&settings, found.parameters)?;
        trained.push(bench.train("baseline", Subject { counted: graph.clone(), graph, genotype: None }, None)?);
    }
    let accuracies = |prefix: &str| -> Vec<f64> {
        trained.iter().map(|t| &t.facts).filter(|f| f.name.starts_with(prefix)).map(|f| f.test_accuracy).collect()
    };
    let summary = Summary {
        space: config.space.clone(),
        strategy: config.strategy.clone(),
        data: config.data.clone(),
        data_source: data.source.clone(),
        device: device.name().to_owned(),
        seed: config.seed,
        genotype: space.print(&architecture),
        parameters: found.parameters,
        multiply_adds: found.multiply_adds,
        test_accuracy: found.test_accuracy,
        random_accuracies: accuracies("random"),
        baseline_accuracy: accuracies("baseline").first().copied(),
        search_seconds,
        train_seconds: found.train_seconds,
        total_seconds: start.elapsed().as_secs_f64(),
        supernet_parameters,
        left_out,
        // Of what was found: a search that was stopped in time has not collapsed.
        warnings: signs(space, &epochs, &architecture).and_then(|signs| signs.warning).into_iter().collect(),
        networks: trained.iter().map(|t| t.facts.clone()).collect(),
        shared_weights: (!compared.is_empty())
            .then(|| SharedWeights { strategy: ranked.clone(), random: compared.clone() }),
    };
    directory.write_json("summary.json", &summary)?;
    Ok(Outcome { summary, architecture, epochs, ranked, compared, controller, options, trained })
}

/// Loads the configuration's dataset and says what the user should know of it.
fn load(device: &Device, config: &Config, observer: &mut dyn Observer) -> Result<Loaded, RunError> {
    let limits = device.limits();
    let request = Request {
        name: &config.data,
        directory: config.data_dir.as_deref(),
        images: &config.images,
        room: Some(limits.memory_bytes.map_or(limits.buffer_bytes, |bytes| bytes.min(limits.buffer_bytes))),
    };
    let loaded = files::load(&request, observer)?;
    loaded.notes.iter().for_each(|note| observer.warn(note));
    Ok(loaded)
}

/// Signs of collapse in what a search by architecture weights has found: those of the epoch that stood for it, or, of what
/// was chosen otherwise, with the last epoch's entropy and gap.
fn signs(space: &dyn Space, epochs: &[EpochEnd], found: &Architecture) -> Option<Signs> {
    let stood = epochs.iter().rfind(|e| e.architecture == *found).map(|e| e.collapse.clone());
    let otherwise = || epochs.last().map(|e| Signs::new(&space.operations(found), e.collapse.entropy, e.collapse.gap));
    stood.or_else(otherwise)
}

/// Trains one architecture from scratch, given as text. Writes as [`search`] does.
///
/// # Errors
/// [`RunError`]; what had been written by then stays.
pub fn train(
    device: &Device,
    config: &Config,
    architecture: &str,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Trained, RunError> {
    config.check()?;
    let Loaded { dataset: data, left_out, .. } = load(device, config, observer)?;
    let space = space::find(&config.space, &config.space_settings)?;
    let mut bench = Bench::new(device, config, &data, directory, observer)?;
    bench.check_batch()?;
    let graph = space.decode_text(architecture, &bench.settings)?;
    let counted = space.decode_text(architecture, &bench.plain())?;
    let genotype = space.sketch(architecture)?.text;
    let config = Config { architecture: Some(genotype.clone()), ..config.settled()? };
    directory.write("config.toml", config.to_toml()?.as_bytes())?;
    bench.observer.say(&data.source);
    let trained = bench.train("trained", Subject { graph, counted, genotype: Some(genotype) }, Some(directory))?;
    let mut summary = json!({
        "space": config.space,
        "data": config.data,
        "data_source": data.source,
        "device": device.name(),
        "seed": config.seed,
        "genotype": trained.facts.genotype,
        "parameters": trained.facts.parameters,
        "multiply_adds": trained.facts.multiply_adds,
        "test_accuracy": trained.facts.test_accuracy,
        "test_loss": trained.test_loss,
        "train_seconds": trained.facts.train_seconds,
    });
    if left_out > 0 {
        summary["left_out"] = left_out.into();
    }
    directory.write_json("summary.json", &summary)?;
    Ok(trained)
}

impl<'a> Bench<'a> {
    fn new(
        device: &'a Device,
        config: &'a Config,
        data: &Dataset,
        directory: &Directory,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, RunError> {
        let [channels, height, width] = data.train.shape();
        let settings = NetworkSettings {
            image: Features::new(channels, height, width),
            classes: data.train.classes().len(),
            channels: config.network.channels,
            layers: config.network.layers,
            stem: config.network.stem,
            auxiliary: config.network.auxiliary,
            drop_path: config.train.drop_path > 0.0,
        };
        Ok(Self {
            device,
            config,
            train: Resident::new(device, &data.train, &data.mean, &data.std)?,
            test: Resident::new(device, &data.test, &data.mean, &data.std)?,
            settings,
            metrics: directory.log("metrics.jsonl")?,
            timing: directory.log("timing.jsonl")?,
            observer,
        })
    }

    /// Makes sure that the training images fill a batch.
    fn check_batch(&self) -> Result<(), EstimateError> {
        let images = (0..self.train.count() as u32).collect();
        Batches::new(images, self.config.train.batch, Last::Drop, Shuffle { seed: 0, stream: 0 })?;
        Ok(())
    }

    /// The settings of networks, without an auxiliary head.
    fn plain(&self) -> NetworkSettings {
        NetworkSettings { auxiliary: false, ..self.settings.clone() }
    }

    /// An architecture of a space, to be trained.
    fn subject(&self, space: &dyn Space, architecture: &Architecture) -> Result<Subject, RunError> {
        Ok(Subject {
            graph: space.decode(architecture, &self.settings)?,
            counted: space.decode(architecture, &self.plain())?,
            genotype: Some(space.print(architecture)),
        })
    }

    /// Trains one network from scratch and measures it on the test images.
    fn train(&mut self, name: &str, subject: Subject, keep: Option<&Directory>) -> Result<Trained, RunError> {
        let Subject { graph, counted, genotype } = subject;
        let counted = Cost::of(&counted, 1)?;
        let began = Instant::now();
        let images = (0..self.train.count() as u32).collect();
        let (device, config) = (self.device, self.config);
        let mut training = Training::new(device, graph.clone(), &self.train, images, config.train, config.seed)?;
        self.observer.begin(&format!("train {name}"), training.progress().1);
        let mut epochs = Vec::new();
        while training.progress().0 < training.progress().1 {
            let ended = pollster::block_on(training.advance())?;
            let state = epochs
                .last()
                .map_or(String::new(), |e: &EpochReport| format!("accuracy {:.1} %", 100.0 * e.train_accuracy));
            self.observer.step(training.progress().0, &state);
            if let Some(end) = ended {
                self.metrics.append(&json!({
                    "kind": "train epoch", "network": name, "epoch": end.epoch, "rate": end.rate,
                    "train_loss": end.train_loss, "train_accuracy": end.train_accuracy,
                }))?;
                epochs.push(end);
            }
        }
        let Score { accuracy, loss } = pollster::block_on(training.score(&self.test))?;
        self.observer.end();
        self.metrics.append(&json!({
            "kind": "test", "network": name, "test_accuracy": accuracy, "test_loss": loss,
        }))?;
        let seconds = began.elapsed().as_secs_f64();
        self.timing.append(&json!({ "stage": format!("train {name}"), "seconds": seconds }))?;
        if let Some(directory) = keep {
            let state = pollster::block_on(training.network().state()).map_err(exchange)?;
            // One key: a map of several has no order, and the same run would write other bytes.
            let own = json!({ "genotype": genotype, "space": self.config.space }).to_string();
            let metadata = HashMap::from([("cellwright".to_owned(), own)]);
            directory.write("weights.safetensors", &to_safetensors(&state, metadata).map_err(exchange)?)?;
        }
        drop(training);
        self.device.trim();
        let facts = NetworkFacts {
            name: name.to_owned(),
            genotype,
            parameters: counted.parameters,
            multiply_adds: counted.multiply_adds,
            test_accuracy: accuracy,
            train_seconds: seconds,
        };
        Ok(Trained { facts, graph, epochs, test_loss: loss })
    }
}

fn exchange(error: crate::nn::ExchangeError) -> EstimateError {
    match error {
        crate::nn::ExchangeError::Tensor(error) => error.into(),
        other => EstimateError::Settings(other.to_string()),
    }
}
