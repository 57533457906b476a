//! `import`: a network of another program, from an ONNX file.

use super::output::{self, Outcome};
use cellwright::cost::Cost;
use cellwright::export::onnx;
use cellwright::run::{Directory, Model};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// The longest file that is read, in bytes: ONNX's own limit.
const LONGEST: u64 = 2 << 30;

/// What to read, and where to keep it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The ONNX file.
    file: PathBuf,
    /// A new directory for the network: what `predict`, `evaluate`, `export`, `count --model` and `bench inference --model` take.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Names of the classes, in the order of the scores [default: the file's, else their numbers].
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    classes: Vec<String>,
    /// Mean of each channel by which pixels from 0 to 1 are normalised [default: the file's, else 0].
    #[arg(long, value_name = "M,…", value_delimiter = ',', allow_negative_numbers = true)]
    mean: Vec<f32>,
    /// Standard deviation of each channel, likewise [default: the file's, else 1].
    #[arg(long, value_name = "S,…", value_delimiter = ',')]
    std: Vec<f32>,
}

pub fn run(args: &Args) -> Outcome {
    let wrong = |problem: String| format!("{}: {problem}", args.file.display());
    let mut bytes = Vec::new();
    let file = File::open(&args.file).map_err(|error| wrong(error.to_string()))?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > LONGEST {
        return Err(wrong(format!("has more than {LONGEST} bytes")).into());
    }
    let read = onnx::read(&bytes).map_err(|error| wrong(error.to_string()))?;
    let (channels, scores) =
        (read.graph.shape(0).channels, read.graph.outputs.first().map(|o| read.graph.shape(o.node)));
    let scores = scores.map_or(0, |shape| shape.count());
    let chosen = |given: &[f32], own: Vec<f32>, otherwise: f32| match (given.is_empty(), own.is_empty()) {
        (false, _) => given.to_vec(),
        (true, false) => own,
        (true, true) => vec![otherwise; channels],
    };
    let said = !read.mean.is_empty() || !args.mean.is_empty();
    let normal = [chosen(&args.mean, read.mean, 0.0), chosen(&args.std, read.std, 1.0)];
    let classes = match (args.classes.is_empty(), read.classes.is_empty()) {
        (false, _) => args.classes.clone(),
        (true, false) => read.classes,
        (true, true) => (0..scores).map(|class| class.to_string()).collect(),
    };
    let cost = Cost::of(&read.graph, 1)?;
    let image = read.graph.shape(0);
    let mut model = Model::new(read.graph, read.arrays, classes, normal);
    (model.space, model.genotype) = (read.space, read.genotype);
    model.check().map_err(wrong)?;
    let directory = Directory::create(&args.output)?;
    model.write(&directory)?;
    let mut text = format!(
        "A network by {} with {} parameters and {} multiply-adds, for images of {image} and {} classes, in {}\n",
        if read.producer.is_empty() { "an unknown program" } else { &read.producer },
        cost.parameters,
        cost.multiply_adds,
        model.classes.len(),
        args.output.display(),
    );
    if !said {
        text += "The file does not say how images are normalised: pixels from 0 to 1 are taken as they are; --mean and --std say otherwise.\n";
    }
    output::print(&text)
}
