//! Reading configurations: presets, files, settings, and what is refused.

use super::*;
use crate::optim::Schedule;

/// Reads as a verb does, with an error as text. A space given as a file is not looked for.
pub(in crate::run) fn read_for(
    purpose: Purpose,
    text: &str,
    settings: &[&str],
    budget: Option<u32>,
) -> Result<Config, String> {
    let settings: Vec<Setting> = settings.iter().map(|text| Setting::set(text)).collect();
    let sources = Sources { place: "x.toml", text, settings: &settings, budget, purpose };
    Config::read(&sources, |name, _| Ok(name.to_owned())).map_err(|error| error.to_string())
}

fn read(text: &str, settings: &[&str]) -> Result<Config, String> {
    read_for(Purpose::Search, text, settings, None)
}

#[test]
fn a_budget_is_that_of_all_stages_and_what_is_set_by_hand_stays() {
    let read = |text: &str, settings: &[&str]| read_for(Purpose::Search, text, settings, Some(12)).unwrap();
    let staged = read("strategy = \"p-darts\"\n[search]\nepochs = 9", &[]);
    assert_eq!((staged.search.epochs, staged.search.all_epochs(), staged.search.warmup), (4, 12, 1));
    assert_eq!(read("", &["strategy=spos"]).one_shot.epochs, 12);
    assert_eq!(read("", &["search.epochs=3"]).search.epochs, 3);
    // As published, where no budget is asked for.
    let published = Config::preset("cifar10").for_strategy("p-darts").search;
    assert_eq!((published.epochs, published.all_epochs(), published.warmup), (25, 75, 10));
}

#[test]
fn channels_can_be_divided_as_a_strategy_does() {
    let channels = |data: &str, strategy: &str| Config::preset(data).for_strategy(strategy).supernet.channels;
    assert_eq!((channels("cifar10", "darts"), channels("cifar10", "pc-darts")), (16, 16));
    // Sixths, then quarters.
    assert_eq!(channels("cifar10", "drnas"), 24);
    assert_eq!(channels("digits", "drnas"), channels("digits", "darts"));
}

#[test]
fn every_preset_is_read_back_as_it_was_written() {
    for data in ["digits", "mnist", "cifar10"] {
        let config = Config::preset(data);
        assert_eq!(read(&config.to_toml().unwrap(), &[]).unwrap(), config, "{data}");
    }
}

#[test]
fn settings_override_the_file_which_overrides_the_preset() {
    let config = read("seed = 3\n[search]\nepochs = 9\n", &["search.epochs=4", "data = mnist", "data_dir=some dir"]);
    let config = config.unwrap();
    assert_eq!((config.seed, config.search.epochs), (3, 4));
    assert_eq!(config.train, Config::preset("mnist").train);
    assert_eq!(config.data_dir, Some("some dir".into()));
    let config = read("", &["train.rate.kind=\"constant\"", "train.rate.rate=0.1"]).unwrap();
    assert_eq!(config.train.rate, Schedule::Constant { rate: 0.1 });
}

