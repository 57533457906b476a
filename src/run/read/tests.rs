//! Reading configurations: presets, files, settings, and what is refused.

use super::*;
use crate::optim::Schedule;
use crate::search::bilevel::BilevelConfig;

/// Reads as a verb does, with an error as text. A space given as a file is not looked for.
pub(in crate::run) fn read_for(
    purpose: Purpose,
    text: &str,
    settings: &[&str],
    budget: Option<u32>,
) -> Result<Read, String> {
    let settings: Vec<Setting> = settings.iter().map(|text| Setting::set(text)).collect();
    let sources = Sources { place: "x.toml", text, settings: &settings, budget, purpose, ..Sources::default() };
    Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts")))).map_err(|error| error.to_string())
}

fn read(text: &str, settings: &[&str]) -> Result<Config, String> {
    read_for(Purpose::Search, text, settings, None).map(|read| read.config)
}

/// A whole number among the strategy's settings.
fn number(config: &Config, key: &str) -> i64 {
    config.search.settings.get(key).unwrap_or_else(|| panic!("no {key}")).as_integer().unwrap()
}

#[test]
fn a_budget_is_that_of_all_stages_and_what_is_set_by_hand_stays() {
    let read = |text: &str, settings: &[&str]| read_for(Purpose::Search, text, settings, Some(12)).unwrap().config;
    let bilevel = |config: &Config| config.search.settings.read::<BilevelConfig>().unwrap();
    let staged = bilevel(&read("strategy = \"p-darts\"\n[search]\nepochs = 9", &[]));
    assert_eq!((staged.epochs, staged.all_epochs(), staged.warmup), (4, 12, 1));
    assert_eq!(number(&read("", &["strategy=spos"]), "epochs"), 12);
    assert_eq!(number(&read("", &["search.epochs=3"]), "epochs"), 3);
    // As published, where no budget is asked for.
    let published = bilevel(&Config::with(&["data=cifar10", "strategy=p-darts"]).unwrap());
    assert_eq!((published.epochs, published.all_epochs(), published.warmup), (25, 75, 10));
}

#[test]
fn channels_can_be_divided_as_a_strategy_does() {
    let channels = |data: &str, strategy: &str| {
        let names = [format!("data={data}"), format!("strategy={strategy}")];
        Config::with(&names.each_ref().map(String::as_str)).unwrap().supernet.channels
    };
    assert_eq!((channels("cifar10", "darts"), channels("cifar10", "pc-darts")), (16, 16));
    // Sixths, then quarters.
    assert_eq!(channels("cifar10", "drnas"), 24);
    assert_eq!(channels("digits", "drnas"), channels("digits", "darts"));
}

#[test]
fn settings_override_the_file_which_overrides_the_preset() {
    let config = read("seed = 3\n[search]\nepochs = 9\n", &["search.epochs=4", "data = mnist", "data.dir=some dir"]);
    let config = config.unwrap();
    assert_eq!((config.seed, number(&config, "epochs")), (3, 4));
    assert_eq!(config.train, Config::with(&["data=mnist"]).unwrap().train);
    assert_eq!(config.data.dir, Some("some dir".into()));
    let config = read("", &["train.rate.kind=\"constant\"", "train.rate.rate=0.1"]).unwrap();
    assert_eq!(config.train.rate, Schedule::Constant { rate: 0.1 });
}

#[test]
fn a_plain_text_stands_for_the_name_of_a_group() {
    let plain = "space = \"chain-mlp\"\nstrategy = \"gdas\"\ndata = \"mnist\"\n";
    let groups = "[space]\nname = \"chain-mlp\"\n[search]\nstrategy = \"gdas\"\n[data]\nname = \"mnist\"\n";
    let settings = ["space=chain-mlp", "search.strategy=gdas", "data.name=mnist"];
    let config = read(plain, &[]).unwrap();
    assert_eq!(
        (config.space.name.as_str(), config.search.name(), config.data.name.as_str()),
        ("chain-mlp", "gdas", "mnist")
    );
    assert_eq!(read(groups, &[]).unwrap(), config);
    assert_eq!(read("", &settings).unwrap(), config);
    let error = read("strategy = \"gdas\"\n[search]\nstrategy = \"snas\"", &[]).unwrap_err();
    assert_eq!(error, "x.toml: `search.strategy` is said twice");
    assert!(read("strategy = 3", &[]).unwrap_err().contains("strategy = 3: is a name"));
    assert!(read("space = 3", &[]).unwrap_err().contains("`space` is a group of settings"));
}

