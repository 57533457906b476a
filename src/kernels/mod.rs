//! The compute kernels: one file or folder a family, beside `shaders/` with the same names.
//!
//! Each says what it computes, declares the parameter struct (also of the shader, whose header is made from it), the
//! [`Kernel`] as a `static`, the twin (the same computation on the CPU) and the cases on which both
//! must agree. Adding a kernel is adding a file here and one there, and a line to [`ALL`].
//!
//! What the twins of several families compute with is in `cpu/`; how kernels of several families are cut into
//! workgroups, in `launch.rs`.

/// Shader sources of `shaders/`, one behind the other, each behind a line that names its file: `wgsl!("include/tree", "softmax_forward")`.
macro_rules! wgsl {
    ($($name:literal),+) => {
        concat!($("// shaders/", $name, ".wgsl\n", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl"))),+)
    };
}

pub mod activation;
pub mod additive_attention;
pub mod batch_norm;
pub mod channels;
pub mod columns;
pub mod conv;
pub mod copies;
mod cpu;
pub mod decision;
pub mod depthwise;
pub mod dropout;
pub mod elementwise;
pub mod entangle;
pub mod factorized_reduce;
pub mod filter_bank;
pub mod gather;
pub mod join;
mod launch;
pub mod loss;
pub mod lstm;
pub mod matmul;
pub mod noise;
pub mod normalised_sum;
pub mod optimiser;
pub mod philox;
pub mod pointwise;
pub mod pool;
pub mod reduce;
pub mod shuffle;
pub mod softmax;
pub mod vector_jacobian;
pub mod weighted_sum;
pub mod width;
pub mod winograd;

use crate::device::Kernel;

/// Every kernel of the library.
pub static ALL: &[&Kernel] = &[
    &activation::FORWARD,
    &activation::BACKWARD,
    &gather::GATHER,
    &optimiser::SGD,
    &optimiser::ADAM,
    &optimiser::EXPONENTIATED_GRADIENT,
    &optimiser::UNROLL,
    &optimiser::PERTURB,
    &optimiser::HESSIAN,
    &conv::FORWARD,
    &conv::BACKWARD_INPUT,
    &conv::BACKWARD_WEIGHT,
    &winograd::FILTER,
    &winograd::FORWARD,
    &winograd::BACKWARD_WEIGHT,
    &depthwise::FORWARD,
    &depthwise::BACKWARD_INPUT,
    &depthwise::BACKWARD_WEIGHT,
    &filter_bank::FORWARD,
    &filter_bank::BACKWARD_INPUT,
    &filter_bank::BACKWARD_WEIGHT,
    &pointwise::FORWARD,
    &pointwise::BACKWARD_INPUT,
    &pointwise::BACKWARD_WEIGHT,
    &factorized_reduce::FORWARD,
    &factorized_reduce::BACKWARD_INPUT,
    &factorized_reduce::BACKWARD_WEIGHT,
    &batch_norm::STATISTICS,
    &batch_norm::FOLD,
    &batch_norm::FORWARD,
    &batch_norm::BACKWARD_SUMS,
    &batch_norm::BACKWARD_INPUT,
    &batch_norm::UPDATE,
    &weighted_sum::FORWARD,
    &weighted_sum::BACKWARD_CANDIDATES,
    &weighted_sum::BACKWARD_WEIGHTS,
    &normalised_sum::FORWARD,
    &normalised_sum::SUMS,
    &normalised_sum::BACKWARD,
    &normalised_sum::BACKWARD_SHARED,
    &normalised_sum::BACKWARD_WEIGHTS,
    &pool::MAX_FORWARD,
    &pool::MAX_BACKWARD,
    &pool::AVG_FORWARD,
    &pool::AVG_BACKWARD,
    &pool::GLOBAL_FORWARD,
    &pool::GLOBAL_BACKWARD,
    &copies::SUM_COPIES,
    &columns::COLUMN_PRODUCTS,
    &softmax::FORWARD,
    &softmax::BACKWARD,
    &vector_jacobian::PRODUCT,
    &entangle::FORWARD,
    &entangle::BACKWARD_WEIGHTS,
    &width::MASK_FORWARD,
    &width::MASK_BACKWARD,
    &width::SCALE,
    &width::DOT,
    &channels::COPY,
    &join::JOIN,
    &join::SPLIT,
    &shuffle::SHUFFLE,
    &dropout::DROPOUT,
    &noise::NOISE,
    &elementwise::ADD,
    &elementwise::MULTIPLY,
    &elementwise::SCALE,
    &loss::FORWARD,
    &loss::BACKWARD,
    &loss::ACCURACY,
    &loss::ANSWERS,
    &lstm::FORWARD,
    &lstm::BACKWARD,
    &additive_attention::FORWARD,
    &additive_attention::BACKWARD,
    &additive_attention::RECALL,
    &additive_attention::RECALL_BACKWARD,
    &decision::CHOOSE,
    &decision::CHOOSE_BACKWARD,
    &decision::SKIPS,
    &decision::SKIPS_BACKWARD,
    &matmul::MATMUL,
    &philox::UNIFORM,
    &philox::NORMAL,
    &reduce::PARTIAL,
    &reduce::FINAL,
    &reduce::CHANNEL_SUM,
];
