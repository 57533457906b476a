//! Who follows a run.

/// Follows a run: a progress bar, say.
pub trait Observer {
    /// A stage of so many steps begins.
    fn begin(&mut self, stage: &str, steps: u64);
    /// So many steps of the stage are taken; `state` says how it stands.
    fn step(&mut self, taken: u64, state: &str);
    /// The stage is over.
    fn end(&mut self);
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
    fn step(&mut self, _: u64, _: &str) {}
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
}
