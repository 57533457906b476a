//! Where a run stands: which phases are done and what they came to, how far the present one is, and when that is written down.

use super::checkpoint::{Checkpoints, Found};
use super::directory::Directory;
use super::error::RunError;
use super::identity::Identity;
use crate::estimate::EstimateError;
use crate::state::State;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::PathBuf;
use std::time::Instant;

/// Of what an epoch took, a checkpoint at its end may take one part in so many.
const PARTS_OF_EPOCH: f64 = 100.0;
/// Of the time since the last one, any checkpoint may take one part in so many.
const PARTS_OF_TIME: f64 = 50.0;

/// Where a run stands.
#[derive(Debug)]
pub(super) struct Ledger<'a> {
    checkpoints: Checkpoints<'a>,
    found: Found,
    /// The checkpoint that was taken up.
    from: PathBuf,
    identity: Option<Identity>,
    /// Names of the phases that are done.
    pub done: Vec<String>,
    /// Name of the phase that an earlier run was in, and how far it had brought it, until it goes on.
    pub begun: Option<(String, State)>,
    results: serde_json::Value,
    /// Seconds from one checkpoint to the next.
    seconds: f64,
    /// Seconds that earlier runs took: altogether, and for the present phase.
    before: [f64; 2],
    start: Instant,
    phase: Instant,
    last: Instant,
    /// Seconds that the last one took to write.
    cost: f64,
    written: Written,
}

/// The checkpoints that were written in a phase, and the one at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Written {
    /// How many.
    pub number: u32,
    /// Bytes of the largest.
    pub bytes: u64,
    /// Seconds that all took: to gather what they hold, and to get it onto the disk.
    pub seconds: f64,
}

impl<'a> Ledger<'a> {
    pub fn new(directory: &'a Directory, seconds: f64) -> Result<Self, RunError> {
        let (checkpoints, found) = Checkpoints::open(directory)?;
        let now = Instant::now();
        Ok(Self {
            checkpoints,
            found,
            from: PathBuf::new(),
            identity: None,
            done: Vec::new(),
            begun: None,
            results: serde_json::Value::Null,
            seconds,
            before: [0.0; 2],
            start: now,
            phase: now,
            last: now,
            cost: 0.0,
            written: Written::default(),
        })
    }

    /// What is wrong with checkpoints that are passed over.
    pub fn damaged(&self) -> &[String] {
        &self.found.damaged
    }

    /// Takes up what the last checkpoint says, if there is one; gives the results of phases and the length of the metrics
    /// then.
    pub fn resume<R: DeserializeOwned + Default>(
        &mut self,
        identity: Identity,
        other_device: bool,
    ) -> Result<Option<(R, u64)>, RunError> {
        let Some((state, path)) = self.found.last.take() else {
            self.identity = Some(identity);
            return Ok(None);
        };
        self.from.clone_from(&path);
        let unusable = |problem: String| RunError::Resume { path: path.clone(), problem };
        let get = |error: crate::state::StateError| unusable(error.to_string());
        state.check("run").map_err(get)?;
        let before: Identity = state.get("identity").map_err(get)?;
        self.done = state.get("done").map_err(get)?;
        if let Some(problem) = identity.differs(&before, other_device, &self.done) {
            return Err(unusable(problem));
        }
        self.identity = Some(identity);
        self.before = state.get("seconds").map_err(get)?;
        self.results = state.get("results").map_err(get)?;
        self.begun = match state.find("phase") {
            Some(part) => Some((state.get("under way").map_err(get)?, part.clone())),
            None => None,
        };
        // Nothing, before the first phase is done.
        let results: Option<R> = state.get("results").map_err(get)?;
        Ok(Some((results.unwrap_or_default(), state.get("metrics").map_err(get)?)))
    }

    /// Notes that a phase is done, and what all have come to.
    pub fn finish_phase(&mut self, name: String, results: &impl Serialize) -> Result<(), RunError> {
        self.done.push(name);
        self.results = serde_json::to_value(results).map_err(|error| EstimateError::Settings(error.to_string()))?;
        self.before[1] = 0.0;
        self.phase = Instant::now();
        Ok(())
    }

    /// Seconds of the run, with what earlier ones took of it.
    pub fn total_seconds(&self) -> f64 {
        self.before[0] + self.start.elapsed().as_secs_f64()
    }

    /// Seconds of the present phase, likewise.
    pub fn phase_seconds(&self) -> f64 {
        self.before[1] + self.phase.elapsed().as_secs_f64()
    }

    /// Whether it is time for a checkpoint; at the end of an epoch also where it takes next to nothing.
    pub fn is_due(&self, epoch: bool) -> bool {
        let passed = self.last.elapsed().as_secs_f64();
        if self.seconds == 0.0 {
            return true;
        }
        (passed >= self.seconds && passed >= PARTS_OF_TIME * self.cost)
            || (epoch && passed >= PARTS_OF_EPOCH * self.cost)
    }

    /// The checkpoints since this was asked last.
    pub fn written(&mut self) -> Written {
        std::mem::take(&mut self.written)
    }

    /// Writes a checkpoint, with how far the phase of that name is, if one is under way. Its parts were begun to be gathered at
    /// `began`.
    pub fn save(&mut self, metrics: u64, part: Option<(&str, State)>, began: Instant) -> Result<(), RunError> {
        let mut state = State::of("run");
        let kept = || -> Result<State, crate::state::StateError> {
            state.set("identity", &self.identity)?;
            state.set("done", &self.done)?;
            state.set("seconds", [self.total_seconds(), self.phase_seconds()])?;
            state.set("results", &self.results)?;
            state.set("metrics", metrics)?;
            if let Some((name, part)) = part {
                state.set("under way", name)?;
                state.nest("phase", part);
            }
            Ok(state)
        };
        let state = kept().map_err(EstimateError::from)?;
        let bytes = self.checkpoints.write(&state)?;
        self.last = Instant::now();
        self.cost = began.elapsed().as_secs_f64();
        let Written { number, bytes: largest, seconds } = self.written;
        self.written = Written { number: number + 1, bytes: largest.max(bytes), seconds: seconds + self.cost };
        Ok(())
    }

    /// The error for a checkpoint that does not fit.
    pub fn unusable(&self, problem: String) -> RunError {
        RunError::Resume { path: self.from.clone(), problem }
    }
}
