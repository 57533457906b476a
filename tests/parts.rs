//! What the parts of gradient methods do to a search as a whole. Their equations are tested beside their code, in
//! `src/search/bilevel`.

mod common;

use cellwright::data::{Augmentation, Images, Resident};
use cellwright::device::Device;
use cellwright::graph::Features;
use cellwright::optim::Schedule;
use cellwright::search::bilevel::{
    Alignment, Auxiliary, Bilevel, BilevelConfig, Freezing, Lora, Order, Penalty, Selection, Stage, Stop, Update,
    Weighing,
};
use cellwright::search::{Event, Stepper};
use cellwright::space::{Architecture, NetworkSettings, Space};
use common::{devices, images, small_space, wait};

/// A search of few steps on noise, for which nothing is drawn but batches.
fn config() -> BilevelConfig {
    let rate = Schedule::Constant { rate: 0.05 };
    BilevelConfig {
        epochs: 3,
        batch: 4,
        rate,
        alpha_rate: 1e-2,
        augmentation: Augmentation::default(),
        ..BilevelConfig::default()
    }
}

struct Given {
    space: Box<dyn Space>,
    settings: NetworkSettings,
    images: Images,
}

fn given(space: &str, layers: usize) -> Given {
    let images = images(16, 8);
    let settings = NetworkSettings {
        image: Features::new(1, 8, 8),
        classes: 2,
        channels: 4,
        layers,
        ..NetworkSettings::default()
    };
    Given { space: small_space(space), settings, images }
}

impl Given {
    fn search(&self, device: &Device, config: BilevelConfig) -> Bilevel<'_> {
        let (mean, std) = self.images.mean_std();
        let data = Resident::new(device, &self.images, &mean, &std).unwrap();
        let labels = self.images.labels();
        wait(Bilevel::new(device, &*self.space, &self.settings, &data, labels, config, 3)).unwrap()
    }
}

/// Losses of so many steps.
fn losses(search: &mut Bilevel<'_>, steps: usize) -> Vec<f32> {
    let mut losses = Vec::new();
    while losses.len() < 2 * steps {
        for event in wait(search.advance()).unwrap() {
            if let Event::Step { train_loss, valid_loss, .. } = event {
                losses.extend([train_loss, valid_loss.unwrap()]);
            }
        }
    }
    losses
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-4 * (1.0 + b.abs()))
}

fn weights(search: &Bilevel<'_>) -> Vec<f32> {
    wait(search.supernet().network().parameters().values().read(search.supernet().device())).unwrap()
}

#[test]
fn a_skip_beside_the_options_adds_what_it_weighs() {
    let skip = |rate: f64| Auxiliary::Skip { weight: Schedule::Constant { rate } };
    for device in devices() {
        let given = given("nas-bench-201", 3);
        // The weights come from the host in all of them.
        let plain = BilevelConfig { penalty: Penalty::Anchor { weight: 0.0 }, alpha_deviation: 0.0, ..config() };
        let with = |auxiliary| BilevelConfig { auxiliary, ..plain.clone() };
        let without = losses(&mut given.search(&device, plain.clone()), 4);
        let nothing = losses(&mut given.search(&device, with(skip(0.0))), 4);
        assert!(close(&nothing, &without), "{nothing:?} {without:?}");
        let half = losses(&mut given.search(&device, with(skip(0.5))), 4);
        assert!(!close(&half, &without), "{half:?}");
    }
}

#[test]
fn fused_cells_take_the_skip_with_the_options() {
    for device in devices() {
        let given = given("darts", 3);
        let auxiliary = Auxiliary::Skip { weight: Schedule::Linear { from: 1.0, to: 0.2 } };
        // Adam makes as much of next to no gradient as of any: α stays where it is.
        let still = BilevelConfig { auxiliary, alpha_rate: 0.0, ..config() };
        let [fused, plain] = [true, false].map(|fusion| {
            let mut search = given.search(&device, BilevelConfig { fusion, ..still.clone() });
            let first = losses(&mut search, 1);
            let gradient = wait(search.alpha_step().gradient().read(&device)).unwrap();
            (first, gradient, losses(&mut search, 2))
        });
        assert!(close(&fused.0, &plain.0) && close(&fused.2, &plain.2), "{fused:?} {plain:?}");
        let largest = plain.1.iter().fold(0.0f32, |most, g| most.max(g.abs()));
        let off = fused.1.iter().zip(&plain.1).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
        assert!(largest > 1e-4 && off < 1e-3 * largest, "{off} {largest}");
    }
}

