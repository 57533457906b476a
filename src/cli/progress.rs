//! Progress bars with the time left, on standard error; silent when that is not a terminal.

use super::output::{harmless, tell};
use super::signals::Signals;
use cellwright::device::{Class, Device};
use cellwright::run::Observer;
use indicatif::{ProgressBar, ProgressStyle};

/// One bar for each stage of a run.
#[derive(Debug)]
pub struct Bars {
    bar: ProgressBar,
    signals: Signals,
}

impl Bars {
    /// Bars of a run that stops when a signal asks for it.
    pub fn new(signals: Signals) -> Self {
        Self { bar: ProgressBar::hidden(), signals }
    }

    /// The signals that they heed.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }
}

/// Says so where a software driver does the work: the twins are faster.
pub fn warn_if_slow(device: &Device, observer: &mut dyn Observer) {
    if device.is_gpu() && device.class() == Class::Software {
        observer.warn(&format!("{} runs shaders on the CPU; `--device cpu` is faster", device.name()));
    }
}

impl Observer for Bars {
    fn begin(&mut self, stage: &str, steps: u64) {
        // indicatif draws nothing where standard error is not a terminal.
        self.bar = ProgressBar::new(steps);
        if let Ok(style) = ProgressStyle::with_template("{prefix:>16} {wide_bar} {pos}/{len}  {eta} left  {msg}") {
            self.bar.set_style(style);
        }
        self.bar.set_prefix(harmless(stage).into_owned());
    }

    fn step(&mut self, taken: u64, state: Option<&str>) {
        self.bar.set_position(taken);
        if let Some(state) = state {
            self.bar.set_message(harmless(state).into_owned());
        }
    }

    fn stops(&mut self) -> bool {
        self.signals.status().is_some()
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    fn say(&mut self, message: &str) {
        self.bar.suspend(|| tell(message));
    }

    fn warn(&mut self, message: &str) {
        self.bar.suspend(|| tell(&format!("warning: {message}")));
    }
}
