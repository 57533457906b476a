//! `export`: a trained network in the forms of other programs.

use super::common::DeviceArg;
use super::output::{self, Outcome, write_file};
use cellwright::export::onnx;
use cellwright::export::wgsl::bundle;
use cellwright::nn::to_safetensors;
use cellwright::random::Random;
use cellwright::run::{Model, architecture, path_model};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of a search or a training: its trained network is written.
    run: PathBuf,
    /// `onnx`; `wgsl`: shaders, weights, a manifest of dispatches and two small hosts; `safetensors`: weights under the names of the space's published code;
    /// `genotype`: the architecture in one line.
    #[arg(long, value_parser = ["onnx", "wgsl", "safetensors", "genotype"])]
    format: String,
    /// Take the path of this architecture through the run's supernet, with the weights that it has there, instead of the network
    /// that was trained from scratch.
    #[arg(long, value_name = "ARCHITECTURE")]
    path: Option<String>,
    /// Make batch normalisations part of the convolutions before them (`onnx`).
    #[arg(long)]
    fold: bool,
    /// Have the network take pixels from 0 to 255 and normalise them itself (`onnx`).
    #[arg(long)]
    with_preprocessing: bool,
    /// Where to write: a new directory for `wgsl`, else a file; `genotype` is printed without.
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
}

pub fn run(args: &Args) -> Outcome {
    let model = match &args.path {
        Some(architecture) => path_model(&args.run, &architecture::read(architecture)?.text)?,
        None => Model::read(&args.run)?,
    };
    if (args.fold || args.with_preprocessing) && args.format != "onnx" {
        return Err("--fold and --with-preprocessing say nothing unless with --format onnx".into());
    }
    match (args.format.as_str(), &args.output) {
        ("genotype", output) => {
            let nothing = || format!("{}: no architecture was decided for this network", args.run.display());
            let line = model.genotype.as_ref().ok_or_else(nothing)?.clone() + "\n";
            match output {
                Some(path) => write_file(path, line),
                None => output::print(&line),
            }
        }
        ("wgsl", Some(path)) => wgsl(args, &model, path),
        ("onnx", Some(path)) => {
            let bytes = onnx::write(&onnx::Model {
                graph: &model.graph,
                arrays: &model.arrays,
                classes: &model.classes,
                mean: &model.mean,
                std: &model.std,
                genotype: model.genotype.as_deref(),
                space: model.space.as_deref(),
                fold: args.fold,
                preprocessing: args.with_preprocessing,
            })?;
            write_file(path, bytes)
        }
        ("safetensors", Some(path)) => {
            // Shared weights are those of a search network.
            let arrays = if args.path.is_some() { model.arrays } else { model.published() };
            write_file(path, to_safetensors(&arrays, HashMap::new())?)
        }
        (format, _) => Err(format!("--format {format} needs --output, where to write").into()),
    }
}

fn wgsl(args: &Args, model: &Model, path: &Path) -> Outcome {
    if path.exists() {
        return Err(format!("{} is there already: name a new directory", path.display()).into());
    }
    let mut inference = model.inference(&args.device.open()?)?;
    let shape = model.shape();
    let mut random = Random::new(0, 0);
    let sample: Vec<u8> = (0..shape.iter().product()).map(|_| random.below(256) as u8).collect();
    let name = args.run.file_name().map_or("network".into(), |name| name.to_string_lossy().into_owned());
    let files = pollster::block_on(bundle(&mut inference, model, &name, &sample))?;
    // Beside its place, and then there: it is whole or not there.
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| format!("{} cannot be written: {error}", path.display());
    let beside = tempfile::Builder::new().prefix(".cellwright").tempdir_in(parent).map_err(failed)?;
    for (name, contents) in &files {
        let file = beside.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap_or(parent)).map_err(failed)?;
        write_file(&file, contents)?;
    }
    std::fs::rename(beside.path(), path).map_err(failed)?;
    // What is gone from its place cannot be removed there.
    let _ = beside.keep();
    let bytes: usize = files.iter().map(|(_, contents)| contents.len()).sum();
    output::print(&format!(
        "{} files, {:.1} MiB in {}: open index.html in a browser with WebGPU, or read README.md\n",
        files.len(),
        bytes as f64 / f64::from(1 << 20),
        path.display()
    ))
}
