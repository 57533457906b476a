//! The compute kernels: one file a family, beside `shaders/` with the same names.
//!
//! Each file says what it computes, declares the parameter struct that mirrors the shader's, the
//! [`Kernel`] as a `static`, the twin (the same computation on the CPU) and the cases on which both
//! must agree. Adding a kernel is adding a file here and one there, and a line to [`ALL`].

pub mod activation;
pub mod batch_norm;
pub mod mixed;
mod parallel;
mod planes;
pub mod pool;
pub mod softmax;
mod vectors;
pub mod width;

use crate::device::Kernel;
use parallel::{each, each_backward};

/// Every kernel of the library.
pub static ALL: &[&Kernel] = &[
    &activation::FORWARD,
    &activation::BACKWARD,
    &batch_norm::STATISTICS,
    &batch_norm::FOLD,
    &batch_norm::FORWARD,
    &batch_norm::BACKWARD_SUMS,
    &batch_norm::BACKWARD_INPUT,
    &batch_norm::UPDATE,
    &mixed::FORWARD,
    &mixed::BACKWARD_CANDIDATES,
    &mixed::BACKWARD_WEIGHTS,
    &pool::MAX_FORWARD,
    &pool::MAX_BACKWARD,
    &pool::AVG_FORWARD,
    &pool::AVG_BACKWARD,
    &pool::GLOBAL_FORWARD,
    &pool::GLOBAL_BACKWARD,
    &softmax::FORWARD,
    &softmax::BACKWARD,
    &width::MASK_FORWARD,
    &width::MASK_BACKWARD,
    &width::SCALE,
    &width::DOT,
];
