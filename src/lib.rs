//! Neural architecture search from the compute kernels up.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod graph;
pub mod random;
pub mod report;
