//! The smallest differentiable search: one question, three answers.
//!
//! Shall the middle layer of a small classifier be a 3×3 convolution, a 5×5 convolution, or nothing at all
//! (a skip)? DARTS (Liu, Simonyan & Yang 2019) computes all three and mixes them, weighed by the softmax of
//! three numbers α. Then the question has a gradient, and α can be trained like any weight: on the other half
//! of the images, so that it says what generalises and not what fits.
//!
//! Everything is written out here that `cellwright::search::bilevel::Bilevel` does for you.
//!
//! Run it with `cargo run --release --example mixed_op`, with `-- --device software` on another device.

use cellwright::data::{Batches, Fresh, Last, Resident, Shuffle, digits, split};
use cellwright::device::{Device, Recorder, Selector};
use cellwright::estimate::{Scalars, Supernet, SupernetConfig};
use cellwright::graph::{Candidate, Choice, Conv, Features, Graph, GraphError, Op, Options};
use cellwright::optim::{AdamConfig, SgdConfig, Step};
use cellwright::search::bilevel::{AlphaStep, Order};
use clap::Parser;

#[derive(Parser)]
struct Args {
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Seed of all random choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Passes over the images that train the weights.
    #[arg(long, default_value_t = 20)]
    epochs: u32,
    /// Two epochs only.
    #[arg(long)]
    quick: bool,
}

const CHANNELS: usize = 8;
const BATCH: usize = 48;
const ANSWERS: [&str; 3] = ["conv 3x3", "conv 5x5", "skip"];

/// An answer to the question, as a graph of its own that reads what the choice point reads.
fn candidate(label: &str, input: Features, kernel: Option<usize>) -> Result<Candidate, GraphError> {
    let mut graph = Graph::new(&[input]);
    let result = match kernel {
        None => graph.push(format!("middle.{label}"), Op::Identity, &[0])?,
        Some(kernel) => {
            let conv = Op::Conv(Conv::square(input.channels, input.channels, kernel, 1));
            let conv = graph.push(format!("middle.{label}.conv"), conv, &[0])?;
            // Not affine: a learned scale of its own would compete with α.
            graph.push(format!("middle.{label}.bn"), Op::BatchNorm { affine: false }, &[conv])?
        }
    };
    graph.output("", result);
    Ok(Candidate { label: label.into(), graph })
}

/// The network: stem, choice point, classifier. A graph with a choice point is a supernet.
fn network(image: Features, classes: usize) -> Result<Graph, GraphError> {
    let mut graph = Graph::new(&[image]);
    let stem = graph.push("stem.conv", Op::Conv(Conv::square(image.channels, CHANNELS, 3, 1)), &[0])?;
    let stem = graph.push("stem.bn", Op::BatchNorm { affine: true }, &[stem])?;
    let stem = graph.push("stem.relu", Op::Relu, &[stem])?;
    let input = graph.shape(stem);
    let candidates = [Some(3), Some(5), None].into_iter().zip(ANSWERS);
    let candidates = candidates.map(|(kernel, label)| candidate(label, input, kernel)).collect::<Result<_, _>>()?;
    // Row 0 of the table of architecture weights called `alpha` weighs the answers.
    let choice = Choice::new("alpha", 0, Options::Operations(candidates));
    let mixed = graph.push("middle", Op::Choice(choice), &[stem])?;
    let mixed = graph.push("middle.relu", Op::Relu, &[mixed])?;
    let pooled = graph.push("pool", Op::GlobalAvgPool, &[mixed])?;
    let logits = graph.push("classifier", Op::Linear { outputs: classes, bias: true }, &[pooled])?;
    graph.output("logits", logits);
    Ok(graph)
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::open(&args.device.parse::<Selector>()?).await?;
    let epochs = if args.quick { 2 } else { args.epochs };

    // The images lie on the device as bytes. One half of them trains the weights, the other α.
    let digits = digits::dataset()?;
    let images = Resident::new(&device, &digits.train, &digits.mean, &digits.std)?;
    let [channels, height, width] = digits.train.shape();
    let (for_weights, for_alpha) = split::halves(digits.train.labels(), args.seed)?;
    let train = Batches::new(for_weights, BATCH, Last::Drop, Shuffle { seed: args.seed, stream: 1 })?;
    let valid = Fresh::new(for_alpha, BATCH, Shuffle { seed: args.seed, stream: 2 }, 0)?;

    let graph = network(Features::new(channels, height, width), digits.train.classes().len())?;
    let config =
        SupernetConfig { batch: BATCH, sgd: SgdConfig::default(), seed: args.seed, fusion: true, given: false };
    let supernet = Supernet::new(&device, graph, config)?;
    let alpha = AlphaStep::new(&supernet, Order::First, AdamConfig::default())?;

    // One step is recorded once and run for each batch. First α: the gradient of the validation loss by α
    // alone, then Adam. Then the weights: the gradient of the training loss by the weights alone, then SGD.
    let mut recorder = Recorder::within(&device, supernet.workspace());
    for batch in [supernet.train(), supernet.valid()] {
        images.record_gather(&mut recorder, batch)?;
    }
    let alpha_step = alpha.record(&supernet, recorder)?.finish();
    let weight_step = supernet.record_weight_step(Recorder::within(&device, supernet.workspace()))?.finish();
    let kernels = (alpha_step.dispatches(), weight_step.dispatches());
    println!("device: {}; dispatches a step: {} for α, {} for the weights\n", device.name(), kernels.0, kernels.1);

    println!("epoch  train loss  valid loss  {:>9}  {:>9}  {:>9}", ANSWERS[0], ANSWERS[1], ANSWERS[2]);
    let before = supernet.alphas().read(&device).await?;
    let mut taken = 0u32;
    for epoch in 0..epochs {
        let mut losses = [0.0; 2];
        for indices in train.epoch(epoch, 0) {
            supernet.train().indices.write_words(&device, &indices)?;
            supernet.valid().indices.write_words(&device, &valid.at(taken))?;
            let values = Step {
                counter: taken,
                weight_rate: 0.05,
                alpha_rate: 5e-3,
                alpha_corrections: alpha.corrections(taken + 1),
                ..Step::default()
            };
            supernet.step().write(&device, &values)?;
            device.run(&alpha_step)?;
            device.run(&weight_step)?;
            let scalars = supernet.read_scalars(u64::from(taken), epoch, &[&alpha_step, &weight_step]).await?;
            losses[0] += scalars[Scalars::TRAIN_LOSS];
            losses[1] += scalars[Scalars::VALID_LOSS];
            taken += 1;
        }
        let [train_loss, valid_loss] = losses.map(|sum| sum / train.per_epoch() as f32);
        let weights = softmax(&supernet.alphas().read(&device).await?);
        let [a, b, c] = [weights[0], weights[1], weights[2]];
        println!("{epoch:>5}  {train_loss:>10.4}  {valid_loss:>10.4}  {a:>9.3}  {b:>9.3}  {c:>9.3}");
    }

    let after = supernet.alphas().read(&device).await?;
    if before == after {
        return Err("α did not move".into());
    }
    // Deriving: the answer with the largest weight stays, the others go, and the network would be trained
    // again from scratch.
    let best = (0..ANSWERS.len()).max_by(|&a, &b| after[a].total_cmp(&after[b])).unwrap_or(0);
    println!("\nchosen: {}", ANSWERS[best]);
    Ok(())
}

fn softmax(alpha: &[f32]) -> Vec<f32> {
    let sum: f32 = alpha.iter().map(|a| a.exp()).sum();
    alpha.iter().map(|a| a.exp() / sum).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(run(Args::parse()))
}
