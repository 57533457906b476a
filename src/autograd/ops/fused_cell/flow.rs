//! The gradients of a state and of the architecture weights, from what a fan's way back has left.

use super::beside::Leaves;
use super::fan::{Candidates, Fan, Source};
use super::recording::Recording;
use crate::autograd::ops::Edge;
use crate::device::Recorder;
use crate::kernels::{batch_norm, factorized_reduce, normalised_sum};
use crate::tensor::{Error, Tensor};

/// Mixtures whose gradients one dispatch gathers.
const EDGES: usize = 4;

/// What a state's gradient is made of.
#[derive(Debug)]
pub(super) struct Flow {
    pub fan: Fan,
    /// Candidates have been replaced by their gradients.
    pub made: Candidates,
    /// Gradient of the first bank's depthwise convolutions.
    pub dmiddle: Option<Tensor>,
    /// What convolutions over all channels and candidates of the caller's pass on.
    pub leaves: Leaves,
}

impl Flow {
    /// Records dx (+)= the gradient of the state; `states` holds those of later states.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        record: &Recording<'_>,
        states: &[Option<Tensor>],
        dx: &Tensor,
        accumulate: bool,
    ) -> Result<(), Error> {
        let mut written = accumulate;
        let dpools = Tensor::scratch(recorder, &[self.fan.pools.len().max(1), record.unit()])?;
        written |= self.record_shared(recorder, record, states, dx, &dpools, accumulate)?;
        let Self { fan, made, dmiddle, leaves } = self;
        for (index, pool) in fan.pools.iter().enumerate() {
            let dnormed = dpools.view(index * record.unit(), &record.shape);
            let dy = match &pool.moments {
                Some(_) => self.record_pool_norm(recorder, record, index, &dnormed)?,
                None => dnormed,
            };
            pool.record_backward(recorder, made.indices[index].as_ref(), &dy, dx, written)?;
            written = true;
        }
        if let (Some(bank), Some(dmiddle)) = (&fan.first, dmiddle) {
            bank.record_input(recorder, &fan.reads(record, made)[0], record, dmiddle, dx, written)?;
            written = true;
        }
        if let Some(reduce) = &fan.reduce {
            let dz = fan.block(2, record, &made.candidates, &made.saved).z;
            let weights = reduce.weights.tensor();
            let params = reduce.params(&made.x, record, weights.at(), dz.at());
            let params = factorized_reduce::Params { gradient: dx.at(), accumulate: written.into(), ..params };
            let inputs = [made.x.binding(), weights.binding(), dz.binding()];
            recorder.dispatch(&factorized_reduce::BACKWARD_INPUT, &params, &inputs, &[dx.binding()])?;
            written = true;
        }
        written = leaves.record(recorder, dx, written)?;
        if !written {
            recorder.clear(dx.buffer(), dx.at() as usize, dx.count())?;
        }
        Ok(())
    }

    /// Adds up what the mixtures pass to the state itself and to each pool. Whether dx was written.
    fn record_shared(
        &self,
        recorder: &mut Recorder,
        record: &Recording<'_>,
        states: &[Option<Tensor>],
        dx: &Tensor,
        dpools: &Tensor,
        accumulate: bool,
    ) -> Result<bool, Error> {
        let fan = &self.fan;
        let skip = fan.edges.iter().flat_map(|e| &e.candidates).any(|(_, source)| *source == Source::Identity);
        if !skip && fan.pools.is_empty() {
            return Ok(false);
        }
        let sources = skip.then_some(Source::Identity).into_iter().chain((0..fan.pools.len()).map(Source::Pool));
        let sources: Vec<Source> = sources.collect();
        // An edge with two options of one source, as of a skip beside its options, stands for two.
        let most = |edge: &Edge| {
            let all = |source: &Source| edge.candidates.iter().filter(|(_, s)| s == source).count();
            sources.iter().map(all).max().unwrap_or(0).max(1)
        };
        let edges: Vec<(&Edge, usize)> =
            fan.edges.iter().flat_map(|edge| (0..most(edge)).map(move |nth| (edge, nth))).collect();
        for (chunk, edges) in edges.chunks(EDGES).enumerate() {
            let mut words = Vec::with_capacity(sources.len() * EDGES);
            for source in &sources {
                for edge in 0..EDGES {
                    let place = edges.get(edge).and_then(|(edge, nth)| {
                        let (option, _) = edge.candidates.iter().filter(|(_, s)| s == source).nth(*nth)?;
                        Some(record.weights.at() + (edge.row * record.options + option) as u32)
                    });
                    words.push(place.unwrap_or(normalised_sum::NONE));
                }
            }
            let table = Tensor::from_words(recorder.device(), &words, &[words.len()])?;
            let gradients: Vec<&Tensor> = edges.iter().filter_map(|(e, _)| states[e.to].as_ref()).collect();
            let Some(&any) = gradients.first() else { continue };
            let dy: [&Tensor; EDGES] = std::array::from_fn(|e| gradients.get(e).copied().unwrap_or(any));
            let later = chunk > 0;
            let params = normalised_sum::BackwardShared {
                table: table.at(),
                dy0: dy[0].at(),
                dy1: dy[1].at(),
                dy2: dy[2].at(),
                dy3: dy[3].at(),
                dx: dx.at(),
                dz: dpools.at(),
                count: record.unit() as u32,
                edges: edges.len() as u32,
                skip: skip.into(),
                targets: fan.pools.len() as u32,
                accumulate_x: (accumulate || later).into(),
                accumulate_z: later.into(),
            };
            let [a, b, c, d] = dy.map(Tensor::binding);
            let inputs = [table.binding(), record.weights.binding(), a, b, c, d];
            recorder.dispatch(&normalised_sum::BACKWARD_SHARED, &params, &inputs, &[dx.binding(), dpools.binding()])?;
        }
        Ok(skip)
    }

    /// The gradient of a pool's result from that of its normalised value.
    fn record_pool_norm(
        &self,
        recorder: &mut Recorder,
        record: &Recording<'_>,
        index: usize,
        dnormed: &Tensor,
    ) -> Result<Tensor, Error> {
        let [batch, channels, ..] = record.shape.map(|n| n as u32);
        let block = self.fan.block(self.fan.pool_block(index), record, &self.made.candidates, &self.made.saved);
        let sums = Tensor::scratch(recorder, &[2, channels as usize])?;
        let (x, saved, pixels) = (&block.z, &block.saved, record.pixels() as u32);
        let params = batch_norm::Sums {
            x: x.at(),
            saved: saved.at(),
            dy: dnormed.at(),
            sums: sums.at(),
            batch,
            channels,
            pixels,
            ..Default::default()
        };
        let inputs = [x.binding(), saved.binding(), saved.binding(), dnormed.binding()];
        recorder.dispatch(&batch_norm::BACKWARD_SUMS, &params, &inputs, &[sums.binding()])?;
        let dy = Tensor::scratch(recorder, &record.shape)?;
        let params = batch_norm::BackwardInput {
            x: x.at(),
            saved: saved.at(),
            dy: dnormed.at(),
            sums: sums.at(),
            dx: dy.at(),
            batch,
            channels,
            pixels,
            training: 1,
            ..Default::default()
        };
        let inputs = [x.binding(), saved.binding(), saved.binding(), dnormed.binding(), sums.binding()];
        recorder.dispatch(&batch_norm::BACKWARD_INPUT, &params, &inputs, &[dy.binding()])?;
        Ok(dy)
    }
}
