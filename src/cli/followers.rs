//! Who follows a run: bars on the terminal and, if asked for, event files of TensorBoard.

use super::output::plain;
use super::progress::Bars;
use super::signals::Signals;
use cellwright::export::tensorboard::{About, TensorBoard};
use cellwright::run::{Config, Observer};
use serde_json::Value;
use std::error::Error;
use std::path::Path;

/// All that follow one run.
#[derive(Debug)]
pub struct Followers {
    bars: Bars,
    tensorboard: Option<TensorBoard>,
}

impl Followers {
    /// Bars of a run that stops when a signal asks for it.
    pub fn new(signals: Signals) -> Self {
        Self { bars: Bars::new(signals), tensorboard: None }
    }

    /// Has event files written to a folder.
    pub fn write_events(&mut self, folder: &Path, config: &Config) -> Result<(), Box<dyn Error>> {
        // Of a study each trial is held against the others.
        let table: Option<toml::Table> = match config.search.is_study() && config.architecture.is_none() {
            true => None,
            false => Some(config.to_toml()?.parse()?),
        };
        let config = About {
            decisions: config.space.build()?.decisions(),
            config: table.map(serde_json::to_value).transpose()?,
        };
        self.tensorboard = Some(TensorBoard::new(folder, config));
        Ok(())
    }

    /// The run has come to its end, and to this.
    pub fn finish(&mut self, summary: &Value) {
        self.tell(|events| events.finish(summary));
    }

    fn tell(&mut self, what: impl FnOnce(&mut TensorBoard)) {
        let Some(events) = &mut self.tensorboard else { return };
        what(events);
        if let Some(problem) = events.problem() {
            self.bars.warn(&plain(&problem));
        }
    }
}

impl Observer for Followers {
    fn begin(&mut self, stage: &str, steps: u64) {
        self.bars.begin(stage, steps);
    }

    fn step(&mut self, taken: u64, state: Option<&str>) {
        self.bars.step(taken, state);
    }

    fn stops(&mut self) -> bool {
        self.bars.stops()
    }

    fn end(&mut self) {
        self.bars.end();
    }

    fn starts(&mut self) {
        self.tell(Observer::starts);
    }

    fn found(&mut self, line: &Value) {
        self.tell(|events| events.found(line));
    }

    fn wrote(&mut self, line: &Value) {
        self.tell(|events| events.wrote(line));
    }

    fn say(&mut self, message: &str) {
        self.bars.say(message);
    }

    fn warn(&mut self, message: &str) {
        self.bars.warn(message);
    }
}
