//! A crew of threads: each trial of a study in one of its own.

use crate::estimate::{BoxFuture, EstimateError, Estimator, JobEvent, Measured};
use crate::run::directory::{CHECKPOINTS, Directory};
use crate::run::error::RunError;
use crate::search::study::{Carried, Crew, InHand, Order};
use crate::state::State;
use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

/// How long something is waited for before the study looks up: whether it is to be stopped, say.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a thread tells.
enum Told {
    Event(JobEvent),
    State(State),
    Error(EstimateError),
}

/// Carries each trial out in a thread, trial k on device k mod n. A panic in one is what its trial came to.
pub(super) struct Workers<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    /// One for each device.
    estimators: &'env [Box<dyn Estimator + Sync + 'env>],
    /// Seconds after which a trial has failed; 0: never.
    seconds: f64,
    /// Where trials that may be gone on from are kept.
    directory: &'env Directory,
    tell: Sender<(usize, Told)>,
    told: Receiver<(usize, Told)>,
    /// Of those under way. To send asks for the state; a thread whose sender is gone ends.
    threads: RefCell<BTreeMap<usize, Sender<()>>>,
    /// What came while something else was waited for.
    inbox: RefCell<VecDeque<(usize, Told)>>,
}

impl<'scope, 'env> Workers<'scope, 'env> {
    /// With nothing in hand. There must be an estimator at least.
    pub fn new(
        scope: &'scope Scope<'scope, 'env>,
        estimators: &'env [Box<dyn Estimator + Sync + 'env>],
        seconds: f64,
        directory: &'env Directory,
    ) -> Self {
        let (tell, told) = channel();
        let (threads, inbox) = (RefCell::default(), RefCell::default());
        Self { scope, estimators, seconds, directory, tell, told, threads, inbox }
    }

    fn take(&self, trial: usize, told: Told, events: &mut Vec<(usize, JobEvent)>) -> Result<(), EstimateError> {
        match told {
            Told::Event(event) => {
                if matches!(event, JobEvent::Measured(_)) {
                    self.threads.borrow_mut().remove(&trial);
                }
                events.push((trial, event));
                Ok(())
            }
            Told::Error(error) => {
                self.threads.borrow_mut().remove(&trial);
                Err(error)
            }
            // Asked for by a save that did not come to its end.
            Told::State(_) => Ok(()),
        }
    }

    fn gather(&self) -> Result<InHand, EstimateError> {
        let mut awaited: Vec<usize> = Vec::new();
        for (trial, thread) in self.threads.borrow().iter() {
            // One that has ended in between has told so.
            let _ = thread.send(());
            awaited.push(*trial);
        }
        let mut hand = InHand::default();
        let mut inbox = self.inbox.borrow_mut();
        let is_last = |told: &Told| matches!(told, Told::Event(JobEvent::Measured(_)) | Told::Error(_));
        awaited.retain(|trial| !inbox.iter().any(|(of, told)| of == trial && is_last(told)));
        let mut before: Vec<(usize, JobEvent)> = Vec::new();
        let event = |(trial, told): &(usize, Told)| match told {
            Told::Event(event) => Some((*trial, event.clone())),
            _ => None,
        };
        before.extend(inbox.iter().filter_map(event));
        while !awaited.is_empty() {
            // It holds a sender itself: there is always one.
            let Ok((trial, told)) = self.told.recv() else { break };
            if let Told::State(state) = told {
                awaited.retain(|other| *other != trial);
                hand.states.push((trial, state));
                continue;
            }
            let told = (trial, told);
            // What happens after the state was taken will happen again.
            if awaited.contains(&trial) {
                before.extend(event(&told));
            }
            if is_last(&told.1) {
                awaited.retain(|other| *other != trial);
            }
            inbox.push_back(told);
        }
        hand.events = before;
        Ok(hand)
    }
}

impl Crew for Workers<'_, '_> {
    fn estimator(&self) -> &dyn Estimator {
        &*self.estimators[0]
    }

