//! The verb `bench`: what it measures, and what it says to bad input.

mod common;

use common::process::{bad, good, json};
use serde_json::Value;

#[test]
fn kernels_are_held_against_the_peak() {
    let value = json(&["bench", "kernels", "--device", "cpu", "--kernel", "add", "--seconds", "0.001", "--json"]);
    assert_eq!(value["device"], "cpu");
    let number = |value: &Value, field: &str| value[field].as_f64().unwrap_or_else(|| panic!("{field}: {value}"));
    assert!(number(&value, "peak_gflops_per_second") > 0.01 && number(&value, "peak_gbytes_per_second") > 0.01);
    let rows = value["kernels"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert_eq!((&row["kernel"], &row["limit"]), (&"add".into(), &"memory".into()));
        let seconds = number(row, "median_ms") / 1e3;
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b;
        assert!(close(number(row, "gbytes_per_second"), number(row, "bytes") / seconds / 1e9), "{row}");
        assert!(close(number(row, "gflops_per_second"), number(row, "flops") / seconds / 1e9), "{row}");
        let share = number(row, "gbytes_per_second") / number(&value, "peak_gbytes_per_second");
        assert!(close(number(row, "share"), share) && number(row, "min_ms") <= number(row, "median_ms"), "{row}");
    }
    let table = good(&["bench", "kernels", "--device", "cpu", "--kernel", "add", "--seconds", "0.001"]);
    assert!(table.contains("measured peak") && table.contains("GFLOP/s") && table.contains(" %"), "{table}");
}

fn step(more: &[&str]) -> Value {
    let small = ["--space", "darts", "--channels", "2", "--layers", "2", "--batch", "2", "--image", "1x8x8"];
    let always = ["--device", "cpu", "--repeat", "2", "--json"];
    json(&[&["bench", "step"], &small[..], &always, more].concat())
}

#[test]
fn a_step_is_timed_and_counted() {
    let (first, second) = (step(&["--order", "1"]), step(&["--order", "2"]));
    for value in [&first, &second] {
        let [median, fastest, slowest] = ["median_ms", "min_ms", "max_ms"].map(|f| value[f].as_f64().unwrap());
        assert!(0.0 < fastest && fastest <= median && median <= slowest, "{value}");
        for field in ["dispatches", "bytes_moved", "peak_bytes", "flops", "parameters"] {
            assert!(value[field].as_u64() > Some(0), "{field}: {value}");
        }
        assert_eq!((&value["device"], &value["image"]), (&"cpu".into(), &"1x8x8".into()));
        assert_eq!((&value["batch"], &value["channels"], &value["layers"]), (&2.into(), &2.into(), &2.into()));
    }
    assert_eq!((&first["order"], &second["order"]), (&1.into(), &2.into()));
    for field in ["dispatches", "bytes_moved", "flops"] {
        assert!(second[field].as_u64() > first[field].as_u64(), "{field}");
    }
}

#[test]
fn every_kind_of_supernet_takes_a_step() {
    for space in ["mobile", "examples/space.toml"] {
        let small = ["--space", space, "--channels", "2", "--image", "1x8x8", "--batch", "2"];
        let value = json(&[&["bench", "step", "--device", "cpu", "--repeat", "1", "--json"], &small[..]].concat());
        assert!(value["parameters"].as_u64() > Some(0), "{value}");
    }
}

#[test]
fn fusion_saves_dispatches_and_bytes() {
    let (fused, plain) = (step(&[]), step(&["--no-fusion"]));
    assert_eq!((&fused["fusion"], &plain["fusion"]), (&true.into(), &false.into()));
    assert!(fused["fused_cells"].as_u64().unwrap() > 0 && fused["choices_alone"] == 0, "{fused}");
    assert!(plain["choices_alone"].as_u64().unwrap() > 0 && plain["fused_cells"] == 0, "{plain}");
    assert_eq!(fused["parameters"], plain["parameters"]);
    for field in ["dispatches", "bytes_moved"] {
        assert!(fused[field].as_u64() < plain[field].as_u64(), "{field}");
    }
}

#[test]
fn a_training_step_and_an_edge_are_timed() {
    let network = ["--architecture", "DARTS_V2", "--channels", "4", "--layers", "2", "--image", "1x8x8"];
    let always = ["--batch", "2", "--device", "cpu", "--repeat", "1", "--json"];
    let training = json(&[&["bench", "step"], &network[..], &always].concat());
    let edge = json(&[&["bench", "edge", "--image", "4x6x6", "--stride", "2"], &always[..]].concat());
    for value in [&training, &edge] {
        assert!(value["median_ms"].as_f64() > Some(0.0) && value["ready_ms"].as_f64() > Some(0.0), "{value}");
        for field in ["dispatches", "bytes_moved", "peak_bytes", "flops", "parameters"] {
            assert!(value[field].as_u64() > Some(0), "{field}: {value}");
        }
    }
    assert_eq!((&training["architecture"], &training["order"]), (&"DARTS_V2".into(), &Value::Null));
    // Its batch norms hold bounds, and what several of its operations rectify is rectified once.
    let plain = json(&[&["bench", "step", "--no-fusion"], &network[..], &always].concat());
    assert_eq!((&training["fusion"], &plain["fusion"]), (&true.into(), &false.into()));
    for field in ["dispatches", "bytes_moved"] {
        assert!(training[field].as_u64() < plain[field].as_u64(), "{field}: {training}, {plain}");
    }
    assert_eq!((&edge["stride"], edge["primitives"].as_array().map(Vec::len)), (&2.into(), Some(8)));
}

