//! The command line: what each verb prints, and what it says to bad input.
//!
//! `search` and `train` have tests of their own.

use assert_cmd::Command;
use serde_json::Value;
use std::path::Path;

/// What a call gave: exit status, standard output, standard error.
struct Outcome {
    status: i32,
    out: String,
    err: String,
}

fn call(arguments: &[&str]) -> Outcome {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("cellwright")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Outcome { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

/// Standard output of a call that succeeds and says nothing else: no bars where there is no terminal.
fn good(arguments: &[&str]) -> String {
    let Outcome { status, out, err } = call(arguments);
    assert_eq!((status, err.as_str()), (0, ""), "{arguments:?}");
    out
}

fn json(arguments: &[&str]) -> Value {
    let out = good(arguments);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}:\n{out}"))
}

/// Requires failure with a message that holds all `parts`, and nothing on standard output.
fn bad(status: i32, arguments: &str, parts: &[&str]) {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let got = call(&arguments);
    assert_eq!((got.status, got.out.as_str()), (status, ""), "{arguments:?}: {}", got.err);
    assert!(got.err.starts_with("error: "), "{arguments:?}: {}", got.err);
    for part in parts {
        assert!(got.err.contains(part), "{arguments:?} should say `{part}`: {}", got.err);
    }
}

const GENOTYPE: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2], \
    reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=range(2, 3))";

mod devices {
    use super::*;

    #[test]
    fn lists_the_cpu_and_marks_what_auto_means() {
        let out = good(&["devices"]);
        assert!(out.contains("CPU twins on") && out.contains("16.0 GiB"), "{out}");
        assert_eq!(out.matches("← auto").count(), 1, "{out}");
    }

    #[test]
    fn prints_json() {
        let list = json(&["devices", "--json"]);
        let list = list.as_array().unwrap();
        assert_eq!(list[0]["kind"], "CPU");
        for (number, device) in list.iter().enumerate() {
            assert_eq!(device["number"], number);
            for field in ["name", "kind", "backend", "driver"] {
                assert!(device[field].is_string(), "{field}: {device}");
            }
            assert!(device["binding_bytes"].as_u64() > Some(0) && device["buffer_bytes"].as_u64() > Some(0));
            assert_eq!(device["subgroups"].as_array().unwrap().len(), 2);
            assert!(device["timestamps"].is_boolean() && device["f16"].is_boolean());
            assert!(device.get("problem").is_some());
        }
        assert_eq!(list.iter().filter(|d| d["auto"] == true).count(), 1);
    }
}

mod check {
    use super::*;

    #[test]
    fn the_cpu_agrees_and_says_what_it_is() {
        let found = json(&["check", "--device", "cpu", "--json"]);
        assert_eq!(found["agrees"], true, "{found}");
        assert_eq!((&found["adapter"]["kind"], &found["version"]), (&"CPU".into(), &env!("CARGO_PKG_VERSION").into()));
        let kernels = found["report"]["kernels"].as_array().unwrap();
        assert_eq!(kernels.len(), cellwright::kernels::ALL.len());
        for check in kernels.iter().chain(found["report"]["golden"].as_array().unwrap()) {
            assert!(check["compared"].as_u64() > Some(0), "{check}");
            assert_eq!(check["differences"].as_array().unwrap().len(), 0, "{check}");
        }
        assert!(found["limits"]["storage_bindings"].as_u64() >= Some(8) && found["seconds"].as_f64() > Some(0.0));
    }
}

mod environment {
    use super::*;

    fn with(name: &str, value: &str, arguments: &[&str]) -> Outcome {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
        let output = command.args(arguments).env(name, value).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Outcome { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[test]
    fn an_unknown_graphics_interface_is_refused_with_the_names() {
        for arguments in [&["devices"][..], &["check", "--device", "gpu"], &["bench", "edge"]] {
            let Outcome { status, out, err } = with("WGPU_BACKEND", "vulcan", arguments);
            assert_eq!((status, out.as_str()), (1, ""), "{arguments:?}");
            assert!(err.contains("WGPU_BACKEND") && err.contains("`vulcan`") && err.contains("metal"), "{err}");
        }
    }

    #[test]
    fn an_interface_that_is_not_here_lists_the_cpu_alone() {
        let absent = if cfg!(target_os = "macos") { "dx12" } else { "metal" };
        let Outcome { status, out, .. } = with("WGPU_BACKEND", absent, &["devices", "--json"]);
        let list: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, list.as_array().unwrap().len()), (0, 1), "{out}");
    }

