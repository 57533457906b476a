//! An experiment from beginning to end: search, train what was found and what it is compared with, write it all down.

use super::benchmark::lookup;
use super::config::Config;
use super::directory::Directory;
use super::error::RunError;
use super::further::{Further, fitted};
use super::identity::Identity;
use super::model::Model;
use super::observer::Observer;
use super::outcome::{Outcome, Trained};
use super::owners::Purpose;
use super::phases::{self, Phase, Results, Search, SummariseRandom, SummariseSearch, SummariseTraining, Train, Who};
use super::setup::{Setup, first, load};
use crate::device::Device;
use crate::estimate::EstimateError;
use std::path::Path;
use std::{iter, slice};

/// Searches, trains what was found from scratch, compares. Writes `config.toml`, `metrics.jsonl`, `timing.jsonl`,
/// `genotype.json`, `weights.safetensors` and `summary.json` to `directory`.
///
/// ```
/// use cellwright::device::Device;
/// use cellwright::run::{self, Config, Directory, Silent};
///
/// // One epoch on the digits that come with the crate, with the smallest networks, nothing to compare with.
/// let config = Config::with(&[
///     "space=chain", "search.epochs=1", "supernet.channels=1", "network.channels=1", "train.epochs=1", "random=0",
///     "baseline=false",
/// ])?;
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
/// [`RunError`]; what had been written by then stays. [`RunError::Stopped`] if the observer asked for it.
pub fn search(
    device: &Device,
    config: &Config,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Outcome, RunError> {
    search_on(slice::from_ref(device), config, directory, observer)
}

/// [`search`] on several devices: trial k of a study runs on device k modulo their number. All else runs on the first. The images
/// must fit on each.
///
/// # Errors
/// As [`search`]; [`EstimateError::Settings`] for no device, or for several where the search is no study.
pub fn search_on(
    devices: &[Device],
    config: &Config,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Outcome, RunError> {
    config.check()?;
    let lookup = lookup(config)?;
    let loaded = load(first(devices)?.0, config, observer)?;
    let space = config.space.build()?;
    let mut setup = Setup::new(devices, config, &*space, &loaded, directory, observer)?;
    setup.read_estimator()?;
    check_networks(&setup)?;
    let identity = Identity::of(config, Purpose::Search, &setup.data, devices)?;
    setup.observer.say(setup.source);

    let random = (1..=config.random).map(Who::Random);
    let all = iter::once(Who::Found).chain(random).chain(config.baseline.then_some(Who::Baseline));
    let mut plan: Vec<Box<dyn Phase>> = vec![Box::new(Search)];
    plan.extend(Train::each(all.collect()));
    plan.push(Box::new(SummariseSearch { lookup }));
    match phases::run(&plan, &mut setup, identity, config.device.allow_other)? {
        Results { searched: Some(searched), trained, summary: Some(summary) } => {
            Ok(Outcome { summary, searched, trained })
        }
        _ => Err(EstimateError::Settings("the run came to nothing".into()).into()),
    }
}

/// Trains random architectures of the configuration's space from scratch, as many as its `random` says: those that [`search`]
/// holds what it finds against. Writes `config.toml`, `metrics.jsonl`, `timing.jsonl` and `summary.json`
/// ([`RandomSummary`](super::RandomSummary)) to `directory`; the configuration's strategy, supernet and baseline are not
/// looked at.
///
/// # Errors
/// As [`search`].
pub fn train_random(
    device: &Device,
    config: &Config,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Vec<Trained>, RunError> {
    config.check()?;
    let loaded = load(device, config, observer)?;
    let space = config.space.build()?;
    let mut setup = Setup::new(slice::from_ref(device), config, &*space, &loaded, directory, observer)?;
    let identity = Identity::of(config, Purpose::Random, &setup.data, slice::from_ref(device))?;
    setup.observer.say(setup.source);
    let mut plan = Train::each((1..=config.random).map(Who::Random).collect());
    plan.push(Box::new(SummariseRandom));
    Ok(phases::run(&plan, &mut setup, identity, config.device.allow_other)?.trained)
}

/// The directory `path` for a run that trains random architectures, as [`begin_at`] has it for others.
///
/// # Errors
/// As [`begin_at`].
pub fn begin_random_at(path: &Path, config: &Config) -> Result<Directory, RunError> {
    Directory::begin(path, &config.written(Purpose::Random)?)
}

/// The directory `path` for a run by a configuration, of an architecture that is trained, if it is that: made, or taken
/// where the same run was begun there and is not finished.
///
/// # Errors
/// As [`Directory::create`]; an architecture or a configuration that cannot be written.
pub fn begin_at(path: &Path, config: &Config, architecture: Option<&str>) -> Result<Directory, RunError> {
    let written = match architecture {
        None if config.model.is_some() => config.written(Purpose::Training)?,
        None => config.written(Purpose::Search)?,
        Some(text) => {
            let genotype = config.space.build()?.sketch(text)?.text;
            Config { architecture: Some(genotype), ..config.clone() }.written(Purpose::Training)?
        }
    };
    Directory::begin(path, &written)
}

/// What can be wrong with the networks to be trained is found out before the search.
fn check_networks(setup: &Setup<'_>) -> Result<(), RunError> {
    let Setup { space, config, settings, .. } = setup;
    let graph = space.supernet(&config.supernet(settings))?;
    if config.baseline {
        space.baseline(settings, crate::cost::parameters(&graph)?)?;
    }
    space.decode(&phases::random(*space, config.seed, 1), settings)?;
    Ok(())
}

/// Trains one architecture from scratch, given as text. Writes as [`search`] does.
///
/// # Errors
/// As [`search`].
pub fn train(
    device: &Device,
    config: &Config,
    architecture: &str,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Trained, RunError> {
    config.check()?;
    let loaded = load(device, config, observer)?;
    let space = config.space.build()?;
    let mut setup = Setup::new(slice::from_ref(device), config, &*space, &loaded, directory, observer)?;
    space.decode_text(architecture, &setup.settings)?;
    let genotype = space.sketch(architecture)?.text;
    let written = Config { architecture: Some(genotype), ..config.clone() };
    let identity = Identity::of(&written, Purpose::Training, &setup.data, slice::from_ref(device))?;
    train_one(&mut setup, Who::Given(architecture.to_owned()), Some(config.space.name.clone()), identity)
}

/// Trains the network of the configuration's `model` further: that of a run, or one that was imported. Images are read and
/// normalised as they were for it. Of its last layer the rows of classes that it knows by name stay, others are new. Writes as
/// [`search`] does.
///
/// # Errors
/// As [`search`]; [`RunError::Model`] for a network that cannot be read or that the images are not for.
pub fn train_further(
    device: &Device,
    config: &Config,
    directory: &Directory,
    observer: &mut dyn Observer,
) -> Result<Trained, RunError> {
    config.check()?;
    let missing = || EstimateError::Settings("`model` names no network to be trained further".into());
    let path = config.model.as_deref().ok_or_else(missing)?;
    let model = Model::read(path)?;
    let mut reading = config.clone();
    reading.data.images = model.reading_of(&config.data.name, &config.data.images);
    let loaded = fitted(load(device, &reading, observer)?, &model)?;
    let space = config.space.build()?;
    let mut setup = Setup::new(slice::from_ref(device), config, &*space, &loaded, directory, observer)?;
    let identity =
        Identity::of(config, Purpose::Training, &setup.data, slice::from_ref(device))?.beginning_with(&model);
    let further = Further::new(model, path, setup.classes)?;
    further.note.iter().for_each(|note| setup.observer.warn(note));
    let space = further.model.space.clone();
    train_one(&mut setup, Who::Further(Box::new(further)), space, identity)
}

fn train_one(setup: &mut Setup<'_>, who: Who, space: Option<String>, identity: Identity) -> Result<Trained, RunError> {
    setup.observer.say(setup.source);
    let mut plan = Train::each(vec![who]);
    plan.push(Box::new(SummariseTraining { space }));
    let allow_other = setup.config.device.allow_other;
    let mut results = phases::run(&plan, setup, identity, allow_other)?;
    let nothing = || EstimateError::Settings("the run came to nothing".into());
    Ok(results.trained.pop().ok_or_else(nothing)?)
}
