//! Runs a recording on wgpu.

use super::super::recording::Recording;
use super::super::{Error, Limits};
use super::Gpu;
use super::prepare::{Step, encode};
use std::ops::Range;

impl Gpu {
    pub(in crate::device) fn run(&self, recording: &Recording, limits: &Limits) -> Result<(), Error> {
        self.run_range(recording, limits, 0..recording.commands.len())
    }

    pub(in crate::device) fn run_range(
        &self,
        recording: &Recording,
        limits: &Limits,
        range: Range<usize>,
    ) -> Result<(), Error> {
        self.fault()?;
        let prepared = self.prepared(recording, limits)?;
        for chunk in prepared.steps[range].chunks(limits.dispatches.max(1)) {
            let mut encoder = self.device.create_command_encoder(&Default::default());
            encode(chunk, &mut encoder);
            self.queue.submit([encoder.finish()]);
        }
        self.fault()
    }

    /// Encodes one command in a compute pass of its own, timed by `writes`.
    pub(in crate::device) fn encode_timed(
        &self,
        recording: &Recording,
        limits: &Limits,
        index: usize,
        encoder: &mut wgpu::CommandEncoder,
        writes: wgpu::ComputePassTimestampWrites<'_>,
    ) -> Result<(), Error> {
        let step = &self.prepared(recording, limits)?.steps[index];
        if let Step::Dispatch { pipeline, group, offset, groups: [x, y, z] } = step {
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes: Some(writes) };
            let mut pass = encoder.begin_compute_pass(&descriptor);
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[*offset]);
            pass.dispatch_workgroups(*x, *y, *z);
        } else {
            encode(std::slice::from_ref(step), encoder);
        }
        Ok(())
    }
}
