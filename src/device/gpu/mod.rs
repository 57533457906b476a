//! A device of wgpu: its memory, its errors, and what it reads back.

mod adapter;
mod pipeline;
mod prepare;
mod run;
mod timestamps;

pub use adapter::{Backends, InstanceFlags, backends};
pub(super) use adapter::{defaults, found};
pub(super) use wgpu::Adapter;

use super::limits::CPU_BUFFER_BYTES;
use super::memory::{Memory, Storage};
use super::{Buffer, Class, Error, Limits, Pending};
use adapter::required;
use pipeline::{Pipeline, PipelineKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How long one poll waits in the driver.
const POLL: Duration = Duration::from_millis(100);

/// A device of wgpu. Clones are the same device.
#[derive(Clone, Debug)]
pub(super) struct Gpu {
    adapter: wgpu::Adapter,
    device: wgpu::Device,
    queue: wgpu::Queue,
    class: Class,
    uniform_alignment: u32,
    pipelines: Arc<Mutex<HashMap<PipelineKey, Pipeline>>>,
    fault: Arc<Mutex<Option<Error>>>,
}

pub(super) fn buffer_of(memory: &Memory) -> &wgpu::Buffer {
    match &memory.storage {
        Storage::Gpu(buffer) => buffer,
        Storage::Host(_) => unreachable!("a GPU device allocates its own memory only"),
    }
}

impl Gpu {
    pub(super) async fn open(adapter: &wgpu::Adapter) -> Result<(Self, Limits), Error> {
        let info = adapter.get_info();
        let (required, features) = (required(&adapter.limits()), adapter.features());
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("cellwright"),
            required_features: features & wgpu::Features::TIMESTAMP_QUERY,
            required_limits: required.clone(),
            memory_hints: wgpu::MemoryHints::MemoryUsage,
            ..Default::default()
        };
        let (device, queue) = adapter
            .request_device(&descriptor)
            .await
            .map_err(|error| Error::Open { adapter: info.name.clone(), message: error.to_string() })?;
        let fault: Arc<Mutex<Option<Error>>> = Arc::default();
        let first = fault.clone();
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            keep_first(&first, Error::Refused { what: "a command".into(), message: error.to_string() });
        }));
        let first = fault.clone();
        device.set_device_lost_callback(move |reason, message| {
            // What else goes wrong then is a consequence.
            let lost = Error::Lost { message: format!("{reason:?} {message}").trim().to_owned() };
            *first.lock().unwrap_or_else(PoisonError::into_inner) = Some(lost);
        });
        // Offsets are 32-bit element counts.
        let most = CPU_BUFFER_BYTES;
        let limits = Limits {
            buffer_bytes: required.max_buffer_size.min(most),
            binding_bytes: required.max_storage_buffer_binding_size.min(most),
            storage_bindings: required.max_storage_buffers_per_shader_stage,
            workgroups: required.max_compute_workgroups_per_dimension,
            memory_bytes: None,
            dispatches: 512,
        };
        let gpu = Self {
            adapter: adapter.clone(),
            class: adapter::class(&info),
            uniform_alignment: required.min_uniform_buffer_offset_alignment,
            device,
            queue,
            pipelines: Arc::default(),
            fault,
        };
        Ok((gpu, limits))
    }

    pub(super) fn adapter(&self) -> &wgpu::Adapter {
        &self.adapter
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }

    pub(super) fn destroy(&self) {
        self.device.destroy();
        // The callback comes with the next poll.
        let _ = self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(POLL) });
    }

    pub(super) fn timestamps(&self) -> bool {
        self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    pub(super) fn fault(&self) -> Result<(), Error> {
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// Runs `f` inside error scopes; a validation or internal error becomes [`Error::Refused`].
    fn scoped<T>(&self, what: impl FnOnce() -> String, f: impl FnOnce() -> T) -> Result<T, Error> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let value = f();
        let errors = [now(validation.pop()), now(internal.pop()), now(memory.pop())];
        match errors.into_iter().flatten().flatten().next() {
            None => Ok(value),
            Some(error) => {
                self.fault()?;
                Err(Error::Refused { what: what(), message: error.to_string() })
            }
        }
    }

    pub(super) fn create_buffer(&self, bytes: u64, in_use: u64) -> Result<wgpu::Buffer, Error> {
        self.fault()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.scoped(
            || format!("a buffer of {bytes} bytes"),
            || {
                self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: bytes,
                    usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            },
        );
        match now(memory.pop()).flatten() {
            Some(_) => Err(Error::OutOfMemory { asked: bytes, in_use }),
            None => buffer,
        }
    }

    pub(super) fn clear(&self, memory: &Memory) -> Result<(), Error> {
        self.fault()?;
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(buffer_of(memory), 0, None);
        self.queue.submit([encoder.finish()]);
        self.fault()
    }

    pub(super) fn write(&self, buffer: &Buffer, word: usize, words: &[u32]) -> Result<(), Error> {
        self.fault()?;
        self.queue.write_buffer(buffer_of(buffer.memory()), word as u64 * 4, bytemuck::cast_slice(words));
        self.fault()
    }

    pub(super) fn read(&self, buffer: &Buffer, word: usize, words: usize) -> Pending<Vec<u32>> {
        self.read_buffer(buffer_of(buffer.memory()), word as u64 * 4, words as u64 * 4)
    }

    pub(super) fn read_memory(&self, memory: &Memory) -> Pending<Vec<u32>> {
        self.read_buffer(buffer_of(memory), 0, memory.bytes)
    }

    pub(super) fn read_buffer(&self, from: &wgpu::Buffer, byte: u64, bytes: u64) -> Pending<Vec<u32>> {
        if let Err(error) = self.fault() {
            return Pending::ready(Err(error));
        }
        if bytes == 0 {
            return Pending::ready(Ok(Vec::new()));
        }
        let staging = self.scoped(
            || format!("a read of {bytes} bytes"),
            || {
                let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("read back"),
                    size: bytes,
                    usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                });
                let mut encoder = self.device.create_command_encoder(&Default::default());
                encoder.copy_buffer_to_buffer(from, byte, &staging, 0, bytes);
                self.queue.submit([encoder.finish()]);
                staging
            },
        );
        let staging = match staging {
            Ok(staging) => staging,
            Err(error) => return Pending::ready(Err(error)),
        };
        let arrived: Arc<Mutex<Option<bool>>> = Arc::default();
        let signal = arrived.clone();
        staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            *signal.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.is_ok());
        });
        let gpu = self.clone();
        Pending::new(move || {
            let status = *arrived.lock().unwrap_or_else(PoisonError::into_inner);
            if status.is_none() {
                let _ = gpu.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(POLL) });
            }
            let status = *arrived.lock().unwrap_or_else(PoisonError::into_inner);
            match status {
                None => gpu.fault().err().map(Err),
                Some(mapped) => Some(gpu.fault().and_then(|()| {
                    let lost = |message: String| Error::Lost { message };
                    if !mapped {
                        return Err(lost("a buffer could not be mapped for reading".into()));
                    }
                    let view = staging.slice(..).get_mapped_range().map_err(|error| lost(error.to_string()))?;
                    let words = bytemuck::pod_collect_to_vec(&view);
                    drop(view);
                    staging.unmap();
                    Ok(words)
                })),
            }
        })
    }

    /// Waits until everything submitted is done.
    pub(super) fn idle(&self) -> impl Future<Output = Result<(), Error>> + '_ {
        std::future::poll_fn(|context| {
            match self.device.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(POLL) }) {
                Ok(status) if status.wait_finished() => Poll::Ready(self.fault()),
                _ => match self.fault() {
                    Ok(()) => {
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    error => Poll::Ready(error),
                },
            }
        })
    }
}

fn keep_first(fault: &Mutex<Option<Error>>, error: Error) {
    fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
}

/// The value of a future that is ready at once, or `None`. wgpu's error scopes are such futures on
/// native targets; in a browser the answer comes later, through the uncaptured-error handler.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}
