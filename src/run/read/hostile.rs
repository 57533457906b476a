//! Whatever a file and `--set` say, a configuration is read, and can be written and read again, or refused with a reason.

use super::tests::read_for;
use super::*;
use crate::random::Random;
use crate::space::mutate;

/// Configurations of every strategy, as runs write them, and a short one as people do.
fn texts() -> Vec<String> {
    let spaces: Vec<&str> = crate::space::names().collect();
    let mut texts: Vec<String> = search::ALL
        .iter()
        .zip(spaces.into_iter().cycle())
        .zip(["digits", "mnist", "cifar10", "folder"].into_iter().cycle())
        .map(|((strategy, space), data)| {
            let names =
                [format!("data={data}"), format!("space={space}"), format!("strategy={}", strategy.about().name)];
            Config::with(&names.each_ref().map(String::as_str)).unwrap().to_toml().unwrap()
        })
        .collect();
    let short = "strategy = \"p-darts\"\nseed = 3\n[search]\nepochs = 9\nwarmup = 1\n[search.penalty]\nkind = \"anchor\"\n\
                 weight = 0.1\n[train]\nbatch = 32\n[train.rate]\nkind = \"constant\"\nrate = 0.1\n[network]\nlayers = 4\n";
    let old = "space = \"darts\"\nstrategy = \"spos\"\n[space_settings]\nnodes = 3\n[images]\nfit = \"pad\"\n[search]\norder = 2\n\
               [one_shot]\nepochs = 3\n[enas]\nupdates = 2\n";
    texts.extend(vec![old.to_owned(); 4]);
    texts.extend(vec![short.to_owned(); 8]);
    texts
}

/// Settings as `--set` takes them.
fn settings() -> Vec<String> {
    let config = Config::with(&["strategy=p-darts"]).unwrap().table().unwrap();
    let line = |key: &String| format!("{key}={}", get(&config, key).unwrap());
    let mut all: Vec<String> = keys(&config).iter().map(line).collect();
    let more =
        ["strategy=gdas", "space=chain", "search.weighing.kind=gumbel", "search.stages=[{ parts = 2, options = 3 }]"];
    all.extend(more.map(str::to_owned));
    all
}

/// Reads mutated configurations; gives how many could be used.
fn feed(cases: u64) -> usize {
    let (texts, settings) = (texts(), settings());
    let mut usable = 0;
    for case in 0..cases {
        let mut random = Random::new(case, 1);
        let text = if random.below(3) == 0 { String::new() } else { mutate::text(&texts, &mut random) };
        let set: Vec<String> = (0..random.below(3)).map(|_| mutate::text(&settings, &mut random)).collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        let purpose = [Purpose::Search, Purpose::Training][random.below(2)];
        let budget = [None, Some(1), Some(7), Some(u32::MAX)][random.below(4)];
        match read_for(purpose, &text, &set, budget) {
            Ok(config) => {
                usable += 1;
                let written = config.config.to_toml().unwrap();
                let again = read_for(purpose, &written, &[], None).map(|read| read.config);
                assert_eq!(again.as_ref(), Ok(&config.config), "case {case}");
            }
            Err(error) => assert!(!error.trim().is_empty(), "case {case}"),
        }
    }
    usable
}

#[test]
fn a_mutated_configuration_is_read_or_refused() {
    let usable = feed(3000);
    assert!(usable > 150, "only {usable} can be used");
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_very_many_mutated_configurations_are_read_or_refused() {
    feed(100_000);
}
