//! A study as a search: it asks its sampler, measures what it is told to, and tells what it came to.

use super::config::StudyConfig;
use super::domain::{Candidate, Domain};
use super::estimator::estimator;
use super::history::{Entry, History};
use super::objective::Objective;
use super::sampler::{Asked, Proposal, Sampler, Subject};
use super::stopping::Stopping;
use crate::device::Device;
use crate::estimate::{BoxFuture, EpochReport, Estimator, Fidelity, Job, JobEvent, Measured, Progress};
use crate::search::event::{Event, Tried};
use crate::search::strategy::Bench;
use crate::search::{SearchError, Stepper, check_architectures};
use crate::space::{Architecture, Space};
use crate::state::State;
use std::collections::BTreeMap;

/// How the reason begins of what was not measured because of a limit.
pub const BEYOND: &str = "beyond the limit";
/// Candidates beyond a limit in a row, after which the limits seem to leave nothing.
const MOST_BEYOND: usize = 10_000;

/// A study under way, one trial after the other.
pub struct Study<'a> {
    device: &'a Device,
    domain: Domain<'a>,
    objectives: Vec<Objective>,
    config: StudyConfig,
    sampler: Box<dyn Sampler>,
    estimator: Box<dyn Estimator + 'a>,
    history: History,
    running: Option<(usize, Box<dyn Job + 'a>)>,
    /// Of the trial that is running.
    curve: Vec<EpochReport>,
    /// Epochs that trials have been trained for.
    epochs: u64,
    /// Trials that were beyond a limit.
    beyond: usize,
    cut: bool,
    over: bool,
}

impl<'a> Study<'a> {
    /// A study before its first trial.
    ///
    /// # Errors
    /// [`SearchError::Settings`] for a table that is not there, objectives that nothing measures, or images that cannot be split.
    pub fn new(bench: Bench<'a>, config: StudyConfig, sampler: Box<dyn Sampler>) -> Result<Self, SearchError> {
        let estimator = estimator(bench, &config)?;
        Self::by(bench.device, bench.space, estimator, config, sampler)
    }

    /// The same with an estimator of one's own.
    ///
    /// # Errors
    /// As [`Study::new`].
    pub fn by(
        device: &'a Device,
        space: &'a dyn Space,
        estimator: Box<dyn Estimator + 'a>,
        config: StudyConfig,
        sampler: Box<dyn Sampler>,
    ) -> Result<Self, SearchError> {
        let domain = Domain::new(space, &config.also);
        Ok(Self {
            device,
            domain,
            objectives: config.objectives(),
            config,
            sampler,
            estimator,
            history: History::default(),
            running: None,
            curve: Vec::new(),
            epochs: 0,
            beyond: 0,
            cut: false,
            over: false,
        })
    }

    /// The journal so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The best trial so far, by the first objective: of equal ones the first, of those that were measured most thoroughly.
    pub fn best(&self) -> Option<usize> {
        let objective = self.objectives.first()?;
        let thoroughness = |fidelity: Fidelity| match fidelity {
            Fidelity::Full => u32::MAX,
            Fidelity::Epochs(epochs) => epochs,
        };
        let worth = |trial: usize| {
            let trial = &self.history.trials()[trial];
            Some((thoroughness(trial.fidelity), objective.worth(trial.measured.as_ref()?)?))
        };
        let better = |a: (u32, f64), b: (u32, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).is_gt();
        let mut best: Option<(usize, (u32, f64))> = None;
        for trial in self.history.ended() {
            if let Some(own) = worth(trial)
                && best.is_none_or(|(_, known)| better(own, known))
            {
                best = Some((trial, own));
            }
        }
        best.map(|(trial, _)| trial)
    }

    /// Trials that count: those that were beyond a limit cost nothing.
    fn counted(&self) -> usize {
        self.history.trials().len() - self.beyond
    }

    fn is_spent(&self) -> bool {
        let epochs = u64::from(self.config.epochs);
        self.counted() >= self.config.trials as usize || (epochs > 0 && self.epochs >= epochs)
    }

