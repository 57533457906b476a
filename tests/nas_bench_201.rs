//! The space `nas-bench-201` as a whole: it is the benchmark's, cell by cell, and whatever it can say trains.

mod common;

use cellwright::cost;
use cellwright::space::nas_bench_201::{CELLS, LAYERS, NasBench201};
use cellwright::space::{NetworkSettings, Space};
use common::process::{bad, call, json};
use rayon::prelude::*;
use serde_json::Value;
use std::path::Path;

/// Index, text and number of parameters of each row of the benchmark's table, if the table is there.
fn table() -> Option<Vec<(usize, String, u64)>> {
    let file = "../shared/data/nas-bench-201/nb201_accuracy.csv.gz";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let Ok(file) = std::fs::File::open(&path) else {
        cellwright::device::skipped(&format!("the table of NAS-Bench-201: there is no {}", path.display()));
        return None;
    };
    let mut reader = csv::Reader::from_reader(flate2::read::GzDecoder::new(file));
    let columns = reader.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|c| c == name).unwrap();
    let (index, arch, params) = (column("index"), column("arch"), column("params"));
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.unwrap();
        (record[index].parse().unwrap(), record[arch].to_owned(), record[params].parse().unwrap())
    };
    Some(reader.records().map(row).collect())
}

#[test]
fn every_cell_of_the_table_has_its_index_its_text_and_its_parameters() {
    let Some(rows) = table() else { return };
    assert_eq!(rows.len(), CELLS);
    let published = NetworkSettings { layers: LAYERS, ..NetworkSettings::default() };
    rows.par_iter().for_each(|(index, text, parameters)| {
        let space = NasBench201;
        let architecture = space.architecture_of(*index).unwrap();
        assert_eq!(space.print(&architecture), *text);
        assert_eq!(space.parse(text).unwrap(), architecture);
        assert_eq!(space.index_of(&architecture).unwrap(), *index);
        let graph = space.decode(&architecture, &published).unwrap();
        assert_eq!(cost::parameters(&graph).unwrap(), *parameters, "#{index} {text}");
    });
}

/// Parameters of the published network of a cell with so many 1×1 and 3×3 convolutions, by the benchmark's paper (Dong & Yang
/// 2020, section 2): three stages of five cells with 16, 32 and 64 channels, residual blocks between, ten classes. A batch
/// norm has two parameters a channel; no convolution has a bias.
fn counted(conv_1x1: u64, conv_3x3: u64) -> u64 {
    let norm = |channels: u64| 2 * channels;
    let conv = |side: u64, inputs: u64, outputs: u64| side * side * inputs * outputs + norm(outputs);
    let cell = |channels| conv_1x1 * conv(1, channels, channels) + conv_3x3 * conv(3, channels, channels);
    let residual = |inputs: u64, outputs| conv(3, inputs, outputs) + conv(3, outputs, outputs) + inputs * outputs;
    let stem = conv(3, 3, 16);
    let classifier = 64 * 10 + 10;
    stem + 5 * (cell(16) + cell(32) + cell(64)) + residual(16, 32) + residual(32, 64) + norm(64) + classifier
}

#[test]
fn every_cell_has_the_parameters_that_its_operations_add_up_to() {
    // Three of the benchmark's own counts: nothing but zeros, nothing but 3×3 convolutions, and the best cell.
    assert_eq!([counted(0, 0), counted(0, 6), counted(2, 3)], [73_306, 1_531_546, 858_426]);
    let published = NetworkSettings { layers: LAYERS, ..NetworkSettings::default() };
    (0..CELLS).into_par_iter().for_each(|index| {
        let architecture = NasBench201.architecture_of(index).unwrap();
        let text = NasBench201.print(&architecture);
        let has = |operation: &str| text.matches(operation).count() as u64;
        let graph = NasBench201.decode(&architecture, &published).unwrap();
        let expected = counted(has("nor_conv_1x1"), has("nor_conv_3x3"));
        assert_eq!(cost::parameters(&graph).unwrap(), expected, "#{index} {text}");
    });
}

#[test]
fn a_cell_that_gives_nothing_but_zeros_trains() {
    let place = tempfile::tempdir().unwrap();
    // Nothing at all; a last node that nothing reaches, behind operations that learn nothing.
    let dead = "|nor_conv_3x3~0|+|nor_conv_1x1~0|avg_pool_3x3~1|+|none~0|none~1|none~2|";
    for (number, architecture) in ["#1651", dead].into_iter().enumerate() {
        let out = place.path().join(number.to_string());
        let summary = call(&[
            "train",
            "--space=nas-bench-201",
            "--architecture",
            architecture,
            "--channels=2",
            "--layers=4",
            "--epochs=1",
            "--set=train.batch=256",
            "--device=cpu",
            "--json",
            "--out",
            out.to_str().unwrap(),
        ])
        .json();
        assert!(summary["test_loss"].as_f64().unwrap().is_finite(), "{summary}");
    }
}

#[test]
fn a_search_finds_a_cell_and_draws_it() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let summary = call(&[
        "search",
        "--space=nas-bench-201",
        "--strategy=darts",
        "--budget=1",
        "--set=supernet.channels=2",
        "--set=network.channels=2",
        "--set=search.batch=128",
        "--set=train.epochs=1",
        "--set=train.batch=256",
        "--set=random=1",
        "--seed=3",
        "--device=cpu",
        "--json",
        "--out",
        out.to_str().unwrap(),
    ])
    .json();
    let found = NasBench201.parse(summary["genotype"].as_str().unwrap()).unwrap();
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    assert_eq!(NasBench201.parse(&read("genotype.json")).unwrap(), found);
    let metrics = read("metrics.jsonl");
    let mut lines = metrics.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let end = lines.rfind(|line| line["kind"] == "search epoch").unwrap();
    assert_eq!(end["weights"]["alphas"].as_array().map(Vec::len), Some(6));
    for picture in ["architecture", "alphas"] {
        let svg = read(&format!("{picture}.svg"));
        roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{picture}: {error}"));
    }
}

#[test]
fn every_verb_knows_the_space() {
    let text = "|nor_conv_3x3~0|+|nor_conv_1x1~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|";
    for architecture in [text, "#1459", "1459"] {
        let value = json(&["count", "--space", "nas-bench-201", "--architecture", architecture, "--json"]);
        assert_eq!((&value["parameters"], &value["layers"]), (&858_426.into(), &LAYERS.into()));
        assert_eq!(value["architecture"], text);
    }
    let show = |more: &[&str]| call(&[&["show", "--space=nas-bench-201", "--architecture=1459"], more].concat()).out;
    assert!(show(&[]).contains("nor_conv_3x3  from c_{k-1}"), "{}", show(&[]));
    let network = show(&["--what=network", "--layers=3", "--format=dot"]);
    for layer in 0..5 {
        assert_eq!(network.matches(&format!("[label=\"cells.{layer}\\n")).count(), 1, "{network}");
    }
    let small = ["--channels=2", "--layers=3", "--batch=2", "--image=1x8x8", "--device=cpu", "--repeat=1", "--json"];
    for more in [&[][..], &["--architecture=1651"]] {
        let value = json(&[&["bench", "step", "--space=nas-bench-201"], &small[..], more].concat());
        assert!(value["median_ms"].as_f64() > Some(0.0));
    }
    bad(1, "count --space=nas-bench-201 --architecture=#15625", &["there are cells #0 to #15624"]);
}
