//! How long each command of a recording takes.

use super::gpu::Gpu;
use super::recording::{Action, Command, Recording};
use super::{Backend, Device, Error, Limits, cpu};
use serde::Serialize;
use std::time::Instant;

/// One command's time.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Kernel's name, or `copy`, `clear`, `upload`.
    pub kernel: &'static str,
    /// Part of the network.
    pub scope: String,
    /// Nanoseconds.
    pub nanoseconds: f64,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read plus written.
    pub bytes: u64,
}

/// What all commands of one kernel took together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KernelTotal {
    /// Kernel's name, or `copy`, `clear`, `upload`.
    pub kernel: &'static str,
    /// Number of commands.
    pub calls: usize,
    /// Nanoseconds.
    pub nanoseconds: f64,
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read plus written.
    pub bytes: u64,
}

/// Sums times by kernel, the longest first.
pub fn by_kernel(timings: &[Timing]) -> Vec<KernelTotal> {
    let mut totals: Vec<KernelTotal> = Vec::new();
    for timing in timings {
        let at = totals.iter().position(|t| t.kernel == timing.kernel).unwrap_or_else(|| {
            totals.push(KernelTotal { kernel: timing.kernel, calls: 0, nanoseconds: 0.0, flops: 0, bytes: 0 });
            totals.len() - 1
        });
        let total = &mut totals[at];
        total.calls += 1;
        total.nanoseconds += timing.nanoseconds;
        total.flops += timing.flops;
        total.bytes += timing.bytes;
    }
    totals.sort_by(|a, b| b.nanoseconds.total_cmp(&a.nanoseconds));
    totals
}

/// Queries that one query set can hold under WebGPU.
const QUERIES: usize = 4096;

impl Device {
    /// Runs a recording and times each command: by timestamps of the GPU where it has them, by the
    /// host's clock otherwise (each command then includes its submission).
    ///
    /// # Errors
    /// As [`Device::run`].
    pub async fn profile(&self, recording: &Recording) -> Result<Vec<Timing>, Error> {
        let times = match &self.inner.backend {
            Backend::Gpu(gpu) if gpu.timestamps() => self.by_timestamps(gpu, recording).await?,
            _ => self.by_clock(recording).await?,
        };
        let timing = |(command, nanoseconds): (&Command, f64)| {
            let (flops, bytes) = match &command.action {
                Action::Dispatch(dispatch) => ((dispatch.kernel.flops)(&dispatch.params), dispatch.bytes),
                Action::Copy { words, .. } => (0, *words as u64 * 8),
                Action::Clear { words, .. } => (0, *words as u64 * 4),
                Action::Upload { data, .. } => (0, data.len() as u64 * 4),
            };
            Timing { kernel: command.name(), scope: command.scope.to_string(), nanoseconds, flops, bytes }
        };
        Ok(recording.commands.iter().zip(times).map(timing).collect())
    }

    async fn by_clock(&self, recording: &Recording) -> Result<Vec<f64>, Error> {
        let mut times = Vec::with_capacity(recording.commands.len());
        for (index, command) in recording.commands.iter().enumerate() {
            let start = Instant::now();
            match &self.inner.backend {
                Backend::Cpu => cpu::run(command),
                Backend::Gpu(gpu) => {
                    gpu.run_range(recording, &self.inner.limits, index..index + 1)?;
                    gpu.idle().await?;
                }
            }
            times.push(start.elapsed().as_secs_f64() * 1e9);
        }
        Ok(times)
    }

    async fn by_timestamps(&self, gpu: &Gpu, recording: &Recording) -> Result<Vec<f64>, Error> {
        let mut times = Vec::new();
        times.resize(recording.commands.len(), 0.0);
        // Copies and clears lie outside compute passes, where no timestamps are written.
        let timed = |index: &usize| matches!(recording.commands[*index].action, Action::Dispatch(_));
        let mut next = 0;
        while next < times.len() {
            let dispatches: Vec<usize> = (next..times.len()).filter(timed).take(QUERIES / 2).collect();
            // Up to the next dispatch that has no room; at least one command.
            let end = (next..times.len()).filter(timed).nth(dispatches.len()).unwrap_or(times.len());
            self.time_range(gpu, recording, next..end, &dispatches, &mut times).await?;
            next = end;
        }
        Ok(times)
    }

    /// Runs the commands of `range` and times its `dispatches`.
    async fn time_range(
        &self,
        gpu: &Gpu,
        recording: &Recording,
        range: std::ops::Range<usize>,
        dispatches: &[usize],
        times: &mut [f64],
    ) -> Result<(), Error> {
        let limits: &Limits = &self.inner.limits;
        let (device, queue) = gpu.wgpu();
        if dispatches.is_empty() {
            return gpu.run_range(recording, limits, range);
        }
        let count = dispatches.len() as u32 * 2;
        let queries =
            device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty: wgpu::QueryType::Timestamp, count });
        let bytes = u64::from(count) * 8;
        let resolved = device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&Default::default());
        for index in range {
            let place = dispatches.binary_search(&index).unwrap_or(0) as u32;
            let writes = wgpu::ComputePassTimestampWrites {
                query_set: &queries,
                beginning_of_pass_write_index: Some(place * 2),
                end_of_pass_write_index: Some(place * 2 + 1),
            };
            gpu.encode_timed(recording, limits, index, &mut encoder, writes)?;
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        queue.submit([encoder.finish()]);
        let words = gpu.read_buffer(&resolved, 0, bytes).await?;
        let period = f64::from(queue.get_timestamp_period());
        let stamp = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
        for (place, &index) in dispatches.iter().enumerate() {
            times[index] = stamp(place * 4 + 2).saturating_sub(stamp(place * 4)) as f64 * period;
        }
        Ok(())
    }
}
