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
pub mod network;
pub mod nn;
pub mod optim;
pub mod random;
pub mod report;
pub mod run;
pub mod search;
pub mod space;
pub mod state;
pub mod tensor;
