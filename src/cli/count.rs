//! `cellwright count`: parameters, multiply-adds, activation memory.

use super::network::{NetworkArgs, Subject};
use super::output::{print, print_json};
use super::units::{bytes, grouped, short};
use cellwright::cost::Cost;
use cellwright::report::table::Table;
use cellwright::run::Model;
use serde_json::json;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "Without --architecture the space's supernet is counted, with all candidates.\n\
    Multiply-adds are those of convolutions and linear layers for one image; activations are all node\n\
    outputs for the batch, as float32.")]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Count this architecture: a published name (DARTS_V2), its text, a file that holds it (FILE:NAME takes one of several),
    /// or a run\'s directory.
    #[arg(long, value_name = "NAME|TEXT|FILE|RUN")]
    architecture: Option<String>,
    /// Count the trained network of a run, or one that was imported.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["architecture", "space", "channels", "layers", "classes", "image"])]
    model: Option<PathBuf>,
    /// With the auxiliary head of training from scratch.
    #[arg(long, requires = "architecture")]
    auxiliary: bool,
    /// Images in the batch whose activations are counted.
    #[arg(long, default_value_t = 1, value_name = "B", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// List every node.
    #[arg(long)]
    by_node: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> super::output::Outcome {
    if let Some(path) = &args.model {
        let graph = Model::read(path)?.graph;
        let cost = Cost::of(&graph, args.batch as usize)?;
        return match args.json {
            true => print_json(&counted(args, &cost)),
            false => print(&format!("{}\n{}", path.display(), figures(args, &cost))),
        };
    }
    let subject = args.network.network(args.architecture.as_deref(), args.auxiliary)?;
    let cost = Cost::of(&subject.graph, args.batch as usize)?;
    if args.json { print_json(&value(args, &subject, &cost)) } else { print(&describe(args, &subject, &cost)) }
}

fn value(args: &Args, subject: &Subject, cost: &Cost) -> serde_json::Value {
    let settings = &subject.settings;
    let mut value = counted(args, cost);
    let more = json!({
        "space": subject.space.name(),
        "supernet": subject.sketch.is_none(),
        "architecture": subject.sketch.as_ref().map(|s| &s.text),
        "channels": settings.channels,
        "layers": settings.layers,
        "classes": settings.classes,
        "image": settings.image.to_string(),
        "auxiliary": args.auxiliary,
    });
    if let (Some(all), serde_json::Value::Object(more)) = (value.as_object_mut(), more) {
        all.extend(more);
    }
    value
}

/// What is known of any network.
fn counted(args: &Args, cost: &Cost) -> serde_json::Value {
    let mut value = json!({
        "parameters": cost.parameters,
        "multiply_adds": cost.multiply_adds,
        "activation_bytes": cost.activation_bytes,
        "batch": args.batch,
    });
    if args.by_node {
        value["nodes"] = json!(cost.nodes);
    }
    value
}

fn describe(args: &Args, subject: &Subject, cost: &Cost) -> String {
    let mut text = format!("{}\n", subject.title());
    if let Some(sketch) = &subject.sketch {
        text += &format!("{}\n", sketch.text);
    }
    text += &figures(args, cost);
    if subject.sketch.is_none() {
        text += &format!("{:<16}  {:>15}\n", "architectures", format!("10^{:.1}", subject.space.size_log10()));
    }
    text
}

/// The figures of a network, node by node if that is asked for.
fn figures(args: &Args, cost: &Cost) -> String {
    let mut text = String::new();
    if args.by_node {
        let mut table = Table::new(&[
            "node",
            "operation",
            "candidate",
            "output",
            "parameters",
            "multiply-adds",
            "activation bytes",
        ]);
        for node in &cost.nodes {
            table.row([
                node.name.clone(),
                node.operation.to_owned(),
                node.candidate.clone().unwrap_or_default(),
                node.shape.to_string(),
                grouped(node.parameters),
                grouped(node.multiply_adds),
                grouped(node.activation_bytes),
            ]);
        }
        text += &format!("\n{}", table.render());
    }
    let batch = match args.batch {
        1 => "one image".to_owned(),
        batch => format!("a batch of {batch}"),
    };
    let lines = [
        ("parameters", cost.parameters, short(cost.parameters as f64)),
        ("multiply-adds", cost.multiply_adds, format!("{} for one image", short(cost.multiply_adds as f64))),
        ("activation bytes", cost.activation_bytes, format!("{} for {batch}", bytes(cost.activation_bytes))),
    ];
    text.push('\n');
    for (what, exact, readable) in lines {
        text += &format!("{what:<16}  {:>15}  {readable}\n", grouped(exact));
    }
    text
}
