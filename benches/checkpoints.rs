//! What checkpoints cost a search: their size, the seconds of one, and the share of the search's time that they take with the
//! settings that a run has unless told otherwise. `cargo bench --bench checkpoints`; strategies are chosen by name:
//! `cargo bench --bench checkpoints -- darts enas`.
//!
//! A default run on the digits, and supernets of the published sizes on as many images as a few steps take, which are
//! therefore told to save often: what one costs is then held against the minute from one to the next.

use cellwright::device::Device;
use cellwright::run::{self, Config, Directory, Observer};
use cellwright::search;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Ends a search some time after its first step.
struct For {
    most: Duration,
    begun: Option<Instant>,
}

impl Observer for For {
    fn begin(&mut self, _: &str, _: u64) {}
    fn step(&mut self, _: u64, _: Option<&str>) {
        self.begun.get_or_insert_with(Instant::now);
    }
    fn stops(&mut self) -> bool {
        self.begun.is_some_and(|begun| begun.elapsed() > self.most)
    }
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
}

/// Checkpoints, bytes of the largest, seconds of all.
fn search(settings: &[&str]) -> Result<(u64, u64, f64, f64), Box<dyn std::error::Error>> {
    let place = tempfile::tempdir_in(".")?;
    let directory = Directory::create(place.path())?;
    let mut observer = For { most: Duration::from_secs(20), begun: None };
    let config = Config::with(settings)?;
    let begun = Instant::now();
    match run::search(&Device::cpu(), &config, &directory, &mut observer) {
        Err(run::RunError::Stopped { .. }) | Ok(_) => {}
        Err(error) => return Err(error.into()),
    }
    let seconds = begun.elapsed().as_secs_f64();
    let log = std::fs::read_to_string(directory.path().join("timing.jsonl"))?;
    let lines = log.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    let sum = |key: &str| lines.iter().filter_map(|line| line[key].as_f64()).sum::<f64>();
    let largest = lines.iter().filter_map(|line| line["checkpoint_bytes"].as_u64()).max().unwrap_or_default();
    Ok((sum("checkpoints") as u64, largest, sum("checkpoint_seconds"), seconds))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    // `-- --test` only wants to see that it runs.
    let brief = std::env::args().any(|argument| argument == "--test");
    println!("| search | checkpoints | bytes of the largest | seconds of one | share of the time |");
    println!("|---|---|---|---|---|");
    for strategy in search::ALL.iter().map(|strategy| strategy.about().name) {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == strategy) || brief && strategy != "darts" {
            continue;
        }
        let named = format!("strategy={strategy}");
        let short = ["random=0", "baseline=false", "train.epochs=1"];
        let sizes: &[&str] = match brief {
            true => &["search.epochs=1", "supernet.channels=2", "network.channels=2"],
            false => &[],
        };
        let (number, bytes, seconds, all) = search(&[&[named.as_str()], &short[..], sizes].concat())?;
        let one = seconds / (number as f64).max(1.0);
        println!("| `{strategy}`, digits | {number} | {bytes} | {one:.4} | {:.2} % |", 100.0 * seconds / all);
        if brief {
            continue;
        }
        let large = ["supernet.channels=16", "supernet.layers=8", "search.batch=16", "checkpoint.seconds=2"];
        let (number, bytes, seconds, _) = search(&[&[named.as_str()], &short[..], &large[..]].concat())?;
        let one = seconds / (number as f64).max(1.0);
        println!(
            "| `{strategy}`, 16 channels, 8 cells | {number} | {bytes} | {one:.4} | {:.2} % of a minute |",
            one / 0.6
        );
    }
    Ok(())
}