    async fn next(&mut self) -> Result<Vec<Event>, SearchError> {
        if self.over {
            return Ok(Vec::new());
        }
        // There must be something to end with: the first trial that comes to anything is waited for.
        if self.cut && self.best().is_some() {
            return self.end();
        }
        if let Some((trial, mut job)) = self.running.take() {
            return match job.advance().await {
                Ok(events) => self.heard(trial, job, events),
                Err(error) if error.is_of_one() => self.ended(trial, Measured::Failed { reason: error.to_string() }),
                Err(error) => Err(error),
            };
        }
        if self.is_spent() {
            return self.end();
        }
        let asked = Asked {
            subject: Subject {
                device: self.device,
                domain: &self.domain,
                objectives: &self.objectives,
                epochs: self.config.trial_epochs,
            },
            history: &self.history,
        };
        match self.sampler.propose(asked).await? {
            Proposal::Trial { candidate, fidelity, continues } => self.begin(candidate, fidelity, continues),
            // Nothing is under way that could end first.
            Proposal::Wait | Proposal::Done => self.end(),
        }
    }

    fn begin(
        &mut self,
        candidate: Candidate,
        fidelity: Fidelity,
        continues: Option<usize>,
    ) -> Result<Vec<Event>, SearchError> {
        let trial = self.history.trials().len();
        let settings = self.domain.settings(&candidate);
        self.push(Entry::Began { candidate: candidate.clone(), fidelity, continues })?;
        let began =
            Event::Began { trial, candidate: candidate.clone(), settings: settings.clone(), fidelity, continues };
        let mut events = vec![began];
        if let Some(reason) = self.is_beyond(&candidate.answers)? {
            self.beyond += 1;
            if self.beyond > MOST_BEYOND && self.counted() == 0 {
                let problem = format!("none of {MOST_BEYOND} candidates is within the limits; the last: {reason}");
                return Err(SearchError::Settings(problem));
            }
            events.extend(self.ended(trial, Measured::Failed { reason })?);
            return Ok(events);
        }
        match self.estimator.start(&candidate.answers, &settings, fidelity) {
            Ok(job) => {
                self.curve.clear();
                self.running = Some((trial, job));
            }
            Err(error) if error.is_of_one() => {
                events.extend(self.ended(trial, Measured::Failed { reason: error.to_string() })?);
            }
            Err(error) => return Err(error),
        }
        Ok(events)
    }

    /// Which limit an architecture exceeds, if any.
    fn is_beyond(&self, answers: &Architecture) -> Result<Option<String>, SearchError> {
        if self.config.limits.is_empty() {
            return Ok(None);
        }
        let known: BTreeMap<String, f64> = match self.estimator.known(answers) {
            Err(error) if error.is_of_one() => return Ok(Some(error.to_string())),
            other => other?,
        };
        for (name, limit) in &self.config.limits {
            let Some(value) = known.get(name) else {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                let problem =
                    format!("limits.{name} is not known of a candidate before it is trained: {}", names.join(", "));
                return Err(SearchError::Settings(problem));
            };
            if value > limit {
                return Ok(Some(format!("{BEYOND}: {name} {value} exceeds {limit}")));
            }
        }
        Ok(None)
    }

    /// Whether the trial under way is given up after the epochs that it has had.
    fn stops(&self, trial: usize) -> bool {
        let accuracies = |curve: &[EpochReport]| curve.iter().filter_map(|e| e.valid_accuracy).collect::<Vec<f64>>();
        let epochs = match self.history.trials()[trial].fidelity {
            Fidelity::Full => self.config.trial_epochs,
            Fidelity::Epochs(epochs) => epochs,
        };
        let complete: Vec<Vec<f64>> = self
            .history
            .ended()
            .filter_map(|ended| match &self.history.trials()[ended].measured {
                Some(Measured::Worth { curve, .. }) if curve.len() >= epochs as usize => Some(accuracies(curve)),
                _ => None,
            })
            .collect();
        self.config.stopping.stops(&accuracies(&self.curve), epochs, &complete)
    }

    fn heard(
        &mut self,
        trial: usize,
        mut job: Box<dyn Job + 'a>,
        events: Vec<JobEvent>,
    ) -> Result<Vec<Event>, SearchError> {
        let mut told = Vec::new();
        for event in events {
            match event {
                JobEvent::Epoch(epoch) => {
                    self.epochs += 1;
                    self.curve.push(epoch);
                    if self.config.stopping != Stopping::Never && self.stops(trial) {
                        job.cut();
                    }
                    told.push(Event::Trained { trial, epoch });
                }
                JobEvent::Measured(measured) => {
                    told.extend(self.ended(trial, measured)?);
                    return Ok(told);
                }
            }
        }
        self.running = Some((trial, job));
        Ok(told)
    }

