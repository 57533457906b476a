//! How runs stand against the checklist of Lindauer and Hutter, "Best Practices for Scientific Research on Neural Architecture
//! Search" (Journal of Machine Learning Research 21, 2020): its questions in our words, each answered by what the runs' files say.
//!
//! An answer is about what lies there. Whether it is published, and what else was done, no file tells.

mod comparing;
mod facts;
mod item;
mod releasing;
mod reporting;

use crate::run::record::Record;
use facts::Facts;
use serde::Serialize;
use std::fmt::Write;

pub use item::{Answer, Item};

/// A part of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is about.
    pub part: &'static str,
    /// Its questions.
    pub items: Vec<Item>,
}

/// The checklist as some runs answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checklist {
    /// The runs' directories.
    pub runs: Vec<String>,
    /// How many questions are answered with yes.
    pub yes: usize,
    /// How many with no.
    pub no: usize,
    /// How many runs such as these cannot answer.
    pub not_by_this_run: usize,
    /// Its three parts.
    pub parts: Vec<Part>,
}

impl Checklist {
    /// The answers of runs, which are taken together: those that differ in the seed alone are repetitions.
    pub fn of(records: &[Record]) -> Self {
        let facts = &Facts::of(records);
        let parts = vec![
            Part { part: releasing::PART, items: releasing::items(facts) },
            Part { part: comparing::PART, items: comparing::items(facts) },
            Part { part: reporting::PART, items: reporting::items(facts) },
        ];
        let count = |answer| parts.iter().flat_map(|part| &part.items).filter(|item| item.answer == answer).count();
        let [yes, no, not_by_this_run] = [Answer::Yes, Answer::No, Answer::NotByThisRun].map(count);
        let runs = records.iter().map(|record| record.path.display().to_string()).collect();
        Self { runs, yes, no, not_by_this_run, parts }
    }
}

/// The checklist as Markdown: a table for each part.
pub fn markdown(checklist: &Checklist) -> String {
    let Checklist { runs, yes, no, not_by_this_run, parts } = checklist;
    let mut text = format!(
        "# Checklist of {} run{}\n\nAfter Lindauer and Hutter, \"Best Practices for Scientific Research on Neural Architecture Search\" \
         (JMLR 21, 2020), by what lies in the runs' directories: {yes} yes, {no} no, {not_by_this_run} not by this run.\n",
        runs.len(),
        if runs.len() == 1 { "" } else { "s" },
    );
    for Part { part, items } in parts {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n## {part}\n\n| | answer | found | what would make it so |\n|---|---|---|---|");
        for Item { question, answer, evidence, remedy } in items {
            let cells = [question, answer.text(), evidence, remedy.as_deref().unwrap_or("–")].map(cell);
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text
}

/// What would break a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(char::is_control, " ")
}

#[cfg(test)]
mod tests;
