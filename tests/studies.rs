//! Studies: what holds for each sampler, and of the study around it.

mod common;

use cellwright::data::{Augmentation, Scale};
use cellwright::device::Device;
use cellwright::estimate::measured::{ACCURACY, PARAMETERS};
use cellwright::estimate::{Fidelity, Measured};
use cellwright::random::Random;
use cellwright::run::{self, Config, Directory, RunError, Silent};
use cellwright::search::study::{
    Asked, Candidate, Domain, Entry, History, Objective, Proposal, Sampler, Subject, Values, simulate,
};
use cellwright::search::{self, Event, Strategy, Task};
use cellwright::settings::Settings;
use cellwright::space::{self, Space};
use common::{Given, images, small_space, strategy, tiny, wait};
use std::collections::BTreeMap;
use std::path::Path;

/// Epochs of a whole trial.
const EPOCHS: u32 = 9;

/// All samplers with the settings of their presets.
fn samplers(space: &dyn Space) -> Vec<(&'static dyn Strategy, Settings)> {
    let task = Task { scale: Scale::Published, augmentation: Augmentation::default(), space, epochs: None };
    let with = |strategy: &&'static dyn Strategy| (*strategy, strategy.preset(&task).unwrap());
    let all: Vec<_> = search::ALL.iter().map(with).collect();
    all.into_iter().filter(|(strategy, settings)| strategy.sampler(settings, 0).is_some()).collect()
}

/// Something to be found: every answer is worth its share of its options, more epochs tell more of it. One in eleven fails.
fn measure(domain: &Domain<'_>, candidate: &Candidate, fidelity: Fidelity) -> Measured {
    let sizes = domain.dimensions().into_iter().map(|dimension| dimension.options().unwrap_or(1));
    let point = candidate.point();
    let shares = point.iter().zip(sizes).map(|(x, size)| x / size.max(1) as f64);
    let worth = shares.sum::<f64>() / point.len().max(1) as f64;
    let epochs = match fidelity {
        Fidelity::Full => EPOCHS,
        Fidelity::Epochs(epochs) => epochs,
    };
    let key = candidate.key().iter().fold(7u64, |hash, word| hash.wrapping_mul(31).wrapping_add(*word));
    if key.is_multiple_of(11) {
        return Measured::Failed { reason: "of no use".into() };
    }
    let noise = 0.02 * f64::from(Random::new(key, u64::from(epochs)).normal()) / f64::from(epochs);
    let objectives = [(ACCURACY, (0.3 + 0.6 * worth + noise).clamp(0.0, 1.0)), (PARAMETERS, 100.0 * (1.0 - worth))];
    Measured::Worth { objectives: objectives.map(|(name, value)| (name.to_owned(), value)).into(), curve: Vec::new() }
}

fn propose(sampler: &mut dyn Sampler, domain: &Domain<'_>, objectives: &[Objective], history: &History) -> Proposal {
    let device = Device::cpu();
    let subject = Subject { device: &device, domain, objectives, epochs: EPOCHS };
    wait(sampler.propose(Asked { subject, history })).unwrap()
}

/// The law of samplers, with so many trials under way at once and results in the order of proposal or in another: whoever is given
/// the journal answers as the one that was there all the time.
fn check_law(name: &str, settings: &Settings, domain: &Domain<'_>, workers: usize, ordered: bool) {
    let objectives = [Objective::new(ACCURACY), Objective::new(PARAMETERS)];
    let make = || strategy(name).sampler(settings, 5).unwrap().unwrap();
    let mut sampler = make();
    let mut history = History::default();
    let mut under_way: Vec<usize> = Vec::new();
    let mut random = Random::new(3, workers as u64);
    let end = |history: &mut History, under_way: &mut Vec<usize>, random: &mut Random| {
        let at = if ordered { 0 } else { random.below(under_way.len()) };
        let trial = under_way.remove(at);
        let of = &history.trials()[trial];
        let measured = measure(domain, &of.candidate, of.fidelity);
        history.push(Entry::Ended { trial, measured }).unwrap();
    };
    for turn in 0..60 {
        if under_way.len() == workers {
            end(&mut history, &mut under_way, &mut random);
        }
        let proposal = propose(&mut *sampler, domain, &objectives, &history);
        if turn % 6 == 0 {
            let again = propose(&mut *make(), domain, &objectives, &history);
            assert_eq!(again, proposal, "{name}, turn {turn}: a new one answers otherwise");
        }
        // Asked, and then something else happens before what was proposed begins.
        let late = turn % 13 == 12 && !under_way.is_empty();
        match proposal {
            Proposal::Trial { .. } | Proposal::Wait if late => end(&mut history, &mut under_way, &mut random),
            Proposal::Trial { candidate, fidelity, continues } => {
                assert!(domain.holds(&candidate), "{name}");
                if let Some(before) = continues {
                    assert_eq!(history.trials()[before].candidate, candidate, "{name} goes on from another");
                }
                under_way.push(history.trials().len());
                history.push(Entry::Began { candidate, fidelity, continues }).unwrap();
            }
            Proposal::Wait => {
                assert!(!under_way.is_empty(), "{name} waits for nothing");
                end(&mut history, &mut under_way, &mut random);
            }
            Proposal::Done => break,
        }
    }
    assert!(history.trials().len() > 8, "{name} has tried {} only", history.trials().len());
}

