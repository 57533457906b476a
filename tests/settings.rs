//! Settings of runs from the command line: what is refused, naming what was given, and what is read of the files that earlier
//! versions wrote.

mod common;

use cellwright::run::{Config, Read, Setting, Sources};
use cellwright::space::SpaceConfig;
use common::process::{Outcome, bad, call, few_pictures, good, read, refused};
use serde_json::Value;

#[test]
fn bad_input_is_named_and_leaves_nothing_behind() {
    refused(&["--space", "dart"], &["unknown search space `dart`", "did you mean `darts`"]);
    refused(&["--strategy", "enaz"], &["unknown search strategy `enaz`", "did you mean"]);
    refused(&["--set", "serach.epochs=1"], &["no setting `serach`", "did you mean `search`"]);
    refused(&["--set", "search.epochs=soon"], &["--set search.epochs=soon: search.epochs: invalid type"]);
    refused(&["--set", "search.batch=5000"], &["5000"]);
    refused(&["--set", "train.batch=5000"], &["5000", "1438"]);
    refused(&["--set", "train.rate.from=nan"], &["train.rate"]);
    refused(
        &["--strategy", "spos", "--set", "search.order=2"],
        &["`spos` does not read `search.order`", "to darts, darts-2nd, gdas, "],
    );
    refused(
        &["--space", "mobile", "--set", "network.layers=4"],
        &["`mobile` does not read `network.layers`", "nasnet"],
    );
    refused(&["--set", "train.epochs=0"], &["train.epochs = 0: must be at least 1"]);
    refused(&["--set", "network.layers=3", "--set", "network.auxiliary=true"], &["auxiliary head needs a map of 8x8"]);
    refused(&["--set", "supernet.layers=2"], &["`alphas_normal`", "from 3 layers on"]);
    refused(&["--set", "supernet.channels=0"], &["channels = 0", "from 1"]);
    bad(1, "search --device warp", &["no device or adapter called `warp` found"]);
}

#[test]
fn an_option_is_named_as_it_was_given() {
    let train = "train --architecture DARTS_V2 --device cpu";
    bad(
        1,
        &format!("{train} --space chain --layers 3"),
        &["--layers: the space `chain` does not read `network.layers`"],
    );
    bad(
        1,
        &format!("{train} --space mobile --auxiliary"),
        &["--auxiliary: the space `mobile`", "belongs to darts, nasnet"],
    );
    bad(1, &format!("{train} --space chain-mlp --channels 3"), &["--channels: the space `chain-mlp`"]);
    bad(1, &format!("{train} --set search.order=2"), &["`train` does not read `search.order`", "belongs to `search`"]);
    bad(1, &format!("{train} --set random=0"), &["`train` does not read `random`"]);
    bad(2, &format!("{train} --epochs 0"), &["--epochs", "1.."]);
    bad(2, "search --budget 0", &["--budget", "1.."]);
    bad(2, "search --list --strategy darts", &["--list", "cannot be used with"]);
    bad(2, "report --title x runs/none", &["--collapse"]);
}

#[test]
fn a_file_is_named_that_holds_what_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.toml");
    std::fs::write(&file, "[search]\nstrategy = \"rsps\"\nevolution = { population = 3 }\n").unwrap();
    let file = file.to_str().unwrap();
    bad(1, &format!("search {file} --device cpu"), &[file, "`rsps` does not read `search.evolution`", "spos"]);
    std::fs::write(file, vec![b'#'; (1 << 20) + 1]).unwrap();
    bad(1, &format!("search {file} --device cpu"), &[file, "longer than"]);
}

