//! How long each command of a recording takes.

use super::recording::{Action, Command, Recording};
use super::{Backend, Device, Error, cpu};
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

impl Device {
    /// Runs a recording and times each command: by timestamps of the GPU where it has them, by the
    /// host's clock otherwise (each command then includes its submission).
    ///
    /// # Errors
    /// As [`Device::run`].
    pub async fn profile(&self, recording: &Recording) -> Result<Vec<Timing>, Error> {
        let times = match &self.inner.backend {
            Backend::Gpu(gpu) if gpu.timestamps() => gpu.by_timestamps(recording, &self.inner.limits).await?,
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
}
