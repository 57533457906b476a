//! The verb `show`: every form of cells and networks, and what it says to bad input.

mod common;

use common::process::{GENOTYPE, bad, call, good, json};
use serde_json::Value;
use std::path::Path;

#[test]
fn cells_as_a_picture() {
    let svg = good(&["show", "--architecture", "DARTS_V2", "--format", "svg"]);
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "svg");
    assert!(svg.contains("Normal cell") && svg.contains("Reduction cell") && svg.contains("dil_conv_3x3"));
}

#[test]
fn every_other_form() {
    let form = |format| good(&["show", "--architecture", GENOTYPE, "--format", format]);
    let dot = form("dot");
    assert!(dot.starts_with("digraph {") && dot.contains("label=\"sep_conv_3x3\""), "{dot}");
    let text = form("text");
    assert!(text.contains("Normal cell") && text.contains("sep_conv_3x3  from c_{k-2}"), "{text}");
    assert_eq!(form("genotype").trim(), GENOTYPE.replace("range(2, 3)", "[2]"));
    let value: Value = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(value["normal"][0][0], "sep_conv_3x3");
    assert_eq!(text, good(&["show", "--architecture", GENOTYPE]), "text is the default");
}

#[test]
fn the_forms_that_other_programs_read() {
    let form = |architecture: &str, form: &str| good(&["show", "--architecture", architecture, "--as", form]);
    assert_eq!(form(GENOTYPE, "darts").trim(), GENOTYPE.replace("range(2, 3)", "[2]"));
    assert!(form(GENOTYPE, "nested").starts_with("Genotype(normal=[[('sep_conv_3x3', 0), ('skip_connect', 1)]]"));
    assert!(form(GENOTYPE, "autodl").contains("connectN=None, connects=None)"));
    assert!(form(GENOTYPE, "triples").starts_with("Genotype(normal=[('sep_conv_3x3', 2, 0), ('skip_connect', 2, 1)]"));
    let cell = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|";
    assert_eq!(form(cell, "naslib").trim(), "naslib:(2, 1, 1, 1, 1, 0)");
    assert_eq!(form(form(cell, "nni").trim(), "nas-bench-201").trim(), cell);
    assert_eq!(form(form(cell, "index").trim(), "nas-bench-201").trim(), cell);
    let got = call(&["show", "--architecture", cell, "--as", "dart"]);
    assert!(got.status == 1 && got.err.contains("unknown form `dart`"), "{}", got.err);
    let got = call(&["show", "--architecture", "FAIRDARTS-A", "--as", "darts"]);
    assert!(got.status == 1 && got.err.contains("write it `nested`"), "{}", got.err);
}

#[test]
fn published_cells_with_papers_and_sizes() {
    let list = json(&["show", "--list", "--json"]);
    let cells = list.as_array().unwrap();
    assert!(cells.len() >= 60, "{}", cells.len());
    let named = |name: &str| cells.iter().find(|cell| cell["name"] == name).unwrap();
    assert_eq!((&named("DARTS_V2")["parameters"], &named("DARTS_V2")["agrees"]), (&3_349_342.into(), &true.into()));
    assert!(named("NASNET-A")["note"].as_str().unwrap().contains("its own network"));
    let text = good(&["show", "--list"]);
    assert!(text.contains("arXiv:1806.09055") && text.contains("also knows ENAS-MICRO"), "{text}");
    for cell in cells {
        // Each can be used by its name.
        let name = cell["name"].as_str().unwrap();
        let counted = json(&["count", "--architecture", name, "--channels", "8", "--layers", "3", "--json"]);
        assert_eq!(counted["architecture"], cell["text"], "{name}");
    }
}

#[test]
fn a_network_at_any_depth() {
    let boxes = |depth| {
        let arguments = ["show", "--layers", "3", "--channels", "4", "--format", "dot", "--depth", depth];
        good(&arguments).lines().filter(|line| line.contains("fillcolor")).count()
    };
    assert!(boxes("0") < boxes("2") && boxes("2") < boxes("all"), "{} {}", boxes("0"), boxes("2"));
    let graph: Value = serde_json::from_str(&good(&[
        "show",
        "--architecture",
        GENOTYPE,
        "--layers",
        "2",
        "--what",
        "network",
        "--format",
        "json",
    ]))
    .unwrap();
    assert!(graph["nodes"].as_array().unwrap().len() > 10);
    assert_eq!(graph["outputs"][0]["name"], "logits");
    let fused = good(&["show", "--layers", "3", "--channels", "4", "--image", "1x8x8", "--fused"]);
    assert_eq!(fused.matches("\n  mixed_cell  (").count(), 3, "{fused}");
    let cell = "6 states, 14 edges, state 0: 16 filters, 8 second filters";
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&fused).contains(cell), "{fused}");
    let chain = good(&["show", "--space", "chain-mlp", "--image", "1x8x8"]);
    assert!(chain.contains("chain-mlp supernet") && chain.contains("linear"), "{chain}");
}

#[test]
fn a_file_takes_its_form_from_its_ending() {
    let folder = tempfile::tempdir().unwrap();
    for (name, beginning) in [("a.svg", "<svg"), ("a.dot", "digraph {"), ("a.json", "{"), ("a.txt", "Normal")] {
        let path = folder.path().join(name);
        good(&["show", "--architecture", "DARTS_V1", "--out", path.to_str().unwrap()]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(beginning), "{name}: {text}");
    }
}