#[test]
fn a_space_in_a_file_reads_what_its_description_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fixed.toml");
    let text = "name = \"fixed\"\n[stem]\nchannels = 8\n[[stage]]\nchannels = 8\ndepth = [1, 2]\noperations = [\"conv_3x3\", \"skip\"]\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    bad(1, &format!("count --space {file} --channels 8"), &["--channels says nothing to the space `fixed`"]);
    bad(
        1,
        &format!("search --space {file} --set network.channels=8"),
        &["the space `fixed` does not read `network.channels`"],
    );
    bad(1, &format!("search --space {file} --set train.drop_path=0.1"), &["the space `fixed` does not read"]);
    assert!(good(&["count", "--space", file]).contains("fixed supernet"));
}

// --- files of earlier versions ------------------------------------------------------------------------------

/// A configuration that was written when settings of all strategies and spaces stood side by side, and what it meant.
const OLD: [(&str, &[&str]); 3] = [
    (
        "tests/fixtures/format_1_darts.toml",
        &[
            "search.epochs=1",
            "search.batch=512",
            "search.order=2",
            "train.batch=512",
            "space.nodes=1",
            "network.layers=2",
        ],
    ),
    (
        "tests/fixtures/format_1_spos.toml",
        &[
            "space=chain",
            "strategy=spos",
            "data=mnist",
            "data.dir=few",
            "data.most_bytes=1000000",
            "space.layers=[{features={operations=['conv_3x3', 'skip'], widths=[{times=1}, {times=2}], stride=1}}]",
            "search.epochs=1",
            "search.batch=16",
            "search.calibration=1",
            "search.evolution={ population = 3, generations = 2, parents = 2, mutations = 1, crossovers = 1 }",
            "train.batch=32",
        ],
    ),
    (
        "tests/fixtures/format_1_enas.toml",
        &[
            "space=enas-macro",
            "strategy=enas",
            "data=mnist",
            "data.dir=few",
            "space.layers=4",
            "search.epochs=1",
            "search.batch=16",
            "search.reward_batch=8",
            "search.validation=0.5",
            "search.updates=1",
            "search.candidates=2",
            "search.calibration=1",
            "search.controller={ samples = 2, units = 8, skip_weight = 0.5 }",
            "train.batch=32",
        ],
    ),
];

/// What the runs that wrote them were given alike.
const ALIKE: [&str; 6] =
    ["seed=3", "random=0", "baseline=false", "supernet.channels=2", "network.channels=2", "train.epochs=1"];

fn read_config(place: &str, text: &str, settings: &[Setting]) -> Read {
    let sources = Sources { place, text, settings, ..Sources::default() };
    Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts")))).unwrap()
}

#[test]
fn a_file_of_an_older_form_means_what_it_meant_and_is_written_in_the_present_one() {
    for (file, settings) in OLD {
        let text = std::fs::read_to_string(file).unwrap();
        let Read { config, notes } = read_config(file, &text, &[]);
        assert_eq!(config, Config::with(&[settings, &ALIKE].concat()).unwrap(), "{file}");
        assert_eq!(notes.len(), 1, "{notes:?}");
        for part in [file, "older form", "`space_settings`", "`data_dir`", "`one_shot`", "`enas`", "left out"] {
            assert!(notes[0].contains(part), "{part}: {}", notes[0]);
        }
        let written = config.to_toml().unwrap();
        let again = read_config("config.toml", &written, &[]);
        // A run is made by the same data wherever it goes on.
        let mut config = config;
        config.data.dir = config.data.dir.map(|dir| std::path::absolute(dir).unwrap());
        assert_eq!(again, Read { config, notes: vec![] }, "{written}");
    }
}

#[test]
fn settings_go_over_a_file_of_an_older_form() {
    let (file, _) = OLD[0];
    let text = std::fs::read_to_string(file).unwrap();
    // Another strategy leaves out what was said of the first.
    let settings = [Setting::set("strategy=spos"), Setting::set("space.nodes=3")];
    let Read { config, notes } = read_config(file, &text, &settings);
    let is = |key: &str| config.search.settings.get(key).and_then(|value| value.as_integer());
    assert_eq!((config.search.name(), config.space.settings.get("nodes").unwrap().as_integer()), ("spos", Some(3)));
    // The file had those of all strategies.
    assert_eq!((is("epochs"), is("order")), (Some(120), None));
    assert!(notes.iter().any(|note| note.contains("older form")), "{notes:?}");
}

