//! What another tool reads: trained networks in its form, and runs while they go on.
//!
//! Networks are taken and given as bytes; whoever calls decides where they go, and whence they come. [`tensorboard`] writes its files
//! itself.

pub mod markup;
pub mod onnx;
pub mod picture;
pub mod tensorboard;
pub mod wgsl;
