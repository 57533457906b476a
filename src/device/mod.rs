//! The engine: adapters, buffers, recording, submission, timing, errors.
//!
//! A [`Device`] is a GPU behind wgpu, or the CPU running each kernel's Rust twin. Work is first
//! *recorded* as plain data ([`Recorder`]), then run as often as needed ([`Device::run`]). Nothing
//! here knows of neural networks.

mod adapter;
mod bench;
mod check;
mod cpu;
mod error;
mod explain;
#[cfg(feature = "gpu")]
mod gpu;
mod kernel;
mod launches;
mod limits;
mod memory;
mod options;
mod pending;
mod plan;
mod profile;
mod recorder;
#[cfg_attr(not(feature = "gpu"), allow(dead_code, reason = "launches, and what is kept of them, are a GPU's"))]
mod recording;
mod selector;
#[cfg(not(feature = "gpu"))]
mod without_gpu;
mod words;

#[cfg(not(feature = "gpu"))]
use without_gpu as gpu;

pub use adapter::{AdapterInfo, Kind};
pub use bench::{Bench, Speed};
pub use bytemuck;
pub use check::{Agreement, Disagreement, check_cases, check_kernel, run_case, skipped};
pub use error::Error;
pub use explain::{Explained, Number};
pub use gpu::{Backends, InstanceFlags, backends};
pub use kernel::{Call, Case, Class, FILE, Field, FieldType, Kernel, Launch, Layout, Output, PRELUDE, noise};
pub use launches::Launches;
pub use limits::Limits;
pub use memory::{Buffer, Usage};
pub use options::{Options, adapters};
pub use pending::Pending;
pub use plan::{Plan, PlannedBuffer, PlannedShader, PlannedStep};
pub use profile::{KernelTotal, Timing, by_kernel};
pub use recorder::{Binding, Recorder};
pub use recording::{Leg, Recording, Workspace};
pub use selector::{Selector, chosen};

use memory::{Memory, Pool, Storage};
use recording::Action;
use std::sync::{Arc, RwLock};
use words::Words;

#[derive(Debug)]
enum Backend {
    Cpu,
    Gpu(gpu::Gpu),
}

#[derive(Debug)]
struct Inner {
    backend: Backend,
    name: String,
    info: AdapterInfo,
    limits: Limits,
    usage: Arc<Usage>,
    pool: Arc<Pool>,
}

impl Inner {
    /// A buffer of `words` words (at least one) from `pool`, or from the device where the pool has
    /// none that fits. Fresh memory is zero; memory from the pool holds what it held.
    fn allocate(&self, pool: &Arc<Pool>, words: usize) -> Result<Buffer, Error> {
        let bytes = (words.max(1) as u64 * 4).div_ceil(memory::GRAIN) * memory::GRAIN;
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
        Ok(Buffer::lease(memory, pool, words))
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
        Ok(Memory::new(bytes, storage, &self.usage))
    }
}

/// A device that runs kernels. Clones are the same device.
///
/// ```
/// use cellwright::device::Device;
///
/// let device = Device::cpu(); // or `Device::open(&"auto".parse()?).await?`: the best GPU, if there is one
/// let buffer = device.upload(&[1, 2, 3])?;
/// device.write(&buffer, 1, &[20, 30])?;
/// let words = pollster::block_on(device.read(&buffer, 0, 3))?;
/// assert_eq!(words, [1, 20, 30]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Device {
    inner: Arc<Inner>,
}

impl Device {
    /// The CPU device: runs the kernels' twins.
    pub fn cpu() -> Self {
        Self::build(Backend::Cpu, "cpu".into(), AdapterInfo::cpu(), Limits::CPU)
    }

    fn build(backend: Backend, name: String, info: AdapterInfo, limits: Limits) -> Self {
        Self { inner: Arc::new(Inner { backend, name, info, limits, usage: Arc::default(), pool: Arc::default() }) }
    }

    async fn on_adapter(adapter: &gpu::Adapter, info: AdapterInfo) -> Result<Self, Error> {
        let (gpu, limits) = gpu::Gpu::open(adapter).await?;
        Ok(Self::build(Backend::Gpu(gpu), info.name.clone(), info, limits))
    }

