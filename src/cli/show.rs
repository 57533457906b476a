//! `cellwright show`: draws an architecture, or converts it between formats.

use super::common::{parse_order, read_text, space_of};
use super::network::{NetworkArgs, Subject};
use super::output::{print, write_file};
use super::units::grouped;
use cellwright::device::{Device, Recording};
use cellwright::report::network::Detail;
use cellwright::report::step::{self, Part};
use cellwright::report::table::Table;
use cellwright::report::{self, Diagram, DrawError, dot, network, supernet, svg, text};
use cellwright::run::{Config, Model, Sources, last_weights};
use cellwright::search::bench::{StepBench, Workload as _};
use cellwright::search::bilevel::Order;
use cellwright::space::darts::published::{self, Published, PublishedNetwork};
use cellwright::space::{self, Form, NetworkSettings, SpaceError};
use clap::ValueEnum;
use serde_json::json;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "Without --architecture the space's supernet is shown.")]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Show this architecture: a published name (DARTS_V2), its text, a file that holds it (FILE:NAME takes one of several),
    /// or a run\'s directory.
    #[arg(long, value_name = "NAME|TEXT|FILE|RUN")]
    architecture: Option<String>,
    /// Show the supernet of this run's search with its architecture weights: the heavier an option, the wider its arrow.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["architecture", "form", "list", "step", "what", "fused", "depth"])]
    supernet: Option<PathBuf>,
    /// Show the trained network of a run, or one that was imported.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["architecture", "supernet", "form", "list", "step", "what", "fused",
        "space", "channels", "layers", "classes", "image", "stem"])]
    model: Option<PathBuf>,
    /// With the auxiliary head of training from scratch.
    #[arg(long, requires = "architecture")]
    auxiliary: bool,
    /// The form [default: by the ending of --out, else text].
    #[arg(long)]
    format: Option<Format>,
    /// Write the architecture as other programs read it: `darts`, `nested`, `autodl`, `triples`, `nni`; `nas-bench-201`,
    /// `nni`, `naslib`, `autodl`, `index`; `fixed-arc`; of any space `text` and `json`.
    #[arg(long = "as", value_name = "FORM", requires = "architecture", conflicts_with_all = ["format", "what", "fused", "depth"])]
    form: Option<String>,
    /// List the published cells that are known by name, with their papers and sizes.
    #[arg(long, conflicts_with_all = ["architecture", "format", "what", "fused", "depth"])]
    list: bool,
    /// Print what one step of a search by gradients does, command by command: what is computed, on how much, for which layer. Of
    /// a small supernet, unless a size is given.
    #[arg(long, conflicts_with_all = ["architecture", "format", "form", "list", "what", "fused", "depth", "supernet"])]
    step: bool,
    /// With --step: images in each half of a step.
    #[arg(long, default_value_t = 2, value_name = "B", value_parser = clap::value_parser!(u32).range(1..=4096), requires = "step")]
    batch: u32,
    /// With --step: 1 or 2, how the gradient of the architecture weights is computed.
    #[arg(long, default_value = "1", value_parser = parse_order, requires = "step")]
    order: Order,
    /// With --step: compute every operation by itself.
    #[arg(long, requires = "step")]
    no_fusion: bool,
    /// With --list or --step: as JSON.
    #[arg(long)]
    json: bool,
    /// What to show [default: the cells of an architecture that has cells, else the network].
    #[arg(long)]
    what: Option<What>,
    /// Show the whole network with what is computed together as one node.
    #[arg(long)]
    fused: bool,
    /// Components of names that make one box of a network; `all` gives each operation its own
    /// [default: 2, with --fused all].
    #[arg(long, value_parser = parse_depth, value_name = "N|all")]
    depth: Option<Depth>,
    /// Write this file instead of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A picture.
    Svg,
    /// For Graphviz.
    Dot,
    /// Boxes and arrows as indented lines.
    Text,
    /// The architecture in one line, as it can be given to --architecture.
    Genotype,
    /// The architecture as JSON; with --what network, its graph.
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    /// The cells an architecture is made of.
    Cells,
    /// The whole network.
    Network,
}

