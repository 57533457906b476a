//! Architectures as text: `conv_3x3 | sep_conv_3x3 0 | max_pool_3x3 10 | …`, layer by layer.

use super::{Layer, NAME, Operation};
use crate::names::nearest;
use crate::space::{Architecture, SpaceError, notation};

/// Writes an architecture.
pub(super) fn print(layers: &[Layer]) -> String {
    let layer = |layer: &Layer| {
        let skips: String = layer.skips.iter().map(|&skip| if skip { '1' } else { '0' }).collect();
        format!("{} {skips}", layer.operation).trim_end().to_owned()
    };
    layers.iter().map(layer).collect::<Vec<_>>().join(" | ")
}

/// Reads an architecture of so many layers: for each its operation, by name or number, and as many digits 0 or 1 as there
/// are outputs it could add. Spaces and bars only separate.
pub(super) fn parse(layers: usize, text: &str) -> Result<Architecture, SpaceError> {
    let wrong = |problem: String| SpaceError::architecture(NAME, problem);
    let form = "write conv_3x3 | sep_conv_3x3 0 | max_pool_3x3 10 | …, for each layer its operation and a digit for \
                each skip, or JSON";
    // As people paste it: `fixed_arc = "[0, 1, 0, …]"`.
    let numbers = notation::numbers(text);
    let text = numbers.as_deref().unwrap_or(text);
    let mut words = text.split(|c: char| c.is_whitespace() || c == '|' || c == ',').filter(|word| !word.is_empty());
    let mut answers = Vec::new();
    for layer in 0..layers {
        let Some(word) = words.next() else {
            let problem = format!("the text ends before layer {layer} of {layers}; {form}");
            return Err(wrong(problem));
        };
        let by_name = Operation::ALL.iter().position(|operation| operation.name() == word);
        let by_number = word.parse().ok().filter(|&number: &usize| number < Operation::ALL.len());
        let Some(operation) = by_name.or(by_number) else {
            let known = Operation::ALL.map(Operation::name);
            return Err(wrong(format!(
                "layer {layer}: unknown operation `{word}`: did you mean `{}`? (known: {}); {form}",
                nearest(word, known),
                known.join(", ")
            )));
        };
        answers.push(operation);
        let wanted = answers.len() + layer;
        while answers.len() < wanted {
            let word = words.next().unwrap_or_default();
            let digits = word.chars().map(|c| c.to_digit(2).map(|digit| digit as usize));
            let digits = digits.collect::<Option<Vec<usize>>>().filter(|digits| !digits.is_empty());
            let Some(digits) = digits.filter(|digits| answers.len() + digits.len() <= wanted) else {
                let found = if word.is_empty() { "the end".to_owned() } else { format!("`{word}`") };
                return Err(wrong(format!(
                    "layer {layer} needs {layer} digits 0 or 1 for its skips, found {found} after {}; {form}",
                    answers.len() + layer - wanted
                )));
            };
            answers.extend(digits);
        }
    }
    match words.next() {
        None => Ok(Architecture { answers }),
        Some(word) => Err(wrong(format!("expected nothing after layer {} of {layers}, found `{word}`", layers - 1))),
    }
}