#[test]
fn a_space_brings_the_sizes_it_was_published_with_unless_the_data_are_small() {
    let sizes = |c: &Config| [(c.supernet.channels, c.supernet.layers), (c.network.channels, c.network.layers)];
    let large = read("space = \"nas-bench-201\"\ndata = \"cifar10\"", &[]).unwrap();
    assert_eq!((sizes(&large), large.train.batch, large.train.epochs), ([(16, 15); 2], 256, 200));
    let chosen = read("data = \"cifar10\"", &["space=nas-bench-201", "network.layers=6"]).unwrap();
    assert_eq!(sizes(&chosen), [(16, 15), (16, 6)]);
    let micro = read("data = \"cifar10\"", &["space=enas-micro", "strategy=spos"]).unwrap();
    assert_eq!((sizes(&micro), number(&micro, "batch"), micro.train.epochs), ([(20, 8), (36, 17)], 160, 630));
    let macros = read("data = \"cifar10\"", &["space=enas-macro", "strategy=rsps"]).unwrap();
    assert_eq!((macros.supernet.channels, number(&macros, "epochs"), macros.train.batch), (36, 310, 100));
    assert_eq!(read(&macros.to_toml().unwrap(), &[]).unwrap(), macros);
    let small = read("", &["space=nas-bench-201"]).unwrap();
    assert_eq!(small.train, read("", &[]).unwrap().train);
    assert_eq!(sizes(&small), sizes(&read("", &["space=darts"]).unwrap()));
}

#[test]
fn a_dataset_has_what_its_like_has() {
    let of = |data: &str| {
        let config = Config::with(&[&format!("data={data}")]).unwrap();
        (config.search, config.supernet, config.network, config.train)
    };
    for like_mnist in ["kmnist", "qmnist", "emnist-letters", "emnist-balanced", "emnist-digits"] {
        assert_eq!(of(like_mnist), of("mnist"), "{like_mnist}");
    }
    assert_eq!((of("cifar100"), of("cifar100-coarse")), (of("cifar10"), of("cifar10")));
    let flips = |data: &str| of(data).3.augmentation.flip;
    assert_eq!((flips("mnist"), flips("fashion-mnist"), flips("cifar10")), (false, true, true));
    assert!(read("", &["data=mnits"]).unwrap_err().contains("unknown dataset `mnits`: did you mean `mnist`?"));
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    assert_eq!(
        read("[serach]\nepochs = 1", &[]).unwrap_err(),
        "x.toml: there is no setting `serach`; did you mean `search`?"
    );
    let error = read("", &["search.epoch=1"]).unwrap_err();
    assert_eq!(error, "--set search.epoch=1: there is no setting `search.epoch`; did you mean `search.epochs`?");
    assert_eq!(
        read("", &["search.epochs=many"]).unwrap_err(),
        "--set search.epochs=many: search.epochs: invalid type: string \"many\", expected u32"
    );
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
    for setting in ["search.controller.adam.epsilon=0.0", "search.controller.temperature=-1.0", "search.rate.from=nan"]
    {
        let error = read("", &["strategy=enas", setting]).unwrap_err();
        assert!(error.starts_with(&format!("--set {setting}: search.")), "{error}");
    }
    assert!(read("a = ", &[]).unwrap_err().contains("not valid TOML"));
    let error = read("format = 99", &[]).unwrap_err();
    assert_eq!(error, "x.toml: of format 99, later than this program's (2): use a newer one");
}