#[derive(Clone, Copy, Debug)]
struct Depth(Detail);

fn parse_depth(text: &str) -> Result<Depth, String> {
    match text {
        "all" => Ok(Depth(Detail::Operations)),
        _ => text.parse().map(|n| Depth(Detail::Groups(n))).map_err(|_| "give a number from 0, or `all`".into()),
    }
}

pub fn run(args: &Args) -> super::output::Outcome {
    if args.json && !args.list && !args.step {
        return Err("--json goes with --list or --step: write --format json for an architecture or a network".into());
    }
    if args.step {
        return put(args, &step_text(args)?);
    }
    if args.list {
        return put(args, &if args.json { listed()? } else { list() });
    }
    if let Some(form) = &args.form {
        let flag = args.auxiliary.then_some("--auxiliary").or(args.network.size_option());
        if let Some(option) = flag {
            return Err(format!("{option} says nothing to an architecture's form: leave it out").into());
        }
        let subject = args.network.network(args.architecture.as_deref(), false)?;
        return put(args, &written(form, &subject)?);
    }
    let format = match (args.format, &args.out) {
        (Some(format), _) => format,
        (None, Some(path)) => of_ending(path)?,
        (None, None) => Format::Text,
    };
    if let Some(run) = &args.supernet {
        return put(args, &weighed(args, run, format)?);
    }
    if let Some(run) = &args.model {
        return put(args, &trained(args, run, format)?);
    }
    let mut subject = args.network.network(args.architecture.as_deref(), args.auxiliary)?;
    refuse_unread(args, format, &subject)?;
    if args.fused {
        subject.graph = subject.graph.fuse().0;
    }
    put(args, &draw(args, format, &subject)?)
}

fn put(args: &Args, text: &str) -> super::output::Outcome {
    match &args.out {
        Some(path) => write_file(path, text),
        None => print(text),
    }
}

/// The supernet of a run with its architecture weights.
fn weighed(args: &Args, run: &Path, format: Format) -> Result<String, Box<dyn Error>> {
    if args.network.space.is_some() || args.network.size_option().is_some() {
        return Err("--supernet says itself which space and how large: leave out --space and sizes".into());
    }
    let path = run.join("config.toml");
    let text = read_text(&path).map_err(|problem| format!("{}: {problem}", path.display()))?;
    let place = path.display().to_string();
    let sources = Sources { place: &place, text: &text, ..Sources::default() };
    let config = Config::read(&sources, |name| space_of(name.unwrap_or("darts")))?.config;
    let weights = last_weights(run)?;
    // What is drawn depends on no size of images.
    let graph = config.space.build()?.supernet(&config.supernet(&NetworkSettings::default()))?;
    let diagrams = supernet::diagrams(&graph, &weights)?;
    match format {
        Format::Json => {
            Ok(serde_json::to_string_pretty(&json!(weights.into_iter().collect::<BTreeMap<_, _>>()))? + "\n")
        }
        Format::Genotype => Err("a supernet has no genotype, nothing is chosen yet: give --architecture".into()),
        _ => pictured(&diagrams, format),
    }
}

/// A network that has learned something.
fn trained(args: &Args, run: &Path, format: Format) -> Result<String, Box<dyn Error>> {
    let model = Model::read(run)?;
    match (format, model.genotype) {
        (Format::Json, _) => Ok(serde_json::to_string_pretty(&model.graph)? + "\n"),
        (Format::Genotype, Some(genotype)) => Ok(genotype + "\n"),
        (Format::Genotype, None) => {
            Err(format!("{}: no architecture was decided for this network", run.display()).into())
        }
        (_, _) => {
            let detail = args.depth.map_or(Detail::Groups(2), |depth| depth.0);
            pictured(&[network::diagram(&model.graph, &run.display().to_string(), detail)?], format)
        }
    }
}

