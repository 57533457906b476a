//! Neural architecture search from the compute kernels up.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod cost;
pub mod graph;
pub mod random;
pub mod space;