#[test]
fn a_sampler_that_is_given_the_journal_answers_the_same() {
    for space in ["nas-bench-201", "chain", "darts"] {
        let space = small_space(space);
        let domain = Domain::new(&*space, &BTreeMap::new());
        for (strategy, settings) in samplers(&*space) {
            let name = strategy.about().name;
            for (workers, ordered) in [(1, true), (4, true), (4, false)] {
                // Of the large space once.
                if space.name() == "darts" && ordered {
                    continue;
                }
                check_law(name, &settings, &domain, workers, ordered);
            }
        }
    }
}

#[test]
fn settings_beside_the_architecture_are_decided_by_all_that_can() {
    let text = "\"train.batch\" = [16, 32, 64]\n\"train.rate.from\" = { log = [0.01, 1.0] }";
    let beside: BTreeMap<String, Values> = toml::from_str(text).unwrap();
    let space = small_space("chain");
    let domain = Domain::new(&*space, &beside);
    let device = Device::cpu();
    let objectives = [Objective::new(ACCURACY)];
    for (strategy, settings) in samplers(&*space) {
        let name = strategy.about().name;
        let mut sampler = strategy.sampler(&settings, 1).unwrap().unwrap();
        let ask = |candidate: &Candidate, fidelity| Ok(measure(&domain, candidate, fidelity));
        let found = wait(simulate(&device, &domain, &objectives, EPOCHS, &mut *sampler, 40, &ask));
        match name {
            "reinforce" => assert!(found.unwrap_err().to_string().contains("list the values of each setting")),
            "nasnet" => assert!(found.unwrap_err().to_string().contains("leave out search.also")),
            _ => {
                let history = found.unwrap();
                let rates: Vec<u64> =
                    history.trials().iter().map(|trial| trial.candidate.beside[1].to_bits()).collect();
                let different = rates.iter().collect::<std::collections::HashSet<_>>().len();
                assert!(different > 1, "{name} has tried one rate only");
                check_law(name, &settings, &domain, 3, true);
            }
        }
    }
}

#[test]
fn every_sampler_but_grid_gets_better_than_its_beginning() {
    let space = space::find("nas-bench-201").unwrap();
    let domain = Domain::new(&*space, &BTreeMap::new());
    let (device, objectives) = (Device::cpu(), [Objective::new(ACCURACY)]);
    for (strategy, settings) in samplers(&*space) {
        let mut sampler = strategy.sampler(&settings, 2).unwrap().unwrap();
        let ask = |candidate: &Candidate, fidelity| Ok(measure(&domain, candidate, fidelity));
        let history = wait(simulate(&device, &domain, &objectives, EPOCHS, &mut *sampler, 120, &ask)).unwrap();
        let worth: Vec<f64> =
            history.trials().iter().filter_map(|trial| objectives[0].worth(trial.measured.as_ref()?)).collect();
        let best = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
        assert!(best(&worth) > best(&worth[..10]), "{}", strategy.about().name);
    }
}

#[test]
fn a_study_goes_on_from_every_step() {
    let device = Device::cpu();
    let given = Given::new(&device, small_space("chain"), images(16, 8));
    for (strategy, _) in samplers(&*given.space) {
        let name = strategy.about().name;
        let settings = tiny(strategy, &*given.space, "epochs = 0");
        let events = |search: &mut dyn search::Stepper| -> Vec<String> {
            let mut all = Vec::new();
            while !all.last().is_some_and(|last: &String| last.contains("Derived")) {
                all.push(format!("{:?}", wait(search.advance()).unwrap()));
            }
            all
        };
        let whole = events(&mut *given.build(&device, strategy, &settings).unwrap());
        assert!(whole.iter().filter(|event| event.contains("Tried")).count() >= 2, "{name}: {whole:?}");
        for stop in (0..whole.len()).step_by(3) {
            let mut first = given.build(&device, strategy, &settings).unwrap();
            (0..stop).for_each(|_| drop(wait(first.advance()).unwrap()));
            let state = wait(first.save()).unwrap();
            let mut second = given.build(&device, strategy, &settings).unwrap();
            wait(second.restore(&state)).unwrap();
            assert_eq!(events(&mut *second), whole[stop..], "{name}, stopped after {stop}");
        }
    }
}

