//! What goes step by step can stop between any two steps: saved, built anew and restored, it goes on to the same bits as if it
//! had never stopped.
//!
//! The device is `CELLWRIGHT_DEVICE` (default: the CPU at every step, and a software driver, where there is one, at one).

mod common;

use cellwright::data::Augmentation;
use cellwright::device::{Device, Selector};
use cellwright::estimate::{
    Estimator, Fidelity, FromScratch, Job, JobEvent, Measured, PathConfig, PathTraining, SharedWeights, Training,
    TrainingConfig, finish, measured,
};
use cellwright::optim::{Schedule, SgdConfig};
use cellwright::random::Random;
use cellwright::search::{self, SearchError, Stepper};
use cellwright::space::{self, Architecture, NetworkSettings, SpaceConfig};
use cellwright::state::{State, StateError};
use common::{Given, images, software, strategy, tiny, wait};

/// The device that is asked for, or the CPU.
fn device() -> Device {
    let choice = std::env::var("CELLWRIGHT_DEVICE").map_or(Selector::Cpu, |name| name.parse().unwrap());
    wait(Device::open(&choice)).unwrap()
}

/// Cells of one node, and images of so many pixels a side.
fn cells(device: &Device, side: usize) -> Given {
    let space = SpaceConfig { name: "darts".into(), settings: "nodes = 1".parse().unwrap() };
    Given::new(device, space.build().unwrap(), images(16, side))
}

/// A strategy's search before its first step.
fn build<'a>(device: &'a Device, name: &str, given: &'a Given) -> Box<dyn Stepper + 'a> {
    let strategy = strategy(name);
    let mut settings = tiny(strategy, &*given.space, "");
    // What looks back some epochs needs as many, and one.
    if let Some(back) = settings.get("stop.back").and_then(|back| back.as_integer()) {
        settings = tiny(strategy, &*given.space, &format!("epochs = {}", back + 1));
    }
    given.build(device, strategy, &settings).unwrap()
}

/// What happened in a step; nothing once the search is over.
fn step(search: &mut dyn Stepper) -> Option<String> {
    let events = wait(search.advance()).unwrap();
    let over = events.is_empty() && search.progress().taken == search.progress().total;
    (!over).then(|| format!("{events:?}"))
}

fn save(search: &dyn Stepper) -> Vec<u8> {
    wait(search.save()).unwrap().to_bytes().unwrap()
}

fn restored<'a>(device: &'a Device, strategy: &str, given: &'a Given, bytes: &[u8]) -> Box<dyn Stepper + 'a> {
    let mut search = build(device, strategy, given);
    wait(search.restore(&State::from_bytes(bytes).unwrap())).unwrap();
    search
}

/// What happened in each step of a search, and its state before each and at its end.
type Whole = (Vec<String>, Vec<Vec<u8>>);

/// The events of a search that is never stopped, its state before each step, and that at its end.
fn never_stopped(device: &Device, strategy: &str, given: &Given) -> Whole {
    let mut search = build(device, strategy, given);
    let (mut events, mut states) = (Vec::new(), vec![save(&*search)]);
    while let Some(happened) = step(&mut *search) {
        events.push(happened);
        states.push(save(&*search));
    }
    assert!(events.last().unwrap().contains("Derived"), "{strategy} ended with {:?}", events.last());
    (events, states)
}

/// Holds a search that is stopped before step `at` against one that never was, for so many steps.
fn stop(device: &Device, strategy: &str, given: &Given, at: usize, steps: usize, whole: &Whole) {
    let (events, states) = whole;
    let what = format!("{strategy} on {}, stopped before step {at} of {}", device.name(), events.len());
    let mut search = restored(device, strategy, given, &states[at]);
    assert!(save(&*search) == states[at], "{what}: the state is another after restoring");
    for number in at..(at + steps).min(events.len()) {
        assert_eq!(step(&mut *search).as_ref(), Some(&events[number]), "{what}: step {number}");
        assert!(save(&*search) == states[number + 1], "{what}: the state after step {number}");
    }
    if at + steps > events.len() {
        assert_eq!(step(&mut *search), None, "{what}");
    }
}

