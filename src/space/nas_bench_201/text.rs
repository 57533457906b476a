//! Cells as the benchmark writes them: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, node by node, `~j` the node read.

use super::{CELLS, EDGES, NAME, Operation, edges, index};
use crate::names::nearest;
use crate::space::{Architecture, SpaceError};
use std::fmt::Write;

/// Writes a cell.
pub(super) fn print(cell: &[Operation; EDGES]) -> String {
    let mut text = String::new();
    for ((source, target), operation) in edges().zip(cell) {
        if source == 0 {
            text += if target > 1 { "+|" } else { "|" };
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{operation}~{source}|");
    }
    text
}

/// Reads a cell, or its index (`#1459` or `1459`).
pub(super) fn parse(text: &str) -> Result<Architecture, SpaceError> {
    let text = text.trim();
    let number = text.strip_prefix('#').unwrap_or(text);
    let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    if text.starts_with('#') || digits {
        let answers = if digits { number.parse().ok().and_then(index::answers_of) } else { None };
        return match answers {
            Some(answers) => Ok(Architecture { answers: answers.to_vec() }),
            None => Err(wrong(format!("`{}` is no index: there are cells #0 to #{}", shown(text), CELLS - 1))),
        };
    }
    let mut reader = Reader { rest: text, position: 1 };
    let mut answers = Vec::with_capacity(EDGES);
    for (source, target) in edges() {
        if source == 0 {
            if target > 1 {
                reader.need("+", &format!("`+` before node {target}"))?;
            }
            reader.need("|", &format!("`|` before the edges of node {target}"))?;
        }
        answers.push(reader.operation(source, target)?);
        reader.need(&format!("~{source}"), &format!("`~{source}`, the node that this edge of node {target} reads"))?;
        reader.need("|", "`|` after an edge")?;
    }
    if reader.rest.is_empty() { Ok(Architecture { answers }) } else { Err(reader.expected("nothing more")) }
}

fn wrong(problem: String) -> SpaceError {
    SpaceError::architecture(NAME, problem)
}

/// The beginning of a text, short enough for a message.
fn shown(text: &str) -> String {
    let beginning: String = text.chars().take(20).collect();
    if beginning.len() < text.len() { format!("{beginning}…") } else { beginning }
}

struct Reader<'a> {
    rest: &'a str,
    /// Of the first character of `rest`, in characters from 1.
    position: usize,
}

impl Reader<'_> {
    fn need(&mut self, wanted: &str, expected: &str) -> Result<(), SpaceError> {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                self.position += wanted.chars().count();
                Ok(())
            }
            None => Err(self.expected(expected)),
        }
    }

    fn operation(&mut self, source: usize, target: usize) -> Result<usize, SpaceError> {
        let end = self.rest.find(['~', '|', '+']).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err(self.expected(&format!("the operation from node {source} to node {target}")));
        }
        let Some(answer) = Operation::ALL.iter().position(|operation| operation.name() == name) else {
            let known = Operation::ALL.map(Operation::name);
            let meant = nearest(name, known);
            return Err(wrong(format!(
                "character {}: unknown operation `{}`: did you mean `{meant}`? (known: {})",
                self.position,
                shown(name),
                known.join(", ")
            )));
        };
        self.rest = rest;
        self.position += name.chars().count();
        Ok(answer)
    }

    fn expected(&self, expected: &str) -> SpaceError {
        let found = if self.rest.is_empty() { "the end".to_owned() } else { format!("`{}`", shown(self.rest)) };
        wrong(format!(
            "character {}: expected {expected}, found {found}; write a cell as \
             |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, its index as #1459, or JSON",
            self.position
        ))
    }
}
