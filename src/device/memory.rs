//! Buffers, and the pools they come from and return to.

use super::words::Words;
use super::{Backend, Error, Inner, gpu};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Bytes are handed out in multiples of this, so that nearly equal sizes can stand in for one another.
const GRAIN: u64 = 256;

/// Where the words of a buffer lie.
#[derive(Debug)]
pub(super) enum Storage {
    Host(RwLock<Words>),
    Gpu(gpu::Words),
}

/// A piece of a device's memory. Recordings hold these; [`Buffer`]s say who uses one now.
#[derive(Debug)]
pub(super) struct Memory {
    pub(super) id: u64,
    pub(super) bytes: u64,
    pub(super) storage: Storage,
    usage: Arc<Usage>,
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
    fn take(&self, bytes: u64, binding_bytes: u64) -> Option<Arc<Memory>> {
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

impl Inner {
    /// A buffer of `words` words (at least one) from `pool`, or from the device where the pool has
    /// none that fits. Fresh memory is zero; memory from the pool holds what it held.
    pub(super) fn allocate(&self, pool: &Arc<Pool>, words: usize) -> Result<Buffer, Error> {
        let bytes = (words.max(1) as u64 * 4).div_ceil(GRAIN) * GRAIN;
        let memory = match pool.take(bytes, self.limits.binding_bytes) {
            Some(memory) => memory,
            None => Arc::new(match self.fresh(bytes) {
                // What lies unused in pieces of other sizes may be enough.
                Err(Error::OutOfMemory { .. }) => {
                    pool.trim();
                    self.pool.trim();
                    self.fresh(bytes)?
                }
                fresh => fresh?,
            }),
        };
        self.usage.leased.fetch_add(memory.bytes, Ordering::Relaxed);
        Ok(Buffer { lease: Arc::new(Lease { memory, pool: pool.clone() }), words })
    }

    fn fresh(&self, bytes: u64) -> Result<Memory, Error> {
        if bytes > self.limits.buffer_bytes {
            return Err(Error::Limit { what: "bytes of one buffer", asked: bytes, limit: self.limits.buffer_bytes });
        }
        let in_use = self.usage.current();
        let exhausted = Error::OutOfMemory { asked: bytes, in_use };
        if self.limits.memory_bytes.is_some_and(|limit| in_use + bytes > limit) {
            return Err(exhausted);
        }
        let storage = match &self.backend {
            Backend::Cpu => Storage::Host(RwLock::new(Words::new(bytes as usize).ok_or(exhausted)?)),
            Backend::Gpu(gpu) => Storage::Gpu(gpu.create_buffer(bytes, in_use)?),
        };
        let held = self.usage.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.usage.peak.fetch_max(held, Ordering::Relaxed);
        let id = self.usage.next.fetch_add(1, Ordering::Relaxed);
        Ok(Memory { id, bytes, storage, usage: self.usage.clone() })
    }
}
