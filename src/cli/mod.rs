//! The command line: each verb parses its arguments, calls the library, prints.

mod bench;
mod check;
mod common;
mod completions;
mod count;
mod devices;
mod evaluate;
mod experiment;
mod export;
mod followers;
mod held;
mod import;
mod man;
mod network;
mod output;
#[cfg(feature = "images")]
mod predict;
mod progress;
mod report;
#[cfg(feature = "tui")]
mod screen;
mod search;
mod seeds;
mod show;
mod signals;
mod suite;
mod train;
mod units;
mod version;
#[cfg(feature = "watch")]
mod watch;

use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// Neural architecture search from the compute kernels up, on any GPU or none.
#[derive(Debug, Parser)]
#[command(name = "cellwright", version, long_version = version::long(), about, propagate_version = true)]
struct Cli {
    /// Say more on standard error (repeat for still more).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what can run here.
    Devices(devices::Args),
    /// Check that a device computes what it should: the first thing to run on a new GPU.
    Check(check::Args),
    /// Search an architecture, train it from scratch and compare it.
    Search(search::Args),
    /// Train one architecture from scratch.
    Train(train::Args),
    /// Write a trained network in the forms of other programs.
    Export(export::Args),
    /// Take a network over from an ONNX file.
    Import(import::Args),
    /// Measure a trained network on test images: accuracy with its interval, classes, calibration.
    Evaluate(evaluate::Args),
    /// Say what pictures show, by a trained network.
    #[cfg(feature = "images")]
    Predict(predict::Args),
    /// Count parameters, multiply-adds and activation memory.
    Count(count::Args),
    /// Draw an architecture or convert it between formats.
    Show(show::Args),
    /// Time kernels or a search step.
    Bench(bench::Args),
    /// Hold searches that were run side by side.
    Report(report::Args),
    /// Show runs in a browser as they go.
    #[cfg(feature = "watch")]
    Watch(watch::Args),
    /// Run searches by several strategies in several spaces with several seeds, and hold them against random architectures.
    Suite(suite::Args),
    /// Write what lets a shell complete verbs, options and their values.
    Completions(completions::Args),
    /// Write pages for `man`.
    Man(man::Args),
}

/// Parses the command line, runs the verb and says what went wrong.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let (own, of_wgpu) = match cli.verbose {
        0 => (LevelFilter::WARN, LevelFilter::OFF),
        1 => (LevelFilter::INFO, LevelFilter::WARN),
        _ => (LevelFilter::DEBUG, LevelFilter::DEBUG),
    };
    let levels =
        Targets::new().with_default(own).with_targets(["wgpu_hal", "wgpu_core", "naga"].map(|name| (name, of_wgpu)));
    let lines = tracing_subscriber::fmt::layer().with_writer(|| held::Stderr).without_time().with_target(false);
    tracing_subscriber::registry().with(lines.with_filter(levels)).init();
    let outcome = match cli.verb {
        Verb::Devices(args) => devices::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Search(args) => search::run(&args),
        Verb::Train(args) => train::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Import(args) => import::run(&args),
        Verb::Evaluate(args) => evaluate::run(&args),
        #[cfg(feature = "images")]
        Verb::Predict(args) => predict::run(&args),
        Verb::Count(args) => count::run(&args),
        Verb::Show(args) => show::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Report(args) => report::run(&args),
        #[cfg(feature = "watch")]
        Verb::Watch(args) => watch::run(&args),
        Verb::Suite(args) => suite::run(&args),
        Verb::Completions(args) => completions::run(&args, &mut Cli::command()),
        Verb::Man(args) => man::run(&args, Cli::command()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<output::Interrupted>() => {
            output::tell(&error.to_string());
            error.downcast::<output::Interrupted>().map_or(ExitCode::FAILURE, |stopped| stopped.status.into())
        }
        Err(error) => {
            output::tell(&format!("error: {error}"));
            let mut source = error.source();
            while let Some(cause) = source {
                output::tell(&format!("  because: {cause}"));
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}
