//! What a search found is used: `predict`, `evaluate` and `export`.

mod common;

use cellwright::autograd::{Tape, Var};
use cellwright::device::Device;
use cellwright::estimate::Inference;
use cellwright::network::{Network, Pass};
use cellwright::random::Random;
use cellwright::space::{self, NetworkSettings};
use cellwright::tensor::Tensor;
use common::process::{call, good, json};
use common::{devices, small_space, wait};
use image::{Rgb, RgbImage};
use serde_json::Value;
use std::path::Path;

/// A picture of one colour with some noise.
fn picture(path: &Path, size: [u32; 2], colour: [u8; 3], seed: u64) {
    let mut random = Random::new(seed, 0);
    let mut noisy = |value: u8| value.saturating_add(random.below(30) as u8);
    let pixels = RgbImage::from_fn(size[0], size[1], |_, _| Rgb(colour.map(&mut noisy)));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    pixels.save(path).unwrap();
}

const CLASSES: [(&str, [u8; 3]); 2] = [("a <red> one", [200, 30, 30]), ("blue", [30, 30, 200])];

/// A folder of red and blue pictures, and the run of a network that has learned to tell them apart.
fn trained(place: &Path) -> String {
    for (class, colour) in CLASSES {
        for number in 0..20 {
            picture(&place.join(format!("data/{class}/{number}.png")), [12, 12], colour, number);
        }
    }
    let (data, out) = (place.join("data"), place.join("run"));
    let out = out.to_str().unwrap();
    let call = call(&[
        "train",
        "--space=nas-bench-201",
        "--architecture=|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|",
        "--data=folder",
        "--data-dir",
        data.to_str().unwrap(),
        "--device=cpu",
        "--set=network.channels=4",
        "--set=network.layers=3",
        "--set=train.epochs=12",
        "--set=train.batch=8",
        "--out",
        out,
    ]);
    assert_eq!(call.status, 0, "{}", call.err);
    out.to_owned()
}

