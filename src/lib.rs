//! Neural architecture search from the compute kernels up.

#![warn(missing_docs)]
#![deny(unsafe_code)]

// Lets the `params!` macro name this crate the same way inside and outside.
extern crate self as cellwright;

pub mod cost;
pub mod data;
pub mod device;
pub mod graph;
pub mod kernels;
pub mod random;
pub mod run;
pub mod space;
