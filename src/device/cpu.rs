//! Runs a recording on the twins.

use super::Call;
use super::memory::{Memory, Storage};
use super::recording::{Action, Command, Dispatch, Recording};
use super::words::Words;
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
/// putting its own to sleep, once for each dispatch.
pub(super) fn run_all(recording: &Recording) {
    rayon::scope(|scope| {
        let mut lanes = recording.lanes();
        let first = lanes.next();
        lanes.for_each(|lane| scope.spawn(|_| lane.iter().for_each(run)));
        first.into_iter().flatten().for_each(run);
    });
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