#[test]
fn a_space_brings_the_sizes_it_was_published_with_unless_the_data_are_small() {
    let sizes = |c: &Config| [c.supernet, c.network].map(|n| (n.channels, n.layers));
    let large = read("space = \"nas-bench-201\"\ndata = \"cifar10\"", &[]).unwrap();
    assert_eq!((sizes(&large), large.train.batch, large.train.epochs), ([(16, 15); 2], 256, 200));
    let chosen = read("data = \"cifar10\"", &["space=nas-bench-201", "network.layers=6"]).unwrap();
    assert_eq!(sizes(&chosen), [(16, 15), (16, 6)]);
    let micro = read("data = \"cifar10\"", &["space=enas-micro"]).unwrap();
    assert_eq!((sizes(&micro), micro.one_shot.batch, micro.train.epochs), ([(20, 8), (36, 17)], 160, 630));
    let macros = read("data = \"cifar10\"", &["space=enas-macro"]).unwrap();
    assert_eq!((macros.supernet.channels, macros.one_shot.epochs, macros.train.batch), (36, 310, 100));
    assert_eq!(read(&macros.to_toml().unwrap(), &[]).unwrap(), macros);
    let small = read("", &["space=nas-bench-201"]).unwrap();
    assert_eq!(small, Config { space: "nas-bench-201".into(), ..Config::preset("digits") });
    assert_eq!(read("", &["space=darts"]).unwrap(), Config::preset("digits"));
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    assert_eq!(
        read("[serach]\nepochs = 1", &[]).unwrap_err(),
        "x.toml: there is no setting `serach`; did you mean `search`?"
    );
    let error = read("", &["search.epoch=1"]).unwrap_err();
    assert_eq!(error, "--set search.epoch=1: there is no setting `search.epoch`; did you mean `search.epochs`?");
    assert!(read("", &["search.epochs=many"]).unwrap_err().contains("invalid type"));
    assert!(read("", &["search.order=3"]).unwrap_err().contains("order 3 does not exist"));
    assert!(read("", &["search=3"]).unwrap_err().contains("group of settings"));
    assert!(read("", &["seed"]).unwrap_err().contains("KEY=VALUE"));
    assert!(read("", &["strategy=dart"]).unwrap_err().contains("did you mean `darts`"));
    for setting in [
        "train.rate.from=nan",
        "search.rate.to=-1.0",
        "search.adam.beta1=1.0",
        "search.sgd.clip=nan",
        "train.sgd.momentum=1.5",
        "train.augmentation.padding=4294967296",
    ] {
        let error = read("", &[setting]).unwrap_err();
        let key = setting.split('=').next().unwrap().rsplit_once('.').unwrap().0;
        assert!(error.contains(key), "{setting}: {error}");
    }
    for setting in ["enas.controller.adam.epsilon=0.0", "enas.controller.temperature=-1.0", "enas.rate.from=nan"] {
        let error = read("", &["strategy=enas", setting]).unwrap_err();
        assert!(error.starts_with("configuration: enas."), "{setting}: {error}");
    }
    assert!(read("a = ", &[]).unwrap_err().contains("not valid TOML"));
}

#[test]
fn an_architecture_is_a_text_or_a_table_of_its_parts_and_is_for_training() {
    let read = |text: &str| read_for(Purpose::Training, text, &[], None).unwrap().architecture.unwrap();
    assert_eq!(read("architecture = \"DARTS_V2\""), "DARTS_V2");
    let table = "[architecture]\nnormal = [[\"skip_connect\", 0]]\nnormal_concat = [2]";
    assert_eq!(read(table), "{\"normal\":[[\"skip_connect\",0]],\"normal_concat\":[2]}");
    for (text, settings) in [("architecture = \"DARTS_V2\"", &[][..]), ("", &["architecture=DARTS_V2"])] {
        let error = read_for(Purpose::Search, text, settings, None).unwrap_err();
        assert!(
            error.contains("`search` does not read `architecture`: leave it out; it belongs to `train`"),
            "{error}"
        );
    }
}

/// Requires that a setting is refused with a message that holds all `parts`.
fn refused(settings: &[&str], parts: &[&str]) {
    let error = read("", settings).unwrap_err();
    for part in parts {
        assert!(error.contains(part), "{settings:?} should say `{part}`: {error}");
    }
}

