//! Separable convolutions side by side: a bank of depthwise filters and a grouped pointwise product.

use super::recording::{Recording, record_statistics};
use crate::autograd::ops::Moments;
use crate::autograd::{Gradients, Var};
use crate::device::{Binding, Recorder};
use crate::kernels::{filter_bank, pointwise};
use crate::tensor::{Error, Tensor};

/// Kinds of filter that one dispatch takes.
const KINDS: usize = 4;

/// Filters of one kind: a square window, and how many branches have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Rows and columns, odd.
    pub kernel: usize,
    /// Distance of the taps.
    pub dilation: usize,
    /// Number of branches; without any, a filter only decides which shaders the bank shares.
    pub branches: usize,
}

/// ReLU, depthwise convolutions, pointwise convolutions and batch statistics of several branches.
#[derive(Clone, Debug)]
pub struct Bank {
    /// The filters, kind after kind.
    pub filters: Vec<Filter>,
    /// Weights of all filters, branch after branch, `[channels, kernel, kernel]` each.
    pub depthwise: Var,
    /// Weights of the pointwise convolutions, `[branches, channels, channels]`.
    pub pointwise: Var,
    /// Mean and variance, branch after branch: see [`FusedCell::training`](super::FusedCell::training).
    pub moments: Moments,
}

/// What a bank reads.
#[derive(Clone, Debug)]
pub(super) struct Reads {
    pub x: Tensor,
    /// Planes an image has in `x`.
    pub planes: usize,
    pub height: usize,
    pub width: usize,
    pub stride: usize,
    /// Mean and inverse deviation of all planes, where `x` is not normalised: each branch then has its own
    /// channels in `x`; else all read the same.
    pub saved: Option<Tensor>,
}

impl Bank {
    /// Number of branches.
    pub fn branches(&self) -> usize {
        self.filters.iter().map(|f| f.branches).sum()
    }

    /// Records the un-normalised results to `z` and their mean and inverse deviation to `saved`. Gives the
    /// depthwise convolutions' results.
    pub(super) fn record(
        &self,
        recorder: &mut Recorder,
        reads: &Reads,
        record: &Recording<'_>,
        z: &Tensor,
        saved: &Tensor,
    ) -> Result<Tensor, Error> {
        let [batch, channels, height, width] = record.shape;
        let middle = Tensor::scratch(recorder, &[batch, self.branches() * channels, height, width])?;
        self.each_chunk(reads, record, |params, part| {
            let params = filter_bank::Params { output: middle.at() + part.planes_before(record), ..params };
            let inputs =
                [reads.x.binding(), part.of(self.depthwise.tensor()), reads.saved().binding(), reads.saved().binding()];
            Ok(recorder.dispatch(&filter_bank::FORWARD, &params, &inputs, &[part.planes(&middle, record)])?)
        })?;
        let params = self.product(record, middle.at(), self.pointwise.tensor().at(), z.at());
        let weights = self.pointwise.tensor().binding();
        recorder.dispatch(&pointwise::FORWARD, &params, &[middle.binding(), weights, weights], &[z.binding()])?;
        record_statistics(recorder, z, saved, self.branches() * channels, record, &self.moments)?;
        Ok(middle)
    }

    /// From the gradient `dz` of the un-normalised results: the weights' gradients, and the gradient of the
    /// depthwise convolutions' results if anything needs it.
    pub(super) fn record_weights(
        &self,
        gradients: &mut Gradients<'_>,
        reads: &Reads,
        record: &Recording<'_>,
        middle: Option<&Tensor>,
        dz: &Tensor,
    ) -> Result<Tensor, Error> {
        let (weights, filters) = (self.pointwise.tensor(), self.depthwise.tensor());
        let dmiddle = Tensor::scratch(gradients.recorder(), dz.shape())?;
        let params = self.product(record, dmiddle.at(), weights.at(), dz.at());
        let inputs = [weights.binding(), dz.binding()];
        gradients.recorder().dispatch(&pointwise::BACKWARD_INPUT, &params, &inputs, &[dmiddle.binding()])?;
        if let Some(middle) = middle {
            gradients.add(self.pointwise.id(), weights.shape(), |recorder, dw, accumulate| {
                let params = self.product(record, middle.at(), dw.at(), dz.at());
                let params = pointwise::Params { accumulate: accumulate.into(), ..params };
                let inputs = [middle.binding(), dz.binding()];
                Ok(recorder.dispatch(&pointwise::BACKWARD_WEIGHT, &params, &inputs, &[dw.binding()])?)
            })?;
        }
        gradients.add(self.depthwise.id(), filters.shape(), |recorder, dw, accumulate| {
            self.each_chunk(reads, record, |params, part| {
                // Of a kind that isn't there the offset means nothing, and may wrap.
                let shifted = |at: u32| at.wrapping_sub(filters.at()).wrapping_add(dw.at());
                let params = filter_bank::Params {
                    output: dmiddle.at() + part.planes_before(record),
                    weight0: shifted(params.weight0),
                    weight1: shifted(params.weight1),
                    weight2: shifted(params.weight2),
                    weight3: shifted(params.weight3),
                    accumulate: accumulate.into(),
                    ..params
                };
                let saved = reads.saved().binding();
                let inputs = [reads.x.binding(), part.planes(&dmiddle, record), saved, saved];
                Ok(recorder.dispatch(&filter_bank::BACKWARD_WEIGHT, &params, &inputs, &[part.of(dw)])?)
            })
        })?;
        Ok(dmiddle)
    }

