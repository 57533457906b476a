//! Sums of channels: gradients of biases.

use super::*;
use crate::device::Recorder;
use crate::kernels::reduce;

/// Records `y[c] (+)= Σ x` over batch and pixels of `[batch, channels, pixels]`.
pub(super) fn record(
    recorder: &mut Recorder,
    x: &Tensor,
    y: &Tensor,
    [batch, channels, pixels]: [usize; 3],
    accumulate: bool,
) -> Result<(), Error> {
    let params = reduce::ChannelSum {
        x: x.at(),
        y: y.at(),
        batch: batch as u32,
        channels: channels as u32,
        pixels: pixels as u32,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&reduce::CHANNEL_SUM, &params, &[x.binding()], &[y.binding()])?)
}
