//! One search with several seeds: a run of its own for each, in `seed-N` below one directory.
//!
//! The runs have all but the seed in common; the directory may hold nothing but them and what is said of them. So it says by
//! itself what is left to be done, and the same command goes on with it.

use super::complete::{Member, failure_in, is_over, read_json};
use super::config::Config;
use super::directory::{CONFIG, Directory, SUMMARY};
use super::error::RunError;
use super::failure::Failure;
use super::identity::other_setting;
use super::observer::Observer;
use super::outcome::Outcome;
use super::owners::Purpose;
use super::summary::Summary;
use crate::device::Device;
use crate::estimate::EstimateError;
use std::fs;
use std::path::{Path, PathBuf};

/// What is said of the runs beside them, by the beginning of the files' names.
const REPORT: &str = "seeds.";
/// What the runs' directories are called before the seed.
const RUN: &str = "seed-";

/// What is told while the runs go on.
#[derive(Debug)]
pub enum Step<'a> {
    /// The run of a seed begins, or goes on: the how manieth of how many that were to be done.
    Begins(u64, [usize; 2]),
    /// A search has found something; its directory is not tidied up yet.
    Found(&'a Config, &'a Directory, &'a Outcome),
    /// The run of a seed is over, or has failed, below this directory.
    Ended(u64, Result<(), &'a Failure>, &'a Directory),
}

/// What has become of the run of a seed.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// It has not come to its end.
    Missing,
    /// It failed.
    Failed(Failure),
    /// It is over.
    Done(Box<Summary>),
}

/// What the runs of several seeds have come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeats {
    /// Those that were asked for, by seed.
    pub runs: Vec<(u64, Ended)>,
    /// How many other runs lie in the directory.
    pub others: usize,
}

/// The seeds from the configuration's own on; none beyond what a configuration can hold.
pub fn seeds_from(config: &Config, count: u32) -> Vec<u64> {
    let last = i64::MAX as u64;
    (0..u64::from(count)).filter_map(|more| config.seed.checked_add(more).filter(|seed| *seed <= last)).collect()
}

/// The directory of a seed's run.
pub fn path_of(directory: &Path, seed: u64) -> PathBuf {
    directory.join(format!("{RUN}{seed}"))
}

/// Runs the configuration's search with each of the seeds, one after the other, below the directory `path`: a run that is over
/// there is left as it is, one that was begun goes on. A loss that is not finite is the failure of its seed alone: it is written
/// down there, and the others go on. All else ends it.
///
/// `open` opens the device of a name, for each run anew. `told` hears of each step. Gives the directory, in which nobody else
/// works as long as it is held.
///
/// # Errors
/// Those of `open` and `told`; [`RunError::Resume`] where a run of another configuration lies in a seed's place, before anything is
/// computed; [`RunError::Occupied`] where something else lies in the directory; [`RunError::Stopped`] if the observer asked for it;
/// those of [`search`](super::search).
pub fn repeat<E: From<RunError>>(
    path: &Path,
    config: &Config,
    seeds: &[u64],
    keeps_checkpoints: bool,
    observer: &mut dyn Observer,
    open: impl Fn(&str) -> Result<Vec<Device>, E>,
    mut told: impl FnMut(Step<'_>, &mut dyn Observer) -> Result<(), E>,
) -> Result<Directory, E> {
    let config_of = |seed: u64| Config { seed, ..config.clone() };
    for &seed in seeds {
        check_alike(&path_of(path, seed), &config_of(seed))?;
    }
    let directory = Directory::holding(path, |name| name.starts_with(REPORT) || seed_of(name).is_some())?;
    let left: Vec<u64> = seeds.iter().copied().filter(|seed| !is_over(&path_of(path, *seed))).collect();
    for (number, &seed) in left.iter().enumerate() {
        if observer.stops() {
            let (taken, total) = (number as u64, left.len() as u64);
            return Err(RunError::Stopped { phase: "seeds".to_owned(), taken, total }.into());
        }
        told(Step::Begins(seed, [number + 1, left.len()]), observer)?;
        let (config, place) = (config_of(seed), path_of(path, seed));
        let own = if place.join(CONFIG).is_file() { Directory::open(&place) } else { Directory::create(&place) }?;
        let member = Member {
            name: format!("seed {seed}"),
            config: &config,
            directory: &own,
            searches: true,
            keeps_checkpoints,
            is_its_own: is_of_seed,
        };
        let ended =
            member.complete(observer, &open, |found, observer| told(Step::Found(&config, &own, found), observer));
        let ended = ended.inspect_err(|_| {
            // New directories in which nothing was measured are of no use to anybody.
            own.remove_if_unused();
            directory.remove_if_unused();
        })?;
        told(Step::Ended(seed, ended.as_ref().copied(), &directory), observer)?;
    }
    Ok(directory)
}

impl Repeats {
    /// Reads what the runs of seeds below a directory have come to.
    ///
    /// # Errors
    /// [`RunError::History`] naming the file and what is wrong with it.
    pub fn read(directory: &Path, seeds: &[u64]) -> Result<Self, RunError> {
        let read = |&seed: &u64| -> Result<(u64, Ended), RunError> {
            let path = path_of(directory, seed);
            let ended = match failure_in(&path)? {
                Some(failure) => Ended::Failed(failure),
                None if Directory::has_ended(&path) => Ended::Done(read_json(&path.join(SUMMARY))?),
                None => Ended::Missing,
            };
            Ok((seed, ended))
        };
        let runs = seeds.iter().map(read).collect::<Result<_, _>>()?;
        let others = seeds_in(directory).into_iter().filter(|seed| !seeds.contains(seed)).count();
        Ok(Self { runs, others })
    }
}

/// The seeds that have a run below a directory, from the least on.
pub fn seeds_in(directory: &Path) -> Vec<u64> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let with_run = entries.filter(|entry| entry.path().join(CONFIG).is_file());
    let mut seeds: Vec<u64> = with_run.filter_map(|entry| seed_of(&entry.file_name().to_string_lossy())).collect();
    seeds.sort_unstable();
    seeds
}

