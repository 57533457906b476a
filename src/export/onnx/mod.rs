//! ONNX, the format in which networks go from one program to another: [`write()`] and [`read()`].

mod error;
#[cfg(test)]
mod hostile;
pub mod proto;
mod read;
mod write;

pub use error::OnnxError;
pub use read::{Imported, read};
pub use write::{INPUT, IR_VERSION, Model, OPSET, OUTPUT, write};