#[test]
fn what_the_strategy_does_not_read_is_refused_naming_who_does() {
    let by_paths = "--set search.order=2: the strategy `spos` does not read `search.order`: leave it out; it belongs to the \
        gradient methods (darts, darts-2nd, gdas, ";
    refused(&["strategy=spos", "search.order=2"], &[by_paths]);
    // The order of options does not count.
    refused(&["search.order=2", "strategy=spos"], &[by_paths]);
    refused(&["one_shot.epochs=3"], &["`darts` does not read `one_shot.epochs`", "belongs to rsps, spos"]);
    refused(&["strategy=gdas", "enas.epochs=3"], &["`gdas` does not read `enas.epochs`", "belongs to enas"]);
    refused(&["strategy=spos", "one_shot.samples=3"], &["`spos` does not read `one_shot.samples`", "to rsps"]);
    let evolution = "one_shot.evolution={ population = 3, parents = 2 }";
    refused(&["strategy=rsps", evolution], &["`rsps` does not read `one_shot.evolution.", "belongs to spos"]);
    assert_eq!(read("", &["strategy=spos", evolution]).unwrap().one_shot.evolution.population, 3);
    refused(&["strategy=p-darts", "search.parts=2"], &["a search in stages does not read `search.parts`"]);
    refused(&["space=chain", "search.threshold=0.5"], &["the space `chain` does not read `search.threshold`"]);
    refused(&["strategy=enas", "enas.controller.skip_weight=0.5"], &["the space `darts`", "belongs to enas-macro"]);
    assert!(read("", &["strategy=enas", "space=enas-macro", "enas.controller.skip_weight=0.5"]).is_ok());
}

#[test]
fn what_the_space_does_not_read_is_refused_naming_who_does() {
    for (space, setting, readers) in [
        ("chain", "space_settings.nodes=3", "darts"),
        ("nasnet", "space_settings.primitives=['skip_connect']", "darts"),
        ("darts", "space_settings.kernels=[3]", "chain-vgg16"),
        ("darts", "space_settings.hidden_layers=2", "chain-mlp"),
        ("chain", "space_settings.units=[2]", "chain-mlp"),
        ("chain-mlp", "space_settings.chain=[]", "chain"),
        ("nas-bench-201", "space_settings.macro_layers=4", "enas-macro"),
        ("mobile", "space_settings.stages='x'", "spaces of your own"),
        ("mobile", "network.layers=3", "darts, nas-bench-201, enas-micro, nasnet"),
        ("enas-macro", "supernet.layers=3", "darts, nas-bench-201, enas-micro, nasnet"),
        (
            "chain-mlp",
            "network.channels=3",
            "darts, chain, chain-vgg16, nas-bench-201, mobile, enas-micro, enas-macro, nasnet",
        ),
        ("enas-micro", "network.auxiliary=false", "darts, nasnet"),
        ("chain", "train.drop_path=0.1", "darts, nas-bench-201, mobile, enas-micro, nasnet"),
    ] {
        let key = setting.split('=').next().unwrap();
        let said = format!(
            "--set {setting}: the space `{space}` does not read `{key}`: leave it out; it belongs to {readers}"
        );
        assert_eq!(read("", &[&format!("space={space}"), setting]).unwrap_err(), said);
    }
    refused(&["network.layers=3", "space=dart"], &["unknown search space `dart`"]);
    refused(&["supernet.auxiliary=true"], &["a supernet does not read"]);
    refused(&["train.auxiliary_weight=0.1"], &["without auxiliary head", "`network.auxiliary = true`"]);
    assert!(read("", &["train.auxiliary_weight=0.1", "network.auxiliary=true"]).is_ok());
    refused(&["train.fusion=false"], &["`train.fusion`", "`search.fusion`"]);
}

#[test]
fn what_the_dataset_does_not_read_is_refused_naming_who_does() {
    refused(&["images.most_pixels=100"], &["the dataset `digits` does not read `images.most_pixels`", "to folder"]);
    assert!(read("", &["data=folder", "images.most_pixels=100"]).is_ok());
    refused(&["data=folder", "images.most_bytes=100"], &["the dataset `folder` does not read", "mnist", "cifar10"]);
}

#[test]
fn training_reads_no_settings_of_a_search_but_the_file_of_one() {
    for setting in [
        "search.order=2",
        "random=0",
        "baseline=false",
        "strategy=spos",
        "supernet.channels=3",
        "space_settings.nodes=3",
    ] {
        let key = setting.split('=').next().unwrap();
        let error = read_for(Purpose::Training, "", &[setting], None).unwrap_err();
        assert_eq!(
            error,
            format!("--set {setting}: `train` does not read `{key}`: leave it out; it belongs to `search`")
        );
    }
    let text = "strategy = 'enas'\nrandom = 0\n[enas]\nepochs = 2\n[network]\nlayers = 4";
    let config = read_for(Purpose::Training, text, &["train.epochs=2", "space_settings={}"], None).unwrap();
    assert_eq!((config.network.layers, config.train.epochs), (4, 2));
    // An experiment with settings that no strategy of its own reads is none for training either.
    assert!(read_for(Purpose::Training, "[enas]\nepochs = 2", &[], None).unwrap_err().contains("x.toml: "));
}

