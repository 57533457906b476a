//! Runs a recording on wgpu.

use super::super::recording::Recording;
use super::super::{Error, Limits};
use super::Gpu;
use super::prepare::encode;
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
}
