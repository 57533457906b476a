//! Runs a recording on the twins.

use super::Call;
use super::memory::{Memory, Storage};
use super::recording::{Action, Command, Dispatch, Recording};
use super::words::Words;
use rayon::BroadcastContext;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

fn words(memory: &Memory) -> &RwLock<Words> {
    match &memory.storage {
        Storage::Host(words) => words,
        Storage::Gpu(_) => unreachable!("a CPU device allocates host memory only"),
    }
}

pub(super) fn read(memory: &Memory) -> RwLockReadGuard<'_, Words> {
    words(memory).read().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn write(memory: &Memory) -> RwLockWriteGuard<'_, Words> {
    words(memory).write().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn threads() -> usize {
    rayon::current_num_threads()
}

/// Runs the commands of each lane one after the other, on a thread of the pool: there a twin hands work to other threads without
/// putting its own to sleep, once for each dispatch. Other threads stay awake meanwhile.
pub(super) fn run_all(recording: &Recording) {
    let under_way = UnderWay::begin();
    rayon::scope(|scope| {
        let ends = Ends { run: &under_way, before: RUNS.replace(true) };
        scope.spawn_broadcast(|_, context| under_way.attend(context));
        let mut lanes = recording.lanes();
        let first = lanes.next();
        lanes.for_each(|lane| scope.spawn(|_| lane.iter().for_each(run)));
        first.into_iter().flatten().for_each(run);
        drop(ends);
    });
}

/// Threads that are kept awake for the next dispatch: from one to the next they would fall asleep, and to be woken takes as long as
/// a small dispatch does. (More would be in each other's way.)
const ATTENDANTS: usize = 3;
/// How often such a thread looks for work in vain before it falls asleep after all: other programs may want to run.
const LOOKS: u32 = 5000;

/// Recordings that run at the moment. Where there are several, there is work enough.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread runs a recording itself.
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// A recording that runs.
struct UnderWay {
    over: AtomicBool,
}

impl UnderWay {
    fn begin() -> Self {
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self { over: AtomicBool::new(false) }
    }

    /// Takes work of other threads until the recording is over.
    fn attend(&self, context: BroadcastContext<'_>) {
        if RUNS.get() || context.index() > ATTENDANTS {
            return;
        }
        let mut looks = 0;
        while looks < LOOKS && !self.over.load(Ordering::Acquire) && RUNNING.load(Ordering::Relaxed) == 1 {
            looks = if rayon::yield_now() == Some(rayon::Yield::Executed) { 0 } else { looks + 1 };
            std::hint::spin_loop();
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is so when the last command has run, or one has panicked.
struct Ends<'a> {
    run: &'a UnderWay,
    before: bool,
}

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.run.over.store(true, Ordering::Release);
        RUNS.set(self.before);
    }
}

pub(super) fn run(command: &Command) {
    match &command.action {
        Action::Dispatch(dispatch) => call(dispatch),
        Action::Copy { from, from_word, to, to_word, words } => {
            write(to)[*to_word..to_word + words].copy_from_slice(&read(from)[*from_word..from_word + words]);
        }
        Action::Clear { memory, word, words } => write(memory)[*word..word + words].fill(0),
        Action::Upload { memory, word, data } => write(memory)[*word..word + data.len()].copy_from_slice(data),
    }
}

fn call(dispatch: &Dispatch) {
    // One guard for each distinct buffer: taking a read lock twice could deadlock.
    let mut distinct: Vec<&Memory> = Vec::new();
    let places: Vec<usize> = dispatch
        .inputs
        .iter()
        .map(|memory| {
            distinct.iter().position(|m| m.id == memory.id).unwrap_or_else(|| {
                distinct.push(memory);
                distinct.len() - 1
            })
        })
        .collect();
    let inputs: Vec<_> = distinct.into_iter().map(read).collect();
    let mut outputs: Vec<_> = dispatch.outputs.iter().map(|m| write(m)).collect();
    let mut call = Call::new(
        &dispatch.params,
        places.into_iter().map(|place| &**inputs[place]).collect(),
        outputs.iter_mut().map(|guard| &mut ***guard).collect(),
    );
    (dispatch.kernel.twin)(&mut call);
}
