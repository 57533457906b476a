//! How samplers do: on the table of NAS-Bench-201, on counting ones, in simulated time.

mod common;

use cellwright::data::{Augmentation, Scale};
use cellwright::device::Device;
use cellwright::estimate::measured::ACCURACY;
use cellwright::estimate::{Fidelity, Lookup, Measured, TEST_ACCURACY, Table};
use cellwright::graph::Graph;
use cellwright::numerics::hypervolume::hypervolume;
use cellwright::random::Random;
use cellwright::report::statistics::mann_whitney;
use cellwright::report::strategies::rows;
use cellwright::run::read_table;
use cellwright::run::tabular::{Course, course};
use cellwright::search::Task;
use cellwright::search::study::{
    Asked, Candidate, Domain, Entry, History, Objective, Proposal, Subject, Values, simulate,
};
use cellwright::space::{self, Architecture, Decision, NetworkSettings, Space, SpaceError, TableWeights};
use common::{strategy, wait};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The table of NAS-Bench-201 where it is; skips loudly where it is not.
fn table() -> Option<Arc<Table>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nas-bench-201");
    if !directory.join("nb201_accuracy.csv.gz").exists() {
        cellwright::device::skipped(&format!("the table of NAS-Bench-201: {} is not there", directory.display()));
        return None;
    }
    Some(Arc::new(read_table(&directory).unwrap()))
}

#[test]
fn on_the_benchmark_samplers_do_as_published() {
    let Some(table) = table() else { return };
    let lookup = Lookup::new(table, "cifar10").unwrap();
    let courses = |budget: usize| -> Vec<Course> {
        let names = ["random", "evolution", "reinforce", "local-search", "bayes"];
        names.map(|name| course(strategy(name), &lookup, 100, budget).unwrap().unwrap()).into()
    };
    let rows = rows(&courses(100));
    let of = |name: &str| rows.iter().find(|row| row.strategy == name).unwrap();
    for (name, mean) in [("random", 93.73), ("evolution", 93.95), ("reinforce", 93.80)] {
        assert!((of(name).mean - mean).abs() <= 0.15, "{name}: {}", of(name).mean);
    }
    assert!(of("local-search").mean >= 94.10 && of("bayes").mean >= 94.00, "{rows:?}");
    assert!(of("bayes").p.unwrap() < 0.001 && of("local-search").p.unwrap() < 0.001);
    let half = cellwright::report::strategies::rows(&courses(50));
    assert!(half.iter().find(|row| row.strategy == "bayes").unwrap().p.unwrap() < 0.001, "{half:?}");
}

/// Accuracy lost and latency of a cell, as a share of the worst latency.
fn losses(measured: &Measured, device: &str, slowest: f64) -> [f64; 2] {
    [1.0 - measured.objective(TEST_ACCURACY).unwrap(), measured.objective(device).unwrap() / slowest]
}

#[test]
fn nsga2_covers_the_front_of_accuracy_and_latency() {
    let Some(table) = table() else { return };
    let lookup = Lookup::new(table.clone(), "cifar10").unwrap();
    let space = space::find("nas-bench-201").unwrap();
    let domain = Domain::new(&*space, &BTreeMap::new());
    let cpu = Device::cpu();
    for device in ["latency_1080ti_1", "latency_fpga", "latency_eyeriss"] {
        let slowest = table.column(device).unwrap().into_iter().fold(0.0f32, f32::max).into();
        // Of the accuracy after the whole training: after 12 epochs no cell has 85 %.
        let objectives = [Objective::new(TEST_ACCURACY), Objective::new(device)];
        let measure = |candidate: &Candidate| Measured::Worth {
            objectives: lookup.look_up(&candidate.answers).unwrap(),
            curve: Vec::new(),
        };
        // At an accuracy of 85 % and the worst latency.
        let volume = |points: &[[f64; 2]]| hypervolume(points, &[0.15, 1.0]).unwrap();
        let all: Vec<[f64; 2]> = (0..15_625)
            .map(|index| {
                let answers = space.parse(&format!("#{index}")).unwrap();
                losses(&measure(&Candidate { answers, beside: Vec::new() }), device, slowest)
            })
            .collect();
        let whole = volume(&all);
        let shares = |name: &str| -> Vec<f64> {
            let mut shares: Vec<f64> = (0..20)
                .map(|seed| {
                    let strategy = strategy(name);
                    let task = Task {
                        scale: Scale::Published,
                        augmentation: Augmentation::default(),
                        space: &*space,
                        epochs: None,
                    };
                    let settings = strategy.preset(&task).unwrap();
                    let mut sampler = strategy.sampler(&settings, seed).unwrap().unwrap();
                    let ask = |candidate: &Candidate, _| Ok(measure(candidate));
                    let found = wait(simulate(&cpu, &domain, &objectives, 1, &mut *sampler, 500, &ask)).unwrap();
                    let points: Vec<[f64; 2]> = found
                        .trials()
                        .iter()
                        .filter_map(|trial| Some(losses(trial.measured.as_ref()?, device, slowest)))
                        .collect();
                    volume(&points) / whole
                })
                .collect();
            shares.sort_by(f64::total_cmp);
            shares
        };
        let (own, random) = (shares("nsga2"), shares("random"));
        let p = mann_whitney(&own, &random).unwrap().p;
        println!("{device}: NSGA-II {:.4} (least {:.4}), random {:.4}, p {p:.1e}", own[10], own[0], random[10]);
        assert!(own[10] >= 0.97 && own[10] > random[10] && p < 0.01, "{device}: {own:?} {random:?}");
    }
}