/// Diagrams as a picture, for Graphviz, or as text.
fn pictured(diagrams: &[Diagram], format: Format) -> Result<String, Box<dyn Error>> {
    Ok(match format {
        Format::Svg => svg::arrange("", diagrams, svg::Arrangement::Stacked)?,
        Format::Dot => diagrams.iter().map(dot::write).collect(),
        _ => folded(diagrams)?,
    })
}

/// Diagrams as text that fits a terminal.
fn folded(diagrams: &[Diagram]) -> Result<String, DrawError> {
    let text = diagrams.iter().map(text::write).collect::<Result<Vec<_>, _>>()?.join("\n");
    Ok(text::fold(&text, step::WIDTH))
}

/// What one step of a search does.
fn step_text(args: &Args) -> Result<String, Box<dyn Error>> {
    let subject = args.network.small_supernet()?;
    // It is recorded, not taken. Devices differ in how work is cut, and in whether they can bind a fused cell.
    let device = Device::cpu();
    let bench = StepBench::new(&device, subject.graph.clone(), args.batch as usize, args.order, 0, !args.no_fusion)?;
    let names = ["step of the architecture weights", "step of the weights"];
    let explained = |recording: &Recording| recording.explain().collect();
    let parts = names.into_iter().zip(bench.recordings());
    let parts: Vec<Part> = parts.map(|(name, recording)| Part { name, commands: explained(recording) }).collect();
    let title = format!("One step of a search: {}, batch {}", subject.title(), args.batch);
    if args.json {
        let all = parts.iter().flat_map(|part| &part.commands);
        let value = json!({ "title": title, "parts": parts, "total": step::Total::of(all) });
        return Ok(serde_json::to_string_pretty(&value)? + "\n");
    }
    Ok(step::text(&title, &parts))
}

/// The architecture in the form of a name.
fn written(form: &str, subject: &Subject) -> Result<String, Box<dyn Error>> {
    let sketch = subject.sketch.as_ref().ok_or("give --architecture: a supernet has no form, nothing is chosen yet")?;
    let own = [Form::new("text", sketch.text.clone()), Form::new("json", sketch.json.to_string())];
    let forms = || sketch.forms.iter().chain(&own);
    let Some(found) = forms().find(|known| known.name == form) else {
        return Err(SpaceError::unknown("form", form, forms().map(|known| known.name)).into());
    };
    Ok(format!("{}\n", found.text.as_ref().map_err(|problem| format!("--as {form}: {problem}"))?))
}

/// The published cells as a table.
fn list() -> String {
    let mut table = Table::new(&["name", "year", "published", "here", "paper"]);
    for cell in published::all() {
        let network = if cell.network == PublishedNetwork::ImageNet { " (ImageNet)" } else { "" };
        table.row([
            cell.name.clone(),
            cell.year.to_string(),
            format!("{}{} M{network}", if cell.second_hand { "~ " } else { "" }, cell.published_millions),
            grouped(cell.parameters),
            format!("{} arXiv:{}", cell.paper, cell.arxiv),
        ]);
    }
    let mut text = format!(
        "{}\n`here`: parameters of the network as this program builds it, without auxiliary head: 36 channels, 20 cells, 10\n\
         classes, or (ImageNet) 48 channels, 14 cells, 1000 classes with --stem imagenet. Case, - and _ in names do not count.\n\
         `~`: quoted at second hand, not read in the paper or the authors' code.\n",
        table.render()
    );
    for cell in published::all() {
        if let Some(note) = &cell.note {
            text += &format!("\n{}: {note}", cell.name);
        }
    }
    for space in [&space::nasnet::SPACE, &space::enas_micro::SPACE] {
        let names: Vec<&str> = space.known().collect();
        text += &format!("\n--space {} also knows {}.", space::Space::name(space), names.join(", "));
    }
    text + "\n"
}