#[test]
fn an_architecture_is_a_text_or_a_table_of_its_parts_and_is_for_training() {
    let read = |text: &str| read_for(Purpose::Training, text, &[], None).unwrap().config.architecture.unwrap();
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
    let by_paths = "--set search.order=2: the strategy `spos` does not read `search.order`: leave it out; it belongs to \
        darts, darts-2nd, gdas, ";
    refused(&["strategy=spos", "search.order=2"], &[by_paths]);
    // The order of options does not count.
    refused(&["search.order=2", "strategy=spos"], &[by_paths]);
    refused(&["search.updates=3"], &["`darts` does not read `search.updates`", "belongs to enas"]);
    refused(&["strategy=spos", "search.samples=3"], &["`spos` does not read `search.samples`", "to rsps"]);
    let evolution = "search.evolution={ population = 3, parents = 2 }";
    refused(&["strategy=rsps", evolution], &["`rsps` does not read `search.evolution", "belongs to spos"]);
    assert_eq!(number(&read("", &["strategy=spos", evolution]).unwrap(), "evolution.population"), 3);
    refused(&["strategy=p-darts", "search.parts=2"], &["search.parts say nothing to a search in stages"]);
    refused(
        &["space=chain", "search.threshold=0.5"],
        &["the space `chain` does not read `search.threshold`", "to darts"],
    );
    refused(&["strategy=enas", "search.controller.skip_weight=0.5"], &["the space `darts`", "belongs to enas-macro"]);
    assert!(read("", &["strategy=enas", "space=enas-macro", "search.controller.skip_weight=0.5"]).is_ok());
}

#[test]
fn what_the_space_does_not_read_is_refused_naming_who_does() {
    let robust = "robust-darts-s1, robust-darts-s2, robust-darts-s3, robust-darts-s4";
    let (suite, single) = ("darts-wide, darts-deep", "darts-single-cell");
    for (space, setting, readers) in [
        ("chain", "space.nodes=3", "darts"),
        ("nasnet", "space.primitives=['skip_connect']", "darts"),
        ("darts", "space.kernels=[3]", "chain-vgg16"),
        ("darts", "space.hidden_layers=2", "chain-mlp"),
        ("chain", "space.units=[2]", "chain-mlp"),
        ("chain-mlp", "space.layers=[]", "chain, enas-macro"),
        ("nas-bench-201", "space.layers=4", "chain, enas-macro"),
        ("mobile", "space.stages='x'", "spaces of your own"),
        ("mobile", "network.layers=3", &format!("darts, nas-bench-201, enas-micro, nasnet, {robust}, {suite}")),
        ("enas-macro", "supernet.layers=3", &format!("darts, nas-bench-201, enas-micro, nasnet, {robust}, {suite}")),
        (
            "chain-mlp",
            "network.channels=3",
            &format!(
                "darts, chain, chain-vgg16, nas-bench-201, mobile, enas-micro, enas-macro, nasnet, {robust}, {suite}, {single}"
            ),
        ),
        ("enas-micro", "network.auxiliary=false", &format!("darts, nasnet, {robust}, {suite}, {single}")),
        (
            "chain",
            "train.drop_path=0.1",
            &format!("darts, nas-bench-201, mobile, enas-micro, nasnet, {robust}, {suite}, {single}"),
        ),
        (
            "darts-single-cell",
            "network.layers=2",
            &format!("darts, nas-bench-201, enas-micro, nasnet, {robust}, {suite}"),
        ),
        ("robust-darts-s2", "space.operations='regular'", &format!("{suite}, {single}")),
    ] {
        let key = setting.split('=').next().unwrap();
        let said = format!(
            "--set {setting}: the space `{space}` does not read `{key}`: leave it out; it belongs to {readers}"
        );
        assert_eq!(read("", &[&format!("space={space}"), setting]).unwrap_err(), said);
    }
    refused(&["network.layers=3", "space=dart"], &["unknown search space `dart`"]);
    refused(&["supernet.auxiliary=true"], &["there is no setting `supernet.auxiliary`"]);
    refused(&["train.auxiliary_weight=0.1"], &["without auxiliary head", "`network.auxiliary = true`"]);
    assert!(read("", &["train.auxiliary_weight=0.1", "network.auxiliary=true"]).is_ok());
    refused(&["train.fusion=false"], &["`train.fusion`", "`search.fusion`"]);
}

