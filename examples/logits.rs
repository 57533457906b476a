//! What a trained network says of inputs of your own: a run's network is read, and used.
//!
//! `cargo run --release --example logits -- RUN x.safetensors logits.safetensors` reads the array `x` (images, channels, rows,
//! columns; normalised) and writes the array `logits`. `scripts/exchange` so holds it against PyTorch.
//! Without them a small network with random weights is written where a run would be, and answers noise.

use cellwright::device::{Device, Selector};
use cellwright::network::Network;
use cellwright::nn::{Array, Value, from_safetensors, to_safetensors};
use cellwright::random::Random;
use cellwright::run::{Directory, Model};
use cellwright::space::{self, NetworkSettings};
use clap::Parser;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::path::{Path, PathBuf};

/// Images that are answered at a time.
const BATCH: usize = 16;

#[derive(Parser)]
struct Args {
    /// Directory of a search or a training.
    #[arg(requires = "output")]
    run: Option<PathBuf>,
    /// A safetensors file with the array `x`.
    input: Option<PathBuf>,
    /// The safetensors file to write.
    output: Option<PathBuf>,
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Says nothing else here than without it.
    #[arg(long)]
    quick: bool,
}

/// Scores for inputs, in batches: what a batch needs is recorded once.
async fn answers(device: &Device, model: &Model, x: &Array) -> Result<Array, Box<dyn Error>> {
    let (Value::F32(values), [images, rest @ ..]) = (&x.value, &x.shape[..]) else {
        return Err("`x` must be float32 images".into());
    };
    if rest != model.shape() {
        return Err(format!("`x` has images of {rest:?}, the network reads {:?}", model.shape()).into());
    }
    let mut inference = model.inference(device)?;
    let (mut logits, image) = (Vec::new(), rest.iter().product::<usize>());
    for batch in values.chunks(BATCH * image) {
        logits.extend(inference.logits(batch.len() / image, batch).await?);
    }
    Ok(Array::f32(&[*images, model.classes.len()], logits))
}

/// Writes a network nobody has trained, as a run would.
async fn untrained(device: &Device, place: &Path) -> Result<(), Box<dyn Error>> {
    let space = space::find("darts")?;
    let settings = NetworkSettings { channels: 4, layers: 3, ..NetworkSettings::default() };
    let graph = space.decode(&space.random(&mut Random::new(1, 0)), &settings)?;
    let arrays = Network::new(device, graph.clone(), 1)?.state().await?;
    let classes = (0..settings.classes).map(|class| class.to_string()).collect();
    let channels = settings.image.channels;
    let model = Model::new(graph, arrays, classes, [vec![0.5; channels], vec![0.25; channels]]);
    Ok(model.write(&Directory::create(place)?)?)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let device = Device::open(&args.device.parse::<Selector>()?).await?;
    if let (Some(run), Some(input), Some(output)) = (&args.run, &args.input, &args.output) {
        let (arrays, _) = from_safetensors(&std::fs::read(input)?)?;
        let x = arrays.get("x").ok_or_else(|| format!("{} has no array `x`", input.display()))?;
        let logits = answers(&device, &Model::read(run)?, x).await?;
        let named = BTreeMap::from([("logits".to_owned(), logits)]);
        return Ok(std::fs::write(output, to_safetensors(&named, HashMap::new())?)?);
    }
    let place = tempfile::tempdir()?;
    let run = place.path().join("run");
    untrained(&device, &run).await?;
    let model = Model::read(&run)?;
    let [channels, height, width] = model.shape();
    let mut random = Random::new(2, 0);
    let pixels: Vec<u8> = (0..2 * channels * height * width).map(|_| random.below(256) as u8).collect();
    let x = Array::f32(&[2, channels, height, width], model.normalised(&pixels));
    let Value::F32(logits) = answers(&device, &model, &x).await?.value else { return Ok(()) };
    for (image, scores) in logits.chunks(model.classes.len()).enumerate() {
        println!("image {image}: {scores:.3?}");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    pollster::block_on(run(Args::parse()))
}