#[test]
fn every_strategy_goes_on_from_every_step_to_the_same_bits() {
    let device = device();
    let given = cells(&device, 8);
    for strategy in search::ALL {
        let name = strategy.about().name;
        let whole = never_stopped(&device, name, &given);
        // The state after each step is that of the search that was never stopped, from which the next one goes on: two steps
        // from everywhere are as good as all of them. From one place it goes on to its end.
        let steps = whole.0.len();
        for at in 0..=steps {
            stop(&device, name, &given, at, if at == steps / 2 { steps } else { 2 }, &whole);
        }
    }
}

#[test]
fn noise_goes_on_as_it_would_have() {
    let device = device();
    let given = Given::new(&device, space::find("robust-darts-s4").unwrap(), images(16, 8));
    for strategy in ["darts-2nd", "gdas", "robust-darts", "enas", "spos"] {
        let whole = never_stopped(&device, strategy, &given);
        let steps = whole.0.len();
        for at in [1, steps / 2, steps - 1] {
            stop(&device, strategy, &given, at, 2, &whole);
        }
    }
}

#[test]
fn a_strategy_of_each_loop_goes_on_from_a_step_on_a_software_driver() {
    let Some(device) = software() else { return };
    let given = cells(&device, 8);
    // Another step each day would be another test each day: the draw is the same in every run.
    let mut random = Random::new(13, 0);
    for strategy in ["darts", "gdas", "enas", "spos"] {
        let whole = never_stopped(&device, strategy, &given);
        let steps = whole.0.len();
        stop(&device, strategy, &given, 1 + random.below(steps - 1), steps, &whole);
    }
}

#[test]
fn a_state_is_refused_by_what_it_is_not_of() {
    let device = Device::cpu();
    let given = cells(&device, 8);
    let states = ["darts", "enas", "rsps"].map(|strategy| wait(build(&device, strategy, &given).save()).unwrap());
    for (at, strategy) in ["darts", "enas", "rsps"].into_iter().enumerate() {
        for (other, state) in states.iter().enumerate() {
            let found = wait(build(&device, strategy, &given).restore(state));
            match found {
                Ok(()) => assert_eq!(at, other),
                Err(SearchError::State(StateError::Kind { .. })) => assert_ne!(at, other),
                Err(error) => panic!("{strategy}: {error}"),
            }
        }
    }
    // Architectures of another space, and more steps than there are.
    let mut lies = build(&device, "spos", &given);
    (0..7).for_each(|_| _ = wait(lies.advance()).unwrap());
    let bytes = save(&*lies);
    let other = Given { space: space::find("nas-bench-201").unwrap(), ..cells(&device, 8) };
    assert!(wait(build(&device, "spos", &other).restore(&State::from_bytes(&bytes).unwrap())).is_err());
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(20_000)]).into_owned();
    let (from, to) = ("\\\"taken\\\":7", "\\\"taken\\\":99");
    assert!(text.contains(from), "{text}");
    let at = bytes.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) + 1;
    let lie = [&header.to_le_bytes()[..], &bytes[8..at], to.as_bytes(), &bytes[at + from.len()..]].concat();
    let error = wait(build(&device, "spos", &given).restore(&State::from_bytes(&lie).unwrap())).unwrap_err();
    assert!(error.to_string().contains("99 steps, where there are"), "{error}");
    let wider = Given { settings: NetworkSettings { channels: 12, ..given.settings.clone() }, ..cells(&device, 8) };
    let error = wait(build(&device, "darts", &wider).restore(&states[0])).unwrap_err().to_string();
    assert!(error.starts_with("`supernet/weights` of the saved state has shape"), "{error}");
}

// --- jobs ---------------------------------------------------------------------------------------------------

