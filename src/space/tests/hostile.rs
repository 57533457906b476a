//! Whatever a text, reading it as an architecture returns: it never panics, and what is read makes a network.

use super::*;
use crate::random::Random;

/// Characters that mean something in one of the forms.
const PIECES: [&str; 40] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"",
    ",",
    ":",
    "=",
    "|",
    "+",
    "~",
    "#",
    "\\",
    "\n",
    " ",
    "-",
    ".",
    "0",
    "1",
    "2",
    "6",
    "9",
    "99999999999999999999",
    "Genotype(",
    "normal=",
    "reduce_concat=",
    "range(",
    "np.int64(",
    "None",
    "none",
    "sep_conv_3x3",
    "skip_connect",
    "naslib:",
    "0_1",
    "é",
    "\u{feff}",
    "$fixed_arc",
];

/// Texts of all spaces and forms, and known names.
fn whole() -> Vec<(Box<dyn Space>, String)> {
    let mut texts = Vec::new();
    for name in names() {
        let mut config = SpaceConfig::of(name);
        if name == enas_macro::NAME {
            config.settings = "layers = 3".parse().unwrap();
        }
        let mut add = |text: String| texts.push((config.build().unwrap(), text));
        let space = config.build().unwrap();
        let architecture = space.random(&mut Random::new(1, 2));
        add(space.print(&architecture));
        add(space.json(&architecture).to_string());
        space.forms(&architecture).into_iter().filter_map(|form| form.text.ok()).for_each(&mut add);
    }
    let darts = || find("darts").unwrap();
    for name in ["FAIRDARTS-C", "NASNET-A", "SETN"] {
        texts.push((darts(), darts::published::find(name).unwrap().genotype.to_string()));
    }
    texts
}

/// A text with a few pieces put in, taken out, or doubled.
fn mutated(text: &str, random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..1 + random.below(4) {
        let at = random.below(characters.len() + 1);
        let end = (at + random.below(30)).min(characters.len());
        match random.below(4) {
            0 => drop(characters.drain(at..end)),
            1 => {
                let doubled: Vec<char> = characters[at..end].to_vec();
                characters.splice(at..at, doubled);
            }
            2 => characters.truncate(at.max(1)),
            _ => drop(characters.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
        }
    }
    characters.into_iter().collect()
}

fn feed(times: usize) {
    let texts = whole();
    let settings =
        NetworkSettings { channels: 2, layers: 2, image: "1x16x16".parse().unwrap(), ..NetworkSettings::default() };
    let mut random = Random::new(11, 12);
    let mut read = 0;
    for _ in 0..times {
        let (space, text) = &texts[random.below(texts.len())];
        let text = mutated(text, &mut random);
        match space.sketch(&text) {
            Ok(sketch) => {
                read += 1;
                // What was read is read again from what is written of it.
                space.sketch(&sketch.text).unwrap_or_else(|error| panic!("{}: {text}: {error}", space.name()));
                let _ = space.decode_text(&text, &settings);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        if random.below(20) == 0 {
            let _ = of_text(&text);
        }
    }
    // Most are refused, a few that are harmless are not.
    assert!(read * 200 > times && read < times, "{read} of {times}");
}

#[test]
fn a_mutated_text_is_read_or_refused() {
    feed(3_000);
}

#[test]
#[ignore = "long: scripts/test --full"]
fn a_hundred_thousand_mutated_texts_are_read_or_refused() {
    feed(100_000);
}
