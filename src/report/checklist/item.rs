//! A question of the checklist, and what runs answer.

use serde::Serialize;

/// Whether runs do what a question asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// They do.
    #[serde(rename = "yes")]
    Yes,
    /// They do not, and could.
    #[serde(rename = "no")]
    No,
    /// Runs such as these cannot answer it.
    #[serde(rename = "not by this run")]
    NotByThisRun,
}

impl Answer {
    /// As it is written.
    pub fn text(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotByThisRun => "not by this run",
        }
    }
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// What is asked.
    pub question: &'static str,
    /// Whether it is so.
    pub answer: Answer,
    /// What was found in the runs' files.
    pub evidence: String,
    /// What would make it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Item {
    /// It is so.
    pub(super) fn yes(question: &'static str, evidence: impl Into<String>) -> Self {
        Self { question, answer: Answer::Yes, evidence: evidence.into(), remedy: None }
    }

    /// It is not so; `remedy` would make it so.
    pub(super) fn no(question: &'static str, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { question, answer: Answer::No, evidence: evidence.into(), remedy: Some(remedy.into()) }
    }

    /// It cannot be seen; `remedy` would show it.
    pub(super) fn unseen(question: &'static str, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { answer: Answer::NotByThisRun, ..Self::no(question, evidence, remedy) }
    }
}
