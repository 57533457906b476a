//! What a study comes to does not depend on which of its workers is faster, whatever happens to one of them.

use super::*;
use crate::device::Device;
use crate::estimate::measured::ACCURACY;
use crate::estimate::{EpochReport, Fidelity, Job, Progress};
use crate::search::study::{Inline, Study, StudyConfig};
use crate::search::{self, Event, SearchError, Stepper};
use crate::space::{self, Architecture, Space};
use std::thread;
use toml::Value;

const EPOCHS: u32 = 4;

/// Trains nothing, at a pace that depends on the architecture and on which device it is.
struct Pretended {
    device: u64,
    sleeps: bool,
}

struct Training {
    answers: Architecture,
    key: u64,
    pause: Duration,
    epochs: u32,
    curve: Vec<EpochReport>,
    over: bool,
}

impl Estimator for Pretended {
    fn start<'j>(
        &self,
        architecture: &Architecture,
        _: &[(String, Value)],
        fidelity: Fidelity,
    ) -> Result<Box<dyn Job + 'j>, EstimateError>
    where
        Self: 'j,
    {
        let key = architecture.answers.iter().fold(17u64, |key, answer| key.wrapping_mul(31) + *answer as u64);
        let epochs = match fidelity {
            Fidelity::Full => EPOCHS,
            Fidelity::Epochs(epochs) => epochs,
        };
        let pause = Duration::from_micros(if self.sleeps { (key ^ self.device) % 7 * 400 } else { 0 });
        let answers = architecture.clone();
        Ok(Box::new(Training { answers, key, pause, epochs, curve: Vec::new(), over: false }))
    }
}

impl Job for Training {
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<JobEvent>, EstimateError>> {
        Box::pin(async move {
            thread::sleep(self.pause);
            let epoch = self.curve.len() as u32;
            if epoch < self.epochs {
                let accuracy = (self.key % 97) as f64 / 100.0 + 0.005 * f64::from(epoch);
                let report = EpochReport {
                    epoch,
                    rate: 0.1,
                    train_loss: 1.0 - accuracy,
                    train_accuracy: accuracy,
                    valid_accuracy: Some(accuracy),
                };
                self.curve.push(report);
                return Ok(vec![JobEvent::Epoch(report)]);
            }
            self.over = true;
            assert!(!self.key.is_multiple_of(5), "of no use: {:?}", self.answers.answers);
            let accuracy = self.curve.last().and_then(|last| last.valid_accuracy).unwrap_or(0.0);
            let objectives = [(ACCURACY.to_owned(), accuracy)].into();
            Ok(vec![JobEvent::Measured(Measured::Worth { objectives, curve: self.curve.clone() })])
        })
    }

    fn progress(&self) -> Progress {
        let total = u64::from(self.epochs) + 1;
        Progress { taken: if self.over { total } else { self.curve.len() as u64 }, total }
    }

    fn cut(&mut self) {
        self.epochs = self.curve.len() as u32;
    }

    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>> {
        Box::pin(async move {
            let mut state = State::of("pretended");
            state.set("curve", &self.curve)?;
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>> {
        Box::pin(async move {
            state.check("pretended")?;
            self.curve = state.get("curve")?;
            Ok(())
        })
    }
}

fn estimators(devices: u64, sleeps: bool) -> Vec<Box<dyn Estimator + Sync>> {
    (0..devices).map(|device| Box::new(Pretended { device, sleeps }) as Box<dyn Estimator + Sync>).collect()
}

/// A study by a strategy, with settings, on a crew.
fn study<'a>(
    strategy: &str,
    settings: &str,
    device: &'a Device,
    space: &'a dyn Space,
    crew: Box<dyn Crew + 'a>,
) -> Study<'a> {
    let found = search::ALL.iter().find(|one| one.about().name == strategy).unwrap();
    let task = search::Task { scale: crate::data::Scale::Tiny, augmentation: Default::default(), space, epochs: None };
    let mut all = found.preset(&task).unwrap();
    all.table_mut().insert("trial_epochs".to_owned(), Value::Integer(EPOCHS.into()));
    all.table_mut().extend(settings.parse::<toml::Table>().unwrap());
    let (config, _) = StudyConfig::read(&all).unwrap();
    Study::by(device, space, crew, config, found.sampler(&all, 3).unwrap().unwrap())
}

/// What events say, each in a line.
fn said(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| format!("{event:?}")).collect()
}

/// All that happens in so many steps, and whether it is over then.
fn events(study: &mut Study<'_>, steps: usize) -> Result<(Vec<Event>, bool), SearchError> {
    let mut all = Vec::new();
    for _ in 0..steps {
        let some = pollster::block_on(study.advance())?;
        let over = some.iter().any(|event| matches!(event, Event::Derived { .. }));
        all.extend(some);
        if over {
            return Ok((all, true));
        }
    }
    Ok((all, false))
}

fn whole(strategy: &str, settings: &str, devices: u64, directory: &Directory) -> Vec<Event> {
    let (device, space) = (Device::cpu(), space::find("nas-bench-201").unwrap());
    let estimators = estimators(devices, true);
    thread::scope(|scope| {
        let crew = Box::new(Workers::new(scope, &estimators, 0.0, directory));
        events(&mut study(strategy, settings, &device, &*space, crew), usize::MAX).unwrap().0
    })
}

fn directory(place: &tempfile::TempDir, name: &str) -> Directory {
    Directory::create(&place.path().join(name)).unwrap()
}

/// A panic is told on standard error, which would drown what else is there.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let said = info.payload_as_str().unwrap_or_default();
            if !said.starts_with("of no use") {
                before(info);
            }
        }));
    });
    work()
}

