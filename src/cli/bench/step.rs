//! `cellwright bench step`.

use super::super::common::{DeviceArg, parse_order};
use super::super::network::NetworkArgs;
use super::super::output::{print, print_json};
use super::measure::MeasureArgs;
use cellwright::graph::fuse::{Form, MixedCell};
use cellwright::graph::{Graph, Op};
use cellwright::search::bench::{PathBench, StepBench, TrainingBench};
use cellwright::search::bilevel::Order;
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A step is the step of the architecture weights, then that of the weights, until the losses have\n\
    arrived; with --architecture, a training step of that network; with --paths, steps that compute one\n\
    random path, recorded anew each time. One step goes before those that are timed."
)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Time a training step of this architecture: a published name (DARTS_V2), its text, a file that holds it (FILE:NAME takes one of several),
    /// or a run's directory.
    #[arg(long, value_name = "NAME|TEXT|FILE|RUN", conflicts_with = "order")]
    architecture: Option<String>,
    /// With the auxiliary head of training from scratch.
    #[arg(long, requires = "architecture")]
    auxiliary: bool,
    /// Time a step of a search by paths, each step another one.
    #[arg(long, value_name = "WHICH", conflicts_with_all = ["architecture", "order", "no_fusion"])]
    paths: Option<Paths>,
    /// Images in each half of a step.
    #[arg(long, default_value_t = 16, value_name = "B", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// 1 or 2: how the gradient of the architecture weights is computed.
    #[arg(long, default_value = "1", value_parser = parse_order)]
    order: Order,
    #[command(flatten)]
    device: DeviceArg,
    /// Seed of weights, images and labels.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    measure: MeasureArgs,
}

/// What a step by paths computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Paths {
    /// The step of the weights: ENAS, rsps, spos.
    Weights,
    /// The steps of the architecture weights and of the weights, each along a path: GDAS.
    Both,
}

pub fn run(args: &Args) -> super::super::output::Outcome {
    let subject = args.network.network(args.architecture.as_deref(), args.auxiliary)?;
    let device = args.device.open()?;
    // Of mixtures only those of a whole supernet are fused.
    let fuses = !(args.measure.no_fusion || args.architecture.is_some() || args.paths.is_some());
    let Mixed { fused, parts, alone } = Mixed::of(&if fuses { subject.graph.fuse().0 } else { subject.graph.clone() });
    let (graph, batch) = (subject.graph.clone(), args.batch as usize);
    let trains = args.architecture.is_some();
    let space = &*subject.space;
    let measured = if let Some(paths) = args.paths {
        let alphas = paths == Paths::Both;
        args.measure.measure(|_| PathBench::new(&device, space, graph, batch, alphas, args.seed))?
    } else if trains {
        args.measure.measure(|fusion| TrainingBench::new(&device, graph, batch, args.seed, fusion))?
    } else {
        args.measure.measure(|fusion| StepBench::new(&device, graph, batch, args.order, args.seed, fusion))?
    };
    if args.measure.json {
        let settings = &subject.settings;
        return print_json(&measured.json(json!({
            "space": subject.space.name(),
            "architecture": args.architecture,
            "channels": settings.channels,
            "layers": settings.layers,
            "classes": settings.classes,
            "image": settings.image.to_string(),
            "batch": args.batch,
            "paths": args.paths.map(|paths| match paths {
                Paths::Weights => "weights",
                Paths::Both => "both",
            }),
            "order": if trains || args.paths.is_some() { None } else { Some(u8::from(args.order)) },
            "fusion": if trains { !args.measure.no_fusion } else { fused > 0 },
            "fused_cells": fused,
            "parts_alone": parts,
            "choices_alone": alone,
            "seed": args.seed,
        })));
    }
    let kind = match (trains, args.paths, args.order) {
        (true, ..) => "training",
        (_, Some(Paths::Weights), _) => "weights of a path",
        (_, Some(Paths::Both), _) => "both steps of a path",
        (_, None, Order::First) => "first order",
        (_, None, Order::Second) => "second order",
    };
    let device = measured.device();
    let fusion = match (trains, fuses) {
        (true, _) if args.measure.no_fusion => ", each operation by itself".to_owned(),
        (true, _) => String::new(),
        (_, false) => format!(", {alone} choices each by itself"),
        (_, true) if parts > 0 => {
            format!(", {fused} fused cells, in them {parts} operations by themselves, {alone} choices by themselves")
        }
        (_, true) => format!(", {fused} fused cells, {alone} choices by themselves"),
    };
    print(&format!("{}, batch {}, {kind}{fusion}, on {device}\n\n{}", subject.title(), args.batch, measured.text()))
}

/// How choice points are computed.
struct Mixed {
    /// Cells that are computed in one go.
    fused: usize,
    /// Options in them that are computed by themselves.
    parts: usize,
    /// Choice points that are in none.
    alone: usize,
}

impl Mixed {
    fn of(graph: &Graph) -> Self {
        let mut mixed = Self { fused: 0, parts: 0, alone: 0 };
        for node in &graph.nodes {
            match &node.op {
                Op::Fused(fused) => {
                    mixed.fused += 1;
                    let states = MixedCell::of(&fused.graph).map(|cell| cell.states).unwrap_or_default();
                    let options = states.iter().flat_map(|(_, edges)| edges).flat_map(|edge| &edge.options);
                    mixed.parts += options.filter(|form| matches!(form, Form::Plain { .. })).count();
                }
                Op::Choice(_) => mixed.alone += 1,
                _ => {}
            }
        }
        mixed
    }
}
