//! ONNX, the format in which networks go from one program to another: [`write`](write()) and [`read`](read()).

mod error;
pub mod proto;
mod write;

pub use error::OnnxError;
pub use write::{INPUT, IR_VERSION, Model, OPSET, OUTPUT, write};
