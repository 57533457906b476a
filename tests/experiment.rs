//! `search` and `train` from the command line: what a run writes, that it repeats itself to the byte,
//! and what it says to bad input. Runs here are tiny; `scripts/test --full` adds the real ones.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;

/// Exit status, standard output and standard error of a call.
fn call(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("cellwright")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Settings of a search that takes a few seconds.
const TINY: [&str; 13] = [
    "--set=supernet.channels=2",
    "--set=supernet.layers=3",
    "--set=network.channels=2",
    "--set=network.layers=2",
    "--set=search.epochs=1",
    "--set=search.batch=128",
    "--set=train.epochs=1",
    "--set=train.batch=256",
    "--set=space_settings.nodes=2",
    "--set=random=1",
    "--set=baseline=true",
    "--set=train.drop_path=0.1",
    "--seed=3",
];

/// What an option names: `--KEY VALUE` or `--KEY=VALUE`.
fn named<'a>(key: &str, arguments: &[&'a str]) -> Option<&'a str> {
    let at = arguments.iter().position(|argument| argument.starts_with(key))?;
    arguments[at].strip_prefix(key)?.strip_prefix('=').or_else(|| arguments.get(at + 1).copied())
}

/// Those settings that the strategy and the space read which `more` names: others are refused.
fn fitting<'a>(settings: &[&'a str], more: &[&str]) -> Vec<&'a str> {
    let (strategy, space) = (named("--strategy", more).unwrap_or("darts"), named("--space", more).unwrap_or("darts"));
    let with_cells = ["darts", "nasnet", "enas-micro", "nas-bench-201"].contains(&space);
    let is_read = |setting: &str| match setting.trim_start_matches("--set=").split(['.', '=']).collect::<Vec<_>>()[..] {
        ["search", ..] => !["rsps", "spos", "enas"].contains(&strategy),
        ["one_shot", "samples", ..] => strategy == "rsps",
        ["one_shot", "evolution", ..] => strategy == "spos",
        ["one_shot", ..] => ["rsps", "spos"].contains(&strategy),
        ["enas", ..] => strategy == "enas",
        ["supernet" | "network", "layers", ..] => with_cells,
        ["supernet" | "network", "channels", ..] => space != "chain-mlp",
        ["train", "drop_path", ..] => !space.starts_with("chain") && space != "enas-macro",
        ["space_settings", "nodes", ..] => space == "darts",
        ["space_settings", "macro_layers", ..] => space == "enas-macro",
        _ => true,
    };
    settings.iter().copied().filter(|setting| !setting.starts_with("--set=") || is_read(setting)).collect()
}

fn search(out: &Path, device: &str, more: &[&str]) -> (i32, String, String) {
    let out = out.to_str().unwrap();
    let mut arguments = vec!["search", "--device", device, "--out", out, "--json"];
    arguments.extend(fitting(&TINY, more));
    arguments.extend(fitting(more, more));
    call(&arguments)
}