    #[test]
    fn the_adapter_it_names_is_what_auto_means() {
        let Outcome { status, err, .. } = with("WGPU_ADAPTER_NAME", "no such card", &["bench", "edge"]);
        assert!(status == 1 && err.contains("called `no such card`"), "{err}");
        let Outcome { status, out, .. } = with("WGPU_ADAPTER_NAME", "no such card", &["devices"]);
        assert!(status == 0 && out.contains("WGPU_ADAPTER_NAME: no device") && !out.contains("← auto"), "{out}");
    }
}

mod count {
    use super::*;

    #[test]
    fn the_supernet_has_its_published_size() {
        let value = json(&["count", "--space", "darts", "--channels", "16", "--layers", "8", "--json"]);
        assert_eq!(value["parameters"], 1_930_618);
        assert_eq!((&value["supernet"], &value["batch"]), (&true.into(), &1.into()));
        let out = good(&["count"]);
        assert!(out.contains("1,930,618") && out.contains("1.93 M") && out.contains("MiB"), "{out}");
    }

    #[test]
    fn derived_networks_have_their_published_size() {
        let arguments = ["count", "--architecture", "DARTS_V2", "--channels", "36", "--layers", "20", "--json"];
        let plain = json(&arguments);
        assert_eq!((&plain["parameters"], &plain["supernet"]), (&3_349_342.into(), &false.into()));
        assert!(plain["architecture"].as_str().unwrap().starts_with("Genotype("));
        let auxiliary = json(&[&arguments[..], &["--auxiliary"]].concat());
        assert!(auxiliary["parameters"].as_u64() > plain["parameters"].as_u64());
        assert_eq!(auxiliary["auxiliary"], true);
    }

    #[test]
    fn activations_grow_with_the_batch_and_nothing_else_does() {
        let of = |batch| json(&["count", "--image", "1x8x8", "--batch", batch, "--json"]);
        let (one, three) = (of("1"), of("3"));
        let bytes = |value: &Value| value["activation_bytes"].as_u64().unwrap();
        assert_eq!(3 * bytes(&one), bytes(&three));
        assert_eq!(one["multiply_adds"], three["multiply_adds"]);
        assert_eq!((&three["image"], &three["batch"]), (&"1x8x8".into(), &3.into()));
    }

