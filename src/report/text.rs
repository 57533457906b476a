//! Diagrams as indented text for a terminal.

use super::{Block, Diagram, DrawError};
use std::fmt::Write;

/// Lines that fit a terminal of so many columns: what is longer is broken between words, and what follows is indented further.
pub fn fold(text: &str, columns: usize) -> String {
    let mut folded = String::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        // A line that fits keeps its spaces: they align it with its neighbours.
        if line.chars().count() <= columns {
            folded += line;
            folded.push('\n');
            continue;
        }
        // Broken at single spaces, so that wider ones stay.
        let mut now = line[..indent].to_owned();
        let mut is_empty = true;
        for word in line[indent..].split(' ') {
            if !is_empty && now.chars().count() + 1 + word.chars().count() > columns {
                folded += now.trim_end();
                folded.push('\n');
                now = " ".repeat(indent + 4);
                is_empty = true;
            }
            if !is_empty {
                now.push(' ');
            }
            now += word;
            is_empty = is_empty && word.is_empty();
        }
        folded += &now;
        folded.push('\n');
    }
    folded
}

/// Each box, in the order in which it could be computed, and beneath it what enters it: the label
/// of the edge and the box it comes from.
///
/// # Errors
/// [`DrawError::NoSuchBox`] and [`DrawError::Cycle`].
pub fn write(diagram: &Diagram) -> Result<String, DrawError> {
    let layers = diagram.layers()?;
    let mut order: Vec<usize> = (0..diagram.boxes.len()).collect();
    order.sort_by_key(|&index| layers[index]);
    // Where several boxes have one label, the first detail tells them apart.
    let name = |index: usize| {
        let Block { label, details, .. } = &diagram.boxes[index];
        match details.first() {
            Some(detail) if diagram.boxes.iter().filter(|b| b.label == *label).count() > 1 => {
                format!("{label} ({detail})")
            }
            _ => label.clone(),
        }
    };
    let names: Vec<String> = (0..diagram.boxes.len()).map(name).collect();
    let mut text = String::new();
    let mut line = |indent: usize, content: &str| {
        // Writing to a String cannot fail. Control characters must not reach a terminal.
        let _ = writeln!(text, "{:indent$}{}", "", content.replace(char::is_control, " "));
    };
    let mut indent = 0;
    if !diagram.title.is_empty() {
        line(0, &diagram.title);
        indent = 2;
    }
    for index in order {
        let block = &diagram.boxes[index];
        if block.details.is_empty() {
            line(indent, &block.label);
        } else {
            // Lists that were broken into lines become one line again.
            let details = block.details.join(", ").replace(",, ", ", ").replace(":, ", ": ");
            line(indent, &format!("{}  ({details})", block.label));
        }
        let entering: Vec<_> = diagram.edges.iter().filter(|e| e.to == index).collect();
        let width = entering.iter().map(|e| e.label.chars().count()).max().unwrap_or(0);
        for edge in entering.iter().filter(|e| !e.label.is_empty()) {
            line(indent + 2, &format!("{:width$}  from {}", edge.label, names[edge.from]));
        }
        let plain: Vec<&str> = entering.iter().filter(|e| e.label.is_empty()).map(|e| names[e.from].as_str()).collect();
        if !plain.is_empty() {
            line(indent + 2, &format!("from {}", plain.join(", ")));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn what_is_longer_than_a_terminal_is_broken_between_words() {
        assert_eq!(fold("  a  b\n  one two three four\n", 14), "  a  b\n  one two\n      three\n      four\n");
        assert_eq!(fold("averylongword x", 5), "averylongword\n    x\n");
    }
}