fn read(directory: &Path, name: &str) -> String {
    std::fs::read_to_string(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The CPU, and a software driver where there is one.
fn devices() -> Vec<&'static str> {
    let (_, list, _) = call(&["devices", "--json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    let software = list.to_string().contains("software driver");
    if !software {
        cellwright::device::skipped("on a software driver: there is none");
    }
    if software { vec!["cpu", "software"] } else { vec!["cpu"] }
}

#[test]
fn a_search_writes_its_run_and_repeats_itself_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        let [first, second] = ["a", "b"].map(|name| place.path().join(format!("{device}-{name}")));
        let (status, out, error) = search(&first, device, &[]);
        assert_eq!(status, 0, "{error}");
        let summary: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(summary, serde_json::from_str::<Value>(&read(&first, "summary.json")).unwrap());
        for (key, kind) in [
            ("space", "string"),
            ("strategy", "string"),
            ("data", "string"),
            ("data_source", "string"),
            ("device", "string"),
            ("seed", "number"),
            ("genotype", "string"),
            ("parameters", "number"),
            ("multiply_adds", "number"),
            ("test_accuracy", "number"),
            ("random_accuracies", "array"),
            ("baseline_accuracy", "number"),
            ("search_seconds", "number"),
            ("train_seconds", "number"),
            ("total_seconds", "number"),
        ] {
            let found = match &summary[key] {
                Value::String(_) => "string",
                Value::Number(_) => "number",
                Value::Array(_) => "array",
                _ => "missing",
            };
            assert_eq!(found, kind, "{key}");
        }
        assert_eq!(summary["random_accuracies"].as_array().unwrap().len(), 1);
        let source = summary["data_source"].as_str().unwrap();
        assert!(source.starts_with("digits: 1,438 + 359 pictures of 8×8, part of the program"), "{source}");
        assert!(error.contains(source), "the same is said at the start: {error}");
        let parameters = |name: &str| {
            let networks = summary["networks"].as_array().unwrap();
            networks.iter().find(|n| n["name"] == name).unwrap()["parameters"].as_f64().unwrap()
        };
        assert!((parameters("baseline") / parameters("searched") - 1.0).abs() <= 0.1);
        for picture in ["architecture", "alphas_normal", "alphas_reduce", "search", "training", "accuracies"] {
            let svg = read(&first, &format!("{picture}.svg"));
            roxmltree::Document::parse(&svg).unwrap_or_else(|error| panic!("{picture}: {error}"));
        }
        let metrics = read(&first, "metrics.jsonl");
        let kinds: Vec<String> = metrics
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned())
            .collect();
        for kind in ["search step", "search epoch", "train epoch", "test"] {
            assert!(kinds.iter().any(|k| k == kind), "{kind}");
        }
        assert!(!metrics.contains("seconds"), "metrics hold no times");
        assert!(read(&first, "timing.jsonl").contains("seconds"));

        assert_eq!(search(&second, device, &[]).0, 0);
        for file in ["metrics.jsonl", "genotype.json", "config.toml"] {
            assert_eq!(read(&first, file), read(&second, file), "{file} on {device}");
        }
        assert_eq!(
            std::fs::read(first.join("weights.safetensors")).unwrap(),
            std::fs::read(second.join("weights.safetensors")).unwrap()
        );
    }
}

#[test]
fn results_on_the_cpu_do_not_depend_on_the_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let metrics = ["1", "3"].map(|threads| {
        let out = place.path().join(threads);
        let output = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"))
            .args(["search", "--device", "cpu", "--out", out.to_str().unwrap()])
            .args(TINY)
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        read(&out, "metrics.jsonl")
    });
    assert_eq!(metrics[0], metrics[1]);
}

#[test]
fn second_order_and_chains_are_searched_alike() {
    let place = tempfile::tempdir().unwrap();
    let (status, out, error) = search(&place.path().join("second"), "cpu", &["--set=search.order=2", "--set=random=0"]);
    assert_eq!(status, 0, "{error}");
    assert!(out.contains("Genotype("));
    for space in ["chain", "chain-mlp"] {
        let (status, out, error) = search(&place.path().join(space), "cpu", &["--space", space]);
        assert_eq!(status, 0, "{space}: {error}");
        assert!(serde_json::from_str::<Value>(&out).unwrap()["genotype"].as_str().unwrap().contains("layer"), "{out}");
    }
}

#[test]
fn cells_of_pairs_and_networks_of_skips_are_searched_by_weights_and_trained() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        for (space, part) in [("enas-micro", "normal=["), ("enas-macro", " | "), ("nasnet", "reduce=[")] {
            let out = place.path().join(format!("{device}-{space}"));
            // Of two channels a network can be smaller than any that is designed by hand.
            let tiny = [
                "--space",
                space,
                "--set=network.channels=4",
                "--set=search.batch=256",
                "--set=random=0",
                "--set=space_settings.macro_layers=4",
            ];
            let (status, out, error) = search(&out, device, &tiny);
            assert_eq!(status, 0, "{space} on {device}: {error}");
            let summary: Value = serde_json::from_str(&out).unwrap();
            assert!(summary["genotype"].as_str().unwrap().contains(part), "{summary}");
        }
    }
}

