//! What a DARTS search does as a whole: it finds what it must, the same twice, and fails cleanly.
//!
//! The device is `CELLWRIGHT_DEVICE` (default: the CPU, and a software driver where there is one).

mod common;

use cellwright::data::{Augmentation, DataError, Images, Resident};
use cellwright::device::{Device, Error as DeviceError};
use cellwright::graph::Features;
use cellwright::optim::{AdamConfig, Schedule};
use cellwright::random::Random;
use cellwright::search::bilevel::{Bilevel, BilevelConfig, Order};
use cellwright::search::{EpochEnd, Event, SearchError, Stepper};
use cellwright::space::chain::{Chain, Layer, Operation, Width};
use cellwright::space::{Architecture, NetworkSettings, Space, SpaceConfig};
use cellwright::tensor::{self, Tensor};
use common::{devices, wait};
use std::collections::BTreeSet;

fn resident(device: &Device, images: &Images) -> Resident {
    let (mean, std) = images.mean_std();
    Resident::new(device, images, &mean, &std).unwrap()
}

fn settings(images: &Images, channels: usize) -> NetworkSettings {
    let [colours, height, width] = images.shape();
    let image = Features::new(colours, height, width);
    NetworkSettings { image, classes: images.classes().len(), channels, layers: 3, ..NetworkSettings::default() }
}

fn quick(epochs: u32, order: Order) -> BilevelConfig {
    let rate = Schedule::Cosine { from: 0.05, to: 0.01 };
    let augmentation = Augmentation::default();
    BilevelConfig { epochs, batch: 8, order, rate, alpha_rate: 1e-2, augmentation, ..BilevelConfig::default() }
}

fn darts<'s>(
    device: &Device,
    space: &'s dyn Space,
    channels: usize,
    images: &Images,
    config: BilevelConfig,
    seed: u64,
) -> Result<Bilevel<'s>, SearchError> {
    let settings = settings(images, channels);
    wait(Bilevel::new(device, space, &settings, &resident(device, images), images.labels(), config, seed))
}

/// Runs a search to its end: what each epoch was, and what was derived.
fn finish(search: &mut Bilevel<'_>) -> Result<(Vec<EpochEnd>, Architecture), SearchError> {
    let mut epochs = Vec::new();
    loop {
        for event in wait(search.advance())? {
            match event {
                Event::Epoch(end) => epochs.push(*end),
                Event::Derived { architecture } => return Ok((epochs, architecture)),
                _ => (),
            }
        }
    }
}

/// All that a search changes: weights, velocities, architecture weights and their moments, running statistics.
fn state(search: &Bilevel<'_>) -> Vec<Vec<u32>> {
    let supernet = search.supernet();
    let [first, second] = search.alpha_step().moments();
    let network = supernet.network();
    let all: [&Tensor; 6] = [
        network.parameters().values(),
        supernet.sgd().velocity(),
        supernet.alphas().values(),
        first,
        second,
        network.statistics().running(),
    ];
    all.iter().map(|t| wait(t.read_words(supernet.device())).unwrap()).collect()
}

/// Images of noise in four classes, to be searched on where it does not matter what is found.
fn noise(count: usize, shape: [usize; 3]) -> Images {
    let mut random = Random::new(3, 3);
    let pixels = (0..count * shape.iter().product::<usize>()).map(|_| random.below(256) as u8).collect();
    let labels = (0..count as u32).map(|i| i % 4).collect();
    Images::new(shape, pixels, labels, (0..4).map(|c| c.to_string()).collect()).unwrap()
}

/// Cells of two nodes.
fn two_nodes() -> Box<dyn Space> {
    SpaceConfig { name: "darts".into(), settings: "nodes = 2".parse().unwrap() }.build().unwrap()
}

/// A small cell space and images for it.
fn cells() -> (Box<dyn Space>, Images) {
    (two_nodes(), noise(36, [1, 8, 8]))
}

// --- a task in which one operation must win -----------------------------------------------------------------

const SIDE: usize = 14;

