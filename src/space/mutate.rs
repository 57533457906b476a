//! Texts as nobody would write them, for tests: real ones with a few places changed. The same seed gives the same text.

use crate::random::Random;

/// What a number, a name or a list may be replaced by.
const AWKWARD: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "17",
    "31",
    "33",
    "100",
    "1000",
    "65536",
    "1048576",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "-1",
    "-9223372036854775808",
    "0.0",
    "-0.0",
    "0.5",
    "1.0",
    "1e-30",
    "1e30",
    "1e308",
    "nan",
    "inf",
    "-inf",
    "true",
    "false",
    "\"\"",
    "\"1C\"",
    "\"0C\"",
    "\"-1C\"",
    "\"99999999999999999999C\"",
    "[]",
    "[1, 1]",
    "[[1]]",
    "{}",
    "{ kind = \"none\" }",
    "\"conv_31x31\"",
    "\"conv_4x4\"",
    "\"mbconv_3x3_e32\"",
    "\"skip\"",
    "1979-05-27",
    "'''",
    "\"",
    "[",
    "]",
    "=",
    "#",
    ".",
    "é",
    "\u{0}",
    "\u{feff}",
    "\u{1f600}",
];

/// One of `texts` with one to three changes, some of which take pieces of the others.
pub(crate) fn text(texts: &[String], random: &mut Random) -> String {
    let mut text = texts[random.below(texts.len())].clone();
    for _ in 0..1 + random.below(3) {
        let other = &texts[random.below(texts.len())];
        text = changed(&text, other, random);
    }
    text
}

fn changed(text: &str, other: &str, random: &mut Random) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    let at = |count: usize, random: &mut Random| if count == 0 { 0 } else { random.below(count) };
    match random.below(8) {
        // A word or number.
        0..=2 => {
            let words = words(text);
            let Some(&(from, to)) = words.get(at(words.len(), random)) else { return text.to_owned() };
            let awkward = AWKWARD[random.below(AWKWARD.len())];
            return format!("{}{awkward}{}", &text[..from], &text[to..]);
        }
        // A word of the other.
        3 => {
            let (mine, theirs) = (words(text), words(other));
            let pick = |all: &[(usize, usize)], random: &mut Random| all.get(at(all.len(), random)).copied();
            let (Some((from, to)), Some(theirs)) = (pick(&mine, random), pick(&theirs, random)) else {
                return text.to_owned();
            };
            return format!("{}{}{}", &text[..from], &other[theirs.0..theirs.1], &text[to..]);
        }
        // A line goes, comes twice, or comes from elsewhere.
        4 if !lines.is_empty() => {
            lines.remove(at(lines.len(), random));
        }
        5 if !lines.is_empty() => {
            let (line, place) = (lines[at(lines.len(), random)], at(lines.len(), random));
            lines.insert(place, line);
        }
        6 => {
            let theirs: Vec<&str> = other.lines().collect();
            let (from, place) = (at(theirs.len(), random), at(lines.len(), random));
            lines.splice(place..place, theirs.into_iter().skip(from).take(1 + random.below(8)));
        }
        // It ends early.
        _ => {
            let end = (0..=text.len()).rev().skip(at(text.len() + 1, random)).find(|&end| text.is_char_boundary(end));
            return text[..end.unwrap_or(0)].to_owned();
        }
    }
    lines.join("\n")
}

/// Where the words and numbers of a text stand.
fn words(text: &str) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut from = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_word = c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        match (is_word, from) {
            (true, None) => from = Some(at),
            (false, Some(begin)) => {
                all.push((begin, at));
                from = None;
            }
            _ => {}
        }
    }
    all
}