#[test]
fn pictures_are_answered_in_their_order_and_those_that_cannot_be_read_are_named() {
    let place = tempfile::tempdir().unwrap();
    let run = trained(place.path());
    let at = |name: &str| place.path().join(name);
    // Of other sizes and kinds than those it was trained on.
    picture(&at("new/large.jpg"), [90, 60], CLASSES[1].1, 7);
    picture(&at("new/deep/tall.bmp"), [10, 33], CLASSES[0].1, 8);
    std::fs::write(at("new/broken.png"), b"\x89PNG\r\n\x1a\nand no more").unwrap();
    let folder = at("new");
    let folder = folder.to_str().unwrap();
    let answered = call(&["predict", &run, folder, "--json", "--device=cpu"]);
    assert_eq!(answered.status, 1);
    assert!(answered.err.contains("1 of 3 files could not be read"), "{}", answered.err);
    let lines: Vec<Value> = answered.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let files: Vec<&str> = lines.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert!(files[0].ends_with("broken.png") && files[1].ends_with("tall.bmp") && files[2].ends_with("large.jpg"));
    assert!(lines[0]["error"].is_string() && lines[0].get("top").is_none());
    for (line, (class, _)) in lines[1..].iter().zip(CLASSES) {
        let top = line["top"].as_array().unwrap();
        assert_eq!((top[0]["class"].as_str(), top.len()), (Some(class), 2), "{line}");
        let sum: f64 = top.iter().map(|guess| guess["probability"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{line}");
    }
    let large = at("new/large.jpg");
    let table = good(&["predict", &run, large.to_str().unwrap(), "--device=cpu", "--top=1"]);
    assert!(table.lines().nth(2).is_some_and(|row| row.contains("blue") && row.contains(" %")), "{table}");
    let empty = at("empty");
    std::fs::create_dir(&empty).unwrap();
    for (arguments, part) in [
        (vec!["predict", folder, folder], "name the directory of a search or a training"),
        (vec!["predict", &run, "no/such.png"], "1 of 1 files could not be read"),
        (vec!["predict", &run, empty.to_str().unwrap()], "holds no pictures"),
    ] {
        let refused = call(&arguments);
        assert!(refused.status == 1 && refused.err.contains(part), "{arguments:?}: {}", refused.err);
    }
}

#[test]
fn a_network_is_measured_on_its_own_data_and_on_others_of_its_classes() {
    let place = tempfile::tempdir().unwrap();
    let run = trained(place.path());
    let out = place.path().join("evaluated");
    let own = call(&["evaluate", &run, "--json", "--device=cpu", "--out", out.to_str().unwrap()]).json();
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(Path::new(&run).join("summary.json")).unwrap()).unwrap();
    let number = |value: &Value| value.as_f64().unwrap();
    assert_eq!(own["accuracy"], summary["test_accuracy"]);
    assert!((number(&own["loss"]) - number(&summary["test_loss"])).abs() < 1e-4);
    assert!(number(&own["interval"][0]) < number(&own["accuracy"]) && number(&own["interval"][1]) <= 1.0);
    for file in ["evaluation.json", "classes.csv", "confusion.csv", "confusion.svg", "calibration.svg"] {
        assert!(out.join(file).is_file(), "{file}");
    }
    // Others, of which one class is mislabelled.
    for number in 0..4 {
        picture(&place.path().join(format!("other/test/blue/{number}.png")), [40, 20], CLASSES[0].1, number);
        for (class, colour) in CLASSES {
            picture(&place.path().join(format!("other/train/{class}/{number}.png")), [40, 20], colour, number);
        }
        picture(&place.path().join(format!("other/test/{}/{number}.png", CLASSES[0].0)), [9, 9], CLASSES[0].1, number);
    }
    let other = place.path().join("other");
    let other = ["evaluate", &run, "--data=folder", "--data-dir", other.to_str().unwrap(), "--device=cpu"];
    let measured = call(&[&other[..], &["--json"]].concat()).json();
    assert_eq!((&measured["accuracy"], &measured["balanced_accuracy"]), (&0.5.into(), &0.5.into()));
    assert_eq!(measured["confusion"], serde_json::json!([[4, 0], [4, 0]]));
    assert!(call(&other).out.contains("50.00 % of 8 test images"));
    picture(&place.path().join("other/train/green/0.png"), [40, 20], [0, 200, 0], 0);
    picture(&place.path().join("other/test/green/0.png"), [40, 20], [0, 200, 0], 0);
    let refused = call(&other);
    assert!(refused.err.contains("the class `green` is none of the network's: a <red> one, blue"), "{}", refused.err);
}

#[test]
fn shaders_that_are_written_are_valid_by_themselves() {
    let place = tempfile::tempdir().unwrap();
    let run = trained(place.path());
    let out = place.path().join("wgsl");
    let said = good(&["export", &run, "--format=wgsl", "--device=cpu", "-o", out.to_str().unwrap()]);
    assert!(said.contains("open index.html"), "{said}");
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let manifest: Value = serde_json::from_str(&read("manifest.json")).unwrap();
    let shaders = manifest["shaders"].as_array().unwrap();
    for shader in shaders {
        let source = read(shader["file"].as_str().unwrap());
        let module = naga::front::wgsl::parse_str(&source).unwrap();
        let (flags, capabilities) = (naga::valid::ValidationFlags::all(), naga::valid::Capabilities::default());
        naga::valid::Validator::new(flags, capabilities).validate(&module).unwrap();
    }
    let buffers = manifest["buffers"].as_array().unwrap();
    let weights = std::fs::read(out.join("weights.bin")).unwrap().len() as u64;
    let held = buffers.iter().filter_map(|buffer| buffer["contents"]["bytes"].as_u64()).sum::<u64>();
    assert_eq!(held, weights);
    for step in manifest["steps"].as_array().unwrap() {
        let shader = &shaders[step["shader"].as_u64().unwrap() as usize];
        let bound = step["buffers"].as_array().unwrap();
        assert_eq!(bound.len() as u64, shader["inputs"].as_u64().unwrap() + shader["outputs"].as_u64().unwrap());
        assert!(bound.iter().all(|buffer| (buffer.as_u64().unwrap() as usize) < buffers.len()));
    }
    let page = read("index.html");
    // The class's name is there as data, and ends nothing.
    assert!(page.contains("a \\u003cred\\u003e one") && !page.contains("<red>"));
    assert!(good(&["export", &run, "--format=genotype"]).contains("|nor_conv_3x3~0|"));
    let again = call(&["export", &run, "--format=wgsl", "-o", out.to_str().unwrap()]);
    assert!(again.err.contains("is there already"), "{}", again.err);
}

/// Folded and without room for gradients a network says what it says otherwise.
#[test]
fn inference_answers_as_the_network_does() {
    for device in devices() {
        for name in space::names() {
            let space = small_space(name);
            let settings =
                NetworkSettings { channels: 4, layers: 6, auxiliary: name == "darts", ..NetworkSettings::default() };
            let architecture = space.random(&mut Random::new(5, 0));
            let graph = space.decode(&architecture, &settings).unwrap();
            let mut network = Network::new(&device, graph.clone(), 3).unwrap();
            let mut state = wait(network.state()).unwrap();
            // Statistics that do something.
            let mut random = Random::new(9, 0);
            for (name, array) in &mut state {
                if let cellwright::nn::Value::F32(values) = &mut array.value {
                    if name.ends_with("running_var") {
                        values.iter_mut().for_each(|value| *value = random.range(0.5, 2.0));
                    } else if name.ends_with("running_mean") {
                        values.iter_mut().for_each(|value| *value = random.range(-0.5, 0.5));
                    }
                }
            }
            network.load(&state).unwrap();
            let shape = graph.shape(0);
            let values: Vec<f32> = (0..2 * shape.count()).map(|_| random.normal()).collect();
            let x = Tensor::from_values(&device, &values, &[2, shape.channels, shape.height, shape.width]).unwrap();
            let mut tape = Tape::new(&device);
            let outputs = network.forward(&mut tape, &Var::constant(x), &Pass::evaluation()).unwrap();
            device.run(&tape.finish()).unwrap();
            let expected = wait(outputs[0].tensor().read(&device)).unwrap();
            let mut inference = Inference::new(&device, &graph, &state).unwrap();
            let found = wait(inference.logits(2, &values)).unwrap();
            let noise = graph.nodes.iter().any(|node| matches!(node.op, cellwright::graph::Op::Noise { .. }));
            let scale = expected.iter().fold(1.0f32, |most, value| most.max(value.abs()));
            let apart = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(noise || apart <= 2e-4 * scale, "{name} on {}: {apart} of {scale}", device.name());
            assert!(wait(inference.logits(2, &values[1..])).is_err());
        }
    }
}

#[test]
fn answers_do_not_depend_on_the_number_of_threads() {
    let space = space::find("mobile").unwrap();
    let graph = space.decode(&space.random(&mut Random::new(5, 0)), &NetworkSettings::default()).unwrap();
    let state = wait(Network::new(&Device::cpu(), graph.clone(), 3).unwrap().state()).unwrap();
    for images in [9, 24] {
        let mut random = Random::new(9, 0);
        let values: Vec<f32> = (0..images * graph.shape(0).count()).map(|_| random.normal()).collect();
        let logits = [1, 2, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut inference = Inference::new(&Device::cpu(), &graph, &state).unwrap();
                wait(inference.logits(images, &values)).unwrap()
            })
        });
        assert!(logits[0].iter().all(|logit| logit.is_finite()));
        assert!(logits[0] == logits[1] && logits[0] == logits[2], "{images} images");
    }
}

