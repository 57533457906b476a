//! What another tool reads: trained networks in its form.
//!
//! Everything here takes and gives bytes; whoever calls decides where they go, and whence they come.

pub mod onnx;
pub mod wgsl;
