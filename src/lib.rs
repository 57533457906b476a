//! Neural architecture search from the compute kernels up.

#![warn(missing_docs)]
#![deny(unsafe_code)]

// Lets the `params!` macro name this crate the same way inside and outside.
extern crate self as cellwright;

pub mod autograd;
pub mod cost;
pub mod data;
pub mod device;
pub mod estimate;
pub mod graph;
pub mod kernels;
mod names;
pub mod network;
pub mod nn;
mod numbers;
pub mod optim;
pub mod random;
pub mod report;
pub mod run;
pub mod search;
pub mod space;
pub mod tensor;
