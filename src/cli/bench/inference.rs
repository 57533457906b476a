//! `cellwright bench inference`.

use super::super::common::DeviceArg;
use super::super::network::NetworkArgs;
use super::super::output::{print, print_json};
use super::measure::MeasureArgs;
use cellwright::run::Model;
use cellwright::search::bench::InferenceBench;
use serde_json::json;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "From writing a batch to having read its scores, with initial weights; batch normalisations are part of the\n\
    convolutions before them. One turn goes before those that are timed."
)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// A published name (DARTS_V2), an architecture's text, a file that holds it (FILE:NAME takes one of several), or a run's directory.
    #[arg(long, value_name = "NAME|TEXT|FILE|RUN", required_unless_present = "model")]
    architecture: Option<String>,
    /// The trained network of a run, or one that was imported.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["architecture", "space", "channels", "layers", "classes", "image"])]
    model: Option<PathBuf>,
    /// Images at a time: each is measured.
    #[arg(long, default_value = "1,64", value_name = "B,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..))]
    batch: Vec<u32>,
    #[command(flatten)]
    device: DeviceArg,
    /// Seed of weights and images.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    measure: MeasureArgs,
}

pub fn run(args: &Args) -> super::super::output::Outcome {
    let subject = match &args.model {
        Some(path) => (path.display().to_string(), Model::read(path)?.graph),
        None => {
            let subject = args.network.network(args.architecture.as_deref(), false)?;
            (subject.title(), subject.graph)
        }
    };
    let (title, graph) = subject;
    let device = args.device.open()?;
    let mut all = Vec::new();
    for &batch in &args.batch {
        let graph = graph.clone();
        let make = |_| pollster::block_on(InferenceBench::new(&device, graph, batch as usize, args.seed));
        let measured = args.measure.measure(make)?;
        match args.measure.json {
            true => all.push(measured.json(json!({
                "network": title,
                "architecture": args.architecture,
                "batch": batch,
                "seed": args.seed,
            }))),
            false => {
                let device = measured.device();
                print(&format!("{title}, batch {batch}, inference, on {device}\n\n{}\n", measured.text()))?;
            }
        }
    }
    match args.measure.json {
        true => print_json(&all),
        false => Ok(()),
    }
}