/// Two classes: pairs of dots three apart, and four apart. A window of three columns never holds both dots of a
/// pair, and what it sees of one alone is the same in both classes: after global average pooling a
/// 1×1 or 3×3 convolution knows nothing of the label. A window of five holds both.
fn pairs_of_dots(count: usize) -> Images {
    let mut random = Random::new(11, 0);
    let mut pixels = vec![0; count * SIDE * SIDE];
    let mut labels = Vec::with_capacity(count);
    for image in pixels.chunks_exact_mut(SIDE * SIDE) {
        let label = random.below(2);
        // Two pairs, so far from one another and from the edge that no window of five meets two of these.
        for row in [2 + random.below(3), 9 + random.below(3)] {
            let column = 2 + random.below(SIDE - 4 - 4);
            image[row * SIDE + column] = 255;
            image[row * SIDE + column + 3 + label] = 255;
        }
        labels.push(label as u32);
    }
    Images::new([1, SIDE, SIDE], pixels, labels, vec!["three".into(), "four".into()]).unwrap()
}

/// One searched layer of plain convolutions before global average pooling. What must win is in the middle:
/// the first would win ties.
fn planted_space() -> Chain {
    let operations = [3, 5, 1].map(Operation::Conv).to_vec();
    let layer = Layer::Features { operations, widths: vec![Width::Units(8)], stride: 1 };
    Chain::new("planted", vec![layer]).unwrap()
}

fn planted(device: &Device, seed: u64, alpha_rate: f32) -> (Vec<EpochEnd>, Architecture) {
    let (space, images) = (planted_space(), pairs_of_dots(512));
    let config = BilevelConfig {
        epochs: 15,
        batch: 32,
        rate: Schedule::Cosine { from: 0.1, to: 0.01 },
        alpha_rate,
        adam: AdamConfig { weight_decay: 0.0, ..AdamConfig::default() },
        augmentation: Augmentation::default(),
        ..BilevelConfig::default()
    };
    finish(&mut darts(device, &space, 8, &images, config, seed).unwrap()).unwrap()
}

fn finds_the_planted_operation(seeds: std::ops::Range<u64>) {
    for device in devices() {
        for seed in seeds.clone() {
            let (epochs, architecture) = planted(&device, seed, 1e-2);
            let weights = epochs.last().unwrap().weights[0].row(0).to_vec();
            println!("{}, seed {seed}: {weights:.3?}", device.name());
            assert_eq!(architecture.answers, [1], "{}, seed {seed}: {weights:?}", device.name());
            // All begin at a third. A hair's breadth ahead would be luck.
            assert!(weights[1] > 0.5, "{}, seed {seed}: {weights:?}", device.name());
        }
    }
}

#[test]
fn the_operation_that_sees_the_labels_wins() {
    finds_the_planted_operation(0..1);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn the_operation_that_sees_the_labels_wins_from_five_seeds() {
    finds_the_planted_operation(0..5);
}

#[test]
fn it_wins_by_the_gradient_of_the_architecture_weights_alone() {
    let device = Device::cpu();
    // Climbing instead of descending, the same operation loses.
    let (epochs, architecture) = planted(&device, 0, -1e-2);
    let weights = epochs.last().unwrap().weights[0].row(0).to_vec();
    assert!(architecture.answers != [1] && weights[1] < 0.2, "{weights:?}");
    // Not trained, the architecture weights stay what they are, whatever the weights learn.
    let (space, images) = (planted_space(), pairs_of_dots(64));
    let config = BilevelConfig { alpha_rate: 0.0, ..quick(2, Order::First) };
    let mut search = darts(&device, &space, 8, &images, config, 0).unwrap();
    let before = state(&search);
    finish(&mut search).unwrap();
    let after = state(&search);
    assert_ne!(after[0], before[0], "the weights should have moved");
    assert_eq!(after[2], before[2], "architecture weights");
}

// --- the same bits ------------------------------------------------------------------------------------------

#[test]
fn one_seed_gives_the_same_bits_twice_and_another_seed_others() {
    let (space, images) = cells();
    for device in devices() {
        for order in [Order::First, Order::Second] {
            let run = |seed| {
                let augmentation = Augmentation { padding: 1, flip: true, cutout: 2 };
                let config = BilevelConfig { augmentation, ..quick(2, order) };
                let mut search = darts(&device, &*space, 4, &images, config, seed).unwrap();
                let end = finish(&mut search).unwrap();
                (state(&search), end)
            };
            let (first, second) = (run(7), run(7));
            assert!(first == second, "{} {order:?}: two runs of one seed differ", device.name());
            let other = run(8).0;
            assert_ne!(other[0], first.0[0]);
            assert_ne!(other[2], first.0[2]);
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let space = two_nodes();
    let images = noise(64, [1, 16, 16]);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            // Large enough for the twins to share the work out.
            let config = BilevelConfig { batch: 16, ..quick(1, Order::Second) };
            let mut search = darts(&Device::cpu(), &*space, 8, &images, config, 5).unwrap();
            let end = finish(&mut search).unwrap();
            (state(&search), end)
        })
    };
    let one = run(1);
    for threads in [2, 3] {
        assert!(run(threads) == one, "{threads} threads give other results than one");
    }
}

