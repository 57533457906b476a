//! Timing a kernel: enough dispatches of one case that submitting and waiting count little.

use super::{Binding, Buffer, Case, Device, Error, Kernel, Recorder, Recording};
use std::time::{Duration, Instant};

/// Most dispatches of one recording.
const MOST_REPEATS: u64 = 512;
/// Fewest runs that a median is taken of.
const FEWEST_RUNS: usize = 3;

/// A kernel's case made ready to run again and again.
#[derive(Debug)]
pub struct Bench {
    device: Device,
    recording: Recording,
    repeats: u64,
    awaited: Buffer,
}

/// How long one dispatch takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speed {
    /// Median over the runs, in seconds.
    pub median: f64,
    /// The fastest run, in seconds.
    pub fastest: f64,
    /// Number of runs.
    pub runs: usize,
    /// Dispatches of one run.
    pub repeats: u64,
    /// Floating-point operations of one dispatch.
    pub flops: u64,
    /// Bytes that one dispatch reads plus writes: the buffers bound.
    pub bytes: u64,
}

impl Speed {
    /// Floating-point operations a second.
    pub fn flops_per_second(&self) -> f64 {
        self.flops as f64 / self.median
    }

    /// Bytes read plus written a second.
    pub fn bytes_per_second(&self) -> f64 {
        self.bytes as f64 / self.median
    }
}

impl Bench {
    /// Prepares as many dispatches of `case` as take about `duration`, and warms them up.
    ///
    /// # Errors
    /// As recording and running do.
    pub async fn new(device: &Device, kernel: &'static Kernel, case: &Case, duration: Duration) -> Result<Self, Error> {
        let mut bench = Self::repeated(device, kernel, case, 1)?;
        // The first run compiles the shader and touches the memory for the first time.
        bench.run().await?;
        let mut repeats = 1;
        loop {
            let taken = bench.run().await?.as_secs_f64().max(1e-7);
            // A short run is mostly submission, which says little about how many dispatches fit: by small steps.
            let next = (duration.as_secs_f64() / taken * repeats as f64).clamp(1.0, repeats as f64 * 16.0);
            let next = (next as u64).clamp(1, MOST_REPEATS);
            if next <= repeats + repeats / 2 {
                return Ok(bench);
            }
            repeats = next;
            bench = Self::repeated(device, kernel, case, repeats)?;
            bench.run().await?;
        }
    }

    fn repeated(device: &Device, kernel: &'static Kernel, case: &Case, repeats: u64) -> Result<Self, Error> {
        let upload = |contents: &[Vec<u32>]| -> Result<Vec<Buffer>, Error> {
            contents.iter().map(|words| device.upload(words)).collect()
        };
        let (inputs, outputs) = (upload(&case.inputs)?, upload(&case.outputs)?);
        fn whole(buffers: &[Buffer]) -> Vec<Binding<'_>> {
            buffers.iter().map(|buffer| Binding { buffer, offset: 0, elements: buffer.words() }).collect()
        }
        let mut recorder = Recorder::new(device);
        for _ in 0..repeats {
            recorder.dispatch_bytes(kernel, &case.params, &whole(&inputs), &whole(&outputs))?;
        }
        let awaited = outputs.first().cloned().ok_or_else(|| Error::Mismatch {
            kernel: kernel.name,
            scope: "bench".into(),
            problem: "a kernel without output cannot be waited for".into(),
        })?;
        Ok(Self { device: device.clone(), recording: recorder.finish(), repeats, awaited })
    }

    /// Number of dispatches in one run.
    pub fn repeats(&self) -> u64 {
        self.repeats
    }

    /// Runs all dispatches and waits for them.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub async fn run(&self) -> Result<Duration, Error> {
        let start = Instant::now();
        self.device.run(&self.recording)?;
        // A result arrives only when everything before it is done.
        self.device.read(&self.awaited, 0, 1).await?;
        Ok(start.elapsed())
    }

    /// Times runs for about `budget`, at least three.
    ///
    /// # Errors
    /// As [`Device::run`].
    pub async fn measure(&self, budget: Duration) -> Result<Speed, Error> {
        let start = Instant::now();
        let mut times = Vec::new();
        while times.len() < FEWEST_RUNS || start.elapsed() < budget {
            times.push(self.run().await?.as_secs_f64() / self.repeats as f64);
        }
        times.sort_by(f64::total_cmp);
        Ok(Speed {
            median: times[times.len() / 2],
            fastest: times[0],
            runs: times.len(),
            repeats: self.repeats,
            flops: self.recording.flops() / self.repeats,
            bytes: self.recording.bytes_moved() / self.repeats,
        })
    }
}