#[test]
fn the_profile_accounts_for_every_dispatch() {
    let value = step(&["--profile"]);
    let rows = value["profile"].as_array().unwrap();
    let sum = |field: &str| -> f64 { rows.iter().map(|row| row[field].as_f64().unwrap()).sum() };
    let transfers = ["copy", "clear", "upload"];
    let dispatches: u64 = rows
        .iter()
        .filter(|row| !transfers.contains(&row["kernel"].as_str().unwrap()))
        .map(|row| row["calls"].as_u64().unwrap())
        .sum();
    assert_eq!(value["dispatches"], dispatches);
    let launches = |field: &str| value["launches"][field].as_u64().unwrap();
    assert_eq!(launches("dispatches"), dispatches);
    assert!(launches("submissions") <= launches("passes") && launches("passes") < launches("barriers"), "{value}");
    assert!(launches("barriers") < dispatches && launches("bind_groups") <= dispatches, "{value}");
    let estimate = value["launch_us"].as_f64().unwrap() * dispatches as f64 / 1e3;
    assert!((value["launches_ms"].as_f64().unwrap() / estimate - 1.0).abs() < 1e-9 && estimate > 0.0, "{value}");
    assert_eq!(value["flops"].as_f64().unwrap(), sum("flops"));
    assert!((sum("share") - 1.0).abs() < 1e-9);
    for row in rows {
        let limits = ["gflops_per_second", "gbytes_per_second"]
            .map(|f| row[f].as_f64().unwrap() / value[format!("peak_{f}")].as_f64().unwrap());
        let nearer = limits[0].max(limits[1]);
        assert!((row["share_of_peak"].as_f64().unwrap() - nearer).abs() <= 1e-6 * nearer, "{row}");
    }
    let times: Vec<f64> = rows.iter().map(|row| row["ms"].as_f64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
}

#[test]
fn a_step_for_people() {
    let out = good(&[
        "bench",
        "step",
        "--space",
        "chain-mlp",
        "--image",
        "1x8x8",
        "--batch",
        "4",
        "--device",
        "cpu",
        "--repeat",
        "1",
        "--profile",
    ]);
    let how = "batch 4, first order, 0 fused cells, 3 choices by themselves, on cpu";
    for part in ["chain-mlp supernet", how, "median", "peak memory", "GB/s", "matmul"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}

#[test]
fn bad_input_is_named_with_a_hint() {
    bad(1, "bench kernels --kernel matmal", &["unknown kernel `matmal`", "did you mean `matmul`?"]);
    bad(1, "bench kernels --device sofware", &["called `sofware`", "did you mean `software`?", "`cpu`"]);
    bad(1, "bench step --device 99", &["adapter number 99", "cellwright devices"]);
    bad(1, "bench step --space drats", &["unknown search space `drats`", "did you mean `darts`?"]);
    bad(1, "bench step --space chain-mlp --units 16", &["no choice points", "nothing to search"]);
    bad(1, "bench step --image 3x2x2 --device cpu", &["image of 3x2x2 is too small", "use larger images"]);
    bad(1, "bench step --device cpu --batch 4294967295", &["limit of"]);
    bad(2, "bench step --order 3", &["order 3 does not exist", "1 (first order) or 2 (second order)"]);
    bad(2, "bench step --order first", &["1 (first order) or 2 (second order)"]);
    bad(2, "bench step --batch 0", &["--batch", "1.."]);
    bad(2, "bench step --repeat 0", &["--repeat", "1..="]);
    bad(2, "bench kernels --seconds 0", &["seconds from 0.001"]);
    bad(2, "bench kernels --seconds NaN", &["seconds from 0.001"]);
    bad(1, "bench edge --image 3x8x8 --stride 2 --device cpu", &["3 channels"]);
    bad(2, "bench edge --stride 3", &["--stride", "1..=2"]);
    bad(2, "bench edge --primitives max_pol_3x3", &["unknown primitive `max_pol_3x3`", "max_pool_3x3"]);
    bad(2, "bench step --architecture DARTS_V2 --order 2", &["--architecture", "--order"]);
    bad(2, "bench step --paths weights --no-fusion", &["--paths", "--no-fusion"]);
    bad(2, "bench kernel", &["kernel", "kernels"]);
}
