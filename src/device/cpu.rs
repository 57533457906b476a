//! Runs a recording on the twins.

use super::Call;
use super::memory::{Memory, Storage};
use super::recording::{Action, Command, Dispatch, Recording};
use super::words::Words;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

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
/// putting its own to sleep, once for each dispatch. Some of the others stay awake meanwhile.
pub(super) fn run_all(recording: &Recording) {
    let over = Over::begin();
    rayon::scope(|scope| {
        let _runs = Runs::begin();
        if over.is_alone {
            let over = Arc::clone(&over.flag);
            rayon::spawn_broadcast(move |context| attend(&over, context.index()));
        }
        let mut lanes = recording.lanes();
        let first = lanes.next();
        lanes.for_each(|lane| scope.spawn(|_| lane.iter().for_each(run)));
        first.into_iter().flatten().for_each(run);
    });
}

/// The first threads of the pool, so many, are kept awake for the next dispatch: from one to the next they would fall asleep, and to
/// be woken takes as long as a small dispatch does. (More would be in each other's way.)
const ATTENDANTS: usize = 4;
/// How often such a thread looks for work in vain before it falls asleep after all: other programs may want to run.
const LOOKS: u32 = 5000;

/// Recordings that run at the moment. Where there are several, there is work enough.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this thread runs a recording itself.
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// Takes work of other threads until the recording is over. Nobody waits for who does: it may come late, when all is over.
fn attend(over: &AtomicBool, thread: usize) {
    if RUNS.get() || thread >= ATTENDANTS {
        return;
    }
    let mut looks = 0;
    while looks < LOOKS && !over.load(Ordering::Relaxed) && RUNNING.load(Ordering::Relaxed) == 1 {
        looks = if rayon::yield_now() == Some(rayon::Yield::Executed) { 0 } else { looks + 1 };
        std::hint::spin_loop();
    }
}

/// Says that a recording is over when all its lanes have run, or one has panicked.
struct Over {
    flag: Arc<AtomicBool>,
    /// Whether no other was running when it began.
    is_alone: bool,
}

impl Over {
    fn begin() -> Self {
        Self { flag: Arc::default(), is_alone: RUNNING.fetch_add(1, Ordering::Relaxed) == 0 }
    }
}

impl Drop for Over {
    fn drop(&mut self) {
        self.flag.store(true, Ordering::Relaxed);
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// That this thread runs a recording, until it no longer does.
struct Runs {
    before: bool,
}

impl Runs {
    fn begin() -> Self {
        Self { before: RUNS.replace(true) }
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
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
