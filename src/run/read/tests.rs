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
        "enas.controller.adam.epsilon=0.0",
        "enas.controller.temperature=-1.0",
        "enas.rate.from=nan",
        "search.sgd.clip=nan",
        "train.sgd.momentum=1.5",
        "train.augmentation.padding=4294967296",
    ] {
        let error = read("", &[setting]).unwrap_err();
        let key = setting.split('=').next().unwrap().rsplit_once('.').unwrap().0;
        assert!(error.contains(key), "{setting}: {error}");
    }
    assert!(read("a = ", &[]).unwrap_err().contains("not valid TOML"));
}