#[test]
fn in_a_file_what_is_not_read_may_stand_with_its_default() {
    let all = Config::preset("digits").to_toml().unwrap();
    assert_eq!(read(&all, &["strategy=spos"]).unwrap(), Config { strategy: "spos".into(), ..Config::preset("digits") });
    // Also with that of what the file itself names: here of the digits, where it is no default of MNIST's.
    let other = read(&all, &["data=mnist"]).unwrap();
    assert_eq!(other.one_shot, Config::preset("mnist").one_shot);
    assert_eq!(other.search, Config::preset("digits").search);
    for (key, value) in [("order", "2"), ("epochs", "13"), ("rate", "{ kind = 'constant', rate = 0.1 }")] {
        let text = format!("strategy = 'spos'\n[search]\n{key} = {value}");
        let error = read(&text, &[]).unwrap_err();
        assert!(error.starts_with("x.toml: the strategy `spos` does not read `search."), "{error}");
    }
    assert!(read("strategy = 'spos'\n[search]\nepochs = 12\norder = 1", &[]).is_ok());
}

#[test]
fn a_key_that_the_kind_of_its_group_does_not_have_is_refused() {
    refused(&["search.penalty.weight=3.0"], &["--set search.penalty.weight=3.0: `search.penalty` of the kind `none`"]);
    refused(
        &["search.stop.most=3"],
        &["`search.stop` of the kind `never` has no `most`", "set `search.stop.kind` too"],
    );
    refused(&["search.weighing.temperature.from=3.0"], &["`search.weighing.temperature"]);
    let given = ["search.stop.kind=skips", "search.stop.most=2", "search.stop.earliest=3"];
    assert!(read("", &given).is_ok());
    let gdas = Config::preset("digits").for_strategy("gdas").to_toml().unwrap();
    assert!(read(&gdas, &["search.weighing.kind=softmax"]).is_ok(), "another kind replaces the whole");
}

