//! Diagrams in the DOT language of Graphviz.

use super::{Diagram, Direction, Kind};
use std::fmt::Write;

/// A diagram as a `digraph`. Box i is called `n` followed by i; edges to boxes that do not exist are
/// written as they are (Graphviz adds such boxes).
pub fn write(diagram: &Diagram) -> String {
    let mut dot = String::from("digraph {\n");
    let direction = match diagram.direction {
        Direction::Right => "LR",
        Direction::Down => "TB",
    };
    let mut line = |text: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(dot, "  {text}");
    };
    line(format!("rankdir={direction};"));
    if !diagram.title.is_empty() {
        line(format!("label={}; labelloc=t;", quote(&diagram.title)));
    }
    line("node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica\"];".into());
    line("edge [fontname=\"Helvetica\", fontsize=11];".into());
    for (index, block) in diagram.boxes.iter().enumerate() {
        let tone = block.kind.tone();
        let label = std::iter::once(&block.label).chain(&block.details).map(String::as_str).collect::<Vec<_>>();
        line(format!(
            "n{index} [label={}, color=\"{}\", fillcolor=\"{}\"];",
            quote(&label.join("\n")),
            tone.line,
            tone.fill
        ));
    }
    for edge in &diagram.edges {
        let tone = edge.kind.tone();
        let label = if edge.label.is_empty() { String::new() } else { format!("label={}, ", quote(&edge.label)) };
        let style = match edge.kind {
            Kind::Skip => ", style=dashed",
            Kind::None => ", style=dotted",
            _ => "",
        };
        let (from, to) = (edge.from, edge.to);
        let width = edge.stroke().map_or(String::new(), |[width, _]| format!(", penwidth={width:.2}"));
        line(format!("n{from} -> n{to} [{label}color=\"{}\", fontcolor=\"{}\"{style}{width}];", tone.line, tone.text));
    }
    dot.push_str("}\n");
    dot
}

/// A quoted DOT string; line breaks become `\n`, which centres the line.
fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