    fn ended(&mut self, trial: usize, measured: Measured) -> Result<Vec<Event>, SearchError> {
        if let (Measured::Worth { objectives, .. }, Some(missing)) =
            (&measured, self.objectives.iter().find(|objective| measured.objective(&objective.name).is_none()))
        {
            let names: Vec<&str> = objectives.keys().map(String::as_str).collect();
            let problem = format!("objectives: nothing measures `{}`: there are {}", missing.name, names.join(", "));
            return Err(SearchError::Settings(problem));
        }
        self.push(Entry::Ended { trial, measured: measured.clone() })?;
        let is_best = self.best() == Some(trial);
        let began = &self.history.trials()[trial];
        Ok(vec![Event::Tried(Box::new(Tried {
            trial,
            candidate: began.candidate.clone(),
            settings: self.domain.settings(&began.candidate),
            fidelity: began.fidelity,
            measured,
            is_best,
        }))])
    }

    fn push(&mut self, entry: Entry) -> Result<(), SearchError> {
        self.history.push(entry).map_err(SearchError::Settings)
    }

    fn end(&mut self) -> Result<Vec<Event>, SearchError> {
        self.over = true;
        self.running = None;
        let nothing = || {
            let last = self.history.trials().iter().rev().find_map(|trial| match &trial.measured {
                Some(Measured::Failed { reason }) => Some(reason.clone()),
                _ => None,
            });
            let why = last.map_or("none has ended".to_owned(), |reason| format!("all failed, the last so: {reason}"));
            SearchError::Settings(format!("no trial of the study came to anything: {why}"))
        };
        let best = self.best().ok_or_else(nothing)?;
        let candidate = &self.history.trials()[best].candidate;
        let settings = self.domain.settings(candidate);
        let architecture = candidate.answers.clone();
        Ok(vec![Event::Settled { settings }, Event::Derived { architecture }])
    }
}

impl Stepper for Study<'_> {
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>> {
        Box::pin(self.next())
    }

    /// Trials that have ended, of all.
    fn progress(&self) -> Progress {
        let total = u64::from(self.config.trials);
        let ended = self.counted() - usize::from(self.running.is_some());
        Progress { taken: if self.over { total } else { (ended as u64).min(total) }, total }
    }

    fn cut(&mut self) {
        self.cut = true;
    }

    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>> {
        Box::pin(async move {
            let mut state = State::of("study");
            state.set("entries", self.history.entries())?;
            state.set("epochs", self.epochs)?;
            state.set("curve", &self.curve)?;
            state.set("beyond", self.beyond)?;
            state.set("over", self.over)?;
            state.set("running", self.running.as_ref().map(|(trial, _)| *trial))?;
            if let Some((_, job)) = &self.running {
                state.nest("job", job.save().await?);
            }
            Ok(state)
        })
    }

    fn restore<'b>(&'b mut self, state: &'b State) -> BoxFuture<'b, Result<(), SearchError>> {
        Box::pin(async move {
            state.check("study")?;
            let entries: Vec<Entry> = state.get("entries")?;
            self.history = History::default();
            for entry in entries {
                self.history.push(entry).map_err(|problem| state.wrong("entries", problem))?;
            }
            let trials = self.history.trials();
            check_architectures(
                state,
                "entries",
                self.domain.space,
                trials.iter().map(|trial| &trial.candidate.answers),
            )?;
            if !trials.iter().all(|trial| self.domain.holds(&trial.candidate)) {
                return Err(state.wrong("entries", "other settings were decided beside the architecture").into());
            }
            self.epochs = state.get("epochs")?;
            self.curve = state.get("curve")?;
            self.beyond = state.get("beyond")?;
            self.over = state.get("over")?;
            if self.beyond > trials.len() {
                return Err(state.wrong("beyond", "there are not so many trials").into());
            }
            let running: Option<usize> = state.get("running")?;
            self.running = match running {
                None => None,
                Some(number) => {
                    let trial = trials.get(number).filter(|trial| trial.measured.is_none());
                    let trial = trial.ok_or_else(|| state.wrong("running", "no such trial is under way"))?;
                    let settings = self.domain.settings(&trial.candidate);
                    let mut job = self.estimator.start(&trial.candidate.answers, &settings, trial.fidelity)?;
                    job.restore(state.part("job")?).await?;
                    Some((number, job))
                }
            };
            Ok(())
        })
    }
}
