//! Recordings: work as plain data, to be run once or many times.

use super::memory::{Buffer, Memory, Pool, Usage};
use super::{Kernel, Launch};
use serde::Serialize;
use std::any::Any;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Scratch memory shared by recordings that never run at the same time.
///
/// Buffers that a recorder allocates come from here and return here when their last handle goes, so
/// later commands reuse them. What a recording computes stays valid until another recording of
/// the same workspace runs.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    pub(super) pool: Arc<Pool>,
}

/// The part of a step that a command is of: what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// Results from inputs.
    #[default]
    Forward,
    /// Gradients, from the last to the first.
    Backward,
    /// What is done with them.
    Update,
}

#[derive(Debug)]
pub(super) enum Action {
    Dispatch(Dispatch),
    Copy { from: Arc<Memory>, from_word: usize, to: Arc<Memory>, to_word: usize, words: usize },
    Clear { memory: Arc<Memory>, word: usize, words: usize },
    Upload { memory: Arc<Memory>, word: usize, data: Vec<u32> },
}

#[derive(Debug)]
pub(super) struct Dispatch {
    pub(super) kernel: &'static Kernel,
    pub(super) params: Vec<u8>,
    pub(super) launch: Launch,
    pub(super) inputs: Vec<Arc<Memory>>,
    pub(super) outputs: Vec<Arc<Memory>>,
    /// Of each buffer, inputs first, how many elements are worked on.
    pub(super) elements: Vec<usize>,
    pub(super) written: Vec<Range<usize>>,
    pub(super) bytes: u64,
}

#[derive(Debug)]
pub(super) struct Command {
    pub(super) scope: Arc<str>,
    pub(super) leg: Leg,
    pub(super) action: Action,
}

impl Command {
    pub(super) fn name(&self) -> &'static str {
        match &self.action {
            Action::Dispatch(dispatch) => dispatch.kernel.name,
            Action::Copy { .. } => "copy",
            Action::Clear { .. } => "clear",
            Action::Upload { .. } => "upload",
        }
    }
}

/// A place for what a device makes of a recording when it first runs it: it goes when the recording goes, which does
/// not know what it is.
#[derive(Debug, Default)]
pub(super) struct Prepared(OnceLock<Box<dyn Any + Send + Sync>>);

impl Prepared {
    /// What was made; makes it if nothing has been. None if that was something of another kind.
    pub(super) fn get_or_make<T: Any + Send + Sync, E>(
        &self,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Option<&T>, E> {
        let made = match self.0.get() {
            Some(made) => made,
            None => {
                let made = Box::new(make()?);
                self.0.get_or_init(|| made)
            }
        };
        Ok(made.downcast_ref())
    }
}

/// Work that can be run again and again on the device it was recorded for.
#[derive(Debug)]
pub struct Recording {
    // Counts the memory of the device it was made for, and of no other.
    pub(super) usage: Arc<Usage>,
    pub(super) commands: Vec<Command>,
    // Lasting buffers it works on: their memory must not serve anybody else while this can be run.
    pub(super) kept: Vec<Buffer>,
    // Keeps the scratch memory: what was freed while recording must not serve anybody else.
    pub(super) workspaces: Vec<Workspace>,
    // Where each run of commands ends that knows nothing of the others.
    pub(super) lanes: Vec<usize>,
    pub(super) prepared: Prepared,
}

impl Recording {
    /// Both, of which neither reads what the other writes: the CPU runs them side by side, which spares it to share out each dispatch.
    ///
    /// ```
    /// use cellwright::device::{Device, Recorder};
    ///
    /// let device = Device::cpu();
    /// let (from, to) = (device.upload(&[7, 8])?, device.zeros(2)?);
    /// let copy = |word| -> Result<_, cellwright::device::Error> {
    ///     let mut recorder = Recorder::new(&device);
    ///     recorder.copy(&from, word, &to, 1 - word, 1)?;
    ///     Ok(recorder.finish())
    /// };
    /// device.run(&copy(0)?.beside(copy(1)?))?;
    /// assert_eq!(pollster::block_on(device.read(&to, 0, 2))?, [8, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If they were made for two devices, or share a workspace.
    pub fn beside(mut self, other: Self) -> Self {
        assert!(Arc::ptr_eq(&self.usage, &other.usage), "recordings side by side are of one device");
        let shared = |own: &Workspace| other.workspaces.iter().any(|other| Arc::ptr_eq(&own.pool, &other.pool));
        assert!(!self.workspaces.iter().any(shared), "recordings side by side need scratch memory of their own");
        let before = self.commands.len();
        self.commands.extend(other.commands);
        self.kept.extend(other.kept);
        self.workspaces.extend(other.workspaces);
        self.lanes.extend(other.lanes.iter().map(|end| before + end));
        self.prepared = Prepared::default();
        self
    }

    /// Runs of commands that know nothing of one another.
    pub(super) fn lanes(&self) -> impl Iterator<Item = &[Command]> {
        let starts = std::iter::once(0).chain(self.lanes.iter().copied());
        starts.zip(&self.lanes).map(|(start, &end)| &self.commands[start..end])
    }

    /// Number of dispatches.
    pub fn dispatches(&self) -> usize {
        self.dispatched().count()
    }

    /// Bytes that the dispatches read plus write: every element that a binding names once, unless a
    /// dispatch was recorded with a figure of its own ([`Recorder::dispatch_moving`](super::Recorder::dispatch_moving)).
    pub fn bytes_moved(&self) -> u64 {
        self.dispatched().map(|d| d.bytes).sum()
    }

    /// Floating-point operations of all dispatches.
    pub fn flops(&self) -> u64 {
        self.dispatched().map(|d| (d.kernel.flops)(&d.params)).sum()
    }

    /// Kernel and scope of each command, in order.
    pub fn describe(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.commands.iter().map(|c| (c.name(), &*c.scope))
    }

    /// Scratch memory that dispatches write.
    pub(super) fn scratch(&self) -> impl Iterator<Item = &Memory> {
        let lasting: HashSet<u64> = self.kept.iter().map(Buffer::id).collect();
        let mut seen = HashSet::new();
        self.dispatched()
            .flat_map(|dispatch| &dispatch.outputs)
            .map(|memory| &**memory)
            .filter(move |memory| !lasting.contains(&memory.id) && seen.insert(memory.id))
    }

    fn dispatched(&self) -> impl Iterator<Item = &Dispatch> {
        self.commands.iter().filter_map(|c| match &c.action {
            Action::Dispatch(dispatch) => Some(dispatch),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_prepared_is_made_once_and_goes_with_its_place() {
        let (place, made) = (Prepared::default(), Arc::new(1u8));
        assert_eq!(place.get_or_make::<Arc<u8>, _>(|| Err("no memory")), Err("no memory"));
        for value in [made.clone(), Arc::new(2)] {
            assert_eq!(place.get_or_make(|| Ok::<_, ()>(value)), Ok(Some(&made)));
        }
        assert_eq!(place.get_or_make(|| Ok::<u32, ()>(3)), Ok(None), "something of another kind");
        drop(place);
        assert_eq!(Arc::strong_count(&made), 1);
    }
}
