//! A search space of your own, searched with DARTS.
//!
//! The space: three convolutions, each with a choice of kernel size and of activation, 6³ = 216
//! networks. A space says three things: its decisions; the supernet, a graph with a choice point for
//! each decision; and the graph of one architecture. One function builds both graphs: where nothing
//! is decided yet it puts a choice point. Strategies need no more, and no kernel is touched.
//!
//! Run it with `cargo run --release --example custom_space`, with `-- --device software` on another device.

use cellwright::data::{Augmentation, Resident, digits};
use cellwright::device::{Device, Selector};
use cellwright::estimate::{Training, TrainingConfig};
use cellwright::graph::{Candidate, Choice, Conv, Features, Graph, NodeId, Op, Options, Pool};
use cellwright::optim::Schedule;
use cellwright::random::Random;
use cellwright::search::bilevel::{Bilevel, BilevelConfig};
use cellwright::search::{Event, Stepper};
use cellwright::space::chain::Chain;
use cellwright::space::{Architecture, Decision, NetworkSettings, Space, SpaceError, TableWeights};
use clap::Parser;

/// Three convolutions with choices of kernel and activation.
struct ThreeLayers;

const LAYERS: usize = 3;
const KERNELS: [usize; 2] = [3, 5];
const ACTIVATIONS: [Op; 3] = [Op::Relu, Op::Tanh, Op::Sigmoid];

/// The tables of architecture weights, one row a layer, with their numbers of options.
const TABLES: [(&str, usize); 2] = [("kernels", KERNELS.len()), ("activations", ACTIVATIONS.len())];

/// A choice point over operations that each read one value and keep its shape.
fn choice(table: usize, layer: usize, candidates: Vec<Candidate>) -> Op {
    Op::Choice(Choice::new(TABLES[table].0, layer, Options::Operations(candidates)))
}

/// A candidate: `build` appends its operations to a graph whose only input has the shape `input`.
fn candidate(
    label: String,
    input: Features,
    build: impl FnOnce(&mut Graph) -> Result<NodeId, SpaceError>,
) -> Result<Candidate, SpaceError> {
    let mut graph = Graph::new(&[input]);
    let result = build(&mut graph)?;
    graph.output("", result);
    Ok(Candidate { label, graph })
}

/// Convolution and batch norm. The names are the same in the supernet and in every network.
fn conv(graph: &mut Graph, x: NodeId, layer: usize, kernel: usize, outputs: usize) -> Result<NodeId, SpaceError> {
    let (name, inputs) = (format!("layers.{layer}.conv_{kernel}x{kernel}"), graph.shape(x).channels);
    let conv = graph.push(format!("{name}.conv"), Op::Conv(Conv::square(inputs, outputs, kernel, 1)), &[x])?;
    Ok(graph.push(format!("{name}.bn"), Op::BatchNorm { affine: false }, &[conv])?)
}

/// The network of an architecture, or, without one, the supernet.
fn network(architecture: Option<&Architecture>, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    settings.check()?;
    let mut graph = Graph::new(&[settings.image]);
    let mut x = 0;
    for layer in 0..LAYERS {
        let input = graph.shape(x);
        x = match architecture {
            Some(chosen) => conv(&mut graph, x, layer, KERNELS[chosen.answers[2 * layer]], settings.channels)?,
            None => {
                let build = |&k: &usize| {
                    candidate(format!("conv_{k}x{k}"), input, |inner| conv(inner, 0, layer, k, settings.channels))
                };
                let candidates = KERNELS.iter().map(build).collect::<Result<_, _>>()?;
                graph.push(format!("layers.{layer}.kernel"), choice(0, layer, candidates), &[x])?
            }
        };
        let input = graph.shape(x);
        let name = format!("layers.{layer}.activation");
        x = match architecture {
            Some(chosen) => graph.push(name, ACTIVATIONS[chosen.answers[2 * layer + 1]].clone(), &[x])?,
            None => {
                let build = |op: &Op| {
                    candidate(op.name().into(), input, |inner| Ok(inner.push(name.clone(), op.clone(), &[0])?))
                };
                let candidates = ACTIVATIONS.iter().map(build).collect::<Result<_, _>>()?;
                graph.push(name.clone(), choice(1, layer, candidates), &[x])?
            }
        };
        if layer == 0 {
            let pool = Pool::new(2, 2, 0);
            x = graph.push("pool", Op::MaxPool(pool), &[x])?;
        }
    }
    let pooled = graph.push("global_pooling", Op::GlobalAvgPool, &[x])?;
    let logits = graph.push("classifier", Op::Linear { outputs: settings.classes, bias: true }, &[pooled])?;
    graph.output("logits", logits);
    Ok(graph)
}

