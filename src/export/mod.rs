//! What another tool reads: networks in a format that is not this crate's own.
//!
//! Everything here takes and gives bytes; whoever calls decides where they go, and whence they come.

pub mod onnx;