#[test]
fn spaces_of_stages_are_searched_and_trained_and_a_run_repeats_without_the_file() {
    let place = tempfile::tempdir().unwrap();
    let [file, first, second, third, trained] =
        ["space.toml", "a", "b", "c", "d"].map(|name| place.path().join(name).to_str().unwrap().to_owned());
    std::fs::copy("examples/space.toml", &file).unwrap();
    let (status, out, error) = search(first.as_ref(), "cpu", &["--space", &file]);
    assert_eq!(status, 0, "{error}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(summary["space"], "my-space");
    std::fs::remove_file(&file).unwrap();
    let config = format!("{first}/config.toml");
    let (status, _, error) = call(&["search", &config, "--device", "cpu", "--out", &second]);
    assert_eq!(status, 0, "{error}");
    for name in ["metrics.jsonl", "genotype.json", "config.toml"] {
        assert_eq!(read(first.as_ref(), name), read(second.as_ref(), name), "{name}");
    }
    let genotype = format!("{first}/genotype.json");
    let (status, _, error) =
        call(&["train", &config, "--architecture", &genotype, "--epochs", "1", "--device", "cpu", "--out", &trained]);
    assert_eq!(status, 0, "{error}");

    let (status, out, error) = search(third.as_ref(), "cpu", &["--space", "mobile"]);
    assert_eq!(status, 0, "{error}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert!(summary["genotype"].as_str().unwrap().contains("stage6_block0_operation=mbconv_"), "{summary}");
}

#[test]
fn an_architecture_is_trained_by_name_text_or_file() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("genotype.txt");
    let text = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], \
                reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=[2])";
    std::fs::write(&file, text).unwrap();
    for (number, architecture) in ["DARTS_V2", text, file.to_str().unwrap()].into_iter().enumerate() {
        let out = place.path().join(number.to_string());
        let (status, printed, error) = call(&[
            "train",
            "--architecture",
            architecture,
            "--device",
            "cpu",
            "--channels",
            "2",
            "--layers",
            "2",
            "--epochs",
            "1",
            "--set=train.batch=256",
            "--out",
            out.to_str().unwrap(),
            "--json",
        ]);
        assert_eq!(status, 0, "{error}");
        let summary: Value = serde_json::from_str(&printed).unwrap();
        assert!(summary["test_accuracy"].as_f64().unwrap() > 0.0);
        assert!(out.join("weights.safetensors").is_file() && out.join("curves.svg").is_file());
    }
}

/// Pictures of two classes and of two sizes, and one that is none.
fn pictures() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for i in 0..40u8 {
        let file = place.path().join(["train/dark", "train/light", "test/dark", "test/light"][usize::from(i % 4)]);
        std::fs::create_dir_all(&file).unwrap();
        let shade = if i % 2 == 0 { i } else { 255 - i };
        let side = if i < 20 { 12 } else { 16 };
        image::RgbImage::from_pixel(side, 12, image::Rgb([shade, shade, 9]))
            .save(file.join(format!("{i}.png")))
            .unwrap();
    }
    std::fs::write(place.path().join("train/dark/broken.png"), b"\x89PNG").unwrap();
    place
}

