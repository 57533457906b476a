//! Why one run of several failed, as its directory keeps it.

use serde::{Deserialize, Serialize};
use std::error::Error;

/// The file of a run that failed. Without it the run is tried again.
pub(super) const FAILED: &str = "failed.json";

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong.
    pub reason: String,
    /// What that came of, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<String>,
}

impl Failure {
    /// A reason without causes.
    pub(super) fn new(reason: String) -> Self {
        Self { reason, because: Vec::new() }
    }

    /// That of an error.
    pub(super) fn of(error: &dyn Error) -> Self {
        let mut because = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            because.push(cause.to_string());
            source = cause.source();
        }
        Self { reason: error.to_string(), because }
    }
}