    fn begin(&mut self, order: Order) {
        let trial = order.trial;
        let (asks, asked) = channel();
        self.threads.borrow_mut().insert(trial, asks);
        let estimator = &*self.estimators[trial % self.estimators.len()];
        let (tell, seconds, directory) = (self.tell.clone(), self.seconds, self.directory);
        self.scope.spawn(move || {
            let work = || pollster::block_on(carry(estimator, order, seconds, directory, &asked, &tell));
            let last = match catch_unwind(AssertUnwindSafe(work)) {
                Ok(Ok(Some(measured))) => Told::Event(JobEvent::Measured(measured)),
                Ok(Ok(None)) => return,
                Ok(Err(error)) => Told::Error(error),
                Err(panic) => Told::Event(JobEvent::Measured(failed(format!("a panic: {}", message(&*panic))))),
            };
            // Nobody listens where the study is over.
            let _ = tell.send((trial, last));
        });
    }

    fn next(&mut self) -> BoxFuture<'_, Result<Vec<(usize, JobEvent)>, EstimateError>> {
        Box::pin(async move {
            let mut events = Vec::new();
            let waiting: Vec<(usize, Told)> = self.inbox.borrow_mut().drain(..).collect();
            for (trial, told) in waiting {
                self.take(trial, told, &mut events)?;
            }
            if events.is_empty() && !self.threads.borrow().is_empty() {
                match self.told.recv_timeout(PATIENCE) {
                    Ok((trial, told)) => self.take(trial, told, &mut events)?,
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
                }
            }
            while let Ok((trial, told)) = self.told.try_recv() {
                self.take(trial, told, &mut events)?;
            }
            Ok(events)
        })
    }

    fn save(&self) -> BoxFuture<'_, Result<InHand, EstimateError>> {
        Box::pin(async move { self.gather() })
    }

    fn stop(&mut self) {
        self.threads.borrow_mut().clear();
    }
}

/// Carries a trial to its end, and gives what it came to unless nobody waits for it any more.
async fn carry(
    estimator: &(dyn Estimator + Sync + '_),
    order: Order,
    most: f64,
    directory: &Directory,
    asked: &Receiver<()>,
    tell: &Sender<(usize, Told)>,
) -> Result<Option<Measured>, EstimateError> {
    let trial = order.trial;
    let earlier = order.continues.and_then(|before| read(directory, before));
    let before: f64 = order.state.as_ref().map_or(Ok(0.0), |state| state.get("seconds"))?;
    let began = Instant::now();
    let mut carried = match Carried::begin(estimator, order.clone(), earlier.as_ref()).await {
        // What was kept of the earlier trial is of no use: it is trained again.
        Err(EstimateError::State(_)) if order.state.is_none() => Carried::begin(estimator, order, None).await?,
        other => other?,
    };
    let carried = match &mut carried {
        Ok(carried) => carried,
        Err(measured) => return Ok(Some(measured.clone())),
    };
    loop {
        let seconds = before + began.elapsed().as_secs_f64();
        match asked.try_recv() {
            Ok(()) => {
                let mut state = carried.save().await?;
                state.set("seconds", seconds)?;
                let _ = tell.send((trial, Told::State(state)));
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(None),
        }
        if most > 0.0 && seconds >= most {
            return Ok(Some(failed(format!("too long: it was not over after {most} seconds"))));
        }
        for event in carried.advance().await? {
            match event {
                JobEvent::Measured(measured) => {
                    if carried.may_go_on() && matches!(measured, Measured::Worth { .. }) {
                        let kept = keep(directory, trial, &carried.save().await?);
                        // It can be trained again.
                        kept.unwrap_or_else(|error| tracing::warn!("trial {trial} is not kept: {error}"));
                    }
                    return Ok(Some(measured));
                }
                event => {
                    let _ = tell.send((trial, Told::Event(event)));
                }
            }
        }
    }
}

fn failed(reason: String) -> Measured {
    Measured::Failed { reason }
}

/// What a panic says.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or(panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it says nothing")
}

/// The file in which it is kept where a trial ended. It goes with the checkpoints.
fn file(trial: usize) -> String {
    format!("{CHECKPOINTS}/trial-{trial:06}.state")
}

fn keep(directory: &Directory, trial: usize, state: &State) -> Result<(), RunError> {
    let bytes = state.to_bytes().map_err(EstimateError::from)?;
    directory.folder(CHECKPOINTS)?;
    directory.write(&file(trial), &bytes)
}

fn read(directory: &Directory, trial: usize) -> Option<State> {
    State::from_bytes(&std::fs::read(directory.path().join(file(trial))).ok()?).ok()
}

#[cfg(test)]
mod tests;