#[test]
fn pictures_as_they_lie_are_searched_and_trained_on_and_what_was_left_out_is_counted() {
    let (pictures, place) = (pictures(), tempfile::tempdir().unwrap());
    let folder = pictures.path().to_str().unwrap();
    let data = ["--data", "folder", "--data-dir", folder, "--resize", "8", "--skip-bad"];
    let small = ["--set=search.batch=8", "--set=train.batch=8", "--set=random=0", "--set=baseline=false"];
    let out = place.path().join("search");
    let (status, printed, error) = search(&out, "cpu", &[&data[..], &small].concat());
    assert_eq!(status, 0, "{error}");
    assert!(
        error.contains("1 of 41 pictures cannot be read and are left out") && error.contains("broken.png"),
        "{error}"
    );
    let summary: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(summary["left_out"], 1);
    let config = read(&out, "config.toml");
    assert!(config.contains("resize = \"8x8\"") && config.contains("skip_bad = true"), "{config}");

    // A run's own configuration repeats it.
    let (config, again) = (out.join("config.toml"), place.path().join("train"));
    let [config, again] = [&config, &again].map(|path| path.to_str().unwrap());
    let arguments = ["train", config, "--architecture", "DARTS_V2", "--device", "cpu", "--layers", "2", "--out", again];
    let (status, printed, error) = call(&[&arguments[..], &["--json"]].concat());
    assert_eq!(status, 0, "{error}");
    let summary: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(summary["left_out"], 1);

    let folder = ["--data", "folder", "--data-dir", folder];
    refused(&folder, &["40 pictures have 2 sizes, from 12 x 12", "to 16 x 12 pixels (width x height", "--resize 32"]);
    refused(&[&folder[..], &["--resize", "8"]].concat(), &["1 of 41 pictures", "broken.png", "--skip-bad"]);
    refused(&[&folder[..], &["--resize", "8 by 8"]].concat(), &["images.resize `8 by 8`", "HEIGHTxWIDTH"]);
    refused(&[&folder[..], &["--set", "images.background=rot"]].concat(), &["images.background `rot`", "#rrggbb"]);
    refused(&[&folder[..], &["--resize", "30000"]].concat(), &["(channels, height, width) take", "--resize"]);
}

#[cfg(unix)]
#[test]
fn a_data_directory_that_is_not_unicode_is_not_read_as_another() {
    use std::os::unix::ffi::OsStrExt;
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let output = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"))
        .args(["search", "--data", "folder", "--data-dir"])
        .arg(folder)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("not valid Unicode"), "{error}");
}

/// Requires failure with a message that holds all `parts`, and no directory left behind.
fn refused(arguments: &[&str], parts: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let (status, printed, error) = search(&out, "cpu", arguments);
    assert_eq!((status, printed.as_str()), (1, ""), "{arguments:?}: {error}");
    for part in parts {
        assert!(error.contains(part), "{arguments:?} should say `{part}`: {error}");
    }
    assert!(!out.exists(), "{arguments:?} leaves {:?} behind", std::fs::read_dir(&out).unwrap().collect::<Vec<_>>());
}

#[test]
fn bad_input_is_named_and_leaves_nothing_behind() {
    refused(&["--space", "dart"], &["unknown search space `dart`", "did you mean `darts`"]);
    refused(&["--strategy", "enaz"], &["unknown search strategy `enaz`", "did you mean"]);
    refused(&["--data", "digit"], &["no dataset `digit`", "did you mean `digits`"]);
    refused(&["--data", "mnist"], &["needs the directory"]);
    refused(&["--set", "serach.epochs=1"], &["no setting `serach`", "did you mean `search`"]);
    refused(&["--set", "search.epochs=soon"], &["invalid type"]);
    refused(&["--set", "search.batch=5000"], &["5000"]);
    refused(&["--set", "train.batch=5000"], &["5000", "1438"]);
    refused(&["--set", "train.rate.from=nan"], &["train.rate"]);
    refused(
        &["--strategy", "spos", "--set", "search.order=2"],
        &["`spos` does not read `search.order`", "gradient methods"],
    );
    refused(
        &["--space", "mobile", "--set", "network.layers=4"],
        &["`mobile` does not read `network.layers`", "nasnet"],
    );
    refused(&["--set", "train.epochs=0"], &["train.epochs = 0: must be at least 1"]);
    refused(&["--set", "network.layers=3", "--set", "network.auxiliary=true"], &["auxiliary head needs a map of 8x8"]);
    refused(&["--set", "supernet.layers=2"], &["`alphas_normal`", "from 3 layers on"]);
    refused(&["--set", "supernet.channels=0"], &["channels = 0", "from 1"]);
    let place = tempfile::tempdir().unwrap();
    let (status, _, error) = call(&["search", "--device", "warp", "--out", place.path().join("run").to_str().unwrap()]);
    assert_eq!(status, 1);
    assert!(error.contains("no device or adapter called `warp` found"), "{error}");
}