// --- what a step does and does not touch --------------------------------------------------------------------

#[test]
fn each_recording_computes_only_the_gradients_of_its_own_step() {
    let (space, images) = cells();
    for fusion in [true, false] {
        let config = BilevelConfig { fusion, ..quick(1, Order::First) };
        let search = darts(&Device::cpu(), &*space, 4, &images, config, 1).unwrap();
        let [alphas, weights] =
            search.recordings().unwrap().map(|r| r.describe().map(|(kernel, _)| kernel).collect::<BTreeSet<_>>());
        let mixing = if fusion { "normalised_sum_backward_weights" } else { "weighted_sum_backward_weights" };
        let of_weights = |kernel: &&&str| kernel.ends_with("_backward_weight") || **kernel == "sgd";
        let of_alphas = |kernel: &&&str| [mixing, "softmax_backward", "adam"].contains(*kernel);
        assert_eq!(alphas.iter().filter(of_weights).count(), 0, "{alphas:?}");
        assert_eq!(alphas.iter().filter(of_alphas).count(), 3, "{alphas:?}");
        assert_eq!(weights.iter().filter(of_alphas).count(), 0, "{weights:?}");
        assert!(weights.iter().filter(of_weights).count() > 3, "{weights:?}");
    }
}

#[test]
fn the_second_order_step_brings_the_weights_back_bit_for_bit() {
    let (space, images) = cells();
    for device in devices() {
        for alpha_rate in [1e-2, 5.0] {
            let config = BilevelConfig { alpha_rate, ..quick(2, Order::Second) };
            let mut search = darts(&device, &*space, 4, &images, config, 2).unwrap();
            wait(search.advance()).unwrap();
            let before = state(&search);
            // The architecture step alone, once more on the same batches.
            device.run(search.recordings().unwrap()[0]).unwrap();
            let after = state(&search);
            assert_eq!(after[0], before[0], "{}: weights", device.name());
            assert_eq!(after[1], before[1], "{}: velocities", device.name());
            assert_ne!(after[2], before[2], "{}: architecture weights", device.name());
            assert_ne!(after[5], before[5], "{}: running statistics", device.name());
        }
    }
}

// --- failures -----------------------------------------------------------------------------------------------

#[test]
fn a_loss_that_is_not_finite_is_named_and_its_step_undone() {
    let (space, images) = cells();
    for device in devices() {
        for order in [Order::First, Order::Second] {
            // NaN in the first layer; a classifier so large that losses are finite and gradients are not.
            for (parameter, poison) in [("stem.0.weight", f32::NAN), ("classifier.weight", 3e37)] {
                let what = format!("{}, {order:?}, {parameter}", device.name());
                let begin = || darts(&device, &*space, 4, &images, quick(2, order), 4).unwrap();
                let (mut search, mut undisturbed) = (begin(), begin());
                for _ in 0..3 {
                    wait(search.advance()).unwrap();
                }
                let parameters = search.supernet().network().parameters();
                let weight = parameters.value(parameters.find(parameter).unwrap());
                let good = wait(weight.read(&device)).unwrap();
                let mut bad = good.clone();
                bad.iter_mut().step_by(3).for_each(|v| *v = poison);
                weight.write(&device, &bad).unwrap();

                let before = state(&search);
                let error = wait(search.advance()).unwrap_err();
                let SearchError::NotFinite { value, step, epoch, place, .. } = &error else {
                    panic!("{what}: {error}");
                };
                // Two steps an epoch: the fourth is of the second.
                assert_eq!((*step, *epoch), (3, 1), "{what}");
                assert!(!value.is_finite(), "{what}: {error}");
                assert!(place.starts_with("kernel `") && place.contains(" of `"), "{what}: {error}");
                if poison.is_nan() {
                    assert_eq!(place, "kernel `conv_forward` of `stem.0`", "{what}");
                }
                for (name, (after, before)) in
                    ["weights", "velocities", "alphas", "first moments", "second moments", "statistics"]
                        .iter()
                        .zip(state(&search).iter().zip(&before))
                {
                    assert!(after == before, "{what}: {name} changed");
                }

                // The antidote: the search goes on as if nothing had been.
                weight.write(&device, &good).unwrap();
                assert_eq!(search.progress().taken, 3, "{what}");
                finish(&mut search).unwrap();
                finish(&mut undisturbed).unwrap();
                assert!(state(&search) == state(&undisturbed), "{what}: the failed step left traces");
            }
        }
    }
}