    #[test]
    fn a_genotype_as_text_or_in_a_file_may_have_any_nodes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.txt");
        std::fs::write(&file, format!("MINE = {GENOTYPE}\n")).unwrap();
        let as_text = json(&["count", "--architecture", GENOTYPE, "--json"]);
        let as_file = json(&["count", "--architecture", file.to_str().unwrap(), "--json"]);
        assert_eq!(as_text, as_file);
        let written = good(&["show", "--architecture", GENOTYPE, "--format", "json"]);
        std::fs::write(&file, written).unwrap();
        assert_eq!(as_text, json(&["count", "--architecture", file.to_str().unwrap(), "--json"]));
    }

    #[test]
    fn nodes_add_up() {
        let value = json(&["count", "--space", "chain-mlp", "--image", "1x8x8", "--by-node", "--json"]);
        let nodes = value["nodes"].as_array().unwrap();
        for quantity in ["parameters", "multiply_adds", "activation_bytes"] {
            let sum: u64 = nodes.iter().map(|node| node[quantity].as_u64().unwrap()).sum();
            assert_eq!(value[quantity], sum, "{quantity}");
        }
        let out = good(&["count", "--architecture", "DARTS_V1", "--layers", "3", "--by-node"]);
        assert!(out.contains("cells.0._ops.0.op.1") && out.contains("classifier"), "{out}");
    }

    #[test]
    fn spaces_are_built_as_asked() {
        let of = |arguments: &str| json(&format!("count {arguments} --json").split(' ').collect::<Vec<_>>());
        let size = |arguments: &str| of(arguments)["parameters"].as_u64().unwrap();
        assert!(size("--nodes 2") < size("--nodes 4"));
        assert_eq!(size("--nodes 4"), 1_930_618);
        assert!(size("--primitives sep_conv_3x3,skip_connect") < size("--nodes 4"));
        assert!(size("--space chain-vgg16 --kernels 3") < size("--space chain-vgg16 --kernels 3,5"));
        assert!(size("--space chain-mlp --hidden-layers 1 --units 8,16") < size("--space chain-mlp"));
        let chosen = "layer0_width=16,layer1_width=16,layer2_width=128";
        let chosen = json(&["count", "--space", "chain-mlp", "--architecture", chosen, "--json"]);
        assert!(chosen["parameters"].as_u64().unwrap() < size("--space chain-mlp"));
        assert!(size("--space enas-macro --macro-layers 6") < size("--space enas-macro"));
        bad(1, "count --space enas-macro --macro-layers 65", &["macro_layers = 65", "from 1 to 64"]);
        bad(1, "count --space darts --macro-layers 6", &["--macro-layers belongs to the space `enas-macro`"]);
    }

    #[test]
    fn published_cells_of_pairs_are_counted_and_shown_by_name() {
        let count = |space: &str, name: &str| {
            let size = ["--channels", "36", "--layers", "17"];
            json(&[&["count", "--space", space, "--architecture", name, "--json"], &size[..]].concat())
        };
        let micro = count("enas-micro", "ENAS-MICRO");
        assert_eq!((&micro["parameters"], &micro["layers"]), (&3_894_372.into(), &17.into()));
        let text = micro["architecture"].as_str().unwrap();
        assert!(text.starts_with("normal=[0:avg_pool_3x3+0:sep_conv_3x3, "), "{text}");
        assert_eq!(count("enas-micro", text), micro);
        for name in ["NASNET-A", "AMOEBANET-A"] {
            assert!(count("nasnet", name)["parameters"].as_u64().unwrap() > 2_000_000);
            let shown = good(&["show", "--space", "nasnet", "--architecture", name]);
            assert!(shown.contains("Normal cell") && shown.contains("sep_conv_5x5"), "{shown}");
        }
        let shown = good(&["show", "--space", "enas-macro", "--image", "3x16x16"]);
        assert!(shown.contains("enas-macro supernet"), "{shown}");
        bad(1, "count --space nasnet --architecture NASNET-B", &["`NASNET-B`", "did you mean `NASNET-A`"]);
    }

    #[test]
    fn a_space_may_be_a_file() {
        let value = json(&["count", "--space", "examples/space.toml", "--image", "1x8x8", "--channels", "4", "--json"]);
        assert_eq!((&value["space"], &value["supernet"]), (&"my-space".into(), &true.into()));
        let wide = json(&["count", "--space", "examples/space.toml", "--image", "1x8x8", "--channels", "8", "--json"]);
        assert!(wide["parameters"].as_u64() > value["parameters"].as_u64());
        let shown = good(&["show", "--space", "examples/space.toml", "--image", "1x8x8"]);
        assert!(shown.contains("my-space supernet") && shown.contains("choice points"), "{shown}");

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        let file = path.to_str().unwrap();
        let text = std::fs::read_to_string("examples/space.toml").unwrap();
        std::fs::write(&path, &text).unwrap();
        assert!(good(&["count", "--space", file]).contains("my-space supernet"), "a file needs no ending");
        let wrong = |from: &str, to: &str, parts: &[&str]| {
            std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
            for verb in ["count", "search"] {
                bad(1, &format!("{verb} --space {file}"), &[&[file][..], parts].concat());
            }
        };
        wrong("sep_conv_5x5", "sep_conf_5x5", &["line 18, `stage.operations`", "did you mean `sep_conv_3x3`?", "^^^^"]);
        wrong("stride = 2", "strides = 2", &["line 23: unknown field `strides`", "23 | strides = 2"]);
        wrong("\"my-space\"", "\"mobile\"", &["`mobile` is that of a built-in space"]);
        std::fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
        bad(1, &format!("count --space {file}"), &[file, "longer than"]);
        bad(1, "count --space nowhere.toml", &["space file nowhere.toml", "o such file"]);
    }

    #[test]
    fn bad_input_is_named_with_a_hint() {
        bad(1, "count --space dart", &["unknown search space `dart`", "did you mean `darts`?", "chain-vgg16"]);
        bad(1, "count --architecture DARTS_V3", &["unknown genotype `DARTS_V3`", "did you mean `DARTS_V2`?"]);
        bad(1, "count --architecture nowhere/found.json", &["nowhere/found.json", "a file that holds it (FILE:NAME"]);
        bad(1, "count --architecture Genotype(normal=[", &["genotype, character 18", "expected"]);
        bad(1, "count --architecture Genotype(normal=[('sep_conv3x3',0)])", &["`sep_conv3x3`", "`sep_conv_3x3`"]);
        bad(1, "count --primitives sep_conv_3x3,skip", &["unknown primitive `skip`", "did you mean `skip_connect`?"]);
        bad(1, "count --space chain --nodes 3", &["--nodes", "belongs to the space `darts`"]);
        bad(1, "count --architecture DARTS_V2 --nodes 3", &["a genotype says its own nodes", "leave out --nodes"]);
        bad(1, "count --channels 0", &["channels = 0", "from 1 to"]);
        bad(1, "count --layers 100000", &["layers = 100000", "from 1 to"]);
        bad(1, "count --image 3x2x2", &["image of 3x2x2 is too small", "use larger images"]);
        bad(1, "count --architecture DARTS_V2 --auxiliary --image 3x64x64", &["8x8", "turn", "auxiliary head off"]);
        bad(1, "count --space chain --architecture layer0_operation=conv_4x4", &["conv_4x4", "did you mean"]);
        bad(2, "count --image 32x32", &["`32x32` is not an image size", "3x32x32"]);
        bad(2, "count --auxiliary", &["--architecture"]);
        bad(2, "count --batch 0", &["--batch", "1.."]);
        bad(2, "count --chanels 16", &["--chanels", "--channels"]);
        bad(2, "conut", &["conut", "count"]);
    }

    #[test]
    fn what_a_space_does_not_read_is_refused() {
        let cells = "belongs to darts, nas-bench-201, enas-micro, nasnet";
        for verb in ["count", "show", "bench step"] {
            bad(1, &format!("{verb} --space chain --layers 8"), &["--layers says nothing to the space `chain`", cells]);
            bad(
                1,
                &format!("{verb} --space chain-mlp --channels 8"),
                &["--channels says nothing to the space `chain-mlp`"],
            );
        }
    }
}