    /// From the gradient of the depthwise convolutions' results: dx, that of the ReLU's argument.
    pub(super) fn record_input(
        &self,
        recorder: &mut Recorder,
        reads: &Reads,
        record: &Recording<'_>,
        dmiddle: &Tensor,
        dx: &Tensor,
        accumulate: bool,
    ) -> Result<(), Error> {
        let shared = reads.saved.is_none();
        self.each_chunk(reads, record, |params, part| {
            // Branches with channels of their own write one dx each; a shared one collects them all.
            let own = if shared { 0 } else { part.first * record.shape[1] * reads.height * reads.width };
            let params = filter_bank::Params {
                output: dmiddle.at() + part.planes_before(record),
                gradient: dx.at() + own as u32,
                accumulate: (accumulate || (shared && part.first > 0)).into(),
                ..params
            };
            let saved = reads.saved().binding();
            let inputs =
                [reads.x.binding(), part.of(self.depthwise.tensor()), saved, saved, part.planes(dmiddle, record)];
            Ok(recorder.dispatch(&filter_bank::BACKWARD_INPUT, &params, &inputs, &[dx.binding()])?)
        })
    }

    fn product(&self, record: &Recording<'_>, input: u32, weight: u32, output: u32) -> pointwise::Params {
        let [batch, channels, ..] = record.shape;
        pointwise::Params {
            input,
            weight,
            output,
            batch: batch as u32,
            inputs: channels as u32,
            outputs: channels as u32,
            groups: self.branches() as u32,
            pixels: record.pixels() as u32,
            ..Default::default()
        }
    }

    /// Calls `f` for every few kinds with what all directions have in common.
    fn each_chunk(
        &self,
        reads: &Reads,
        record: &Recording<'_>,
        mut f: impl FnMut(filter_bank::Params, Part) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let [batch, channels, out_height, out_width] = record.shape;
        let n = |v: usize| v as u32;
        let (mut first, mut weights) = (0, 0);
        for kinds in self.filters.chunks(KINDS) {
            let begin = weights;
            let mut places = [0; KINDS];
            for (place, kind) in places.iter_mut().zip(kinds) {
                *place = self.depthwise.tensor().at() + n(weights);
                weights += kind.branches * channels * kind.kernel * kind.kernel;
            }
            let of = |index: usize, value: fn(&Filter) -> usize| kinds.get(index).map_or(0, |kind| n(value(kind)));
            let own = if reads.saved.is_some() { first * channels } else { 0 };
            let params = filter_bank::Params {
                input: reads.x.at() + n(own * reads.height * reads.width),
                weight0: places[0],
                weight1: places[1],
                weight2: places[2],
                weight3: places[3],
                saved: reads.saved.as_ref().map_or(0, |saved| saved.at() + n(own)),
                batch: n(batch),
                channels: n(channels),
                height: n(reads.height),
                width: n(reads.width),
                out_height: n(out_height),
                out_width: n(out_width),
                stride: n(reads.stride),
                in_channels: n(reads.planes),
                out_channels: n(self.branches() * channels),
                branches0: of(0, |k| k.branches),
                branches1: of(1, |k| k.branches),
                branches2: of(2, |k| k.branches),
                branches3: of(3, |k| k.branches),
                kernel0: of(0, |k| k.kernel),
                kernel1: of(1, |k| k.kernel),
                kernel2: of(2, |k| k.kernel),
                kernel3: of(3, |k| k.kernel),
                dilation0: of(0, |k| k.dilation),
                dilation1: of(1, |k| k.dilation),
                dilation2: of(2, |k| k.dilation),
                dilation3: of(3, |k| k.dilation),
                shared_input: reads.saved.is_none().into(),
                norm: reads.saved.as_ref().map_or(0, |_| n(reads.planes)),
                ..Default::default()
            };
            let branches = kinds.iter().map(|k| k.branches).sum();
            if branches > 0 {
                f(params, Part { first, branches, weights: begin..weights })?;
            }
            first += branches;
        }
        Ok(())
    }
}

impl Reads {
    /// What is bound for mean and deviation.
    fn saved(&self) -> &Tensor {
        self.saved.as_ref().unwrap_or(&self.x)
    }
}

/// The branches of one dispatch.
struct Part {
    first: usize,
    branches: usize,
    weights: std::ops::Range<usize>,
}

impl Part {
    /// Elements of an image's results that lie before this part's.
    fn planes_before(&self, record: &Recording<'_>) -> u32 {
        (self.first * record.shape[1] * record.pixels()) as u32
    }

    /// This part's results in a bank's: all of the bank's, or about its share of them.
    fn planes<'a>(&self, bank: &'a Tensor, record: &Recording<'_>) -> Binding<'a> {
        let before = self.planes_before(record) as usize;
        Binding { offset: bank.at() as usize + before, elements: self.branches * record.unit(), ..bank.binding() }
    }

    /// This part's weights.
    fn of<'a>(&self, weights: &'a Tensor) -> Binding<'a> {
        Binding {
            offset: weights.at() as usize + self.weights.start,
            elements: self.weights.len(),
            ..weights.binding()
        }
    }
}
