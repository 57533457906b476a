//! Curves and bars of a run as SVG, drawn with `plotters`.
//!
//! Lines are named where they end rather than in a legend, as far as there is room: the eye need not
//! travel, and colour is not the only link. Values that are not finite, or beyond ±1e30, are not drawn:
//! the line is interrupted there.

mod alpha;
mod bars;
mod canvas;
mod curves;
mod matrix;
mod strips;

pub use alpha::{AlphaHistory, alpha_edges, alpha_means};
pub use bars::{Bar, bars};
pub use curves::{Panel, Series, lines, training_curves};
pub use matrix::matrix;
pub use strips::{Strip, StripPanel, strips};