#[test]
fn a_device_that_disappears_is_an_error() {
    let (space, images) = cells();
    for device in devices().into_iter().filter(Device::is_gpu) {
        let mut search = darts(&device, &*space, 4, &images, quick(2, Order::First), 1).unwrap();
        wait(search.advance()).unwrap();
        device.lose();
        for _ in 0..2 {
            let error = wait(search.advance()).unwrap_err();
            let lost = matches!(&error, SearchError::Tensor(tensor::Error::Device(DeviceError::Lost { .. })));
            assert!(lost, "{error}");
        }
    }
}

#[test]
fn a_batch_larger_than_a_half_of_the_data_is_refused_with_the_numbers() {
    let (space, images) = cells();
    let config = BilevelConfig { batch: 19, ..quick(1, Order::First) };
    let error = darts(&Device::cpu(), &*space, 4, &images, config, 1).err().unwrap();
    assert!(matches!(error, SearchError::Data(DataError::BatchTooLarge { batch: 19, images: 18 })), "{error}");
    let expected = "a batch of 19 images is larger than the data, which are 18 images: use a smaller batch";
    assert_eq!(error.to_string(), expected);
    let config = BilevelConfig { batch: 0, ..quick(1, Order::First) };
    let error = darts(&Device::cpu(), &*space, 4, &images, config, 1).err().unwrap();
    assert!(matches!(error, SearchError::Data(DataError::BatchZero)), "{error}");
}

// --- other spaces, and collapse -----------------------------------------------------------------------------

#[test]
fn the_chain_presets_are_searched_unchanged() {
    let images = noise(36, [1, 8, 8]);
    for (name, settings_of, decisions) in [
        ("chain-vgg16", "kernels = [3, 5]", 16),
        ("chain-mlp", "hidden_layers = 2\nunits = [4, 8, 16]", 2),
        ("chain", "", 12),
    ] {
        let space = SpaceConfig { name: name.into(), settings: settings_of.parse().unwrap() }.build().unwrap();
        for device in devices() {
            let mut search = darts(&device, &*space, 2, &images, quick(2, Order::First), 1).unwrap();
            let before = state(&search);
            let (epochs, architecture) = finish(&mut search).unwrap();
            let after = state(&search);
            assert_eq!((epochs.len(), architecture.answers.len()), (2, decisions), "{name}");
            for table in 0..search.supernet().alphas().len() {
                let (name, alpha) = (search.supernet().alphas().name(table), search.supernet().alphas().value(table));
                let place = alpha.at() as usize..alpha.at() as usize + alpha.count();
                let moved = after[2][place.clone()].iter().zip(&before[2][place]).all(|(a, b)| a != b);
                assert!(moved, "{}: {name} did not move", device.name());
            }
            let graph = space.decode(&architecture, &settings(&images, 2)).unwrap();
            assert!(!graph.has_choices(), "{name}");
        }
    }
}

#[test]
fn a_collapse_to_skip_connections_is_named() {
    let (space, images) = cells();
    let device = Device::cpu();
    let end = |operation: &str| {
        let config = BilevelConfig { alpha_rate: 0.0, ..quick(1, Order::First) };
        let mut search = darts(&device, &*space, 4, &images, config, 1).unwrap();
        let supernet = search.supernet();
        let values: Vec<f32> = supernet
            .tables()
            .iter()
            .flat_map(|table| {
                let row: Vec<f32> =
                    table.options.iter().map(|option| if option == operation { 3.0 } else { 0.0 }).collect();
                row.repeat(table.rows)
            })
            .collect();
        supernet.alphas().values().write(&device, &values).unwrap();
        finish(&mut search).unwrap().0.remove(0)
    };
    let collapsed = end("skip_connect");
    assert_eq!(collapsed.collapse.skips, [4, 4]);
    let warning = collapsed.collapse.warning.unwrap();
    assert!(warning.starts_with("collapse: 4 of 4 operations are skip connections"), "{warning}");
    let healthy = end("sep_conv_3x3");
    assert_eq!((healthy.collapse.skips, healthy.collapse.warning), ([0, 4], None));
    // Both are equally decided.
    assert!(healthy.collapse.entropy < 0.9 && (healthy.collapse.entropy - collapsed.collapse.entropy).abs() < 1e-9);
}