fn training_config() -> TrainingConfig {
    TrainingConfig {
        epochs: 3,
        batch: 8,
        rate: Schedule::Cosine { from: 0.05, to: 0.0 },
        augmentation: Augmentation { padding: 1, flip: true, cutout: 2 },
        drop_path: 0.3,
        ..TrainingConfig::default()
    }
}

#[test]
fn training_goes_on_from_every_step_to_the_same_bits() {
    let device = device();
    // An auxiliary head wants images of 32 pixels.
    let Given { space, settings, data, .. } = cells(&device, 32);
    let settings = NetworkSettings { auxiliary: true, drop_path: true, channels: 2, ..settings };
    let graph = space.decode(&space.random(&mut Random::new(2, 0)), &settings).unwrap();
    assert_eq!(graph.outputs.len(), 2, "there is no auxiliary head");
    let build = || {
        let images = (0..data.count() as u32).collect();
        Training::new(&device, graph.clone(), &data, images, training_config(), 4).unwrap()
    };
    let bytes = |training: &Training| wait(training.save()).unwrap().to_bytes().unwrap();
    let mut training = build();
    let (mut events, mut states) = (Vec::new(), vec![bytes(&training)]);
    while training.progress().0 < training.progress().1 {
        events.push(wait(training.advance()).unwrap());
        states.push(bytes(&training));
    }
    assert_eq!(events.iter().flatten().count(), 3);
    let score = wait(training.score(&data)).unwrap();
    for at in 0..=events.len() {
        let mut training = build();
        training.restore(&State::from_bytes(&states[at]).unwrap()).unwrap();
        for (step, wanted) in events.iter().enumerate().skip(at) {
            assert_eq!(wait(training.advance()).unwrap(), *wanted, "stopped before step {at}, step {step}");
        }
        assert!(bytes(&training) == states[events.len()], "stopped before step {at}");
        assert_eq!(wait(training.score(&data)).unwrap(), score);
    }
}

fn from_scratch<'a>(device: &'a Device, given: &'a Given) -> FromScratch<'a> {
    FromScratch {
        device,
        space: &*given.space,
        settings: NetworkSettings { drop_path: true, ..given.settings.clone() },
        train: &given.data,
        training: (0..given.data.count() as u32).collect(),
        measure: &given.data,
        measuring: (0..given.data.count() as u32).collect(),
        config: training_config(),
        watches: true,
        seed: 4,
    }
}

/// What became of a job in its steps up to its end.
fn run(job: &mut dyn Job) -> Vec<Vec<JobEvent>> {
    let mut all = Vec::new();
    while job.progress().taken < job.progress().total {
        all.push(wait(job.advance()).unwrap());
    }
    assert_eq!(wait(job.advance()).unwrap(), []);
    all
}

#[test]
fn a_job_goes_on_from_every_step_and_at_a_higher_fidelity() {
    let device = device();
    let given = cells(&device, 8);
    let architecture = given.space.random(&mut Random::new(2, 0));
    let whole = run(&mut *from_scratch(&device, &given).start(&architecture, &[], Fidelity::Full).unwrap());
    // Two steps an epoch, and the one that measures.
    assert_eq!(whole.len(), 7);
    let Some(JobEvent::Measured(result @ Measured::Worth { curve, .. })) = whole.last().unwrap().first() else {
        panic!("{whole:?}")
    };
    assert_eq!(curve.len(), 3);
    assert!((0.0..=1.0).contains(&result.accuracy().unwrap()) && result.objective(measured::LOSS).unwrap() > 0.0);
    let network = given.space.decode(&architecture, &given.settings).unwrap();
    let parameters = cellwright::cost::parameters(&network).unwrap() as f64;
    assert!((0.0..=1.0).contains(&result.objective(measured::BALANCED_ACCURACY).unwrap()));
    assert_eq!(result.objective(measured::PARAMETERS), Some(parameters));

    let estimator = from_scratch(&device, &given);
    for (fidelity, steps) in [(Fidelity::Full, 0..=7), (Fidelity::Epochs(1), 0..=3)] {
        for at in steps {
            let mut job = estimator.start(&architecture, &[], fidelity).unwrap();
            (0..at).for_each(|_| _ = wait(job.advance()).unwrap());
            let state = State::from_bytes(&wait(job.save()).unwrap().to_bytes().unwrap()).unwrap();
            drop(job);
            let mut job = estimator.start(&architecture, &[], Fidelity::Full).unwrap();
            wait(job.restore(&state)).unwrap();
            // What was measured after its only epoch goes on with the next.
            let done = if fidelity == Fidelity::Full { at } else { at.min(2) };
            assert_eq!(run(&mut *job), whole[done..], "{fidelity:?}, stopped before step {at}");
        }
    }
    let mut job = estimator.start(&architecture, &[], Fidelity::Epochs(2)).unwrap();
    run(&mut *job);
    let state = wait(job.save()).unwrap();
    drop(job);
    let error = wait(estimator.start(&architecture, &[], Fidelity::Epochs(1)).unwrap().restore(&state)).unwrap_err();
    assert!(error.to_string().contains("4 steps were taken, 2 are wanted"), "{error}");
    let error = estimator.start(&architecture, &[], Fidelity::Epochs(4)).err().unwrap().to_string();
    assert_eq!(error, "a fidelity of 4 epochs: the training has 3");
}

