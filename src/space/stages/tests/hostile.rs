//! Whatever a description says, it is read, built and counted, or refused with a reason.

use super::*;
use crate::cost::Cost;
use crate::space::mutate;

/// Reads mutated descriptions and does with those that can be read what a search would. Gives how many those were.
fn feed(cases: u64) -> usize {
    let texts = [MOBILE, EXAMPLE, ALL].map(str::to_owned);
    let mut usable = 0;
    for case in 0..cases {
        let mut random = Random::new(case, 0);
        let text = mutate::text(&texts, &mut random);
        let space = match Stages::read(&text) {
            Ok(space) => space,
            Err(error) => {
                assert!(!error.to_string().is_empty(), "case {case}");
                continue;
            }
        };
        usable += 1;
        let settings = settings(1 + random.below(4), 1 + random.below(40));
        let architecture = space.random(&mut random);
        assert_eq!(space.parse(&space.print(&architecture)).unwrap(), architecture, "case {case}");
        for graph in [space.supernet(&settings), space.decode(&architecture, &settings)] {
            match graph {
                Ok(graph) => drop(Cost::of(&graph, 1)),
                Err(error) => assert!(!error.to_string().is_empty(), "case {case}"),
            }
        }
        // What does not read the width has the same network for another.
        if !space.reads().channels {
            let other = NetworkSettings { channels: settings.channels + 1, ..settings.clone() };
            assert_eq!(space.supernet(&settings).ok(), space.supernet(&other).ok(), "case {case}");
        }
        let drops = NetworkSettings { drop_path: true, ..settings.clone() };
        let same = space.decode(&architecture, &drops).ok() == space.decode(&architecture, &settings).ok();
        assert!(same || space.reads().drop_path, "case {case}");
    }
    usable
}

#[test]
fn a_mutated_description_is_built_or_refused() {
    let usable = feed(1500);
    assert!(usable > 150, "only {usable} say anything");
}

#[test]
#[ignore = "long: scripts/test --full"]
fn full_very_many_mutated_descriptions_are_built_or_refused() {
    feed(100_000);
}
