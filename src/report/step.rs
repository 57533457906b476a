//! What one step of a search does, command by command, as text that fits a terminal of 80 columns and as data.

use super::table::Table;
use super::text::fold;
use crate::device::{Explained, Leg, Number};
use serde::Serialize;
use std::collections::BTreeMap;

/// The columns that text keeps to.
pub const WIDTH: usize = 80;

/// One of the recordings that a step runs.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// What it does.
    pub name: &'static str,
    /// Its commands, in order.
    pub commands: Vec<Explained>,
}

/// How much some commands are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// Commands.
    pub commands: usize,
    /// Bytes read plus written.
    pub bytes: u64,
    /// Floating-point operations.
    pub flops: u64,
}

impl Total {
    /// Of some commands.
    pub fn of<'a>(commands: impl IntoIterator<Item = &'a Explained>) -> Self {
        commands.into_iter().fold(Self::default(), |sum, command| Self {
            commands: sum.commands + 1,
            bytes: sum.bytes + command.bytes,
            flops: sum.flops + command.flops,
        })
    }

    fn text(self) -> String {
        let Self { commands, bytes, flops } = self;
        format!("{commands} commands, {bytes} bytes, {flops} floating-point operations")
    }
}

/// All of a step in words.
pub fn text(title: &str, parts: &[Part]) -> String {
    let mut text = String::new();
    line(&mut text, title);
    let mut number = 0;
    for Part { name, commands } in parts {
        // A step may go forward and back several times.
        for leg in commands.chunk_by(|a, b| a.leg == b.leg) {
            let heading = format!("{name}, {}", words(leg[0].leg));
            text += &format!("\n{heading}\n{}\n", "=".repeat(heading.chars().count()));
            line(&mut text, &Total::of(leg).text());
            for command in leg {
                number += 1;
                text += "\n";
                describe(&mut text, number, command);
            }
        }
    }
    text + "\n" + &totals(parts)
}

/// What each kernel is called for, and all of it together.
fn totals(parts: &[Part]) -> String {
    let mut kernels: BTreeMap<&str, Vec<&Explained>> = BTreeMap::new();
    for command in parts.iter().flat_map(|part| &part.commands) {
        kernels.entry(command.kernel).or_default().push(command);
    }
    let mut rows: Vec<(&str, Total)> =
        kernels.into_iter().map(|(kernel, commands)| (kernel, Total::of(commands))).collect();
    // The most bytes first: they are what a step takes its time for.
    rows.sort_by_key(|(_, total)| std::cmp::Reverse(total.bytes));
    let mut table = Table::new(&["kernel", "calls", "bytes", "operations"]);
    for (kernel, Total { commands, bytes, flops }) in rows {
        table.row([kernel.to_owned(), commands.to_string(), bytes.to_string(), flops.to_string()]);
    }
    let mut text = format!("Altogether\n==========\n{}\n", table.render());
    for part in parts {
        line(&mut text, &format!("{}: {}", part.name, Total::of(&part.commands).text()));
    }
    line(&mut text, &format!("step: {}", Total::of(parts.iter().flat_map(|part| &part.commands)).text()));
    text
}

fn words(leg: Leg) -> &'static str {
    match leg {
        Leg::Forward => "forward",
        Leg::Backward => "backward",
        Leg::Update => "update",
    }
}

/// A command: its number, kernel and layer; what it computes; on how much.
fn describe(text: &mut String, number: usize, command: &Explained) {
    let scope = if command.scope.is_empty() { String::new() } else { format!("  {}", command.scope) };
    line(text, &format!("{number:>4} {}{scope}", command.kernel));
    line(text, &format!("     {}", command.formula));
    let is_buffer = |name: &str| command.reads.iter().chain(&command.writes).any(|(buffer, _)| *buffer == name);
    // Where in its buffer something lies says nothing of shapes.
    let sizes = command.parameters.iter().filter(|(name, _)| !is_buffer(name)).map(|(name, value)| match value {
        Number::Whole(value) => format!("{name} {value}"),
        Number::Real(value) => format!("{name} {value}"),
    });
    let sizes: Vec<String> = sizes.collect();
    if !sizes.is_empty() {
        line(text, &format!("     {}", sizes.join(", ")));
    }
    let buffers = |all: &[(&str, usize)]| {
        all.iter().map(|(name, elements)| format!("{name}[{elements}]")).collect::<Vec<_>>().join(" ")
    };
    let reads = if command.reads.is_empty() { String::new() } else { format!("{} → ", buffers(&command.reads)) };
    line(text, &format!("     {reads}{}: {} bytes", buffers(&command.writes), command.bytes));
}

/// A line as a terminal has room for it.
fn line(text: &mut String, line: &str) {
    *text += &fold(&line.replace(char::is_control, " "), WIDTH);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(kernel: &'static str, leg: Leg) -> Explained {
        Explained {
            kernel,
            scope: "cells.0._ops.3._ops.4.op.1".to_owned(),
            leg,
            formula: "y[n, o, y, x] (+)= Σ w[o, i, r, s] x[n, i, y·stride + r·dilation − pad_top] + bias[o]".repeat(2),
            parameters: vec![("x", Number::Whole(7)), ("batch", Number::Whole(16)), ("rate", Number::Real(0.5))],
            reads: vec![("x", 48), ("w", 27)],
            writes: vec![("y", 96)],
            bytes: 684,
            flops: 1000,
        }
    }

    #[test]
    fn legs_are_told_apart_counted_and_fit_a_terminal() {
        let commands = vec![command("conv", Leg::Forward), command("conv", Leg::Forward), command("sgd", Leg::Update)];
        let text = text("a supernet", &[Part { name: "step of the weights", commands }]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.matches("step of the weights, forward\n").count(), 1);
        assert!(text.contains("2 commands, 1368 bytes, 2000 floating-point operations"), "{text}");
        assert!(text.contains("   3 sgd  cells.0._ops.3._ops.4.op.1\n"), "{text}");
        assert!(text.contains("batch 16, rate 0.5\n") && text.contains("x[48] w[27] → y[96]: 684 bytes"), "{text}");
        assert!(text.ends_with("step: 3 commands, 2052 bytes, 3000 floating-point operations\n"), "{text}");
    }
}
