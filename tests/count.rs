//! The verb `count`: the size of supernets and networks, whatever an architecture is given as.

mod common;

use common::process::{GENOTYPE, bad, call, good, json};
use serde_json::Value;

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
    bad(1, "count --space enas-macro --macro-layers 65", &["layers = 65", "from 1 to 64"]);
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

#[test]
fn files_of_several_runs_and_any_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let python = format!("# cells\nSMALL = {GENOTYPE}\nOTHER = {}\n", GENOTYPE.replace("sep_conv_3x3", "dil_conv_5x5"));
    let path = write("genotypes.py", python.as_bytes());
    let counted = |architecture: &str| json(&["count", "--architecture", architecture, "--json"]);
    let wanted = counted(GENOTYPE)["parameters"].clone();
    assert_eq!(counted(&format!("{path}:SMALL"))["parameters"], wanted);
    let got = call(&["count", "--architecture", &path]);
    assert!(got.status == 1 && got.err.contains("holds 2 genotypes: SMALL, OTHER; name one"), "{}", got.err);
    let got = call(&["count", "--architecture", &format!("{path}:SMAL")]);
    assert!(got.status == 1 && got.err.contains("did you mean `SMALL`?"), "{}", got.err);
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain(GENOTYPE.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(counted(&write("powershell.txt", &wide))["parameters"], wanted);
    // A cell of the benchmark says by itself which space it is of.
    let cell = "['|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|skip_connect~1|skip_connect~2|']";
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