#[test]
fn rows_that_follow_the_exponentiated_gradient_sum_to_one() {
    for device in devices() {
        let given = given("darts", 3);
        let config = BilevelConfig {
            weighing: Weighing::Direct,
            update: Update::Exponentiated { floor: 1e-5 },
            alpha_rate: 0.5,
            parts: 4,
            selection: Selection::BestEpoch,
            ..config()
        };
        let mut search = given.search(&device, config);
        let begun = wait(search.supernet().alphas().read(&device)).unwrap();
        losses(&mut search, 5);
        let supernet = search.supernet();
        let values = wait(supernet.alphas().read(&device)).unwrap();
        assert_ne!(values, begun);
        for ((_, shape, table), (.., start)) in supernet.alphas().split(&values).zip(supernet.alphas().split(&begun)) {
            for (row, start) in table.chunks(shape[1]).zip(start.chunks(shape[1])) {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5 && row.iter().all(|p| *p >= 0.0), "{row:?}");
                assert!(start.iter().all(|p| (p - 1.0 / shape[1] as f32).abs() < 1e-6), "{start:?}");
            }
        }
    }
}

#[test]
fn what_is_frozen_is_not_trained_any_more() {
    for device in devices() {
        let given = given("darts", 3);
        // Judged at the second score, that of the third step: no cosine is enough.
        let freezing = Freezing::Gradients { threshold: 3.0, window: 1, clean: true };
        let mut search = given.search(&device, BilevelConfig { freezing, ..config() });
        losses(&mut search, 3);
        let before = weights(&search);
        losses(&mut search, 2);
        let after = weights(&search);
        let parameters = search.supernet().network().parameters();
        let (mut still, mut moved) = (0, 0);
        for ((name, _, before), (.., after)) in parameters.split(&before).zip(parameters.split(&after)) {
            // Those of mixed operations lie below two lists of operations, what stands before them does not.
            let of_an_option = name.matches("_ops.").count() == 2;
            assert_eq!(before == after, of_an_option, "{name}");
            *if of_an_option { &mut still } else { &mut moved } += 1;
        }
        assert!(still > 20 && moved > 5, "{still} {moved}");
    }
}

#[test]
fn layers_that_are_aligned_share_their_architecture_weights_all_the_same() {
    for device in devices() {
        let given = given("nas-bench-201", 3);
        for weight in [0.0, 50.0] {
            let weight = Schedule::Constant { rate: weight };
            let alignment = Alignment::Correlation { weight, distance: 1e-2 };
            let plain = losses(&mut given.search(&device, config()), 4);
            let mut search = given.search(&device, BilevelConfig { alignment, ..config() });
            let aligned = losses(&mut search, 4);
            // Without weight it is DARTS; the first step has no other loss whatever the weight.
            let same = weight == Schedule::Constant { rate: 0.0 };
            assert_eq!(close(&aligned, &plain), same, "{aligned:?} {plain:?}");
            assert!(close(&aligned[..2], &plain[..2]));
            let values = wait(search.supernet().alphas().read(&device)).unwrap();
            let copy = values.len() / 3;
            assert!(values.chunks(copy).all(|copy| copy == &values[..copy.len()]), "copies have parted: {values:?}");
        }
    }
}

#[test]
fn convolutions_are_trained_by_factors_and_toggled_back() {
    for device in devices() {
        let given = given("darts", 3);
        let rank =
            |from: u32, toggles: &[u32]| Lora::LowRank { rank: 1, from, toggles: toggles.to_vec(), probability: 1.0 };
        // Two steps an epoch. Factors from the second on, weights again in the third.
        let search = |lora: Lora, steps: usize| {
            let mut search = given.search(&device, BilevelConfig { lora, ..config() });
            let losses = losses(&mut search, steps);
            (losses, weights(&search), search)
        };
        let plain = search(Lora::None, 4);
        let (losses, first, _) = search(rank(1, &[2]), 2);
        assert_eq!(losses, plain.0[..4], "before the factors it is DARTS");
        let (losses, second, run) = search(rank(1, &[2]), 4);
        assert!(!close(&losses, &plain.0));
        // The weight moves along rank one: of a 1×1 convolution's change all 2×2 minors are zero.
        let parameters = run.supernet().network().parameters();
        let mut seen = 0;
        for ((name, shape, before), (.., after)) in parameters.split(&first).zip(parameters.split(&second)) {
            if shape.len() != 4 || shape[2..] != [1, 1] || shape[1] < 2 {
                continue;
            }
            let change: Vec<f64> = before.iter().zip(after).map(|(a, b)| f64::from(b - a)).collect();
            let most = change.iter().fold(0.0f64, |most, c| most.max(c.abs()));
            let at = |row: usize, column: usize| change[row * shape[1] + column];
            let minor = (1..shape[0]).flat_map(|i| (1..shape[1]).map(move |j| (i, j)));
            let largest = minor.map(|(i, j)| (at(0, 0) * at(i, j) - at(0, j) * at(i, 0)).abs()).fold(0.0f64, f64::max);
            assert!(largest <= 1e-3 * most * most + 1e-13, "{name}: {largest} {most}");
            seen += usize::from(most > 1e-5);
        }
        assert!(seen > 5, "{seen}");
        let (_, third, _) = search(rank(1, &[2]), 5);
        assert_ne!(second, third);
    }
}