#[test]
fn a_network_goes_to_onnx_and_back() {
    let place = tempfile::tempdir().unwrap();
    let run = trained(place.path());
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let blue = at("data/blue/3.png");
    let answer = |run: &str| -> Value {
        serde_json::from_str(&good(&["predict", run, &blue, "--json", "--device=cpu"])).unwrap()
    };
    let (own, size) = (answer(&run), json(&["count", "--model", &run, "--json"]));
    for (name, options) in
        [("plain", vec![]), ("folded", vec!["--fold"]), ("raw", vec!["--with-preprocessing", "--fold"])]
    {
        let (file, back) = (at(&format!("{name}.onnx")), at(name));
        good(&[&["export", &run, "--format=onnx", "-o", &file][..], &options].concat());
        let said = good(&["import", &file, "-o", &back]);
        assert!(said.contains("A network by cellwright"), "{said}");
        let found = answer(&back);
        assert_eq!(found["top"][0]["class"], own["top"][0]["class"]);
        let [a, b] = [&own, &found].map(|answer| answer["top"][0]["probability"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-5, "{name}: {a}, {b}");
        assert_eq!(json(&["count", "--model", &back, "--json"])["multiply_adds"], size["multiply_adds"], "{name}");
        assert!(good(&["show", "--model", &back]).contains("classifier"), "{name}");
        assert!(good(&["show", "--model", &back, "--format=genotype"]).contains("|nor_conv_3x3~0|"), "{name}");
    }
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(Path::new(&run).join("summary.json")).unwrap()).unwrap();
    assert_eq!(size["parameters"], summary["parameters"]);
    let data = at("data");
    let measured = call(&["evaluate", &at("plain"), "--data=folder", "--data-dir", &data, "--json", "--device=cpu"]);
    assert_eq!(measured.json()["accuracy"], summary["test_accuracy"]);
    std::fs::write(at("no.onnx"), b"not a network").unwrap();
    for (arguments, part) in [
        (vec!["import", &at("no.onnx"), "-o", &at("no")], "not an ONNX file"),
        (vec!["import", &at("plain.onnx"), "-o", &at("plain")], "plain"),
        (
            vec!["import", &at("plain.onnx"), "-o", &at("three"), "--classes=a,b,c"],
            "3 classes, where its network answers with",
        ),
        (vec!["show", "--model", &at("data")], "model.json"),
        (vec!["export", &run, "--format=onnx"], "needs --output"),
        (vec!["export", &run, "--format=onnx", "--path=#1", "-o", &at("path.onnx")], "a search with shared weights"),
        (vec!["evaluate", &at("plain")], "holds no run: it has no config.toml"),
    ] {
        let refused = call(&arguments);
        assert!(refused.status == 1 && refused.err.contains(part), "{arguments:?}: {}", refused.err);
    }
}

