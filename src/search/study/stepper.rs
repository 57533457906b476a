//! A study as a search: it asks its sampler, has trials carried out, and tells what they came to.

use super::config::StudyConfig;
use super::crew::{Crew, InHand, Inline, Order};
use super::domain::{Candidate, Domain};
use super::estimator::estimator;
use super::history::{Entry, History};
use super::objective::Objective;
use super::sampler::{Asked, Proposal, Sampler, Subject};
use super::stopping::{Stopping, Watch, accuracies};
use crate::device::Device;
use crate::estimate::{BoxFuture, Fidelity, JobEvent, Measured, Progress};
use crate::search::event::{Event, Tried};
use crate::search::strategy::Bench;
use crate::search::{SearchError, Stepper, check_architectures};
use crate::space::{Architecture, Space};
use crate::state::State;
use std::collections::{BTreeMap, VecDeque};

/// How the reason begins of what was not measured because of a limit.
pub const BEYOND: &str = "beyond the limit";
/// Candidates beyond a limit in a row, after which the limits seem to leave nothing.
const MOST_BEYOND: usize = 10_000;

/// A study under way, with so many trials at a time as its configuration says.
///
/// Unless it is unordered, what happens to a trial enters the journal when all trials before it have ended, and the sampler is
/// asked when one has: what is tried depends on how many are under way at a time, not on which is faster.
pub struct Study<'a> {
    device: &'a Device,
    domain: Domain<'a>,
    objectives: Vec<Objective>,
    config: StudyConfig,
    sampler: Box<dyn Sampler>,
    crew: Box<dyn Crew + 'a>,
    history: History,
    /// What has happened to trials whose turn has not come.
    held: BTreeMap<usize, VecDeque<JobEvent>>,
    /// Whether the sampler has nothing to propose before a trial ends.
    waits: bool,
    /// Epochs that trials have been trained for.
    epochs: u64,
    /// Trials that were beyond a limit.
    beyond: usize,
    cut: bool,
    over: bool,
}

impl<'a> Study<'a> {
    /// A study before its first trial, which carries its trials out itself.
    ///
    /// # Errors
    /// [`SearchError::Settings`] for a table that is not there, objectives that nothing measures, or images that cannot be split.
    pub fn new(bench: Bench<'a>, config: StudyConfig, sampler: Box<dyn Sampler>) -> Result<Self, SearchError> {
        let crew = Inline::new(estimator(bench, &config)?);
        Ok(Self::by(bench.device, bench.space, Box::new(crew), config, sampler))
    }