#[test]
fn a_directory_that_holds_something_is_not_written_to() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("thesis.tex"), "mine").unwrap();
    let (status, _, error) = search(place.path(), "cpu", &[]);
    assert_eq!(status, 1);
    assert!(error.contains("is not empty"), "{error}");
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run_and_says_where_it_began() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        let out = place.path().join(device);
        let (status, _, error) = search(&out, device, &["--set=search.rate.from=1e30", "--set=search.rate.to=1e30"]);
        assert_eq!(status, 1, "{error}");
        for part in ["became", "at step", "epoch 0", "first in kernel `"] {
            assert!(error.contains(part), "should say `{part}`: {error}");
        }
        assert!(!out.join("summary.json").exists());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_an_error_and_no_file_is_half_written() {
    let place = tempfile::tempdir().unwrap();
    let mount =
        |arguments: &[&str]| std::process::Command::new("mount").args(arguments).status().is_ok_and(|s| s.success());
    let path = place.path().to_str().unwrap();
    if !mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]) {
        cellwright::device::skipped("a small file system cannot be mounted here");
        return;
    }
    let out = place.path().join("run");
    let (status, _, error) = search(&out, "cpu", &[]);
    let files: Vec<(String, u64)> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    let lines_are_whole = files
        .iter()
        .filter(|(name, _)| name.ends_with("jsonl"))
        .all(|(name, _)| read(&out, name).lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let _ = std::process::Command::new("umount").arg(path).status();
    assert_eq!(status, 1, "{error}");
    assert!(error.contains("cannot write") && error.contains("space"), "{error}");
    assert!(lines_are_whole, "{files:?}");
    assert!(files.iter().all(|(name, size)| *size > 0 || name.ends_with("jsonl")), "{files:?}");
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_digits_reach_98_percent_from_three_seeds() {
    let place = tempfile::tempdir().unwrap();
    for seed in ["0", "1", "2"] {
        let out = place.path().join(seed);
        let arguments = ["search", "--device", "cpu", "--seed", seed, "--out", out.to_str().unwrap(), "--json"];
        let (status, printed, error) = call(&arguments);
        assert_eq!(status, 0, "{error}");
        let summary: Value = serde_json::from_str(&printed).unwrap();
        let accuracy = summary["test_accuracy"].as_f64().unwrap();
        eprintln!("seed {seed}: {accuracy} in {} s", summary["total_seconds"]);
        assert!(accuracy >= 0.98, "seed {seed}: {accuracy}");
    }
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_mnist_reaches_99_percent() {
    let given = std::env::var_os("CELLWRIGHT_MNIST").map(std::path::PathBuf::from);
    let folder = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/images/mnist"));
    if !folder.is_dir() {
        cellwright::device::skipped(&format!("no MNIST in {} (set CELLWRIGHT_MNIST)", folder.display()));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let (status, printed, error) = call(&[
        "search",
        "--data",
        "mnist",
        "--data-dir",
        folder.to_str().unwrap(),
        "--device",
        "cpu",
        "--set=random=0",
        "--set=baseline=false",
        "--out",
        out.to_str().unwrap(),
        "--json",
    ]);
    assert_eq!(status, 0, "{error}");
    let summary: Value = serde_json::from_str(&printed).unwrap();
    eprintln!("{} in {} s", summary["test_accuracy"], summary["total_seconds"]);
    assert!(summary["test_accuracy"].as_f64().unwrap() >= 0.99, "{printed}");
}

/// What makes a search by single paths tiny.
const PATHS: [&str; 10] = [
    "--set=one_shot.epochs=1",
    "--set=one_shot.batch=128",
    "--set=one_shot.calibration=2",
    "--set=one_shot.samples=3",
    "--set=one_shot.evolution={ population = 3, generations = 2, parents = 2, mutations = 1, crossovers = 1 }",
    "--set=baseline=false",
    "--set=enas.epochs=2",
    "--set=enas.batch=128",
    "--set=enas.updates=2",
    "--set=enas={ reward_batch = 64, candidates = 2, calibration = 1, controller = { samples = 3, units = 8 } }",
];

#[test]
fn shared_weights_are_searched_by_paths_in_every_space_on_every_device() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        for strategy in ["rsps", "spos"] {
            for space in ["darts", "chain", "nas-bench-201", "mobile", "enas-micro", "enas-macro", "nasnet"] {
                let out = place.path().join(format!("{device}-{strategy}-{space}"));
                let named = ["--strategy", strategy, "--space", space];
                let (status, _, error) = search(&out, device, &[&PATHS[..], &named].concat());
                assert_eq!(status, 0, "{strategy} {space} on {device}: {error}");
                let metrics = read(&out, "metrics.jsonl");
                let ranked: Vec<Value> = metrics
                    .lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap())
                    .filter(|line| line["kind"] == "ranked")
                    .collect();
                assert_eq!(ranked.len(), if strategy == "rsps" { 3 } else { 6 }, "{strategy} {space} on {device}");
                let accuracy = |line: &Value| line["valid_accuracy"].as_f64().unwrap();
                assert!(ranked.iter().all(|line| (0.0..=1.0).contains(&accuracy(line))));
                assert!(out.join("ranking.svg").exists() && !out.join("search.svg").exists());
            }
        }
    }
}