/// The seed in the name of a run's directory.
fn seed_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(RUN)?;
    digits.parse().ok().filter(|seed: &u64| seed.to_string() == digits)
}

/// Makes sure that a run that was begun in a seed's place is of this configuration.
fn check_alike(path: &Path, config: &Config) -> Result<(), RunError> {
    let Ok(before) = fs::read_to_string(path.join(CONFIG)) else { return Ok(()) };
    match other_setting(&config.written(Purpose::Search)?, &before) {
        None => Ok(()),
        Some(other) => {
            let problem =
                format!("{other}; all seeds are run alike: leave it as it was, or name another directory by --out");
            Err(RunError::Resume { path: path.to_owned(), problem })
        }
    }
}

/// Whether an error may be of this seed alone.
fn is_of_seed(error: &RunError) -> bool {
    matches!(error, RunError::Estimate(EstimateError::NotFinite { .. } | EstimateError::Evaluation { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_counted_as_far_as_a_configuration_can_hold_them() {
        let config = |seed: u64| Config { seed, ..Config::with(&[]).unwrap() };
        assert_eq!(seeds_from(&config(7), 3), [7, 8, 9]);
        assert_eq!(seeds_from(&config(i64::MAX as u64 - 1), 5), [i64::MAX as u64 - 1, i64::MAX as u64]);
    }

    #[test]
    fn directories_of_seeds_are_known_by_their_names() {
        assert_eq!(
            ["seed-0", "seed-12", "seed-012", "seed-", "seed-x", "seeds"].map(seed_of),
            [Some(0), Some(12), None, None, None, None]
        );
        let place = tempfile::tempdir().unwrap();
        for name in ["seed-10", "seed-9", "seed-3"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        for name in ["seed-10", "seed-9"] {
            fs::write(place.path().join(name).join(CONFIG), "").unwrap();
        }
        assert_eq!(seeds_in(place.path()), [9, 10]);
    }

    #[test]
    fn a_run_of_another_configuration_is_not_taken_for_one_of_these() {
        let place = tempfile::tempdir().unwrap();
        let config = Config::with(&["search.epochs=3"]).unwrap();
        let check = |config: &Config| check_alike(place.path(), config).map_err(|error| error.to_string());
        assert_eq!(check(&config), Ok(()));
        fs::write(place.path().join(CONFIG), config.written(Purpose::Search).unwrap()).unwrap();
        assert_eq!(check(&config), Ok(()));
        let longer = Config::with(&["search.epochs=4"]).unwrap();
        assert!(check(&longer).unwrap_err().contains("search.epochs was 3 and is 4 now; all seeds are run alike"));
        let elsewhere = Config::with(&["search.epochs=3", "device.name=cpu", "checkpoint.seconds=1"]).unwrap();
        assert_eq!(check(&elsewhere), Ok(()));
    }

    #[test]
    fn a_loss_that_is_not_finite_is_of_its_seed() {
        let place = "kernel `x`".to_owned();
        let loss = EstimateError::NotFinite { what: "loss", value: f32::NAN, step: 1, epoch: 0, place: place.clone() };
        assert!(is_of_seed(&loss.into()));
        assert!(is_of_seed(&EstimateError::Evaluation { value: f32::NAN, place }.into()));
        assert!(!is_of_seed(&EstimateError::Settings("not in this space".into()).into()));
        assert!(!is_of_seed(&RunError::InUse { path: "x".into() }));
    }
}