#[test]
fn what_the_dataset_does_not_read_is_refused_naming_who_does() {
    refused(&["data.most_pixels=100"], &["the dataset `digits` does not read `data.most_pixels`", "to folder"]);
    assert!(read("", &["data=folder", "data.most_pixels=100"]).is_ok());
    refused(&["data=folder", "data.most_bytes=100"], &["the dataset `folder` does not read", "mnist", "cifar10"]);
}

#[test]
fn training_reads_no_settings_of_a_search_but_the_file_of_one() {
    for setting in
        ["search.order=2", "random=0", "baseline=false", "search.strategy=spos", "supernet.channels=3", "space.nodes=3"]
    {
        let key = setting.split('=').next().unwrap();
        let error = read_for(Purpose::Training, "", &[setting], None).unwrap_err();
        assert_eq!(
            error,
            format!("--set {setting}: `train` does not read `{key}`: leave it out; it belongs to `search`")
        );
    }
    let text = "strategy = 'enas'\nrandom = 0\n[search]\nupdates = 2\n[network]\nlayers = 4";
    let config = read_for(Purpose::Training, text, &["train.epochs=2", "space={}"], None).unwrap().config;
    assert_eq!((config.network.layers, config.train.epochs), (4, 2));
    // An experiment with settings that no strategy of its own reads is none for training either.
    assert!(read_for(Purpose::Training, "[search]\nupdates = 2", &[], None).unwrap_err().contains("x.toml: "));
    let written = config.written(Purpose::Training).unwrap();
    assert!(!written.contains("search") && !written.contains("supernet"), "{written}");
}

#[test]
fn what_a_file_says_of_what_is_not_chosen_is_left_out_with_a_word() {
    let file = Config::with(&["strategy=gdas", "search.epochs=5", "random=1"]).unwrap().to_toml().unwrap();
    let Read { config, notes } = read_for(Purpose::Search, &file, &["strategy=spos", "data=mnist"], None).unwrap();
    assert_eq!(config, {
        // What is no group's of a name stays as the file has it.
        let own = read(&file, &[]).unwrap();
        let chosen = Config::with(&["strategy=spos", "data=mnist", "random=1"]).unwrap();
        Config { supernet: own.supernet, network: own.network, train: own.train, ..chosen }
    });
    assert_eq!(notes, ["x.toml: its settings of `gdas` are left out, for `spos` was chosen"]);
    // Sizes that another space has not are those of the file's own.
    let Read { config, notes } = read_for(Purpose::Search, &file, &["space=chain"], None).unwrap();
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    let left_out = "x.toml: left out, for nothing here reads it: search.threshold, supernet.layers, supernet.stem, \
                    network.layers, network.stem, network.auxiliary, train.drop_path";
    assert_eq!(notes, ["x.toml: its settings of `darts` are left out, for `chain` was chosen", left_out]);
    assert_eq!(config.space.name, "chain");
    // A group that names nothing is for what is chosen.
    assert!(read("[search]\norder = 2", &["strategy=spos"]).unwrap_err().starts_with("x.toml: the strategy `spos`"));
    assert!(read_for(Purpose::Search, &file, &[], None).unwrap().notes.is_empty());
}

