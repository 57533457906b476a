//! Named parameters over flat buffers, running statistics, initial values and exchange.
//!
//! All weights of a network are one buffer with named views, and so are their gradients: an
//! optimiser step, a norm, a copy are each one kernel. The statistics of batch normalisation are
//! a second flat buffer that no optimiser sees.

mod exchange;
mod parameters;
mod statistics;

pub use exchange::{Array, Contents, ExchangeError, Value, from_safetensors, to_safetensors};
pub use parameters::{Init, Parameters, Spec};
pub use statistics::Statistics;
