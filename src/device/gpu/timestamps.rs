//! How long each dispatch of a recording takes, by the GPU's own clock.

use super::super::recording::{Action, Recording};
use super::super::{Error, Limits};
use super::Gpu;
use super::prepare::{Step, encode};

/// Queries that one query set can hold under WebGPU.
const QUERIES: usize = 4096;

impl Gpu {
    /// Runs a recording and times each dispatch, in nanoseconds; other commands take none.
    pub(in crate::device) async fn by_timestamps(
        &self,
        recording: &Recording,
        limits: &Limits,
    ) -> Result<Vec<f64>, Error> {
        let mut times = Vec::new();
        times.resize(recording.commands.len(), 0.0);
        // Copies and clears lie outside compute passes, where no timestamps are written.
        let timed = |index: &usize| matches!(recording.commands[*index].action, Action::Dispatch(_));
        let mut next = 0;
        while next < times.len() {
            let dispatches: Vec<usize> = (next..times.len()).filter(timed).take(QUERIES / 2).collect();
            // Up to the next dispatch that has no room; at least one command.
            let end = (next..times.len()).filter(timed).nth(dispatches.len()).unwrap_or(times.len());
            self.time_range(recording, limits, next..end, &dispatches, &mut times).await?;
            next = end;
        }
        Ok(times)
    }

    /// Runs the commands of `range` and times its `dispatches`.
    async fn time_range(
        &self,
        recording: &Recording,
        limits: &Limits,
        range: std::ops::Range<usize>,
        dispatches: &[usize],
        times: &mut [f64],
    ) -> Result<(), Error> {
        let (device, queue) = (&self.device, &self.queue);
        if dispatches.is_empty() {
            return self.run_range(recording, limits, range);
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
            self.encode_timed(recording, limits, index, &mut encoder, writes)?;
        }
        encoder.resolve_query_set(&queries, 0..count, &resolved, 0);
        queue.submit([encoder.finish()]);
        let words = self.read_buffer(&resolved, 0, bytes).await?;
        let period = f64::from(queue.get_timestamp_period());
        let stamp = |at: usize| u64::from(words[at]) | u64::from(words[at + 1]) << 32;
        for (place, &index) in dispatches.iter().enumerate() {
            times[index] = stamp(place * 4 + 2).saturating_sub(stamp(place * 4)) as f64 * period;
        }
        Ok(())
    }

    /// Encodes one command in a compute pass of its own, timed by `writes`.
    fn encode_timed(
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
