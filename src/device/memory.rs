//! Buffers, and the pools they come from and return to.

use super::words::Words;
use std::collections::BTreeMap;
#[cfg(not(feature = "gpu"))]
use std::convert::Infallible as GpuWords;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
#[cfg(feature = "gpu")]
use wgpu::Buffer as GpuWords;

/// Bytes are handed out in multiples of this, so that nearly equal sizes can stand in for one another.
pub(super) const GRAIN: u64 = 256;

/// Where the words of a buffer lie.
#[derive(Debug)]
pub(super) enum Storage {
    Host(RwLock<Words>),
    Gpu(GpuWords),
}

/// A piece of a device's memory. Recordings hold these; [`Buffer`]s say who uses one now.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) id: u64,
    pub(super) bytes: u64,
    pub(super) storage: Storage,
    usage: Arc<Usage>,
}

impl Memory {
    /// A piece of `bytes` bytes, counted by `usage` as long as it is there.
    pub(super) fn new(bytes: u64, storage: Storage, usage: &Arc<Usage>) -> Self {
        let held = usage.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        usage.peak.fetch_max(held, Ordering::Relaxed);
        let id = usage.next.fetch_add(1, Ordering::Relaxed);
        Self { id, bytes, storage, usage: usage.clone() }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.usage.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Bytes of a device, now and at most.
#[derive(Debug, Default)]
pub struct Usage {
    next: AtomicU64,
    held: AtomicU64,
    peak: AtomicU64,
    leased: AtomicU64,
    dispatches: AtomicU64,
}

impl Usage {
    /// Bytes allocated from the device, pools included.
    pub fn current(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// The largest value [`current`](Self::current) has had since the last [`reset_peak`](Self::reset_peak).
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Bytes in buffers that somebody holds.
    pub fn leased(&self) -> u64 {
        self.leased.load(Ordering::Relaxed)
    }

    /// Dispatches of kernels that were run.
    pub fn dispatches(&self) -> u64 {
        self.dispatches.load(Ordering::Relaxed)
    }

    /// Counts dispatches that are run.
    pub(super) fn count(&self, dispatches: usize) {
        self.dispatches.fetch_add(dispatches as u64, Ordering::Relaxed);
    }

    /// Starts a new measurement of the peak.
    pub fn reset_peak(&self) {
        self.peak.store(self.current(), Ordering::Relaxed);
    }
}

/// Memory that was returned and can be used again.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<BTreeMap<(u64, u64), Arc<Memory>>>,
}

impl Pool {
    /// The smallest free piece that holds `bytes` without wasting more than an eighth of itself, and that
    /// can be bound if `bytes` can.
    pub(super) fn take(&self, bytes: u64, binding_bytes: u64) -> Option<Arc<Memory>> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let key = *free.range((bytes, 0)..).next()?.0;
        let fits = key.0 <= bytes + bytes / 8 + GRAIN && (key.0 <= binding_bytes || bytes > binding_bytes);
        if fits { free.remove(&key) } else { None }
    }

    fn put(&self, memory: Arc<Memory>) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).insert((memory.bytes, memory.id), memory);
    }

    /// Gives everything free back to the device.
    pub(super) fn trim(&self) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[derive(Debug)]
struct Lease {
    memory: Arc<Memory>,
    pool: Arc<Pool>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.memory.usage.leased.fetch_sub(self.memory.bytes, Ordering::Relaxed);
        self.pool.put(self.memory.clone());
    }
}

/// A range of 32-bit words on a device. Clones share it; when the last one goes, its memory returns
/// to the pool it came from.
#[derive(Clone)]
pub struct Buffer {
    lease: Arc<Lease>,
    words: usize,
}

impl Buffer {
    /// The first `words` words of a piece of memory that goes to `pool` afterwards.
    pub(super) fn lease(memory: Arc<Memory>, pool: &Arc<Pool>, words: usize) -> Self {
        memory.usage.leased.fetch_add(memory.bytes, Ordering::Relaxed);
        Self { lease: Arc::new(Lease { memory, pool: pool.clone() }), words }
    }

    /// Number of 32-bit words.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Whether this is the only handle: nobody else can read what is written here.
    pub fn is_unique(&self) -> bool {
        Arc::strong_count(&self.lease) == 1
    }

    /// Whether two handles mean the same memory.
    pub fn same(&self, other: &Self) -> bool {
        self.id() == other.id()
    }

    /// Whether its memory returns to `pool`.
    pub(super) fn is_from(&self, pool: &Arc<Pool>) -> bool {
        Arc::ptr_eq(&self.lease.pool, pool)
    }

    pub(super) fn memory(&self) -> &Arc<Memory> {
        &self.lease.memory
    }

    pub(super) fn id(&self) -> u64 {
        self.lease.memory.id
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer #{} ({} words)", self.id(), self.words)
    }
}