#[test]
fn any_gradient_method_can_share_kernels() {
    let device = Device::cpu();
    let shares = BilevelConfig { entangle: true, epochs: 2, ..config() };
    let constant = Schedule::Constant { rate: 1.0 };
    let path = Weighing::GumbelPath { temperature: constant, others: true };
    let stage = |options: usize| Stage { options, ..Stage::default() };
    let methods = [
        ("softmax", shares.clone()),
        ("second order", BilevelConfig { order: Order::Second, ..shares.clone() }),
        ("partial channels", BilevelConfig { parts: 2, ..shares.clone() }),
        ("sampled paths", BilevelConfig { weighing: path, ..shares.clone() }),
        ("a skip beside", BilevelConfig { auxiliary: Auxiliary::Skip { weight: constant }, ..shares.clone() }),
        (
            "aligned layers",
            BilevelConfig { alignment: Alignment::Correlation { weight: constant, distance: 1e-2 }, ..shares.clone() },
        ),
        (
            "factors",
            BilevelConfig {
                lora: Lora::LowRank { rank: 1, from: 1, toggles: Vec::new(), probability: 1.0 },
                ..shares.clone()
            },
        ),
        ("stages", BilevelConfig { stages: vec![stage(0), stage(2), stage(1)], ..shares.clone() }),
        ("masks", BilevelConfig { selection: Selection::Masking { tune: 0, divisor: 1.0 }, ..shares.clone() }),
        ("edges dropped", BilevelConfig { edge_drop_path: 0.5, ..shares.clone() }),
    ];
    for space in ["darts", "nas-bench-201"] {
        let given = given(space, 3);
        let count = |search: &Bilevel<'_>| search.supernet().network().parameters().values().count();
        let plain = count(&given.search(&device, config()));
        for (name, method) in &methods {
            let mut search = given.search(&device, method.clone());
            if *name == "softmax" {
                assert!(count(&search) < plain, "{space}");
            }
            let before = wait(search.supernet().alphas().read(&device)).unwrap();
            let mut events = Vec::new();
            while !events.iter().any(|event| matches!(event, Event::Derived { .. })) {
                events.extend(wait(search.advance()).unwrap());
            }
            let after = wait(search.supernet().alphas().read(&device)).unwrap();
            assert!(after.iter().all(|alpha| alpha.is_finite()) && after != before, "{space}, {name}");
        }
    }
}

#[test]
fn where_there_is_no_kernel_to_share_it_is_said() {
    let given = given("robust-darts-s2", 3);
    let (mean, std) = given.images.mean_std();
    let device = Device::cpu();
    let data = Resident::new(&device, &given.images, &mean, &std).unwrap();
    let (settings, labels) = (&given.settings, given.images.labels());
    let config = BilevelConfig { entangle: true, ..config() };
    let error = wait(Bilevel::new(&device, &*given.space, settings, &data, labels, config, 3)).err().unwrap();
    assert!(error.to_string().contains("entangle has nothing to share"), "{error}");
}

/// A search that is taken back at the second epoch each time, until its weight decay may not grow any more.
fn adaptive() -> BilevelConfig {
    let stop = Stop::Eigenvalue {
        every: 1,
        window: 1,
        back: 1,
        // Any growth, and any loss, is too much.
        ratio: -1e6,
        earliest: 0,
        growth: 10.0,
        most_decay: 0.03,
    };
    BilevelConfig { stop, epochs: 6, ..config() }
}