/// The published cells as JSON.
fn listed() -> Result<String, Box<dyn Error>> {
    let entry = |cell: &Published| -> Result<serde_json::Value, serde_json::Error> {
        let mut value = serde_json::to_value(cell)?;
        value["agrees"] = cell.agrees().into();
        value["text"] = cell.genotype.to_string().into();
        Ok(value)
    };
    let cells = published::all().iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    Ok(serde_json::to_string_pretty(&cells)? + "\n")
}

/// What is shown, unless it is an architecture in one line.
fn what(args: &Args, subject: &Subject) -> What {
    let has_cells = subject.sketch.as_ref().is_some_and(|sketch| !sketch.cells.is_empty());
    args.what.unwrap_or(if has_cells && !args.fused { What::Cells } else { What::Network })
}

/// Refuses options that would change nothing of what is shown.
fn refuse_unread(args: &Args, format: Format, subject: &Subject) -> Result<(), String> {
    let network = format != Format::Genotype && what(args, subject) == What::Network;
    if args.depth.is_some() && (!network || format == Format::Json) {
        return Err(
            "--depth belongs to drawings of networks: leave it out, or use --what network with --format svg, dot or \
                    text"
                .into(),
        );
    }
    if network || subject.sketch.is_none() {
        return Ok(());
    }
    let shown = if format == Format::Genotype { "a genotype" } else { "cells" };
    let flags = [("--fused", args.fused), ("--auxiliary", args.auxiliary)];
    let flag = flags.into_iter().find(|(_, given)| *given).map(|(option, _)| option);
    if let Some(option) = flag.or(args.network.size_option()) {
        return Err(format!("{option} says nothing to {shown}: leave it out, or show the network (--what network)"));
    }
    match args.what {
        Some(_) if format == Format::Genotype => Err("--what says nothing to a genotype: leave it out".into()),
        _ => Ok(()),
    }
}

/// The form that a file's ending asks for.
fn of_ending(path: &Path) -> Result<Format, String> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match ending.as_str() {
        "svg" => Ok(Format::Svg),
        "dot" | "gv" => Ok(Format::Dot),
        "json" => Ok(Format::Json),
        "txt" => Ok(Format::Text),
        _ => Err(format!(
            "{} has none of the endings .svg, .dot, .json and .txt: say with --format what to write",
            path.display()
        )),
    }
}

fn draw(args: &Args, format: Format, subject: &Subject) -> Result<String, Box<dyn Error>> {
    let cells = subject.sketch.as_ref().map(|s| s.cells.as_slice()).unwrap_or_default();
    let what = what(args, subject);
    if format == Format::Genotype {
        let sketch = subject.sketch.as_ref().ok_or(
            "a supernet has no genotype, nothing is chosen yet: give --architecture, or --format svg, dot, text or json",
        )?;
        return Ok(format!("{}\n", sketch.text));
    }
    if format == Format::Json {
        return Ok(match &subject.sketch {
            Some(sketch) if what != What::Network => format!("{:#}\n", sketch.json),
            _ => serde_json::to_string_pretty(&subject.graph)? + "\n",
        });
    }
    let diagrams = match what {
        What::Network => {
            let default = if args.fused { Detail::Operations } else { Detail::Groups(2) };
            let detail = args.depth.map_or(default, |depth| depth.0);
            vec![network::diagram(&subject.graph, &subject.title(), detail)?]
        }
        What::Cells if subject.sketch.is_none() => {
            return Err("a supernet's cells are not chosen yet: give --architecture, or use --what network".into());
        }
        What::Cells if cells.is_empty() => {
            let space = subject.space.name();
            return Err(format!("networks of the space `{space}` have no cells: use --what network").into());
        }
        What::Cells => cells.iter().map(report::run::cell).collect::<Result<_, _>>()?,
    };
    pictured(&diagrams, format)
}
