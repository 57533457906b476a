//! Who carries the trials of a study out, one or several at a time.

use super::stopping::Watch;
use crate::estimate::{BoxFuture, EstimateError, Estimator, Fidelity, Job, JobEvent, Measured};
use crate::space::Architecture;
use crate::state::State;
use std::collections::{BTreeMap, VecDeque};
use toml::Value;

/// A trial that is to be carried out.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number.
    pub trial: usize,
    /// What is measured.
    pub answers: Architecture,
    /// Settings decided beside it.
    pub settings: Vec<(String, Value)>,
    /// How thoroughly.
    pub fidelity: Fidelity,
    /// The trial of the same candidate, at a lower fidelity, that it goes on from.
    pub continues: Option<usize>,
    /// When it is given up.
    pub watch: Watch,
    /// Where it stood when the study was saved.
    pub state: Option<State>,
}

/// What a crew has in hand.
#[derive(Debug, Default)]
pub struct InHand {
    /// Where the trials stand that are under way.
    pub states: Vec<(usize, State)>,
    /// What has happened to them by then and was not told yet.
    pub events: Vec<(usize, JobEvent)>,
    /// Where those ended that others may go on from, unless the crew keeps them elsewhere.
    pub ended: Vec<(usize, State)>,
}

/// Carries trials out. What it tells of one trial comes in order; of several, in any.
pub trait Crew {
    /// What it measures with.
    fn estimator(&self) -> &dyn Estimator;

    /// Takes a trial on. That it cannot be begun is told as what it came to.
    fn begin(&mut self, order: Order);

    /// What has happened since, trial by trial; nothing yet, where that takes longer. At once, if no trial is under way.
    ///
    /// # Errors
    /// Those that are not of one trial: a lost device.
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<(usize, JobEvent)>, EstimateError>>;

    /// What it has in hand, so that the study can go on later.
    ///
    /// # Errors
    /// As [`Crew::next`].
    fn save(&self) -> BoxFuture<'_, Result<InHand, EstimateError>>;

    /// Takes back where an earlier trial ended.
    fn keep(&mut self, _trial: usize, _state: State) {}

    /// Drops all that is under way.
    fn stop(&mut self);
}

/// A trial under way.
pub struct Carried<'a> {
    job: Box<dyn Job + 'a>,
    watch: Watch,
    fidelity: Fidelity,
}

impl<'a> Carried<'a> {
    /// Begins a trial, from where it or the one that it continues has been left; or says why it cannot be begun.
    ///
    /// # Errors
    /// Those that are not of this trial.
    pub async fn begin(
        estimator: &(dyn Estimator + 'a),
        order: Order,
        earlier: Option<&State>,
    ) -> Result<Result<Self, Measured>, EstimateError> {
        let Order { answers, settings, fidelity, watch, state, .. } = order;
        let mut job = match estimator.start(&answers, &settings, fidelity) {
            Err(error) if error.is_of_one() => return Ok(Err(failed(&error))),
            other => other?,
        };
        let watch = match state.as_ref().or(earlier) {
            Some(state) => {
                job.restore(state.part("job")?).await?;
                watch.after(state.get("curve")?)
            }
            None => watch,
        };
        let mut carried = Self { job, watch, fidelity };
        if carried.watch.stops() {
            carried.job.cut();
        }
        Ok(Ok(carried))
    }

    /// Takes a step. What is wrong with this trial alone is what it came to.
    ///
    /// # Errors
    /// As [`Carried::begin`].
    pub async fn advance(&mut self) -> Result<Vec<JobEvent>, EstimateError> {
        let events = match self.job.advance().await {
            Err(error) if error.is_of_one() => return Ok(vec![JobEvent::Measured(failed(&error))]),
            other => other?,
        };
        for event in &events {
            if let JobEvent::Epoch(epoch) = event
                && self.watch.sees(*epoch)
            {
                self.job.cut();
            }
        }
        Ok(events)
    }

    /// Where it stands.
    ///
    /// # Errors
    /// As [`Carried::begin`].
    pub async fn save(&self) -> Result<State, EstimateError> {
        let mut state = State::of("trial");
        state.set("curve", self.watch.curve())?;
        state.nest("job", self.job.save().await?);
        Ok(state)
    }

    /// Whether a trial at a higher fidelity may go on from where it ends.
    pub fn may_go_on(&self) -> bool {
        self.fidelity != Fidelity::Full
    }
}

fn failed(error: &EstimateError) -> Measured {
    Measured::Failed { reason: error.to_string() }
}

/// Carries trials out where it is asked to: a step of each in turn.
pub struct Inline<'a> {
    estimator: Box<dyn Estimator + 'a>,
    begun: VecDeque<(usize, Carried<'a>)>,
    orders: VecDeque<Order>,
    ended: BTreeMap<usize, State>,
}

impl<'a> Inline<'a> {
    /// With nothing in hand.
    pub fn new(estimator: Box<dyn Estimator + 'a>) -> Self {
        Self { estimator, begun: VecDeque::new(), orders: VecDeque::new(), ended: BTreeMap::new() }
    }

    async fn step(&mut self) -> Result<Vec<(usize, JobEvent)>, EstimateError> {
        let (trial, mut carried) = match self.orders.pop_front() {
            Some(order) => {
                let trial = order.trial;
                let earlier = order.continues.and_then(|before| self.ended.get(&before));
                match Carried::begin(&*self.estimator, order, earlier).await? {
                    Ok(carried) => (trial, carried),
                    Err(measured) => return Ok(vec![(trial, JobEvent::Measured(measured))]),
                }
            }
            None => match self.begun.pop_front() {
                Some(begun) => begun,
                None => return Ok(Vec::new()),
            },
        };
        let events = carried.advance().await?;
        match events.last() {
            Some(JobEvent::Measured(Measured::Worth { .. })) if carried.may_go_on() => {
                self.ended.insert(trial, carried.save().await?);
            }
            Some(JobEvent::Measured(_)) => {}
            _ => self.begun.push_back((trial, carried)),
        }
        Ok(events.into_iter().map(|event| (trial, event)).collect())
    }
}

impl Crew for Inline<'_> {
    fn estimator(&self) -> &dyn Estimator {
        &*self.estimator
    }

    fn begin(&mut self, order: Order) {
        self.orders.push_back(order);
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Vec<(usize, JobEvent)>, EstimateError>> {
        Box::pin(self.step())
    }

    fn save(&self) -> BoxFuture<'_, Result<InHand, EstimateError>> {
        Box::pin(async move {
            let mut states: Vec<(usize, State)> =
                self.orders.iter().filter_map(|order| Some((order.trial, order.state.clone()?))).collect();
            for (trial, carried) in &self.begun {
                states.push((*trial, carried.save().await?));
            }
            let ended = self.ended.iter().map(|(trial, state)| (*trial, state.clone())).collect();
            Ok(InHand { states, events: Vec::new(), ended })
        })
    }

    fn keep(&mut self, trial: usize, state: State) {
        self.ended.insert(trial, state);
    }

    fn stop(&mut self) {
        self.begun.clear();
        self.orders.clear();
    }
}
