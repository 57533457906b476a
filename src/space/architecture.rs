//! Decisions, and an architecture as the answers to them.

use super::SpaceError;
use crate::random::Random;
use serde::{Deserialize, Serialize};

/// One question a space asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Name, unique in its space, e.g. `normal_node0_operation1`.
    pub name: String,
    /// The possible answers; never empty.
    pub options: Vec<String>,
}

/// The answers to a space's decisions, in their order. Plain data: it means something only
/// together with its space.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Architecture {
    /// For each decision, the index of the chosen option.
    pub answers: Vec<usize>,
}

impl Architecture {
    /// Checks that there is one valid answer to each decision.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] naming `space` and the first answer that is not valid.
    pub fn check(&self, space: &str, decisions: &[Decision]) -> Result<(), SpaceError> {
        if self.answers.len() != decisions.len() {
            let problem = format!("{} answers to {} decisions", self.answers.len(), decisions.len());
            return Err(SpaceError::architecture(space, problem));
        }
        match self.answers.iter().zip(decisions).find(|(answer, d)| **answer >= d.options.len()) {
            None => Ok(()),
            Some((answer, d)) => {
                let problem = format!("answer {answer} to `{}`, which has {} options", d.name, d.options.len());
                Err(SpaceError::architecture(space, problem))
            }
        }
    }

    /// Independent uniform answers.
    pub fn uniform(decisions: &[Decision], random: &mut Random) -> Self {
        Self { answers: decisions.iter().map(|d| random.below(d.options.len())).collect() }
    }
}

/// Writes an architecture as `decision=option` pairs, separated by commas.
pub(super) fn print_pairs(decisions: &[Decision], architecture: &Architecture) -> String {
    let pair =
        |(d, &answer): (&Decision, &usize)| format!("{}={}", d.name, d.options.get(answer).map_or("?", String::as_str));
    decisions.iter().zip(&architecture.answers).map(pair).collect::<Vec<_>>().join(", ")
}

/// The same as a JSON object.
pub(super) fn json_pairs(decisions: &[Decision], architecture: &Architecture) -> serde_json::Value {
    let pair = |(d, &answer): (&Decision, &usize)| {
        (d.name.clone(), d.options.get(answer).map_or(serde_json::Value::Null, |o| o.clone().into()))
    };
    serde_json::Value::Object(decisions.iter().zip(&architecture.answers).map(pair).collect())
}

/// Reads what [`print_pairs`] or [`json_pairs`] wrote, in any order.
pub(super) fn parse_pairs(space: &str, decisions: &[Decision], text: &str) -> Result<Architecture, SpaceError> {
    let mut answers = vec![None; decisions.len()];
    for (name, option) in pairs(space, text)? {
        let Some(i) = decisions.iter().position(|d| d.name == name) else {
            return Err(SpaceError::unknown("decision", &name, decisions.iter().map(|d| &d.name)));
        };
        let Some(answer) = decisions[i].options.iter().position(|o| *o == option) else {
            return Err(SpaceError::unknown("option", &option, &decisions[i].options));
        };
        if answers[i].replace(answer).is_some() {
            return Err(SpaceError::architecture(space, format!("`{name}` is answered twice")));
        }
    }
    let answer = |(answer, d): (Option<usize>, &Decision)| {
        answer.ok_or_else(|| SpaceError::architecture(space, format!("`{}` is not answered", d.name)))
    };
    Ok(Architecture { answers: answers.into_iter().zip(decisions).map(answer).collect::<Result<_, _>>()? })
}

fn pairs(space: &str, text: &str) -> Result<Vec<(String, String)>, SpaceError> {
    if text.trim_start().starts_with('{') {
        let map: std::collections::BTreeMap<String, String> =
            serde_json::from_str(text).map_err(|e| SpaceError::architecture(space, format!("not valid JSON: {e}")))?;
        return Ok(map.into_iter().collect());
    }
    let pair = |part: &str| match part.split_once('=') {
        Some((name, option)) => Ok((name.trim().to_owned(), option.trim().to_owned())),
        None => {
            let problem = format!("`{}` is not `decision=option`", part.trim());
            Err(SpaceError::architecture(space, problem))
        }
    };
    text.split([',', '\n']).filter(|part| !part.trim().is_empty()).map(pair).collect()
}
