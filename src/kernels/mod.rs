//! The compute kernels: one file a family, beside `shaders/` with the same names.
//!
//! Each file says what it computes, declares the parameter struct that mirrors the shader's, the
//! [`Kernel`] as a `static`, the twin (the same computation on the CPU) and the cases on which both
//! must agree. Adding a kernel is adding a file here and one there, and a line to [`ALL`].

pub mod activation;
pub mod channels;
pub mod dropout;
pub mod elementwise;
pub mod loss;
pub mod matmul;
mod parallel;
pub mod philox;
pub mod reduce;

use crate::device::Kernel;
use parallel::{each, each_accumulating, each_backward};

/// Every kernel of the library.
pub static ALL: &[&Kernel] = &[
    &activation::FORWARD,
    &activation::BACKWARD,
    &channels::COPY,
    &dropout::DROPOUT,
    &elementwise::ADD,
    &elementwise::MULTIPLY,
    &elementwise::SCALE,
    &loss::FORWARD,
    &loss::BACKWARD,
    &loss::ACCURACY,
    &matmul::MATMUL,
    &philox::UNIFORM,
    &philox::NORMAL,
    &reduce::PARTIAL,
    &reduce::FINAL,
    &reduce::CHANNEL_SUM,
];
