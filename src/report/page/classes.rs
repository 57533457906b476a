//! Which classes the network found takes for which.

use super::document::{Block, Cell, Column, Figure, Form, Plot, Table};
use super::written::whole;
use crate::run::trace::Trace;
use std::collections::BTreeMap;

/// The most classes that a matrix is drawn of.
const MOST: usize = 256;
/// The most confusions that are listed.
const LISTED: usize = 20;

/// The matrix and the most frequent confusions.
pub(super) fn blocks(trace: &Trace) -> Vec<Block> {
    let names: Vec<String> = trace.classes.iter().map(|(name, _)| name.clone()).collect();
    let place: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let at = |name: &String| place.get(name.as_str()).copied();
    let counts: Vec<(usize, usize, u64)> =
        trace.confusion.iter().filter_map(|(class, answer, count)| Some((at(class)?, at(answer)?, *count))).collect();
    if counts.is_empty() {
        return Vec::new();
    }
    let mut wrong: Vec<(usize, usize, u64)> =
        counts.iter().filter(|(class, answer, _)| class != answer).copied().collect();
    let [mistaken, all] = [&wrong, &counts].map(|of| of.iter().map(|(.., count)| count).sum::<u64>());
    let text = format!("{} of {} test images were taken for another class.", whole(mistaken as f64), whole(all as f64));
    let mut blocks = vec![Block::Words { text }];
    wrong.sort_by(|a, b| b.2.cmp(&a.2).then(a.cmp(b)));
    wrong.truncate(LISTED);
    if names.len() <= MOST {
        blocks.push(Block::Figure(Figure {
            id: "confusion".to_owned(),
            title: "Confusion".to_owned(),
            caption: "Each row is a class of the test images, each column what they were taken for. Darker is a larger share of the row's \
                      images; right answers are on the diagonal."
                .to_owned(),
            plot: Plot::Matrix { classes: names.clone(), counts },
        }));
    }
    if !wrong.is_empty() {
        blocks.push(Block::Table(Table {
            id: "confusions".to_owned(),
            caption: "The most frequent confusions".to_owned(),
            columns: vec![
                Column::new("class", Form::Text),
                Column::new("taken for", Form::Text),
                Column::new("images", Form::Whole),
                Column::new("of the class", Form::Share),
            ],
            rows: wrong
                .into_iter()
                .map(|(class, answer, count)| {
                    let of = trace.classes[class].1;
                    vec![
                        Cell::Text(names[class].clone()),
                        Cell::Text(names[answer].clone()),
                        Cell::number(Some(count as f64)),
                        Cell::number((of > 0).then(|| count as f64 / of as f64)),
                    ]
                })
                .collect(),
            marked: Vec::new(),
            links: Vec::new(),
            together: None,
        }));
    }
    blocks
}
