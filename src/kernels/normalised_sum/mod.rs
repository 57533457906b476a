//! Weighted sums of normalised candidates, "mixtures": `y = Σ_t w_t · x̂_t` and its gradients, without ever writing a
//! normalised candidate to memory. (Of candidates as they are: `weighted_sum`.)
//!
//! What is mixed is said by a table of [`Term`]s, which need not be dense: a candidate may be one branch
//! of a bank of branches, `[batch, branches · channels, height, width]`. Only the un-normalised candidates
//! are kept; batch norm (without weights) happens where they are read.
//!
//! Forward: [`FORWARD`]. Backward: [`SUMS`] gives [Σ dy·x̂ | Σ dy] of every term and channel,
//! [`BACKWARD_WEIGHTS`] turns these into the gradients of the weights, [`BACKWARD`] replaces the candidates
//! by their gradients, and [`BACKWARD_SHARED`] gives those of candidates that several mixtures read as they are.
//!
//! Tables are uploaded by the code that plans a network, and trusted: a range outside its buffer is a bug
//! there, not an error of the user's.

mod backward;
mod blend;
mod cases;
mod forward;
mod params;
mod shared;
mod sums;
#[cfg(test)]
mod tests;

pub use backward::BACKWARD;
pub use forward::FORWARD;
pub use params::{Backward, BackwardShared, BackwardWeights, Forward, Sums};
pub use shared::BACKWARD_SHARED;
pub use sums::{BACKWARD_WEIGHTS, SUMS};

/// Words that one term takes in a table.
pub const TERM: usize = 8;

/// A place that is not there: no mean, no weight.
pub const NONE: u32 = 0xffff_ffff;

/// One candidate of a mixture. Offsets and distances count elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    /// Where image 0, channel 0 begins in its buffer.
    pub at: u32,
    /// Distance of images there.
    pub image: u32,
    /// Where the mean of channel 0 lies in "saved"; the other channels' follow. [`NONE`]: the values are
    /// taken as they are.
    pub mean: u32,
    /// Where 1/√(variance + ε) of channel 0 lies in "saved".
    pub inverse: u32,
    /// Index of the weight. [`NONE`]: weight 1.
    pub weight: u32,
    /// Where image 0, channel 0 of the mixture's gradient begins.
    pub dy: u32,
    /// Distance of images there.
    pub dy_image: u32,
    /// Where [Σ dy·x̂ (channels) | Σ dy (channels)] lies in "sums".
    pub sums: u32,
}

impl Term {
    /// See [`NONE`].
    pub const NONE: u32 = NONE;

    /// The term as a table holds it.
    pub fn words(&self) -> [u32; TERM] {
        [self.at, self.image, self.mean, self.inverse, self.weight, self.dy, self.dy_image, self.sums]
    }

    /// The inverse of [`Term::words`].
    fn new([at, image, mean, inverse, weight, dy, dy_image, sums]: [u32; TERM]) -> Self {
        Self { at, image, mean, inverse, weight, dy, dy_image, sums }
    }

    /// Mean and inverse deviation of a channel; 0 and 1 if the term has none.
    fn normal(&self, saved: &[f32], channel: usize) -> (f32, f32) {
        match self.mean {
            NONE => (0.0, 1.0),
            mean => (saved[mean as usize + channel], saved[self.inverse as usize + channel]),
        }
    }

    /// The weight; 1 if the term has none.
    fn factor(&self, weights: &[f32]) -> f32 {
        if self.weight == NONE { 1.0 } else { weights[self.weight as usize] }
    }

    /// Where an image's channel begins.
    fn plane(&self, image: usize, channel: usize, pixels: usize) -> usize {
        self.at as usize + image * self.image as usize + channel * pixels
    }

    /// Where an image's channel of the gradient begins.
    fn gradient(&self, image: usize, channel: usize, pixels: usize) -> usize {
        self.dy as usize + image * self.dy_image as usize + channel * pixels
    }
}

/// The terms of a table that begins at word `first`.
fn terms(table: &[u32], first: u32, count: u32) -> Vec<Term> {
    table[first as usize..].as_chunks::<TERM>().0[..count as usize].iter().map(|&words| Term::new(words)).collect()
}