#[test]
fn bad_input_leaves_files_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.svg");
    std::fs::write(&file, "old").unwrap();
    let out = |path: &Path| format!("--out {}", path.display());
    bad(1, &format!("show --architecture DARTS_V9 {}", out(&file)), &["`DARTS_V9`", "did you mean"]);
    bad(1, &format!("show --what cells {}", out(&file)), &["--architecture", "--what network"]);
    bad(1, &format!("show --format genotype {}", out(&file)), &["nothing is chosen", "--architecture"]);
    let cells = "show --space chain-mlp --what cells --architecture \
        layer0_width=16,layer1_width=16,layer2_width=16";
    bad(1, &format!("{cells} {}", out(&file)), &["`chain-mlp` have no cells", "--what network"]);
    let other = folder.path().join("cell.png");
    bad(1, &format!("show --architecture DARTS_V1 {}", out(&other)), &["cell.png", ".svg", "--format"]);
    let beyond = folder.path().join("no/cell.svg");
    bad(1, &format!("show --architecture DARTS_V1 {}", out(&beyond)), &["cannot be written", "no directory"]);
    bad(2, "show --format png", &["png", "svg"]);
    let cells = "show --architecture DARTS_V2";
    bad(1, &format!("{cells} --depth 2"), &["--depth belongs to drawings of networks", "--what network"]);
    bad(1, &format!("{cells} --what network --format json --depth 2"), &["--depth", "--format svg, dot or text"]);
    bad(1, &format!("{cells} --layers 20"), &["--layers says nothing to cells", "--what network"]);
    bad(1, &format!("{cells} --format genotype --fused"), &["--fused says nothing to a genotype"]);
    bad(1, &format!("{cells} --format genotype --what network"), &["--what says nothing to a genotype"]);
    bad(1, &format!("{cells} --what cells --auxiliary"), &["--auxiliary says nothing to cells"]);
    bad(2, "show --depth deep", &["deep", "`all`"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn text_fits_a_terminal_whatever_the_space() {
    for space in cellwright::space::names() {
        let text = good(&["show", "--space", space]);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{space}: {line}");
        }
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{space}");
    }
    for name in ["DARTS_V2", "NASNET-A", "ENAS-MICRO"] {
        for what in ["cells", "network"] {
            let text = good(&["show", "--architecture", name, "--what", what]);
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{name}, {what}: {text}");
        }
    }
}

#[test]
fn one_step_of_a_search_command_by_command() {
    let small = ["--space", "chain-mlp", "--hidden-layers", "1", "--units", "4,8"];
    let text = good(&[&["show", "--step"], &small[..]].concat());
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for leg in ["forward", "backward", "update"] {
        for part in ["step of the architecture weights", "step of the weights"] {
            assert_eq!(text.matches(&format!("\n{part}, {leg}\n")).count(), 1, "{part}, {leg}:\n{text}");
        }
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for formula in ["c[rows, columns] (+)= op(a)·op(b) + bias[column]", "w −= lr·(nesterov", "m = β₁m + (1−β₁)g"]
    {
        assert!(words.contains(formula), "`{formula}`:\n{text}");
    }
    let value = json(&[&["show", "--step", "--json"], &small[..]].concat());
    let commands: Vec<&Value> =
        value["parts"].as_array().unwrap().iter().flat_map(|part| part["commands"].as_array().unwrap()).collect();
    assert_eq!(value["total"]["commands"], commands.len());
    let sum = |key: &str| commands.iter().map(|command| command[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(value["total"]["bytes"], sum("bytes"));
    assert_eq!(value["total"]["flops"], sum("flops"));
    assert!(commands.iter().all(|command| !command["formula"].as_str().unwrap().is_empty()));
    assert!(commands.iter().any(|command| command["scope"].as_str().unwrap().contains("layer")), "layers are named");
    // The second order goes forward and back several times.
    let second = good(&[&["show", "--step", "--order", "2"], &small[..]].concat());
    assert!(second.matches("step of the architecture weights, backward\n").count() > 2);
    let darts = good(&["show", "--step"]);
    assert!(
        darts.contains("filter_bank_forward")
            && darts.contains("One step of a search: darts supernet, 4 channels, 3 layers")
    );
}

#[test]
fn a_supernet_with_the_weights_of_a_run() {
    let place = tempfile::tempdir().unwrap();
    let run = place.path().join("run");
    common::process::search_few(&run, "cpu", &[]).json();
    let form = |format: &str| good(&["show", "--supernet", run.to_str().unwrap(), "--format", format]);
    let weights: Value = serde_json::from_str(&form("json")).unwrap();
    let heaviest =
        weights["alphas_normal"][0].as_array().unwrap().iter().map(|w| w.as_f64().unwrap()).fold(0.0, f64::max);
    let text = form("text");
    assert!(text.contains("alphas_normal") && text.contains(&format!(" {heaviest:.3}  from ")), "{heaviest}: {text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let svg = form("svg");
    roxmltree::Document::parse(&svg).unwrap();
    assert!(svg.contains("stroke-opacity") && svg.contains(&format!("{heaviest:.3}")));
    assert!(form("dot").contains("penwidth="));
    bad(1, &format!("show --supernet {} --channels 4", run.display()), &["--supernet says itself"]);
    bad(1, "show --supernet /nowhere/at/all", &["/nowhere/at/all"]);
}
