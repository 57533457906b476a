//! Neural architecture search from the compute kernels up.

#![warn(missing_docs)]
#![deny(unsafe_code)]

extern crate self as cellwright;

pub mod device;
pub mod graph;
pub mod kernels;
pub mod random;
