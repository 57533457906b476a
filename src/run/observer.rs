//! Who follows a run.

use serde_json::Value;

/// Follows a run: a progress bar, say.
pub trait Observer {
    /// A stage of so many steps begins.
    fn begin(&mut self, stage: &str, steps: u64);
    /// So many steps of the stage are taken; `state` says how it stands, if that has changed.
    fn step(&mut self, taken: u64, state: Option<&str>);
    /// The stage is over.
    fn end(&mut self);
    /// The run begins, or goes on: what was told of its logs before no longer counts.
    fn starts(&mut self) {}
    /// The run goes on, and this line of its logs stays.
    fn found(&mut self, _line: &Value) {}
    /// A line was written to the run's logs: `metrics.jsonl` or, of a study, `trials.jsonl`.
    fn wrote(&mut self, _line: &Value) {}
    /// Whether the run should stop before its next step.
    fn stops(&mut self) -> bool {
        false
    }
    /// Something worth a line: which dataset was found, say.
    fn say(&mut self, _message: &str) {}
    /// Something the user should know.
    fn warn(&mut self, message: &str);
}

/// An observer that says nothing.
#[derive(Debug)]
pub struct Silent;

impl Observer for Silent {
    fn begin(&mut self, _: &str, _: u64) {}
    fn step(&mut self, _: u64, _: Option<&str>) {}
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
}
