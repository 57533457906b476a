//! Diagrams as indented text for a terminal.

use super::{Block, Diagram, DrawError};
use std::fmt::Write;

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
