//! How long each command of a recording takes.

use super::recording::Recording;
use super::{Backend, Device, Error, Limits, cpu, gpu::Gpu, recording::Action};
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
        let timing = |(command, nanoseconds): (&super::recording::Command, f64)| {
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
        let limits: &Limits = &self.inner.limits;
        let (device, queue) = gpu.wgpu();
        let period = f64::from(queue.get_timestamp_period());
        let mut times = Vec::with_capacity(recording.commands.len());
        let all: Vec<usize> = (0..recording.commands.len()).collect();
        for chunk in all.chunks(QUERIES / 2) {
            let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count: chunk.len() as u32 * 2,
            });
            let bytes = chunk.len() as u64 * 16;
            let resolved = device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            });
            let mut encoder = device.create_command_encoder(&Default::default());
            for (place, &index) in chunk.iter().enumerate() {
                let writes = wgpu::ComputePassTimestampWrites {
                    query_set: &queries,
                    beginning_of_pass_write_index: Some(place as u32 * 2),
                    end_of_pass_write_index: Some(place as u32 * 2 + 1),
                };
                gpu.encode_timed(recording, limits, index, &mut encoder, writes)?;
            }
            encoder.resolve_query_set(&queries, 0..chunk.len() as u32 * 2, &resolved, 0);
            queue.submit([encoder.finish()]);
            let words = gpu.read_buffer(self, &resolved, 0, bytes).await?;
            let stamp = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
            for (place, &index) in chunk.iter().enumerate() {
                let dispatched = matches!(recording.commands[index].action, Action::Dispatch(_));
                let ticks = stamp(place * 4 + 2).saturating_sub(stamp(place * 4));
                times.push(if dispatched { ticks as f64 * period } else { 0.0 });
            }
        }
        Ok(times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_summed_by_kernel_and_the_longest_comes_first() {
        let timing = |kernel, nanoseconds, flops| Timing { kernel, scope: String::new(), nanoseconds, flops, bytes: 8 };
        let totals = by_kernel(&[timing("a", 1.0, 3), timing("b", 5.0, 0), timing("a", 2.0, 4)]);
        let names: Vec<_> = totals.iter().map(|t| (t.kernel, t.calls)).collect();
        assert_eq!(names, [("b", 1), ("a", 2)]);
        assert_eq!((totals[1].nanoseconds, totals[1].flops, totals[1].bytes), (3.0, 7, 16));
    }
}