#[test]
fn an_architecture_that_cannot_be_trained_has_come_to_that() {
    let device = device();
    let given = cells(&device, 8);
    let architecture = given.space.random(&mut Random::new(2, 0));
    let mut estimator = from_scratch(&device, &given);
    estimator.config.rate = Schedule::Constant { rate: 1e30 };
    let mut job = estimator.start(&architecture, &[], Fidelity::Full).unwrap();
    let Measured::Failed { reason } = wait(finish(&mut *job)).unwrap() else { panic!("it was trained") };
    assert!(reason.contains("try a smaller learning rate"), "{reason}");
    // It stays so, at whatever fidelity it is taken up again.
    let state = wait(job.save()).unwrap();
    drop(job);
    let mut job = estimator.start(&architecture, &[], Fidelity::Full).unwrap();
    wait(job.restore(&state)).unwrap();
    assert_eq!((job.progress().taken, wait(job.advance()).unwrap()), (job.progress().total, vec![]));
}

#[test]
fn shared_weights_measure_at_full_fidelity_only() {
    let device = device();
    let Given { space, settings, data, .. } = cells(&device, 8);
    let config = PathConfig {
        epochs: 1,
        batch: 4,
        sgd: SgdConfig::default(),
        rate: Schedule::Constant { rate: 0.05 },
        augmentation: Augmentation::default(),
        dropout: false,
    };
    let graph = space.supernet(&settings).unwrap();
    let build = || PathTraining::new(&device, graph.clone(), &data, (0..8).collect(), config, 1).unwrap();
    let architecture: Architecture = space.random(&mut Random::new(2, 0));
    let mut paths = build();
    let path = paths.path(&*space, &architecture).unwrap();
    wait(paths.step(0, &path)).unwrap();
    let state = wait(paths.save()).unwrap();
    let images: Vec<u32> = (8..16).collect();
    let mut results = Vec::new();
    let mut again = build();
    again.restore(&state).unwrap();
    for paths in [&mut paths, &mut again] {
        let estimator = SharedWeights::new(&*space, paths, &images, 1);
        let error = estimator.start(&architecture, &[], Fidelity::Epochs(1)).err().unwrap().to_string();
        assert!(error.contains("shared weights are measured as they are"), "{error}");
        let mut job = estimator.start(&architecture, &[], Fidelity::Full).unwrap();
        results.push(wait(finish(&mut *job)).unwrap());
        let saved = wait(job.save()).unwrap();
        wait(job.restore(&saved)).unwrap();
        assert!(wait(finish(&mut *job)).unwrap_err().to_string().contains("it was over before"));
    }
    assert_eq!(results[0], results[1]);
    assert!(results[0].accuracy().is_some() && results[0].objective(measured::LOSS).is_some());
}