#[test]
fn a_search_goes_back_to_an_epoch_and_regularises_more() {
    for device in devices() {
        let given = given("nas-bench-201", 3);
        let words = |search: &mut Bilevel<'_>| {
            let mut all = Vec::new();
            while all.last().is_none_or(|last: &Event| !matches!(last, Event::Derived { .. })) {
                all.extend(wait(search.advance()).unwrap());
            }
            all
        };
        let whole = words(&mut given.search(&device, adaptive()));
        let epochs: Vec<u32> =
            whole.iter().filter_map(|e| if let Event::Epoch(end) = e { Some(end.epoch) } else { None }).collect();
        // From 3e-4 to 3e-3 and 3e-2; the third time it ends.
        assert_eq!(epochs, [0, 1, 1, 1]);
        let found: Vec<&Architecture> = whole
            .iter()
            .filter_map(|event| match event {
                Event::Epoch(end) if end.epoch == 0 => Some(&end.architecture),
                Event::Derived { architecture } => Some(architecture),
                _ => None,
            })
            .collect();
        assert_eq!(found[0], found[1], "it ends with the epoch that it was taken back to");
        // The decay tells in the second step of the epoch that is taken again.
        let losses = |at: u32| -> Vec<String> {
            let ends = whole.iter().filter(|e| matches!(e, Event::Epoch(end) if end.epoch == at));
            ends.map(|e| format!("{e:?}")).collect()
        };
        assert!(losses(1)[0] != losses(1)[1] && losses(1)[1] != losses(1)[2]);
        // Saved after any number of steps, and gone on with from there.
        for steps in 1..whole.len() / 2 {
            let mut first = given.search(&device, adaptive());
            let mut events = Vec::new();
            (0..steps).for_each(|_| events.extend(wait(first.advance()).unwrap()));
            let state = wait(first.save()).unwrap();
            let mut second = given.search(&device, adaptive());
            wait(second.restore(&state)).unwrap();
            events.extend(words(&mut second));
            assert_eq!(format!("{events:?}"), format!("{whole:?}"), "after {steps} steps");
        }
    }
}

#[test]
fn a_cutout_comes_ever_more_often() {
    for device in devices() {
        let given = given("nas-bench-201", 3);
        let with = |cutout: usize, cutout_grows: bool| {
            let augmentation = Augmentation { cutout, ..Augmentation::default() };
            losses(&mut given.search(&device, BilevelConfig { augmentation, cutout_grows, ..config() }), 6)
        };
        let (plain, cut, growing) = (with(0, false), with(6, false), with(6, true));
        // Two steps in each of three epochs: of no image, of every second, of all.
        assert!(close(&growing[..4], &plain[..4]) && !close(&growing[4..8], &plain[4..8]), "{growing:?} {plain:?}");
        assert!(!close(&cut[..4], &plain[..4]) && !close(&growing, &cut), "{growing:?} {cut:?}");
    }
}

#[test]
fn the_weights_can_move_first() {
    for device in devices() {
        let given = given("nas-bench-201", 3);
        let with = |config: BilevelConfig| losses(&mut given.search(&device, config), 4);
        let (alphas, weights) = (with(config()), with(BilevelConfig { weights_first: true, ..config() }));
        // The first training loss is that of the first weights and architecture weights: of a softmax of almost nothing, α moved or
        // not. The first validation loss is at weights that have moved.
        assert!(
            (alphas[0] - weights[0]).abs() < 1e-2 && (alphas[1] - weights[1]).abs() > 1e-4,
            "{alphas:?} {weights:?}"
        );
        // Without a step of α it is all the same.
        let still = |weights_first: bool| with(BilevelConfig { weights_first, alpha_rate: 0.0, ..config() });
        let trained = |losses: &[f32]| losses.iter().copied().step_by(2).collect::<Vec<_>>();
        assert_eq!(trained(&still(true)), trained(&still(false)));
    }
}

#[test]
fn sums_go_without_their_edges_ever_more_often() {
    for device in devices() {
        let given = given("robust-darts-s2", 3);
        let plain = losses(&mut given.search(&device, BilevelConfig { fusion: false, ..config() }), 4);
        let dropped = BilevelConfig { edge_drop_path: 0.6, fusion: false, ..config() };
        let dropped = losses(&mut given.search(&device, dropped), 4);
        // Not yet in the first epoch of two steps.
        assert!(close(&dropped[..4], &plain[..4]) && !close(&dropped[4..], &plain[4..]), "{dropped:?} {plain:?}");
    }
}