    /// The same with a crew, and an estimator, of one's own.
    pub fn by(
        device: &'a Device,
        space: &'a dyn Space,
        crew: Box<dyn Crew + 'a>,
        config: StudyConfig,
        sampler: Box<dyn Sampler>,
    ) -> Self {
        Self {
            device,
            domain: Domain::new(space, &config.also),
            objectives: config.objectives(),
            config,
            sampler,
            crew,
            history: History::default(),
            held: BTreeMap::new(),
            waits: false,
            epochs: 0,
            beyond: 0,
            cut: false,
            over: false,
        }
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
        let under_way = self.history.under_way().count();
        // Before what is held enters: the sampler must not see more than it would if that had taken longer.
        if under_way < self.config.workers as usize && !self.waits && !self.is_spent() {
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
                Proposal::Trial { candidate, fidelity, continues } => {
                    return self.begin(candidate, fidelity, continues);
                }
                Proposal::Wait | Proposal::Done => self.waits = true,
            }
        }
        if under_way == 0 {
            return self.end();
        }
        if let Some(told) = self.turn()? {
            return Ok(told);
        }
        for (trial, event) in self.crew.next().await? {
            self.held.entry(trial).or_default().push_back(event);
        }
        Ok(self.turn()?.unwrap_or_default())
    }

    /// Has the next thing enter the journal whose turn it is: where trials enter in their order, one that happened to the first of
    /// those under way.
    fn turn(&mut self) -> Result<Option<Vec<Event>>, SearchError> {
        let trial = match self.config.unordered {
            true => self.held.first_key_value().map(|(trial, _)| *trial),
            false => self.history.under_way().next(),
        };
        let Some(trial) = trial else { return Ok(None) };
        let Some(events) = self.held.get_mut(&trial) else { return Ok(None) };
        let event = events.pop_front();
        if events.is_empty() {
            self.held.remove(&trial);
        }
        event.map(|event| self.heard(trial, event)).transpose()
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
        match self.is_beyond(&candidate.answers)? {
            Some(reason) => {
                self.beyond += 1;
                if self.beyond > MOST_BEYOND && self.counted() == 0 {
                    let problem = format!("none of {MOST_BEYOND} candidates is within the limits; the last: {reason}");
                    return Err(SearchError::Settings(problem));
                }
                let ended = JobEvent::Measured(Measured::Failed { reason });
                self.held.entry(trial).or_default().push_back(ended);
            }
            None => {
                let order = self.order(trial, None);
                self.crew.begin(order);
            }
        }
        Ok(vec![Event::Began { trial, candidate, settings, fidelity, continues }])
    }

    /// What a crew needs to know of a trial that has begun.
    fn order(&self, number: usize, state: Option<State>) -> Order {
        let trial = &self.history.trials()[number];
        let epochs = match trial.fidelity {
            Fidelity::Full => self.config.trial_epochs,
            Fidelity::Epochs(epochs) => epochs,
        };
        let complete = match self.config.stopping {
            Stopping::Never => Vec::new(),
            _ => self.complete_before(number, epochs as usize),
        };
        Order {
            trial: number,
            answers: trial.candidate.answers.clone(),
            settings: self.domain.settings(&trial.candidate),
            fidelity: trial.fidelity,
            continues: trial.continues,
            watch: Watch::new(self.config.stopping, epochs, complete),
            state,
        }
    }

    /// Accuracies of the trials that had come to so many epochs when a trial began.
    fn complete_before(&self, number: usize, epochs: usize) -> Vec<Vec<f64>> {
        let began = |entry: &Entry| matches!(entry, Entry::Began { .. });
        let before = self.history.entries().iter().scan(0, |begun, entry| {
            *begun += usize::from(began(entry));
            (*begun <= number).then_some(entry)
        });
        before
            .filter_map(|entry| match entry {
                Entry::Ended { measured: Measured::Worth { curve, .. }, .. } if curve.len() >= epochs => {
                    Some(accuracies(curve))
                }
                _ => None,
            })
            .collect()
    }

    /// Which limit an architecture exceeds, if any.
    fn is_beyond(&self, answers: &Architecture) -> Result<Option<String>, SearchError> {
        if self.config.limits.is_empty() {
            return Ok(None);
        }
        let known: BTreeMap<String, f64> = match self.crew.estimator().known(answers) {
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

    fn heard(&mut self, trial: usize, event: JobEvent) -> Result<Vec<Event>, SearchError> {
        match event {
            JobEvent::Epoch(epoch) => {
                self.epochs += 1;
                Ok(vec![Event::Trained { trial, epoch }])
            }
            JobEvent::Measured(measured) => self.ended(trial, measured),
        }
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
        self.waits = false;
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
        self.crew.stop();
        self.held.clear();
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
        let ended = self.counted().saturating_sub(self.history.under_way().count());
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
            state.set("beyond", self.beyond)?;
            state.set("over", self.over)?;
            let InHand { states, events, ended } = self.crew.save().await?;
            let mut held = self.held.clone();
            for (trial, event) in events {
                held.entry(trial).or_default().push_back(event);
            }
            state.set("held", &held)?;
            for (kind, states) in [("trial", states), ("ended", ended)] {
                state.set(kind, states.iter().map(|(trial, _)| *trial).collect::<Vec<usize>>())?;
                for (trial, of_trial) in states {
                    state.nest(&format!("{kind} {trial}"), of_trial);
                }
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
            self.beyond = state.get("beyond")?;
            self.over = state.get("over")?;
            if self.beyond > trials.len() {
                return Err(state.wrong("beyond", "there are not so many trials").into());
            }
            let held: BTreeMap<usize, VecDeque<JobEvent>> = state.get("held")?;
            let is_under_way = |trial: &usize| trials.get(*trial).is_some_and(|trial| trial.measured.is_none());
            if !held.keys().all(is_under_way) {
                return Err(state.wrong("held", "it is of trials that are not under way").into());
            }
            let saved: Vec<usize> = state.get("trial")?;
            for trial in state.get::<Vec<usize>>("ended")? {
                self.crew.keep(trial, state.part(&format!("ended {trial}"))?.clone());
            }
            let has_ended = |trial: &usize| {
                held.get(trial).is_some_and(|events| matches!(events.back(), Some(JobEvent::Measured(_))))
            };
            for trial in self.history.under_way().filter(|trial| !self.over && !has_ended(trial)).collect::<Vec<_>>() {
                let of_trial = match saved.contains(&trial) {
                    true => Some(state.part(&format!("trial {trial}"))?.clone()),
                    false => None,
                };
                let order = self.order(trial, of_trial);
                self.crew.begin(order);
            }
            self.held = held;
            Ok(())
        })
    }
}