/// A space of one architecture, for what is decided beside it.
struct Nothing;

impl Space for Nothing {
    fn name(&self) -> &str {
        "nothing"
    }

    fn decisions(&self) -> Vec<Decision> {
        Vec::new()
    }

    fn supernet(&self, _: &NetworkSettings) -> Result<Graph, SpaceError> {
        Err(nothing())
    }

    fn derive(&self, _: &[TableWeights]) -> Result<Architecture, SpaceError> {
        Ok(Architecture { answers: Vec::new() })
    }

    fn decode(&self, _: &Architecture, _: &NetworkSettings) -> Result<Graph, SpaceError> {
        Err(nothing())
    }

    fn settle(&self, _: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        Ok(Vec::new())
    }

    fn baseline(&self, _: &NetworkSettings, _: u64) -> Result<Graph, SpaceError> {
        Err(nothing())
    }
}

fn nothing() -> SpaceError {
    space::find("nothing").err().unwrap()
}

/// Eight choices of two and eight numbers, to be as great as possible (counting ones; Falkner et al. 2018, section 5.1).
fn ones() -> BTreeMap<String, Values> {
    let text: String =
        (0..8).map(|n| format!("choice{n} = ['zero', 'one']\nnumber{n} = {{ linear = [0.0, 1.0] }}\n")).collect();
    toml::from_str(&text).unwrap()
}

/// The share of ones: as it is, or as so many draws of each number tell.
fn share_of_ones(candidate: &Candidate, draws: Option<(u32, u64)>) -> f64 {
    let (choices, numbers) = candidate.beside.split_at(8);
    let drawn = |at: usize, number: &f64| match draws {
        None => *number,
        Some((draws, seed)) => {
            let mut random = Random::new(seed, at as u64);
            (0..draws).filter(|_| f64::from(random.uniform()) < *number).count() as f64 / f64::from(draws)
        }
    };
    let numbers = numbers.iter().enumerate().map(|(at, number)| drawn(at, number)).sum::<f64>();
    (choices.iter().sum::<f64>() + numbers) / 16.0
}

/// Epochs of a trial of whole thoroughness, and of one of another.
const MOST_DRAWS: u32 = 729;

fn epochs(fidelity: Fidelity) -> u32 {
    match fidelity {
        Fidelity::Full => MOST_DRAWS,
        Fidelity::Epochs(epochs) => epochs,
    }
}

