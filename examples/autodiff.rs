//! The tape alone: how a gradient comes about.
//!
//! A tape records what is computed and, for each step that a gradient flows through, how to undo it. Nothing
//! runs while recording. Walking the tape backwards records the kernels of the gradient behind those of
//! the value; then the whole recording runs at once, as often as wanted.
//!
//! Run it with `cargo run --release --example autodiff`, with `-- --device software` on another device, with
//! `-- --out tape.svg` to say where the picture goes.

use cellwright::autograd::{Tape, Var, check_gradients, ops};
use cellwright::device::{Device, Selector};
use cellwright::report::{svg, tape};
use cellwright::tensor::{Error, Tensor};
use clap::Parser;
use std::path::PathBuf;

#[derive(Parser)]
struct Args {
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Where the picture goes; by default to the directory for temporary files.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Accepted like in the other examples: this one is always quick.
    #[arg(long)]
    quick: bool,
}

/// loss = mean((tanh(x · w) − t)²), where x is `[3, 2]`, w `[2, 1]` and t `[3, 1]`: a neuron and three examples.
fn loss(tape: &mut Tape, x: &Var, w: &Var, t: &Var) -> Result<Var, Error> {
    tape.set_scope("neuron");
    let product = ops::matmul(tape, x, w)?;
    let y = ops::tanh(tape, &product)?;
    tape.set_scope("loss");
    // There is no subtraction: −t is one more multiple.
    let negative = ops::scale(tape, t, -1.0)?;
    let error = ops::add(tape, &y, &negative)?;
    // A value may be read more than once: its gradient is the sum of what comes back on each way.
    let square = ops::multiply(tape, &error, &error)?;
    ops::mean(tape, &square)
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::open(&args.device.parse::<Selector>()?).await?;
    println!("device: {}\n", device.name());
    let inputs = [1.0, 2.0, -1.0, 0.5, 0.3, -0.7];
    let weights = [0.4, -0.2];
    let targets = [0.5, -0.5, 0.0];

    // 1. Record. Only w is a leaf that wants a gradient; x and t are constants. Hence nothing is saved for
    //    the gradients of x and t, and no kernel will compute them.
    let mut recorded = Tape::new(&device);
    let x = Var::constant(Tensor::from_values(&device, &inputs, &[3, 2])?);
    let t = Var::constant(Tensor::from_values(&device, &targets, &[3, 1])?);
    let w = recorded.leaf(Tensor::from_values(&device, &weights, &[2, 1])?);
    let value = loss(&mut recorded, &x, &w, &t)?;
    println!("the tape, one line an operation that a gradient flows through:\n{recorded}");

    // 2. Walk back. This too only records.
    let gradients = recorded.backward(&value, None)?;
    let picture = svg::draw(&tape::diagram(recorded.records(), &[(0, "w")], "mean((tanh(x · w) − t)²)"))?;
    let recording = recorded.finish();
    println!("the recording, forwards and backwards:");
    for (kernel, scope) in recording.describe() {
        println!("  {kernel}  # {scope}");
    }

    // 3. Run, and read what came out.
    device.run(&recording)?;
    let value = value.tensor().read(&device).await?[0];
    let Some(gradient) = w.id().and_then(|id| gradients[id].as_ref()) else {
        return Err("no gradient reached w".into());
    };
    let gradient = gradient.read(&device).await?;
    println!("\nloss {value:.6}, gradient of w {gradient:?}");

    // 4. The same by hand: dL/dw = 2/3 · Σ (y − t) (1 − y²) x.
    let mut expected = [0.0f32; 2];
    for (x, t) in inputs.chunks(2).zip(targets) {
        let y = (x[0] * weights[0] + x[1] * weights[1]).tanh();
        let back = 2.0 / 3.0 * (y - t) * (1.0 - y * y);
        expected[0] += back * x[0];
        expected[1] += back * x[1];
    }
    println!("by hand {expected:?}");
    if gradient.iter().zip(expected).any(|(got, expected)| (got - expected).abs() > 1e-5) {
        return Err("the tape and the formula disagree".into());
    }

    // 5. The same by differences, for every input, as the library's own tests do it for every operation.
    let all = [(inputs.to_vec(), vec![3, 2]), (weights.to_vec(), vec![2, 1]), (targets.to_vec(), vec![3, 1])];
    check_gradients(&device, &all, |tape, v| loss(tape, &v[0], &v[1], &v[2]), 3e-3).await?;
    println!("differences agree for x, w and t");

    let path = args.out.unwrap_or_else(|| std::env::temp_dir().join("autodiff.svg"));
    std::fs::write(&path, picture)?;
    println!("the tape is drawn in {}", path.display());
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(run(Args::parse()))
}