const WAYS: [(&str, &str); 5] = [
    ("random", "trials = 20\nworkers = 3"),
    ("evolution", "trials = 24\nworkers = 2\npopulation = 6\nsample = 2"),
    ("hyperband", "trials = 30\nworkers = 4\nleast_epochs = 1\neta = 2"),
    ("tpe", "trials = 20\nworkers = 5\nepochs = 40"),
    ("bayes", "trials = 16\nworkers = 3\nstopping = { kind = 'median' }"),
];

#[test]
fn the_same_study_whichever_worker_is_faster() {
    quietly(|| {
        let place = tempfile::tempdir().unwrap();
        for (at, (strategy, settings)) in WAYS.into_iter().enumerate() {
            let first = whole(strategy, settings, 1, &directory(&place, &format!("{at}-1")));
            let failed = first.iter().filter(|event| match event {
                Event::Tried(tried) => {
                    matches!(&tried.measured, Measured::Failed { reason } if reason.contains("a panic: of no use"))
                }
                _ => false,
            });
            assert!(failed.count() > 0, "{strategy}: one in five panics");
            for devices in [2, 3] {
                let again = whole(strategy, settings, devices, &directory(&place, &format!("{at}-{devices}")));
                assert_eq!(said(&again), said(&first), "{strategy} with {devices} devices of other speeds");
            }
        }
    });
}

#[test]
fn the_same_study_stopped_anywhere() {
    quietly(|| {
        let place = tempfile::tempdir().unwrap();
        let (device, space) = (Device::cpu(), space::find("nas-bench-201").unwrap());
        for (at, (strategy, settings)) in WAYS.into_iter().enumerate() {
            let expected = whole(strategy, settings, 1, &directory(&place, &format!("{at}-whole")));
            let directory = directory(&place, &format!("{at}-stopped"));
            let estimators = estimators(2, true);
            let (mut found, mut saved): (Vec<Event>, Option<State>) = (Vec::new(), None);
            for turn in 0.. {
                let over = thread::scope(|scope| {
                    let crew = Box::new(Workers::new(scope, &estimators, 0.0, &directory));
                    let mut study = study(strategy, settings, &device, &*space, crew);
                    if let Some(state) = &saved {
                        // As bytes, as a file has it.
                        let state = State::from_bytes(&state.to_bytes().unwrap()).unwrap();
                        pollster::block_on(study.restore(&state)).unwrap();
                    }
                    let (some, over) = events(&mut study, 1 + turn % 7).unwrap();
                    found.extend(some);
                    saved = Some(pollster::block_on(study.save()).unwrap());
                    over
                });
                if over {
                    break;
                }
            }
            assert_eq!(said(&found), said(&expected), "{strategy}");
        }
    });
}

#[test]
fn in_its_own_thread_or_in_that_of_the_study() {
    let place = tempfile::tempdir().unwrap();
    let (device, space) = (Device::cpu(), space::find("nas-bench-201").unwrap());
    // One without a panic: in the study's own thread it would end the program.
    let settings = "trials = 3\nworkers = 2";
    let threads = whole("grid", settings, 1, &directory(&place, "threads"));
    let crew = Box::new(Inline::new(Box::new(Pretended { device: 0, sleeps: false })));
    let inline = events(&mut study("grid", settings, &device, &*space, crew), usize::MAX).unwrap().0;
    assert_eq!(said(&inline), said(&threads));
}

#[test]
fn unordered_results_enter_as_they_come_and_the_journal_replays() {
    quietly(|| {
        let place = tempfile::tempdir().unwrap();
        let (device, space) = (Device::cpu(), space::find("nas-bench-201").unwrap());
        let (estimators, directory) = (estimators(1, true), directory(&place, "asha"));
        thread::scope(|scope| {
            let crew = Box::new(Workers::new(scope, &estimators, 0.0, &directory));
            let mut study = study("asha", "trials = 40\nworkers = 4\neta = 2", &device, &*space, crew);
            let told = events(&mut study, usize::MAX).unwrap().0;
            let ended: Vec<usize> = study.history().ended().collect();
            assert_eq!(ended.len(), 40);
            assert!(!ended.is_sorted(), "none was faster than one before it");
            // Told and written are one.
            let tried: Vec<usize> = told
                .iter()
                .filter_map(|event| match event {
                    Event::Tried(tried) => Some(tried.trial),
                    _ => None,
                })
                .collect();
            assert_eq!(tried, ended);
            // What goes on needs no more epochs than it has not had.
            let epochs =
                |trial| told.iter().filter(|e| matches!(e, Event::Trained { trial: t, .. } if *t == trial)).count();
            let continued = study.history().trials().iter().position(|trial| trial.continues.is_some()).unwrap();
            assert!((1..=2).contains(&epochs(continued)), "{}", epochs(continued));
        });
    });
}

#[test]
fn what_takes_too_long_has_failed_and_the_study_goes_on() {
    quietly(|| {
        let place = tempfile::tempdir().unwrap();
        let (device, space) = (Device::cpu(), space::find("nas-bench-201").unwrap());
        let (estimators, directory) = (estimators(1, true), directory(&place, "slow"));
        thread::scope(|scope| {
            let crew = Box::new(Workers::new(scope, &estimators, 0.004, &directory));
            let mut study = study("random", "trials = 30\nworkers = 2", &device, &*space, crew);
            events(&mut study, usize::MAX).unwrap();
            let is_late = |measured: &Option<Measured>| matches!(measured, Some(Measured::Failed { reason }) if reason.starts_with("too long"));
            let late = study.history().trials().iter().filter(|trial| is_late(&trial.measured)).count();
            assert!((1..30).contains(&late), "{late}");
        });
    });
}