#[test]
fn brief_trials_pay_where_they_tell_of_long_ones() {
    let (device, space, beside) = (Device::cpu(), Nothing, ones());
    let domain = Domain::new(&space, &beside);
    let objectives = [Objective::new(ACCURACY)];
    // What a hundred whole trials take.
    let total = 100 * u64::from(MOST_DRAWS);
    let found = |name: &str| -> Vec<f64> {
        (0..20)
            .map(|seed| {
                let strategy = strategy(name);
                let task = Task {
                    scale: Scale::Published,
                    augmentation: Augmentation::default(),
                    space: &space,
                    epochs: None,
                };
                let mut settings = strategy.preset(&task).unwrap();
                if let Some(least) = settings.get_mut("least_epochs") {
                    *least = toml::Value::Integer(9);
                }
                let mut sampler = strategy.sampler(&settings, seed).unwrap().unwrap();
                let ask = |candidate: &Candidate, fidelity| {
                    let key = candidate.key().iter().fold(seed, |hash, word| hash.wrapping_mul(31).wrapping_add(*word));
                    let worth = share_of_ones(candidate, Some((epochs(fidelity), key)));
                    Ok(Measured::Worth { objectives: [(ACCURACY.to_owned(), worth)].into(), curve: Vec::new() })
                };
                let history =
                    wait(simulate(&device, &domain, &objectives, MOST_DRAWS, &mut *sampler, 1500, &ask)).unwrap();
                let mut spent = 0;
                let mut best: Option<((u32, f64), f64)> = None;
                for trial in history.trials() {
                    spent += u64::from(epochs(trial.fidelity));
                    if spent > total {
                        break;
                    }
                    let told = (epochs(trial.fidelity), objectives[0].worth(trial.measured.as_ref().unwrap()).unwrap());
                    if best.is_none_or(|(known, _)| told > known) {
                        best = Some((told, share_of_ones(&trial.candidate, None)));
                    }
                }
                assert!(spent > total, "{name} has used {spent} of {total} only");
                best.unwrap().1
            })
            .collect()
    };
    let random = found("random");
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    for name in ["hyperband", "bohb"] {
        let own = found(name);
        let p = mann_whitney(&own, &random).unwrap().p;
        println!("{name}: {:.4} of the ones, random {:.4}, p {p:.1e}", mean(&own), mean(&random));
        assert!(mean(&own) > mean(&random) && p < 0.05, "{name}: {own:?}, {random:?}");
    }
}

/// The share of simulated time in which four workers, whose trials take as long as they take, have something to do.
fn busy(name: &str) -> f64 {
    let (device, space, beside) = (Device::cpu(), Nothing, ones());
    let domain = Domain::new(&space, &beside);
    let objectives = [Objective::new(ACCURACY)];
    let strategy = strategy(name);
    let task = Task { scale: Scale::Published, augmentation: Augmentation::default(), space: &space, epochs: None };
    let mut sampler = strategy.sampler(&strategy.preset(&task).unwrap(), 1).unwrap().unwrap();
    let mut history = History::default();
    let mut random = Random::new(9, 0);
    let (mut now, mut worked) = (0.0, 0.0);
    let mut under_way: Vec<(f64, usize)> = Vec::new();
    while history.trials().len() < 400 {
        let subject = Subject { device: &device, domain: &domain, objectives: &objectives, epochs: 27 };
        let proposal = match under_way.len() < 4 {
            true => wait(sampler.propose(Asked { subject, history: &history })).unwrap(),
            false => Proposal::Wait,
        };
        if let Proposal::Trial { candidate, fidelity, continues } = proposal {
            let length = f64::from(epochs(fidelity).min(27)) * f64::from(random.range(0.2, 3.0));
            worked += length;
            under_way.push((now + length, history.trials().len()));
            history.push(Entry::Began { candidate, fidelity, continues }).unwrap();
            continue;
        }
        let first = (0..under_way.len()).min_by(|&a, &b| under_way[a].0.total_cmp(&under_way[b].0)).unwrap();
        let (end, trial) = under_way.swap_remove(first);
        now = end;
        let worth = share_of_ones(&history.trials()[trial].candidate, None);
        let measured = Measured::Worth { objectives: [(ACCURACY.to_owned(), worth)].into(), curve: Vec::new() };
        history.push(Entry::Ended { trial, measured }).unwrap();
    }
    let over: f64 = under_way.iter().map(|(end, _)| end - now).sum();
    (worked - over) / (4.0 * now)
}

#[test]
fn asha_keeps_its_workers_busy_where_successive_halving_waits() {
    let (asha, halving) = (busy("asha"), busy("successive-halving"));
    println!("busy: asha {asha:.3}, successive halving {halving:.3}");
    assert!(asha >= 0.9 && halving < asha, "{asha} {halving}");
}