/// The lines of a kind in a run's metrics.
fn lines(directory: &Path, kind: &str) -> Vec<Value> {
    let metrics = read(directory, "metrics.jsonl");
    let all = metrics.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|line| line["kind"] == kind).collect()
}

#[test]
fn a_controller_searches_every_space_on_every_device_and_is_held_against_chance() {
    let place = tempfile::tempdir().unwrap();
    for device in devices() {
        for space in ["darts", "chain", "nas-bench-201", "mobile"] {
            let out = place.path().join(format!("{device}-{space}"));
            let named = ["--strategy", "enas", "--space", space];
            let (status, printed, error) = search(&out, device, &[&PATHS[..], &named].concat());
            assert_eq!(status, 0, "{space} on {device}: {error}");
            let count = |kind: &str| lines(&out, kind).len();
            assert_eq!([count("controller step"), count("controller epoch")], [4, 2], "{space} on {device}");
            assert_eq!([count("ranked"), count("ranked at random")], [2, 2], "{space} on {device}");
            for end in lines(&out, "controller epoch") {
                let [reward, entropy] = ["reward", "entropy"].map(|key| end[key].as_f64().unwrap());
                assert!((0.0..=1.0).contains(&reward) && entropy > 0.0, "{end}");
            }
            // What is derived is the best of the controller's, whatever chance came by.
            let summary: Value = serde_json::from_str(&printed).unwrap();
            let of = |who: &str| -> Vec<f64> {
                let list = summary["shared_weights"][who].as_array().unwrap();
                list.iter().map(|accuracy| accuracy.as_f64().unwrap()).collect()
            };
            assert_eq!([of("strategy").len(), of("random").len()], [2, 2]);
            for picture in ["ranking", "controller"] {
                roxmltree::Document::parse(&read(&out, &format!("{picture}.svg"))).unwrap();
            }
            assert!(!out.join("search.svg").exists());
        }
    }
}

#[test]
fn a_controllers_search_says_in_words_what_chance_came_to() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let named = ["--strategy=enas", "--space=nas-bench-201", "--set=random=0", "--device=cpu", "--out"];
    let [tiny, paths] = [&TINY[..], &PATHS].map(|settings| fitting(settings, &named));
    let (status, printed, error) = call(&[&["search"], &tiny[..], &paths, &named, &[out.to_str().unwrap()]].concat());
    assert_eq!(status, 0, "{error}");
    for part in ["2 of enas best", "2 at random best", "random on average", "Entropy of the controller"] {
        assert!(printed.contains(part), "should say `{part}`: {printed}");
    }
}

#[test]
fn a_search_by_paths_repeats_itself_to_the_byte() {
    let place = tempfile::tempdir().unwrap();
    for strategy in ["spos", "enas"] {
        let named = ["--strategy", strategy, "--space", "nas-bench-201"];
        let runs = ["a", "b"].map(|name| {
            let out = place.path().join(format!("{strategy}-{name}"));
            let (status, _, error) = search(&out, "cpu", &[&PATHS[..], &named].concat());
            assert_eq!(status, 0, "{error}");
            ["metrics.jsonl", "genotype.json"].map(|file| read(&out, file))
        });
        assert_eq!(runs[0], runs[1], "{strategy}");
    }
}
