//! `export`: a trained network in the forms of other programs.

use super::common::DeviceArg;
use super::output::{self, Outcome, write_file};
use cellwright::export::wgsl::{Description, bundle};
use cellwright::random::Random;
use cellwright::run::Model;
use std::path::{Path, PathBuf};

/// What to write.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of a search or a training: its trained network is written.
    run: PathBuf,
    /// `wgsl`: shaders, weights, a manifest of dispatches and two small hosts; `genotype`: the architecture in one line.
    #[arg(long, value_parser = ["wgsl", "genotype"])]
    format: String,
    /// Where to write: a new directory for `wgsl`, a file for `genotype` [default: standard output].
    #[arg(short, long, value_name = "PATH")]
    output: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArg,
}

pub fn run(args: &Args) -> Outcome {
    let model = Model::read(&args.run)?;
    match (args.format.as_str(), &args.output) {
        ("wgsl", Some(path)) => wgsl(args, &model, path),
        ("wgsl", None) => Err("--format wgsl needs --output DIR, a directory that is not there yet".into()),
        (_, output) => {
            let nothing = || format!("{}: no architecture was decided for this network", args.run.display());
            let line = model.genotype.as_ref().ok_or_else(nothing)?.clone() + "\n";
            match output {
                Some(path) => write_file(path, line),
                None => output::print(&line),
            }
        }
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
    let of = Description {
        name: &name,
        classes: &model.classes,
        shape,
        mean: &model.mean,
        std: &model.std,
        sample: &sample,
    };
    let files = pollster::block_on(bundle(&mut inference, of))?;
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
