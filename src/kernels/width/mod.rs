//! Widths of layers as a choice: masks over channels, and products with one factor a channel.
//!
//! Option k keeps the first `width_k` of `channels` channels; mixed by weights, channel c is scaled by
//! `mask[c] = Σ_k weights[k] · [c < width_k]`. At most eight options.

mod mask;
mod scale;

pub use mask::{MASK_BACKWARD, MASK_FORWARD, Mask, MaskBackward};
pub use scale::{DOT, Dot, SCALE, Scale};
