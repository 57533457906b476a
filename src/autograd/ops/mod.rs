//! The differentiable operations: forward and backward of each in one place.

mod activation;
mod additive_attention;
mod arithmetic;
mod batch_norm;
mod channel_sum;
mod channels;
mod conv;
mod decision;
mod dropout;
mod entangle;
mod fused_cell;
mod gate;
mod linear;
mod loss;
mod lstm;
mod mixed;
mod noise;
mod pool;
mod width;
mod winograd;

pub use activation::{Ramp, ramp, relu, sigmoid, tanh};
pub use additive_attention::{additive_attention, append, part, recall};
pub use arithmetic::{add, mean, multiply, record_reduce, record_reduce_ranges, reshape, scale, sum};
pub use batch_norm::{BatchNorm, Moments, Statistics, batch_norm};
pub use channels::{concat, shuffle_channels, slice_channels};
pub use conv::{ConvArgs, conv2d, conv2d_within};
pub use decision::{Decide, Decided, choose, skips};
pub use dropout::{Randomness, drop_path, dropout, scheduled_dropout};
pub use entangle::entangle;
pub use fused_cell::{Bank, Dense, Edge, Fan, Filter, FusedCell, Pool, RecordPlain, Reduce, Source, fused_cell};
pub use gate::gate;
pub use linear::{linear, matmul};
pub use loss::{accuracy, answers, cross_entropy};
pub use lstm::lstm;
pub use mixed::{bystanders, mixed, relaxed, softmax};
pub use noise::noise;
pub use pool::{Window, avg_pool, global_avg_pool, max_pool};
pub use width::width_mask;

use super::{Backward, Gradients, Tape, Var};
use crate::tensor::{Error, Tensor};

/// `[batch, channels, height, width]` of an image tensor.
fn image(operation: &'static str, x: &Var) -> Result<[usize; 4], Error> {
    image_shape(operation, x.shape())
}

fn image_shape(operation: &'static str, shape: &[usize]) -> Result<[usize; 4], Error> {
    shape
        .try_into()
        .map_err(|_| Error::shape(operation, format!("takes [batch, channels, height, width], got {shape:?}")))
}

/// Number of bytes a tensor holds.
fn bytes(tensor: &Tensor) -> usize {
    tensor.count() * 4
}