#[test]
fn what_has_learned_something_is_trained_further_also_for_other_classes() {
    let place = tempfile::tempdir().unwrap();
    let run = trained(place.path());
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let read = |run: &str, file: &str| std::fs::read_to_string(Path::new(run).join(file)).unwrap();
    let lines = |run: &str| -> Vec<Value> {
        read(run, "metrics.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let further = |model: &str, data: &str, out: &str, more: &[&str]| {
        let common = ["train", "--model", model, "--data=folder", "--data-dir", data, "--out", out, "--device=cpu"];
        call(&[&common[..], &["--set=train.batch=8", "--set=train.rate.from=0.01"], more].concat())
    };
    // On its own classes it goes on about where it was.
    let (data, own) = (at("data"), at("own"));
    let more = further(&run, &data, &own, &["--epochs=2"]);
    assert_eq!(more.status, 0, "{}", more.err);
    let [before, after] = [&run, &own].map(|run| lines(run)[0]["train_loss"].as_f64().unwrap());
    assert!(after < 0.5 * before, "{after} after {before}");
    let config: toml::Table = read(&own, "config.toml").parse().unwrap();
    assert_eq!(config["model"].as_str(), Some(run.as_str()));
    assert!(!config.contains_key("space") && !config.contains_key("network"), "{config}");
    let summary: Value = serde_json::from_str(&read(&own, "summary.json")).unwrap();
    assert_eq!((&summary["space"], &summary["begun_with"]), (&"nas-bench-201".into(), &run.clone().into()));
    assert!(read(&own, "model.md").contains("with what it had learned"));
    // The same command, from its own configuration.
    let (again, config) = (at("again"), Path::new(&own).join("config.toml"));
    assert_eq!(call(&["train", config.to_str().unwrap(), "--out", &again]).status, 0);
    assert_eq!(read(&again, "metrics.jsonl"), read(&own, "metrics.jsonl"));

    // A file of another program, for a class more, of other sizes.
    let (file, imported, third) = (at("network.onnx"), at("imported"), at("third"));
    good(&["export", &run, "--format=onnx", "-o", &file, "--fold"]);
    good(&["import", &file, "-o", &imported]);
    for number in 0..20 {
        picture(&place.path().join(format!("data/green/{number}.png")), [20, 30], [20, 200, 20], number);
    }
    let said = further(&imported, &data, &third, &["--epochs=6"]);
    assert_eq!(said.status, 0, "{}", said.err);
    let note = "3 classes, 2 of which are among the network's 2";
    assert!(said.err.contains(note), "{}", said.err);
    let answered = |class: &str| -> Value {
        let picture = at(&format!("data/{class}/1.png"));
        serde_json::from_str(&good(&["predict", &third, &picture, "--json", "--device=cpu"])).unwrap()
    };
    for class in ["green", "blue"] {
        assert_eq!(answered(class)["top"][0]["class"], class);
    }

    for (arguments, part) in [
        (vec!["train", "--model", &run, "--data=digits"], "its images are [1, 8, 8]"),
        (vec!["train", "--model", &run, "--channels=8"], "a network that is trained further"),
        (vec!["train", "--model", &run, "--set=architecture=#1"], "a network that is trained further"),
        (vec!["train", "--model", &data], "model.json"),
        (vec!["search", "--set=model=x"], "`search` does not read `model`"),
        (vec!["train"], "or --model RUN"),
    ] {
        let refused = call(&arguments);
        assert!(refused.status == 1 && refused.err.contains(part), "{arguments:?}: {}", refused.err);
    }
}
