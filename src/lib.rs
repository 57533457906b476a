//! Neural architecture search from the compute kernels up.

#![warn(missing_docs)]
#![forbid(unsafe_code)]

pub mod data;
pub mod graph;
pub mod random;
pub mod run;
