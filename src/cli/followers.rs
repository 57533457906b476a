//! Who follows a run: bars on the terminal, or all of it; and, if asked for, event files of TensorBoard.

use super::output::one_line;
use super::progress::Bars;
#[cfg(feature = "tui")]
use super::screen::Screen;
use super::signals::Signals;
use cellwright::export::picture::Picture;
use cellwright::export::tensorboard::{About, Cells, TensorBoard};
use cellwright::graph::Rows;
use cellwright::report::{self, raster};
use cellwright::run::{Config, Observer};
use cellwright::space::{Architecture, CellPlan, Space};
use serde_json::Value;
use std::error::Error;
use std::fmt::Debug;
use std::path::Path;

/// What a person sees of a run.
trait Face: Observer + Debug {
    fn signals(&self) -> &Signals;
    fn close(&mut self);
}

impl Face for Bars {
    fn signals(&self) -> &Signals {
        Self::signals(self)
    }

    fn close(&mut self) {
        self.end();
    }
}

#[cfg(feature = "tui")]
impl Face for Screen {
    fn signals(&self) -> &Signals {
        Self::signals(self)
    }

    fn close(&mut self) {
        Self::close(self);
    }
}

/// All that follow one run.
#[derive(Debug)]
pub struct Followers {
    face: Box<dyn Face>,
    tensorboard: Option<TensorBoard>,
}

impl Followers {
    /// Bars of a run that stops when a signal asks for it.
    pub fn bars() -> std::io::Result<Self> {
        Ok(Self { face: Box::new(Bars::new(Signals::listen()?)), tensorboard: None })
    }

    /// The whole terminal, or bars where it cannot be had.
    #[cfg(feature = "tui")]
    pub fn screen(title: &str, config: &Config) -> Result<Self, Box<dyn Error>> {
        match Screen::open(title, rows(config)?, config.objectives()) {
            Ok(screen) => Ok(Self { face: Box::new(screen), tensorboard: None }),
            Err(problem) => {
                let mut bars = Self::bars()?;
                bars.say(&problem);
                Ok(bars)
            }
        }
    }

    /// The signals that they heed.
    pub fn signals(&self) -> &Signals {
        self.face.signals()
    }

    /// The terminal is as it was, for what is printed now.
    pub fn close(&mut self) {
        self.face.close();
    }

    /// Has event files written to a folder.
    pub fn write_events(&mut self, folder: &Path, config: &Config) -> Result<(), Box<dyn Error>> {
        // Of a study each trial is held against the others.
        let table: Option<toml::Table> = match config.search.is_study() && config.architecture.is_none() {
            true => None,
            false => Some(config.to_toml()?.parse()?),
        };
        let space = config.space.build()?;
        let about = About {
            decisions: space.decisions(),
            config: table.map(serde_json::to_value).transpose()?,
            rows: rows(config)?,
            cells: Cells::new(move |answers| cells(&*space, answers)),
        };
        self.tensorboard = Some(TensorBoard::new(folder, about));
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
            self.face.warn(&one_line(&problem));
        }
    }
}

/// What the architecture weights of a run decide, in words. A study has none, nor has a training.
fn rows(config: &Config) -> Result<Vec<Rows>, Box<dyn Error>> {
    let has_weights = config.architecture.is_none() && !config.search.is_study();
    Ok(if has_weights { config.rows(&*config.space.build()?) } else { Vec::new() })
}

/// The cells of an architecture as pictures; none of what is not one of the space, or has no cells.
fn cells(space: &dyn Space, answers: &[usize]) -> Vec<(String, Picture)> {
    let architecture = Architecture { answers: answers.to_vec() };
    let plans = space.check(&architecture).map(|()| space.cells(&architecture)).unwrap_or_default();
    let drawn = |plan: CellPlan| {
        let picture = raster::draw(&report::run::cell(&plan).ok()?).ok()??;
        Some((plan.name, picture))
    };
    plans.into_iter().filter_map(drawn).collect()
}

impl Observer for Followers {
    fn begin(&mut self, stage: &str, steps: u64) {
        self.face.begin(stage, steps);
    }

    fn step(&mut self, taken: u64, state: Option<&str>) {
        self.face.step(taken, state);
    }

    fn stops(&mut self) -> bool {
        self.face.stops()
    }

    fn end(&mut self) {
        self.face.end();
    }

    fn starts(&mut self) {
        self.face.starts();
        self.tell(Observer::starts);
    }

    fn found(&mut self, line: &Value) {
        self.face.found(line);
        self.tell(|events| events.found(line));
    }

    fn wrote(&mut self, line: &Value) {
        self.face.wrote(line);
        self.tell(|events| events.wrote(line));
    }

    fn say(&mut self, message: &str) {
        self.face.say(message);
    }

    fn warn(&mut self, message: &str) {
        self.face.warn(message);
    }
}