#[test]
fn a_file_of_the_first_form_is_read_with_a_word() {
    let old = "space = \"enas-macro\"\nstrategy = \"spos\"\ndata = \"mnist\"\ndata_dir = \"here\"\nseed = 4\n\
        [images]\nmost_bytes = 77\nfit = \"pad\"\n[space_settings]\nnodes = 3\nmacro_layers = 5\nchain = []\nstages = \"\"\n\
        [supernet]\nchannels = 3\nlayers = 9\nauxiliary = false\n[search]\nepochs = 1\norder = 2\n\
        [one_shot]\nepochs = 7\nsamples = 4\n[one_shot.evolution]\npopulation = 6\n[enas]\nepochs = 8\n[train]\nfusion = true\n";
    let Read { config, notes } = read_for(Purpose::Search, old, &[], None).unwrap();
    let meant = [
        "space=enas-macro",
        "strategy=spos",
        "data=mnist",
        "data.dir=here",
        "seed=4",
        "data.most_bytes=77",
        "space.layers=5",
        "supernet.channels=3",
        "search.epochs=7",
        "search.evolution.population=6",
    ];
    assert_eq!(config, Config::with(&meant).unwrap());
    assert!(notes.len() == 1 && notes[0].starts_with("x.toml: of an older form"), "{notes:?}");
    let gradient = old.replace("spos", "darts-2nd").replace("enas-macro", "darts");
    let config = read(&gradient, &[]).unwrap();
    assert_eq!((number(&config, "epochs"), number(&config, "order")), (1, 2));
    assert_eq!(config.space.settings.get("nodes").and_then(Value::as_integer), Some(3));
    // What moved is found by options too, and refused if it is another's.
    assert_eq!(number(&read("", &["strategy=spos", "one_shot.epochs=3"]).unwrap(), "epochs"), 3);
    refused(&["one_shot.epochs=3"], &["`darts` does not read `one_shot.epochs`", "belongs to rsps, spos"]);
    refused(&["strategy=gdas", "enas.epochs=3"], &["`gdas` does not read `enas.epochs`", "belongs to enas"]);
    refused(&["enas=3"], &["`enas` is a group of settings"]);
}

#[test]
fn a_key_that_the_kind_of_its_group_does_not_have_is_refused() {
    let said = "search.penalty.weight is no setting of the kind `none`: set the kind too, or leave it out";
    refused(&["search.penalty.weight=3.0"], &["--set search.penalty.weight=3.0: ", said]);
    refused(&["search.stop.most=3"], &["search.stop.most is no setting of the kind `never`"]);
    refused(&["search.weighing.temperature.from=3.0"], &["search.weighing.temperature"]);
    let given = ["search.stop.kind=skips", "search.stop.most=2", "search.stop.earliest=3"];
    assert!(read("", &given).is_ok());
    let gdas = Config::with(&["strategy=gdas"]).unwrap().to_toml().unwrap();
    assert!(read(&gdas, &["search.weighing.kind=softmax"]).is_ok(), "another kind replaces the whole");
}

