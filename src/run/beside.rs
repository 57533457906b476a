//! Trainings side by side: of networks so small that a step hardly gains by a second thread.
//!
//! Beside the training whose turn it is those go on that come next, each in a thread of its own. What they tell is kept until it
//! is their turn: a run writes the same lines in the same order, however many went on at a time.

use super::error::RunError;
use super::member::Member;
use super::setup::{Listener, Setup, Work};
use crate::estimate::{BoxFuture, EpochReport, EstimateError, Progress};
use crate::state::State;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{Scope, ScopedJoinHandle, scope};

/// Bytes of the activations of a step up to which networks are trained side by side. Above, one step has work for all threads.
pub(super) const SMALL: u64 = 64 << 20;
/// Bytes of the activations of all that go on at a time.
pub(super) const TOGETHER: u64 = 512 << 20;

/// How many of so many small networks are trained at a time on a device: no fewer than there are threads, and so many more that none
/// is left at the end for all threads.
pub(super) fn at_a_time(setup: &Setup<'_>, networks: usize) -> usize {
    let threads = setup.device.threads();
    if threads == 1 { 1 } else { networks.div_ceil((networks / threads).max(1)) }
}

/// Of the state of a training in its turn: the states of those that went on beside it.
pub(super) fn others(state: &State) -> Option<&State> {
    state.find("beside")
}

/// One that goes on before its turn.
struct Beside<'scope> {
    name: String,
    /// To send asks for the state; the thread ends where the sender is gone.
    asks: Sender<()>,
    states: Receiver<Result<State, EstimateError>>,
    thread: ScopedJoinHandle<'scope, Member>,
    /// Seconds that it had when this turn began or was gone on with.
    had: f64,
}

impl<'scope> Beside<'scope> {
    fn begin<'env>(
        scope: &'scope Scope<'scope, 'env>,
        mut member: Member,
        going: &'scope AtomicUsize,
        pool: ThreadPool,
    ) -> Self {
        let (asks, asked) = channel();
        let (tell, states) = channel();
        let (name, had) = (member.name.clone(), member.seconds);
        let thread = scope.spawn(move || {
            let mut counted = (!member.has_ended()).then(|| Counted(going));
            loop {
                let ended = member.has_ended();
                let asks = if ended { asked.recv().map_err(TryRecvError::from) } else { asked.try_recv() };
                match asks {
                    // Nobody waits where the run has come to its end.
                    Ok(()) => drop(tell.send(member.save())),
                    Err(TryRecvError::Disconnected) => return member,
                    Err(TryRecvError::Empty) => {
                        pool.install(|| member.step(going));
                        if member.has_ended() {
                            drop(counted.take());
                        }
                    }
                }
            }
        });
        Self { name, asks, states, thread, had }
    }
}

/// That a training goes on, until it ends or panics.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The state of a phase in which it is a member's turn and nothing was heard yet, with the others beside it: what [`drive`] goes on
/// from.
pub(super) fn waiting<L: Serialize>(first: &Member, others: &[Member], heard: L) -> Result<State, EstimateError> {
    let (mut work, mut parts) = (first.save()?, State::of("beside"));
    parts.set("given", 0.0)?;
    for other in others {
        parts.nest(&other.name, other.save()?);
    }
    work.nest("beside", parts);
    let mut part = State::of("phase under way");
    part.set("heard", heard)?;
    part.nest("work", work);
    Ok(part)
}

/// A training in its turn, and those beside it.
struct Turn<'scope> {
    member: Member,
    beside: Vec<Beside<'scope>>,
    /// Seconds of this turn that others had before it was gone on with.
    given: f64,
    /// How many go on, and the threads that it has while it is not the only one.
    going: &'scope AtomicUsize,
    pool: Option<ThreadPool>,
}

impl Work for Turn<'_> {
    type Event = EpochReport;

    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<EpochReport>, EstimateError>> {
        Box::pin(async move {
            // None ends before it is let go, but by a panic.
            if let Some(at) = self.beside.iter().position(|beside| beside.thread.is_finished()) {
                self.beside.remove(at).thread.join().map_or_else(|panic| resume_unwind(panic), drop);
            }
            let report = match &self.pool {
                Some(pool) if self.going.load(Ordering::Relaxed) > 1 => {
                    pool.install(|| pollster::block_on(self.member.advance()))?
                }
                _ => self.member.advance().await?,
            };
            Ok(report.into_iter().collect())
        })
    }

    fn progress(&self) -> Progress {
        Progress { taken: self.member.heard(), total: self.member.training.progress().1 }
    }

    fn is_over(&self) -> bool {
        let (taken, total) = self.member.training.progress();
        taken >= total && !self.member.has_untold()
    }

    fn save(&self) -> BoxFuture<'_, Result<State, EstimateError>> {
        Box::pin(async move {
            let mut state = self.member.save()?;
            let (mut parts, mut given) = (State::of("beside"), self.given);
            for beside in &self.beside {
                // A thread that is gone has panicked, which the next step says.
                let _ = beside.asks.send(());
                let Ok(part) = beside.states.recv() else { continue };
                let part = part?;
                given += part.get::<f64>("seconds")? - beside.had;
                parts.nest(&beside.name, part);
            }
            if !self.beside.is_empty() {
                parts.set("given", given)?;
                state.nest("beside", parts);
            }
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), EstimateError>> {
        Box::pin(async move {
            if let Some(beside) = others(state) {
                self.given = beside.get("given")?;
            }
            self.member.restore(state)
        })
    }
}

/// The share of the threads that each of several has: pieces of one's work that another's thread takes would come to lie in the
/// wrong core's cache.
fn pool(going: &AtomicUsize) -> Result<ThreadPool, EstimateError> {
    let threads = (rayon::current_num_threads() / going.load(Ordering::Relaxed).max(1)).max(1);
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| EstimateError::Settings(format!("threads for trainings side by side: {error}")))
}

/// Drives the phase of that name, in which it is `member`'s turn, with the others beside it. Gives all as they stand then, and the
/// seconds of the phase that the others had.
pub(super) fn drive<L: Listener<EpochReport>>(
    setup: &mut Setup<'_>,
    name: &str,
    member: Member,
    others: Vec<Member>,
    listener: &mut L,
) -> Result<(Member, Vec<Member>, f64), RunError> {
    let goes = |member: &Member| usize::from(!member.has_ended());
    let going = AtomicUsize::new(goes(&member) + others.iter().map(goes).sum::<usize>());
    let pool = if others.is_empty() { None } else { Some(pool(&going)?) };
    scope(|scope| {
        let beside = others.into_iter().map(|other| Ok(Beside::begin(scope, other, &going, self::pool(&going)?)));
        let beside = beside.collect::<Result<_, EstimateError>>()?;
        let mut turn = Turn { member, beside, given: 0.0, going: &going, pool };
        setup.drive(name, &mut turn, listener)?;
        let Turn { member, beside, mut given, .. } = turn;
        let mut others = Vec::new();
        for Beside { asks, thread, had, .. } in beside {
            drop(asks);
            let other = thread.join().unwrap_or_else(|panic| resume_unwind(panic));
            given += other.seconds - had;
            others.push(other);
        }
        Ok((member, others, given))
    })
}