#[test]
fn a_trial_is_given_up_when_its_accuracy_does_not_grow() {
    let device = Device::cpu();
    let given = Given::new(&device, small_space("chain"), images(16, 8));
    let mut settings = tiny(strategy("random"), &*given.space, "epochs = 0\ntrials = 3\ntrial_epochs = 5");
    let patience = "stopping = { kind = 'patience', epochs = 2, least = 1.0 }";
    settings.table_mut().extend(toml::from_str::<toml::Table>(patience).unwrap());
    let run = |stop: usize| {
        let mut search = given.build(&device, strategy("random"), &settings).unwrap();
        let mut curves = Vec::new();
        for step in 0.. {
            if step == stop {
                let state = wait(search.save()).unwrap();
                search = given.build(&device, strategy("random"), &settings).unwrap();
                wait(search.restore(&state)).unwrap();
            }
            for event in wait(search.advance()).unwrap() {
                match event {
                    Event::Tried(tried) => match tried.measured {
                        Measured::Worth { curve, .. } => curves.push(curve),
                        Measured::Failed { reason } => panic!("{reason}"),
                    },
                    Event::Derived { .. } => return (curves, step),
                    _ => {}
                }
            }
        }
        unreachable!()
    };
    let (whole, steps) = run(usize::MAX);
    // No accuracy grows by 100 %: after the first epoch there are two more.
    assert!(whole.len() == 3 && whole.iter().all(|curve| curve.len() == 3), "{whole:?}");
    assert!(whole.iter().flatten().all(|epoch| epoch.valid_accuracy.is_some()));
    for stop in 0..steps {
        assert_eq!(run(stop).0, whole, "stopped before step {stop}");
    }
}

#[test]
fn what_is_beyond_a_limit_is_recorded_and_not_trained() {
    let device = Device::cpu();
    let given = Given::new(&device, small_space("chain"), images(16, 8));
    let mut settings = tiny(strategy("random"), &*given.space, "epochs = 0\ntrials = 6");
    settings.table_mut().insert("limits".into(), toml::from_str::<toml::Table>("parameters = 1500.0").unwrap().into());
    let mut search = given.build(&device, strategy("random"), &settings).unwrap();
    let (mut beyond, mut within, mut over) = (0, 0, false);
    while !over {
        for event in wait(search.advance()).unwrap() {
            match event {
                Event::Tried(tried) => match &tried.measured {
                    Measured::Failed { reason } => {
                        assert!(reason.contains("beyond the limit: parameters"), "{reason}");
                        beyond += 1;
                    }
                    Measured::Worth { objectives, .. } => {
                        assert!(objectives[PARAMETERS] <= 1500.0);
                        within += 1;
                    }
                },
                Event::Derived { .. } => over = true,
                _ => {}
            }
        }
    }
    assert_eq!(within, 6, "what is beyond costs no trial");
    assert!(beyond > 0);
    let mut settings = tiny(strategy("random"), &*given.space, "epochs = 0");
    settings.table_mut().insert("limits".into(), toml::from_str::<toml::Table>("latency = 1.0").unwrap().into());
    let mut search = given.build(&device, strategy("random"), &settings).unwrap();
    let error = wait(search.advance()).unwrap_err().to_string();
    assert!(error.contains("limits.latency is not known of a candidate before it is trained"), "{error}");
}

#[test]
fn a_study_that_is_cut_ends_with_the_best_so_far() {
    let device = Device::cpu();
    let given = Given::new(&device, small_space("chain"), images(16, 8));
    let settings = tiny(strategy("random"), &*given.space, "epochs = 0\ntrials = 50");
    let mut search = given.build(&device, strategy("random"), &settings).unwrap();
    let mut tried = 0;
    while tried < 2 {
        tried += wait(search.advance()).unwrap().iter().filter(|event| matches!(event, Event::Tried(_))).count();
    }
    search.cut();
    let last = wait(search.advance()).unwrap();
    assert!(matches!(last.last(), Some(Event::Derived { .. })), "{last:?}");
    assert_eq!(search.progress().taken, search.progress().total);
    // Before anything has come of it, the first trial is waited for.
    let mut search = given.build(&device, strategy("random"), &settings).unwrap();
    search.cut();
    let mut events = Vec::new();
    while !matches!(events.last(), Some(Event::Derived { .. })) {
        events.extend(wait(search.advance()).unwrap());
    }
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Tried(_))).count(), 1);
}

