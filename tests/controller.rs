//! The LSTM controller of ENAS alone, without a supernet: its rewards come from a table.

use cellwright::device::Device;
use cellwright::search::controller::{Controller, ControllerConfig};
use cellwright::space::nas_bench_201::{CELLS, NasBench201};
use rayon::prelude::*;
use std::path::Path;

/// Validation accuracy on CIFAR-10 of each of NAS-Bench-201's cells after 12 epochs, by index, if the table is there.
fn accuracies() -> Option<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/nas-bench-201/nb201_accuracy.csv.gz");
    let Ok(file) = std::fs::File::open(&path) else {
        cellwright::device::skipped(&format!("the table of NAS-Bench-201: there is no {}", path.display()));
        return None;
    };
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let columns = reader.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|c| c == name).unwrap();
    let (index, accuracy) = (column("index"), column("c10_val_12"));
    let mut table = vec![f64::NAN; CELLS];
    for record in reader.records() {
        let record = record.unwrap();
        table[record[index].parse::<usize>().unwrap()] = record[accuracy].parse::<f64>().unwrap() / 100.0;
    }
    Some(table)
}

/// A made-up accuracy of each cell, by index: what each edge's operation is worth there, and chance where no edge leads
/// through the cell. As in the benchmark, most cells are good and few are best.
fn made_up() -> Vec<f64> {
    // None, skip, 1×1, 3×3, pool; the edges into the last node count most.
    const WORTH: [f64; 5] = [0.0, 0.5, 0.7, 1.0, 0.3];
    const EDGE: [f64; 6] = [0.15, 0.1, 0.15, 0.2, 0.2, 0.2];
    let accuracy = |index: usize| {
        let answers = NasBench201.architecture_of(index).unwrap().answers;
        let there = |edge: usize| answers[edge] != 0;
        // Edges in order are 0→1, 0→2, 1→2, 0→3, 1→3, 2→3.
        let second = there(1) || there(0) && there(2);
        let leads = there(3) || there(0) && there(4) || second && there(5);
        let worth: f64 = answers.iter().zip(EDGE).map(|(&answer, edge)| edge * WORTH[answer]).sum();
        if leads { 0.6 + 0.3 * worth } else { 0.1 }
    };
    (0..CELLS).map(accuracy).collect()
}

/// Samples that a controller draws.
const SAMPLES: usize = 1000;

/// Rewards of a controller's samples, in order.
fn rewards(table: &[f64], seed: u64) -> Vec<f64> {
    // The benchmark's logits, and its optimiser's form. Published searches learn from 125,000 samples, ten a step: a
    // hundredth of them takes larger steps, one a sample.
    let config = ControllerConfig { samples: 1, rate: 0.03, ..ControllerConfig::nas_bench_201() };
    let mut controller = Controller::new(&Device::cpu(), &NasBench201, config, seed).unwrap();
    let mut rewards = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let samples = pollster::block_on(controller.sample()).unwrap();
        let reward = table[NasBench201.index_of(&samples[0].architecture).unwrap()];
        pollster::block_on(controller.learn(&samples, &[reward])).unwrap();
        rewards.push(reward);
    }
    rewards
}

#[test]
fn a_controller_concentrates_on_cells_better_than_nine_in_ten() {
    let Some(table) = accuracies() else { return };
    concentrates(&table, 20);
}

#[test]
fn a_controller_concentrates_on_what_a_made_up_table_calls_good() {
    // The shape of this table is simple: a few controllers tell.
    concentrates(&made_up(), 4);
}

/// Of so many controllers, an even number, the median begins below what nine cells in ten have at most, and ends above it.
fn concentrates(table: &[f64], controllers: u64) {
    let mut sorted = table.to_vec();
    sorted.sort_by(f64::total_cmp);
    let percentile = sorted[CELLS * 9 / 10];
    let mean = |rewards: &[f64]| rewards.iter().sum::<f64>() / rewards.len() as f64;
    let ends: Vec<[f64; 2]> = (0..controllers)
        .into_par_iter()
        .map(|seed| rewards(table, seed))
        .map(|rewards| [mean(&rewards[..100]), mean(&rewards[SAMPLES - 100..])])
        .collect();
    let median = |at: usize| {
        let mut values: Vec<f64> = ends.iter().map(|end| end[at]).collect();
        values.sort_by(f64::total_cmp);
        (values[values.len() / 2 - 1] + values[values.len() / 2]) / 2.0
    };
    let (first, last) = (median(0), median(1));
    println!(
        "first hundred {first:.4}, last hundred {last:.4}; all cells {:.4}, nine in ten below {percentile:.4}",
        mean(table)
    );
    assert!(first < percentile && last > percentile, "{first:.4} {last:.4}, not above {percentile:.4}");
}
