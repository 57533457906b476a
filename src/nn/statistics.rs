//! Running mean and variance of every batch normalisation, in one flat buffer.

use crate::autograd::ops::Moments;
use crate::device::{Device, Recorder};
use crate::kernels::batch_norm;
use crate::state::{State, StateError};
use crate::tensor::{Error, Tensor};
use std::ops::Range;

/// Share of the newest batch in the running statistics.
const MOMENTUM: f32 = 0.1;

/// Running statistics: `[means | variances]` of all layers.
///
/// A training pass writes the batch's own to `moments`; they enter the running ones
/// only by [`record_update`](Self::record_update), after the loss is known to be finite.
#[derive(Debug)]
pub struct Statistics {
    layers: Vec<Layer>,
    running: Tensor,
    moments: Tensor,
    tracked: u64,
}

#[derive(Debug)]
struct Layer {
    name: String,
    channels: usize,
    /// Of the means; the variances lie as far behind the first variance.
    offset: usize,
}

impl Statistics {
    /// Statistics (mean 0, variance 1) of layers given by name and channels. `places` says how they lie in
    /// memory: layers of one entry share a place, because they see the same values. Layers that it does not
    /// name follow in order, each with a place of its own.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, layers: &[(String, usize)], places: &[Vec<usize>]) -> Result<Self, Error> {
        let mut offsets: Vec<Option<usize>> = vec![None; layers.len()];
        let mut total = 0;
        let own: Vec<Vec<usize>> = (0..layers.len()).map(|layer| vec![layer]).collect();
        for shared in places.iter().chain(&own) {
            let open: Vec<usize> = shared.iter().copied().filter(|&layer| offsets[layer].is_none()).collect();
            open.iter().for_each(|&layer| offsets[layer] = Some(total));
            total += open.first().map_or(0, |&layer| layers[layer].1);
        }
        let values: Vec<f32> = [0.0, 1.0].into_iter().flat_map(|v| std::iter::repeat_n(v, total)).collect();
        let running = Tensor::from_values(device, &values, &[2, total])?;
        let moments = Tensor::from_values(device, &values, &[2, total])?;
        let layer = |((name, channels), offset): (&(String, usize), Option<usize>)| Layer {
            name: name.clone(),
            channels: *channels,
            offset: offset.unwrap_or_default(),
        };
        Ok(Self { layers: layers.iter().zip(offsets).map(layer).collect(), running, moments, tracked: 0 })
    }

    /// For each layer, its name and where its means and its variances lie in the flat statistics.
    pub fn layers(&self) -> impl Iterator<Item = (&str, [Range<usize>; 2])> {
        let total = self.running.count() / 2;
        let places = move |l: &Layer| [0, total].map(|half| half + l.offset..half + l.offset + l.channels);
        self.layers.iter().map(move |l| (l.name.as_str(), places(l)))
    }

    /// All running statistics, `[2, total]`.
    pub fn running(&self) -> &Tensor {
        &self.running
    }

    /// Where a layer's means lie among all means.
    pub fn place(&self, layer: usize) -> Range<usize> {
        let Layer { offset, channels, .. } = self.layers[layer];
        offset..offset + channels
    }

    /// Running mean and variance of a layer.
    pub fn running_of(&self, layer: usize) -> Moments {
        self.moments_in(&self.running, self.layers[layer].offset, self.layers[layer].channels)
    }

    /// Where a training pass writes a layer's mean and unbiased variance.
    pub fn moments_of(&self, layer: usize) -> Moments {
        self.moments_in(&self.moments, self.layers[layer].offset, self.layers[layer].channels)
    }

    /// Either of them for layers that lie behind one another in memory, from the first to the last: what a
    /// training pass writes, or the running statistics.
    pub fn between(&self, [first, last]: [usize; 2], training: bool) -> Moments {
        let (begin, end) = (self.layers[first].offset, self.layers[last].offset + self.layers[last].channels);
        self.moments_in(if training { &self.moments } else { &self.running }, begin, end - begin)
    }

    fn moments_in(&self, values: &Tensor, offset: usize, channels: usize) -> Moments {
        let total = values.count() / 2;
        Moments { mean: values.view(offset, &[channels]), variance: values.view(total + offset, &[channels]) }
    }

    /// Number of batches that have entered (`num_batches_tracked`).
    pub fn tracked(&self) -> u64 {
        self.tracked
    }

    /// Counts batches that entered: running a recording is the caller's doing.
    pub fn count_batches(&mut self, batches: u64) {
        self.tracked += batches;
    }

    /// Sets the number of batches that have entered.
    pub fn set_tracked(&mut self, batches: u64) {
        self.tracked = batches;
    }

    /// Its state: the running statistics and the number of batches. (What a training pass writes is read in the same
    /// step.)
    ///
    /// # Errors
    /// An error of the device.
    pub async fn save(&self, device: &Device) -> Result<State, StateError> {
        let mut state = State::of("statistics");
        state.keep("running", device, &self.running).await?;
        state.set("tracked", self.tracked)?;
        Ok(state)
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// [`StateError`] if it is that of other layers; an error of the device.
    pub fn restore(&mut self, device: &Device, state: &State) -> Result<(), StateError> {
        state.check("statistics")?;
        let tracked = state.get("tracked")?;
        if tracked > i64::MAX as u64 {
            return Err(state.wrong("tracked", "so many batches there are not"));
        }
        state.write("running", device, &self.running)?;
        self.tracked = tracked;
        Ok(())
    }

    /// Records `running = 0.9 · running + 0.1 · moments` for the layers whose means lie in `ranges`, unless one of
    /// `guards` (losses, norms) is not finite.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_update(
        &self,
        recorder: &mut Recorder,
        ranges: &[Range<usize>],
        guards: &Tensor,
    ) -> Result<(), Error> {
        self.record_share(recorder, ranges, guards, MOMENTUM)
    }

    /// Records `running = moments` for the same: statistics that begin anew.
    ///
    /// # Errors
    /// As recording does.
    pub fn record_replace(
        &self,
        recorder: &mut Recorder,
        ranges: &[Range<usize>],
        guards: &Tensor,
    ) -> Result<(), Error> {
        self.record_share(recorder, ranges, guards, 1.0)
    }

    fn record_share(
        &self,
        recorder: &mut Recorder,
        ranges: &[Range<usize>],
        guards: &Tensor,
        momentum: f32,
    ) -> Result<(), Error> {
        let total = self.running.count() / 2;
        let whole = ranges.iter().any(|range| range.len() == total);
        let halves = ranges.iter().flat_map(|r| [r.clone(), total + r.start..total + r.end]);
        let parts: Vec<Range<usize>> = if whole { std::iter::once(0..2 * total).collect() } else { halves.collect() };
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let [moments, running] = [&self.moments, &self.running].map(|all| all.view(part.start, &[part.len()]));
            let params = batch_norm::Update {
                moments: moments.at(),
                running: running.at(),
                scalars: guards.at(),
                count: part.len() as u32,
                guards: guards.count() as u32,
                momentum,
            };
            let inputs = [moments.binding(), guards.binding()];
            recorder.dispatch(&batch_norm::UPDATE, &params, &inputs, &[running.binding()])?;
        }
        Ok(())
    }
}
