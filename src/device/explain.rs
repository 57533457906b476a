//! A recording as it can be read: what each command computes, on how much.

use super::recording::{Action, Command, Leg, Recording};
use serde::Serialize;

/// A command of a recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The kernel's name, or `copy`, `clear`, `upload`.
    pub kernel: &'static str,
    /// The part of the network that it belongs to.
    pub scope: String,
    /// What it is for.
    pub leg: Leg,
    /// What the kernel computes, as its shader has it.
    pub formula: String,
    /// The kernel's parameters, by name.
    pub parameters: Vec<(&'static str, Number)>,
    /// What it reads, and how many elements of it.
    pub reads: Vec<(&'static str, usize)>,
    /// What it writes, likewise.
    pub writes: Vec<(&'static str, usize)>,
    /// Bytes read plus written.
    pub bytes: u64,
    /// Floating-point operations.
    pub flops: u64,
}

/// A parameter of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Number {
    /// A whole number.
    Whole(i64),
    /// Any other.
    Real(f32),
}

impl Recording {
    /// Each command, in order.
    pub fn explain(&self) -> impl Iterator<Item = Explained> {
        self.commands.iter().map(explain)
    }
}

fn explain(command: &Command) -> Explained {
    let moved = |formula: &str, words: usize, reads: bool| Explained {
        kernel: command.name(),
        scope: command.scope.to_string(),
        leg: command.leg,
        formula: formula.to_owned(),
        parameters: Vec::new(),
        reads: if reads { vec![("from", words)] } else { Vec::new() },
        writes: vec![("to", words)],
        bytes: words as u64 * if reads { 8 } else { 4 },
        flops: 0,
    };
    match &command.action {
        Action::Copy { words, .. } => moved("to = from", *words, true),
        Action::Clear { words, .. } => moved("to = 0", *words, false),
        Action::Upload { data, .. } => moved("to = values that were recorded", data.len(), false),
        Action::Dispatch(dispatch) => {
            let kernel = dispatch.kernel;
            let mut buffers = kernel.buffers().zip(dispatch.elements.iter().copied());
            let reads = buffers.by_ref().take(kernel.inputs.len()).collect();
            Explained {
                formula: kernel.formula(),
                parameters: kernel
                    .params
                    .scalars()
                    .into_iter()
                    .filter_map(|(name, at, ty)| {
                        let word = dispatch.params.get(at..at + 4)?.try_into().ok()?;
                        let number = match ty {
                            "f32" => Number::Real(f32::from_le_bytes(word)),
                            "i32" => Number::Whole(i32::from_le_bytes(word).into()),
                            _ => Number::Whole(u32::from_le_bytes(word).into()),
                        };
                        Some((name, number))
                    })
                    .collect(),
                reads,
                writes: buffers.collect(),
                bytes: dispatch.bytes,
                flops: (kernel.flops)(&dispatch.params),
                ..moved("", 0, false)
            }
        }
    }
}