    /// The same adapter opened again with other limits, each at most what it has now.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub async fn with_limits(&self, change: impl FnOnce(&mut Limits)) -> Result<Self, Error> {
        let mut limits = self.inner.limits;
        change(&mut limits);
        let backend = match &self.inner.backend {
            Backend::Cpu => Backend::Cpu,
            Backend::Gpu(gpu) => Backend::Gpu(gpu::Gpu::open(gpu.adapter()).await?.0),
        };
        Ok(Self::build(backend, self.inner.name.clone(), self.inner.info.clone(), limits))
    }

    /// Its name: `cpu`, or the adapter's.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What was known of it before it was opened.
    pub fn info(&self) -> &AdapterInfo {
        &self.inner.info
    }

    /// Whether kernels run as shaders.
    pub fn is_gpu(&self) -> bool {
        matches!(self.inner.backend, Backend::Gpu(_))
    }

    /// Threads that it shares work out to: of a GPU the one that hands it over.
    pub fn threads(&self) -> usize {
        match &self.inner.backend {
            Backend::Cpu => cpu::threads(),
            Backend::Gpu(_) => 1,
        }
    }

    /// The tuning class of its shaders.
    pub fn class(&self) -> Class {
        match &self.inner.backend {
            Backend::Cpu => Class::Software,
            Backend::Gpu(gpu) => gpu.class(),
        }
    }

    /// What it can do.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Memory in use and at most.
    pub fn usage(&self) -> &Usage {
        &self.inner.usage
    }

    /// Gives memory that nobody uses back to the system.
    pub fn trim(&self) {
        self.inner.pool.trim();
    }

    /// A buffer of `words` 32-bit words, all zero.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] or [`Error::Limit`].
    pub fn zeros(&self, words: usize) -> Result<Buffer, Error> {
        let buffer = self.inner.allocate(&self.inner.pool, words)?;
        match &self.inner.backend {
            Backend::Cpu => cpu::write(buffer.memory()).fill(0),
            Backend::Gpu(gpu) => gpu.clear(buffer.memory())?,
        }
        Ok(buffer)
    }

    /// A buffer that holds `words`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] or [`Error::Limit`].
    pub fn upload(&self, words: &[u32]) -> Result<Buffer, Error> {
        let buffer = self.inner.allocate(&self.inner.pool, words.len())?;
        self.write(&buffer, 0, words)?;
        Ok(buffer)
    }

    /// Writes words into a buffer, after everything run so far and before everything run later.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if they lie outside the buffer; an earlier error of the device.
    pub fn write(&self, buffer: &Buffer, word: usize, words: &[u32]) -> Result<(), Error> {
        if word.checked_add(words.len()).is_none_or(|end| end > buffer.words()) {
            return Err(Error::Mismatch {
                kernel: "write",
                scope: String::new(),
                problem: format!("{} words at {word} lie outside a buffer of {}", words.len(), buffer.words()),
            });
        }
        match &self.inner.backend {
            Backend::Cpu => {
                cpu::write(buffer.memory())[word..word + words.len()].copy_from_slice(words);
                Ok(())
            }
            Backend::Gpu(gpu) => gpu.write(buffer, word, words),
        }
    }

    /// Reads words of a buffer as they are after everything run so far.
    ///
    /// # Errors
    /// When awaited: [`Error::Mismatch`] if they lie outside the buffer; an earlier error of the
    /// device.
    pub fn read(&self, buffer: &Buffer, word: usize, words: usize) -> Pending<Vec<u32>> {
        if word.checked_add(words).is_none_or(|end| end > buffer.words()) {
            return Pending::ready(Err(Error::Mismatch {
                kernel: "read",
                scope: String::new(),
                problem: format!("{words} words at {word} lie outside a buffer of {}", buffer.words()),
            }));
        }
        match &self.inner.backend {
            Backend::Cpu => Pending::ready(Ok(cpu::read(buffer.memory())[word..word + words].to_vec())),
            Backend::Gpu(gpu) => gpu.read(buffer, word, words),
        }
    }

    /// Runs a recording. On a GPU this only submits it; results are waited for by reading.
    ///
    /// ```
    /// use cellwright::device::{Device, Recorder};
    ///
    /// let device = Device::cpu();
    /// let (from, to) = (device.upload(&[7, 8])?, device.zeros(2)?);
    /// let mut recorder = Recorder::new(&device);
    /// recorder.copy(&from, 0, &to, 1, 1)?;
    /// let recording = recorder.finish(); // nothing has happened yet
    /// device.run(&recording)?;
    /// assert_eq!(pollster::block_on(device.read(&to, 0, 2))?, [0, 7]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Refused`] if a shader does not compile; an earlier error of the device.
    ///
    /// # Panics
    /// If the recording was made for another device.
    pub fn run(&self, recording: &Recording) -> Result<(), Error> {
        assert!(Arc::ptr_eq(&self.inner.usage, &recording.usage), "a recording runs on the device it was made for");
        self.inner.usage.count(recording.dispatches());
        match &self.inner.backend {
            Backend::Cpu => cpu::run_all(recording),
            Backend::Gpu(gpu) => gpu.run(recording, &self.inner.limits)?,
        }
        Ok(())
    }

    /// Runs a recording command by command and names the first dispatch that writes a value which is
    /// not finite: kernel and scope.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub async fn first_not_finite(&self, recording: &Recording) -> Result<Option<(&'static str, String)>, Error> {
        // Scratch memory holds what the failed run left there: that must not be taken for a result.
        for memory in recording.scratch() {
            match &self.inner.backend {
                Backend::Cpu => cpu::write(memory).fill(0),
                Backend::Gpu(gpu) => gpu.clear(memory)?,
            }
        }
        for index in 0..recording.commands.len() {
            match &self.inner.backend {
                Backend::Cpu => cpu::run(&recording.commands[index]),
                Backend::Gpu(gpu) => gpu.run_range(recording, &self.inner.limits, index..index + 1)?,
            }
            let command = &recording.commands[index];
            let Action::Dispatch(dispatch) = &command.action else { continue };
            for (memory, written) in dispatch.outputs.iter().zip(&dispatch.written) {
                let words = match &self.inner.backend {
                    Backend::Cpu => cpu::read(memory).to_vec(),
                    Backend::Gpu(gpu) => gpu.read_memory(memory).await?,
                };
                // All exponent bits set: infinite or NaN.
                if words[written.clone()].iter().any(|w| w & 0x7F80_0000 == 0x7F80_0000) {
                    return Ok(Some((dispatch.kernel.name, command.scope.to_string())));
                }
            }
        }
        Ok(None)
    }

    /// Simulates the loss of the device: every later run and read fails with [`Error::Lost`].
    /// For tests of what programs do then.
    pub fn lose(&self) {
        if let Backend::Gpu(gpu) = &self.inner.backend {
            gpu.destroy();
        }
    }
}

#[cfg(test)]
mod tests;
