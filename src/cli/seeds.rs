//! `search --seeds`: the same search with several seeds, held against random networks.

use super::common::open_devices;
use super::experiment::write_reports;
use super::output::{self, Interrupted, Outcome};
use super::progress::{Bars, warn_if_slow};
use super::signals::Signals;
use cellwright::report::page::{Document, html};
use cellwright::report::seeds::{Figures, markdown, picture};
use cellwright::run::record::runs_of;
use cellwright::run::seeds::{Repeats, Step, repeat, seeds_from};
use cellwright::run::trace::Trace;
use cellwright::run::{Config, Directory, Observer, Read, RunError};
use std::cell::Cell;
use std::error::Error;
use std::path::Path;

/// What to repeat, and where.
pub struct Asked<'a> {
    /// How many seeds, from the configuration's own on.
    pub seeds: u32,
    /// The directory of all runs; by default a new one below `runs`.
    pub out: Option<&'a Path>,
    /// What a new one is called.
    pub name: &'a str,
    pub keeps_checkpoints: bool,
    pub json: bool,
}

pub fn run(asked: &Asked<'_>, Read { config, notes }: &Read) -> Outcome {
    let seeds = seeds_from(config, asked.seeds);
    if seeds.len() < asked.seeds as usize {
        let (own, last) = (config.seed, i64::MAX);
        return Err(format!("--seeds {}: from --seed {own} on there are fewer, the last is {last}", asked.seeds).into());
    }
    let path = match asked.out {
        Some(path) => path.to_owned(),
        None => Directory::create_numbered(Path::new("runs"), asked.name)?.path().to_owned(),
    };
    let signals = Signals::listen()?;
    let mut bars = Bars::new(signals.clone());
    notes.iter().for_each(|note| bars.say(note));
    let warned = Cell::new(false);
    let open = |name: &str| -> Result<_, Box<dyn Error>> {
        let devices = open_devices(name)?;
        if !warned.replace(true) {
            devices.iter().for_each(|device| warn_if_slow(device, &mut Bars::new(signals.clone())));
        }
        Ok(devices)
    };
    let told = |step: Step<'_>, observer: &mut dyn Observer| told(step, config, &seeds, observer);
    let ended = repeat::<Box<dyn Error>>(&path, config, &seeds, asked.keeps_checkpoints, &mut bars, open, told);
    bars.end();
    let directory = ended.map_err(|error| match (error.downcast_ref::<RunError>(), signals.status()) {
        (Some(RunError::Stopped { .. }), Some(status)) => {
            let go_on = format!("go on by the same command with --out {}", path.display());
            Interrupted { status, message: format!("{error}: all is saved; {go_on}") }.into()
        }
        _ => error,
    })?;
    let figures = write_down(&directory, config, &seeds)?;
    match asked.json {
        true => output::print_json(&figures),
        false => output::print(&format!("{}\nWritten to {}.\n", markdown(&figures), directory.path().display())),
    }
}

/// Says which seed it is and how it went, and leaves the pictures that a search leaves.
fn told(step: Step<'_>, config: &Config, seeds: &[u64], observer: &mut dyn Observer) -> Outcome {
    match step {
        Step::Begins(seed, [number, all]) => observer.say(&format!("{number} of {all}: seed {seed}")),
        Step::Found(config, directory, found) => {
            write_reports(directory, found, config)?;
        }
        Step::Ended(seed, ended, directory) => {
            if let Err(failure) = ended {
                observer.warn(&format!("seed {seed} failed: {}", failure.reason));
            }
            write_down(directory, config, seeds)?;
        }
    }
    Ok(())
}

/// Writes what there is by now as JSON, in words, as a picture and as a page.
fn write_down(directory: &Directory, config: &Config, seeds: &[u64]) -> Result<Figures, Box<dyn Error>> {
    let figures = Figures::of(&Repeats::read(directory.path(), seeds)?, config);
    directory.write_json("seeds.json", &figures)?;
    directory.write("seeds.md", markdown(&figures).as_bytes())?;
    directory.write("seeds.svg", picture(&figures)?.as_bytes())?;
    let runs = runs_of(&[directory.path().to_owned()])?;
    let traces = runs.iter().map(|run| Trace::read(run)).collect::<Result<Vec<_>, _>>()?;
    directory.write("seeds.html", html(&Document::of(&traces)).as_bytes())?;
    Ok(figures)
}