/// A run of the digits that takes no time, with these settings.
fn run(devices: usize, out: &Path, settings: &[&str]) -> Result<Directory, RunError> {
    let small = ["search.epochs=1", "network.channels=1", "train.epochs=1", "random=0", "baseline=false"];
    let config = Config::with(&[&small, settings].concat()).unwrap();
    let devices: Vec<Device> = (0..devices).map(|_| Device::cpu()).collect();
    let directory = run::begin_at(out, &config, None)?;
    run::search_on(&devices, &config, &directory, &mut Silent)?;
    Ok(directory)
}

#[test]
fn a_study_is_carried_out_by_workers_and_on_several_devices() {
    let place = tempfile::tempdir().unwrap();
    let study = ["space=chain", "strategy=evolution", "search.trials=5", "search.trial_epochs=1", "search.epochs=0"];
    let journal = |name: &str, devices: usize, workers: &str| {
        let out = place.path().join(name);
        run(devices, &out, &[&study[..], &[workers]].concat()).unwrap();
        std::fs::read(out.join("trials.jsonl")).unwrap()
    };
    let by_three = journal("three", 1, "search.workers=3");
    assert_eq!(journal("again", 1, "search.workers=3"), by_three);
    assert_eq!(journal("devices", 3, "search.workers=1"), by_three, "none of three devices need be idle");
    // One begins when another has ended.
    let text = String::from_utf8(by_three).unwrap();
    let states: Vec<&str> = text
        .lines()
        .map(|line| {
            ["began", "epoch", "finished"]
                .into_iter()
                .find(|state| line.contains(&format!("\"state\":\"{state}\"")))
                .unwrap()
        })
        .collect();
    assert_eq!(states[..5], ["began", "began", "began", "epoch", "finished"], "{text}");
    let error = run(2, &place.path().join("darts"), &["space=chain"]).unwrap_err().to_string();
    assert!(error.contains("several devices are for studies: darts searches on one"), "{error}");
}

#[test]
fn shared_weights_measure_trials() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let supernet = ["space=nas-bench-201", "supernet.channels=2", "supernet.layers=3", "search.epochs=2"];
    let cells = ["space=nas-bench-201", "network.layers=3"];
    run(1, &at("rsps"), &[&supernet[..], &["network.layers=3", "strategy=rsps", "search.samples=2"]].concat()).unwrap();
    let study = |name: &str, of: &str, more: &[&str]| {
        let by = format!("search.estimator={{ kind = 'shared', run = '{}' }}", at(of).display());
        run(1, &at(name), &[&["search.epochs=0", "strategy=nsga2", "search.trials=12", &by], more].concat())
    };
    study("study", "rsps", &[&cells[..], &["search.objectives=['accuracy', 'parameters']"]].concat()).unwrap();
    let csv = std::fs::read_to_string(at("study").join("trials.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let header = rows.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|own| own == name).unwrap();
    let mut different = std::collections::HashSet::new();
    for row in rows.records() {
        let row = row.unwrap();
        assert_eq!(&row[column("state")], "finished", "{row:?}");
        let accuracy: f64 = row[column("accuracy")].parse().unwrap();
        assert!((0.0..=1.0).contains(&accuracy) && row[column("parameters")].parse::<f64>().unwrap() > 0.0);
        different.insert(row[column("loss")].to_owned());
    }
    assert!(different.len() > 4, "paths are told apart: {different:?}");

    let refused = |name: &str, of: &str, more: &[&str], why: &str| {
        let error = study(name, of, more).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    };
    refused("a", "rsps", &["space=chain"], "is of the space nas-bench-201");
    refused("b", "study", &cells, "name the directory of a search with shared weights");
    refused("c", "rsps", &[&cells[..], &["data.limit=200"]].concat(), "was trained on other images");
    refused("d", "rsps", &[&cells[..], &["strategy=hyperband"]].concat(), "at full fidelity");
    let partial = ["network.layers=3", "strategy=pc-darts", "supernet.channels=4"];
    run(1, &at("partial"), &[&supernet[..1], &supernet[2..], &partial].concat()).unwrap();
    refused("e", "partial", &cells, "the supernet of pc-darts has no such path");
    let workers =
        Config::with(&["strategy=random", "search.workers=2", "search.estimator={ kind = 'shared', run = 'x' }"]);
    assert!(workers.unwrap_err().to_string().contains("shared weights measure one trial at a time"));
}