#[test]
fn every_run_can_be_read_again_as_it_was_written() {
    let stages =
        "name = 'mine'\n[stem]\nchannels = 8\n[[stage]]\nchannels = 8\ndepth = 2\noperations = ['conv_3x3', 'skip']";
    let own = format!("space.stages={}", Value::String(stages.into()));
    let find = |name: Option<&str>| match name {
        Some("mine") => SpaceConfig::described(stages).map_err(|error| error.to_string()),
        name => Ok(SpaceConfig::of(name.unwrap_or("darts"))),
    };
    for strategy in search::ALL.iter().map(|strategy| strategy.about().name) {
        for space in crate::space::names().chain(["mine"]) {
            for data in ["digits", "fashion-mnist", "cifar10", "folder"] {
                for budget in [None, Some(7)] {
                    let names = ["data", "space", "strategy"].into_iter().zip([data, space, strategy]);
                    let mut settings: Vec<Setting> =
                        names.map(|(key, name)| Setting::set(&format!("{key}={name}"))).collect();
                    settings.extend((space == "mine").then(|| Setting::set(&own)));
                    let sources = Sources { settings: &settings, budget, ..Sources::default() };
                    let Read { config, notes } = Config::read(&sources, find).unwrap();
                    assert!(notes.is_empty());
                    let text = config.to_toml().unwrap();
                    for purpose in [Purpose::Search, Purpose::Training] {
                        let sources = Sources { text: &text, purpose, ..Sources::default() };
                        let again = Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap()))).unwrap();
                        assert_eq!(again.config, config, "{settings:?} {budget:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn no_fusion_is_a_setting_of_supernets_that_are_mixed() {
    let plain = |strategy: &str| Config::with(&[&format!("strategy={strategy}")]).unwrap();
    let fusion = |config: &Config| config.search.settings.get("fusion").and_then(Value::as_bool);
    assert_eq!(fusion(&plain("pc-darts").without_fusion()), Some(false));
    assert_eq!(plain("spos").without_fusion(), plain("spos"));
    assert!(read(&plain("pc-darts").without_fusion().to_toml().unwrap(), &[]).is_ok());
}

#[test]
fn counts_of_nothing_or_of_too_much_are_refused() {
    for (strategy, setting, problem) in [
        ("darts", "search.epochs=0", "search.epochs = 0: must be at least 1"),
        ("darts", "search.epochs=4294967295", "must be at most 1000000"),
        ("darts", "search.batch=0", "at least 1"),
        ("darts", "search.batch=9223372036854775807", "at most"),
        ("darts", "search.batch=-1", "search.batch: invalid value: integer `-1`"),
        ("darts", "search.parts=0", "at least one part"),
        ("darts", "train.epochs=0", "train.epochs = 0: must be at least 1"),
        ("darts", "train.batch=0", "at least 1"),
        ("darts", "network.channels=0", "network.channels = 0: must be from 1"),
        ("darts", "network.layers=0", "network.layers = 0: must be from 1"),
        ("darts", "supernet.layers=100000", "supernet.layers = 100000: must be from 1 to 1000"),
        ("darts", "random=9223372036854775807", "random = 9223372036854775807: must be at most"),
        ("darts", "space.nodes=0", "nodes = 0"),
        ("darts", "search.stages=[{ deeper = 9223372036854775807 }]", "search.stages, deeper = 9223372036854775807"),
        ("darts", "search.stages=[{ parts = 0 }]", "at least one part"),
        ("darts", "search.selection={ kind = 'masking', tune = 4294967295, divisor = 1.0 }", "tune"),
        ("darts", "search.stop={ kind = 'skips', most = 0, earliest = 0 }", "search.stop.most = 0"),
        ("darts-2nd", "search.warmup=12", "must be less than epochs (12)"),
        ("sdarts-adv", "search.perturbation.steps=0", "search.perturbation.steps = 0"),
        ("robust-darts", "search.stop.window=9223372036854775807", "search.stop.window"),
        ("rsps", "search.samples=0", "search.samples = 0: must be at least 1"),
        ("rsps", "search.samples=4294967295", "at most 1000000"),
        ("spos", "search.epochs=0", "at least 1"),
        ("spos", "search.evolution.population=0", "at least 1"),
        ("spos", "search.evolution.parents=0", "at least 1"),
        ("spos", "search.evolution.probability=1.5", "from 0 to 1"),
        ("enas", "search.updates=0", "search.updates = 0"),
        ("enas", "search.epochs=0", "at least 1"),
        ("enas", "search.validation=1.0", "search.validation"),
        ("enas", "search.validation=0.0", "search.validation"),
        ("enas", "search.candidates=4294967295", "at most"),
        ("enas", "search.controller.units=1000000000", "at most"),
        ("enas", "search.controller.samples=0", "at least 1"),
    ] {
        refused(&[&format!("strategy={strategy}"), setting], &[problem]);
    }
    for (strategy, setting) in [
        ("spos", "search.calibration=0"),
        ("enas", "search.calibration=0"),
        ("darts", "random=0"),
        ("darts", "search.warmup=0"),
        ("spos", "search.evolution.mutations=0"),
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