impl Space for ThreeLayers {
    fn name(&self) -> &str {
        "three-layers"
    }

    fn decisions(&self) -> Vec<Decision> {
        let kernels: Vec<String> = KERNELS.iter().map(|k| format!("{k}x{k}")).collect();
        let activations: Vec<String> = ACTIVATIONS.iter().map(|op| op.name().into()).collect();
        let layer = |layer: usize| {
            [("kernel", kernels.clone()), ("activation", activations.clone())]
                .map(|(what, options)| Decision { name: format!("layer{layer}_{what}"), options })
        };
        (0..LAYERS).flat_map(layer).collect()
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        network(None, settings)
    }

    /// The heaviest option of each row.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        let mut answers = Vec::new();
        for layer in 0..LAYERS {
            for (name, options) in TABLES {
                let row = TableWeights::find(weights, name, LAYERS, options)?.row(layer);
                answers.push((0..options).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0));
            }
        }
        Ok(Architecture { answers })
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        architecture.check(self.name(), &self.decisions())?;
        network(Some(architecture), settings)
    }

    /// The supernet's weights at which it computes what the architecture does.
    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        architecture.check(self.name(), &self.decisions())?;
        let table = |(index, (name, options)): (usize, (&str, usize))| {
            let one = |layer: usize, k: usize| f32::from(u8::from(architecture.answers[2 * layer + index] == k));
            let values = (0..LAYERS).flat_map(|layer| (0..options).map(move |k| one(layer, k))).collect();
            TableWeights { name: name.into(), rows: LAYERS, options, values }
        };
        Ok(TABLES.into_iter().enumerate().map(table).collect())
    }

    /// A plain stack of 3×3 convolutions, as the chain space has it.
    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        Chain::small().baseline(settings, parameters)
    }
}

#[derive(Parser)]
struct Args {
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One epoch each of search and training.
    #[arg(long)]
    quick: bool,
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::open(&args.device.parse::<Selector>()?).await?;
    let digits = digits::dataset()?;
    let train = Resident::new(&device, &digits.train, &digits.mean, &digits.std)?;
    let test = Resident::new(&device, &digits.test, &digits.mean, &digits.std)?;
    let [channels, height, width] = digits.train.shape();
    let settings = NetworkSettings {
        image: Features::new(channels, height, width),
        classes: digits.train.classes().len(),
        channels: 12,
        ..NetworkSettings::default()
    };
    let space = ThreeLayers;
    println!("device: {}; {} networks", device.name(), space.size().unwrap_or(0));

    let config = BilevelConfig {
        epochs: if args.quick { 1 } else { 20 },
        batch: 48,
        rate: Schedule::Cosine { from: 0.1, to: 0.001 },
        alpha_rate: 5e-3,
        augmentation: Augmentation::default(),
        ..BilevelConfig::default()
    };
    let labels = digits.train.labels();
    let mut search = Bilevel::new(&device, &space, &settings, &train, labels, config, args.seed).await?;
    // A search is a stepper: whoever calls it decides when to go on, and what to do with what happened.
    let found = 'search: loop {
        for event in search.advance().await? {
            match event {
                Event::Epoch(end) => {
                    let (loss, found) = (end.valid_loss.unwrap_or(f64::NAN), space.print(&end.architecture));
                    println!("epoch {:>2}: validation loss {loss:.3}; {found}", end.epoch);
                }
                Event::Derived { architecture } => break 'search architecture,
                // What other strategies have to tell.
                _ => (),
            }
        }
    };

    // What was found, and a random network of the same space, trained alike from scratch.
    let random = space.random(&mut Random::new(args.seed, 99));
    for (what, architecture) in [("found", &found), ("random", &random)] {
        let config = TrainingConfig {
            epochs: if args.quick { 1 } else { 15 },
            batch: 48,
            rate: Schedule::Cosine { from: 0.1, to: 0.0 },
            augmentation: Augmentation::default(),
            drop_path: 0.0,
            ..TrainingConfig::default()
        };
        let images = (0..train.count() as u32).collect();
        let graph = space.decode(architecture, &settings)?;
        let mut training = Training::new(&device, graph, &train, images, config, args.seed)?;
        while training.progress().0 < training.progress().1 {
            training.advance().await?;
        }
        let accuracy = 100.0 * training.score(&test).await?.accuracy;
        println!("{what:>6}: {accuracy:.2} % of the test images; {}", space.print(architecture));
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(run(Args::parse()))
}