#[test]
fn search_and_train_take_a_file_of_an_older_form() {
    let (pictures, place) = (few_pictures(), tempfile::tempdir().unwrap());
    let out = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    for (file, _) in &OLD[1..] {
        let name = file.rsplit('/').next().unwrap();
        let data = ["--data-dir", pictures.path().to_str().unwrap(), "--device", "cpu", "--json"];
        let found = out(name);
        let run = call(&[&["search", file, "--out", &found], &data[..]].concat());
        let genotype = run.json()["genotype"].as_str().unwrap().to_owned();
        let said = |run: &Outcome| run.err.lines().filter(|line| line.contains(file)).count();
        assert_eq!(said(&run), 1, "{}", run.err);
        let written = read(found.as_ref(), "config.toml");
        assert!(written.starts_with("format = 2\n") && !written.contains("space_settings"), "{written}");

        let trained = out(&format!("{name}-trained"));
        let run = call(&[&["train", file, "--architecture", &genotype, "--out", &trained], &data[..]].concat());
        assert_eq!(run.json()["genotype"], genotype.as_str());
        assert_eq!(said(&run), 1, "{}", run.err);
    }
    // What is of the present form is read without a word.
    let config = out("format_1_spos.toml") + "/config.toml";
    let again = out("again");
    let run = call(&["search", &config, "--out", &again, "--device", "cpu", "--json"]);
    assert_eq!(run.json()["format"], Value::from(2));
    assert!(!run.err.contains("older form"), "{}", run.err);
}

#[test]
fn a_file_of_a_later_form_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("later.toml");
    std::fs::write(&file, "format = 3\n[search]\nstrategy = \"darts\"\n").unwrap();
    refused(&[file.to_str().unwrap()], &["later.toml: of format 3, later than this program's (2): use a newer one"]);
}

/// Runs as they were left when no directory said which form it has: a search, and a training.
#[test]
fn runs_of_the_first_form_are_still_read() {
    let [searched, trained] = ["tests/fixtures/format_1_search", "tests/fixtures/format_1_train"];
    let found = read(std::path::Path::new(searched), "summary.json");
    let found = serde_json::from_str::<Value>(&found).unwrap()["genotype"].as_str().unwrap().to_owned();
    assert!(good(&["report", searched]).contains("darts, 1 epochs"));
    let picture = tempfile::tempdir().unwrap();
    for run in [searched, trained] {
        let svg = picture.path().join("cell.svg");
        good(&["show", "--architecture", run, "--out", svg.to_str().unwrap()]);
        assert!(svg.is_file());
    }
    let out = picture.path().join("train");
    let (pictures, out) = (few_pictures(), out.to_str().unwrap());
    let data = ["--data=mnist", "--data-dir", pictures.path().to_str().unwrap(), "--device=cpu", "--out", out];
    let sizes = ["--channels=2", "--layers=3", "--epochs=1", "--set=train.batch=32", "--json"];
    let run = call(&[&["train", "--architecture", searched], &data[..], &sizes[..]].concat());
    assert_eq!(run.json()["genotype"], found);
    // They came to their end, and say what that was.
    let copies = [searched, trained].map(|run| {
        let copy = picture.path().join(std::path::Path::new(run).file_name().unwrap());
        std::fs::create_dir(&copy).unwrap();
        for file in std::fs::read_dir(run).unwrap().flatten() {
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        copy
    });
    assert!(good(&["search", "--resume", copies[0].to_str().unwrap()]).contains("Found by darts"));
    assert!(good(&["train", "--resume", copies[1].to_str().unwrap()]).contains("%"));
}
