//! Who follows a run.

/// Follows a run: a progress bar, say.
pub trait Observer {
    /// A stage of so many steps begins.
    fn begin(&mut self, stage: &str, steps: u64);
    /// So many steps of the stage are taken; `state` says how it stands, if that has changed.
    fn step(&mut self, taken: u64, state: Option<&str>);
    /// The stage is over.
    fn end(&mut self);
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