#[test]
fn every_run_can_be_read_again_as_it_was_written() {
    let stages =
        "name = 'mine'\n[stem]\nchannels = 8\n[[stage]]\nchannels = 8\ndepth = 2\noperations = ['conv_3x3', 'skip']";
    let own = format!("space_settings.stages={}", Value::String(stages.into()));
    for strategy in super::super::config::strategies() {
        for space in crate::space::NAMES.into_iter().chain(["mine"]) {
            for data in ["digits", "fashion-mnist", "cifar10", "folder"] {
                for budget in [None, Some(7)] {
                    let names = ["data", "space", "strategy"].map(|key| key).into_iter().zip([data, space, strategy]);
                    let mut settings: Vec<String> = names.map(|(key, name)| format!("{key}={name}")).collect();
                    settings.extend((space == "mine").then(|| own.clone()));
                    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
                    let config = read_for(Purpose::Search, "", &settings, budget).unwrap();
                    let text = config.settled().unwrap().to_toml().unwrap();
                    for purpose in [Purpose::Search, Purpose::Training] {
                        assert_eq!(read_for(purpose, &text, &[], None).unwrap(), config, "{settings:?} {budget:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_configuration_made_in_code_is_written_so_that_it_can_be_read() {
    let config = Config::preset("digits").for_space("chain").with_budget(3).for_strategy("spos");
    let text = config.settled().unwrap().to_toml().unwrap();
    assert_eq!(read(&text, &[]).unwrap().one_shot.epochs, 3);
    assert!(read(&config.to_toml().unwrap(), &[]).unwrap_err().contains("`spos` does not read `"));
}

#[test]
fn no_fusion_is_a_setting_of_supernets_that_are_mixed() {
    let without = |strategy: &str| Config::preset("digits").for_strategy(strategy).without_fusion();
    assert!(!without("pc-darts").search.fusion);
    assert_eq!(without("spos"), Config::preset("digits").for_strategy("spos"));
    assert!(read(&without("enas").to_toml().unwrap(), &[]).is_ok());
}

#[test]
fn counts_of_nothing_or_of_too_much_are_refused() {
    for (strategy, setting, problem) in [
        ("darts", "search.epochs=0", "search.epochs = 0: must be at least 1"),
        ("darts", "search.epochs=4294967295", "must be at most 1000000"),
        ("darts", "search.batch=0", "at least 1"),
        ("darts", "search.batch=9223372036854775807", "at most"),
        ("darts", "search.batch=-1", "x.toml"),
        ("darts", "search.parts=0", "at least one part"),
        ("darts", "train.epochs=0", "train.epochs = 0: must be at least 1"),
        ("darts", "train.batch=0", "at least 1"),
        ("darts", "network.channels=0", "network.channels = 0: must be from 1"),
        ("darts", "network.layers=0", "network.layers = 0: must be from 1"),
        ("darts", "supernet.layers=100000", "supernet.layers = 100000: must be from 1 to 1000"),
        ("darts", "random=9223372036854775807", "random = 9223372036854775807: must be at most"),
        ("darts", "space_settings.nodes=0", "nodes = 0"),
        ("darts", "search.stages=[{ deeper = 9223372036854775807 }]", "search.stages, deeper = 9223372036854775807"),
        ("darts", "search.stages=[{ parts = 0 }]", "at least one part"),
        ("darts", "search.selection={ kind = 'masking', tune = 4294967295, divisor = 1.0 }", "tune"),
        ("darts", "search.stop={ kind = 'skips', most = 0, earliest = 0 }", "search.stop.most = 0"),
        ("darts-2nd", "search.warmup=12", "must be less than search.epochs (12)"),
        ("sdarts-adv", "search.perturbation.steps=0", "search.perturbation.steps = 0"),
        ("robust-darts", "search.stop.window=9223372036854775807", "search.stop.window"),
        ("rsps", "one_shot.samples=0", "one_shot.samples = 0: must be at least 1"),
        ("rsps", "one_shot.samples=4294967295", "at most 1000000"),
        ("spos", "one_shot.epochs=0", "at least 1"),
        ("spos", "one_shot.evolution.population=0", "at least 1"),
        ("spos", "one_shot.evolution.parents=0", "at least 1"),
        ("spos", "one_shot.evolution.probability=1.5", "from 0 to 1"),
        ("enas", "enas.updates=0", "enas.updates = 0"),
        ("enas", "enas.epochs=0", "at least 1"),
        ("enas", "enas.validation=1.0", "enas.validation"),
        ("enas", "enas.validation=0.0", "enas.validation"),
        ("enas", "enas.candidates=4294967295", "at most"),
        ("enas", "enas.controller.units=1000000000", "at most"),
        ("enas", "enas.controller.samples=0", "at least 1"),
    ] {
        refused(&[&format!("strategy={strategy}"), setting], &[problem]);
    }
    for (strategy, setting) in [
        ("spos", "one_shot.calibration=0"),
        ("enas", "enas.calibration=0"),
        ("darts", "random=0"),
        ("darts", "search.warmup=0"),
        ("spos", "one_shot.evolution.mutations=0"),
        ("darts-pt", "search.selection.tune=0"),
    ] {
        read("", &[&format!("strategy={strategy}"), setting]).unwrap();
    }
}

#[test]
fn a_key_as_deep_as_a_text_is_long_ends_nothing() {
    let deep = vec!["a"; 60_000].join(".");
    refused(&[&format!("{deep}=1")], &["no key has so many parts"]);
    for text in [
        format!("{deep} = 1"),
        format!("[{deep}]"),
        format!("a = {}", "[".repeat(60_000)),
        format!("search.stop = {}", "{a=".repeat(60_000)),
    ] {
        assert!(read(&text, &[]).is_err());
        assert!(read("", &[&format!("search.stop={}", &text[4..])]).is_err());
    }
}