mod architectures {
    use super::*;

    #[test]
    fn files_of_several_runs_and_any_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let python =
            format!("# cells\nSMALL = {GENOTYPE}\nOTHER = {}\n", GENOTYPE.replace("sep_conv_3x3", "dil_conv_5x5"));
        let path = write("genotypes.py", python.as_bytes());
        let counted = |architecture: &str| json(&["count", "--architecture", architecture, "--json"]);
        let wanted = counted(GENOTYPE)["parameters"].clone();
        assert_eq!(counted(&format!("{path}:SMALL"))["parameters"], wanted);
        let got = call(&["count", "--architecture", &path]);
        assert!(got.status == 1 && got.err.contains("holds 2 genotypes: SMALL, OTHER; name one"), "{}", got.err);
        let got = call(&["count", "--architecture", &format!("{path}:SMAL")]);
        assert!(got.status == 1 && got.err.contains("did you mean `SMALL`?"), "{}", got.err);
        let wide: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(GENOTYPE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(counted(&write("powershell.txt", &wide))["parameters"], wanted);
        // A cell of the benchmark says by itself which space it is of.
        let cell =
            "['|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|skip_connect~1|skip_connect~2|']";
        assert_eq!((&counted(cell)["space"], &counted(cell)["parameters"]), (&"nas-bench-201".into(), &802_426.into()));
    }

    #[test]
    fn networks_for_images_like_imagenets() {
        let arguments = ["count", "--stem", "imagenet", "--architecture", "PC-DARTS-IMAGENET", "--json"];
        let counted = json(&arguments);
        assert_eq!(
            (&counted["layers"], &counted["classes"], &counted["image"]),
            (&14.into(), &1000.into(), &"3x224x224".into())
        );
        let millions = counted["parameters"].as_f64().unwrap() / 1e6;
        assert_eq!(format!("{millions:.1}"), "5.3");
        bad(1, "count --stem imagenet --space chain", &["--stem says nothing to the space `chain`", "darts, nasnet"]);
        bad(2, "count --stem imagnet", &["imagnet"]);
    }
}

mod show {
    use super::*;

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
        assert!(
            form(GENOTYPE, "triples").starts_with("Genotype(normal=[('sep_conv_3x3', 2, 0), ('skip_connect', 2, 1)]")
        );
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
        assert!(fused.contains(cell), "{fused}");
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
}

mod bench {
    use super::*;

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
        for part in ["chain-mlp supernet", "batch 4, first order, on cpu", "median", "peak memory", "GB/s", "matmul"] {
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
        bad(2, "bench step --architecture DARTS_V2 --no-fusion", &["--architecture", "--no-fusion"]);
        bad(2, "bench step --paths weights --no-fusion", &["--paths", "--no-fusion"]);
        bad(2, "bench kernel", &["kernel", "kernels"]);
    }
}

/// Settings and options of runs that do nothing, or ask for nothing.
mod runs {
    use super::*;

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
        bad(
            1,
            &format!("{train} --set search.order=2"),
            &["`train` does not read `search.order`", "belongs to `search`"],
        );
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
        std::fs::write(&file, "strategy = \"rsps\"\n[one_shot.evolution]\npopulation = 3\n").unwrap();
        let file = file.to_str().unwrap();
        bad(
            1,
            &format!("search {file} --device cpu"),
            &[file, "`rsps` does not read `one_shot.evolution.population`", "spos"],
        );
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
}
