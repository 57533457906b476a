//! The messages of event files (`event.proto`, `summary.proto` and the plugins' of the TensorFlow and TensorBoard projects), as far
//! as they are written here.

use prost::{Message, Oneof};
use std::collections::BTreeMap;

/// One record of an event file.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step that it is of.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What it says.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
}

/// What a record says.
#[derive(Clone, PartialEq, Oneof)]
pub enum What {
    /// The first record of each file: `brain.Event:2`.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// A program began or ended.
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// Values of one step.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A value by its tag.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The tag: what stands before the first `/` groups them.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The value.
    #[prost(oneof = "Content", tags = "2, 4, 5, 8")]
    pub content: Option<Content>,
    /// Which plugin reads it, and what it is.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<SummaryMetadata>,
}

/// What a value is.
#[derive(Clone, PartialEq, Oneof)]
pub enum Content {
    /// A number.
    #[prost(float, tag = "2")]
    Number(f32),
    /// A picture.
    #[prost(message, tag = "4")]
    Image(Image),
    /// How often numbers are how large.
    #[prost(message, tag = "5")]
    Histogram(HistogramProto),
    /// An array.
    #[prost(message, tag = "8")]
    Tensor(TensorProto),
}

/// A picture, encoded as PNG.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Image {
    /// In pixels.
    #[prost(int32, tag = "1")]
    pub height: i32,
    /// In pixels.
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// 3: red, green, blue.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    /// The file.
    #[prost(bytes = "vec", tag = "4")]
    pub encoded_image_string: Vec<u8>,
}

/// How often numbers are how large.
#[derive(Clone, PartialEq, Message)]
pub struct HistogramProto {
    /// The least.
    #[prost(double, tag = "1")]
    pub min: f64,
    /// The greatest.
    #[prost(double, tag = "2")]
    pub max: f64,
    /// How many.
    #[prost(double, tag = "3")]
    pub num: f64,
    /// Their sum.
    #[prost(double, tag = "4")]
    pub sum: f64,
    /// The sum of their squares.
    #[prost(double, tag = "5")]
    pub sum_squares: f64,
    /// The upper end of each bucket.
    #[prost(double, repeated, tag = "6")]
    pub bucket_limit: Vec<f64>,
    /// How many lie in it.
    #[prost(double, repeated, tag = "7")]
    pub bucket: Vec<f64>,
}

/// Which plugin reads a value, and what it is.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct SummaryMetadata {
    /// The plugin's own.
    #[prost(message, optional, tag = "1")]
    pub plugin_data: Option<PluginData>,
    /// What the value is, in Markdown.
    #[prost(string, tag = "3")]
    pub summary_description: String,
}

/// A plugin's own.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct PluginData {
    /// The plugin.
    #[prost(string, tag = "1")]
    pub plugin_name: String,
    /// A message of its own.
    #[prost(bytes = "vec", tag = "2")]
    pub content: Vec<u8>,
}

/// An array of single-precision numbers or of texts.
#[derive(Clone, PartialEq, Message)]
pub struct TensorProto {
    /// 1: single precision.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub tensor_shape: Option<TensorShapeProto>,
    /// Its numbers.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
}

/// The shape of an array.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct TensorShapeProto {
    /// The dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dim>,
}

/// A dimension.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Dim {
    /// Its size.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

/// A program began or ended.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct SessionLog {
    /// 1: it began, and what earlier files say of this step and later ones no longer counts.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// What the plugin `hparams` knows of a value.
#[derive(Clone, PartialEq, Message)]
pub struct HParamsPluginData {
    /// What it says.
    #[prost(oneof = "HParams", tags = "3, 4")]
    pub data: Option<HParams>,
}

/// What the plugin `hparams` is told.
#[derive(Clone, PartialEq, Oneof)]
pub enum HParams {
    /// A session began.
    #[prost(message, tag = "3")]
    Start(SessionStartInfo),
    /// It ended.
    #[prost(message, tag = "4")]
    End(SessionEndInfo),
}

/// A session began.
#[derive(Clone, PartialEq, Message)]
pub struct SessionStartInfo {
    /// Hyper-parameters by name.
    #[prost(btree_map = "string, message", tag = "1")]
    pub hparams: BTreeMap<String, Parameter>,
    /// When, in seconds since 1970.
    #[prost(double, tag = "5")]
    pub start_time_secs: f64,
}

/// The value of a hyper-parameter (`google.protobuf.Value`).
#[derive(Clone, PartialEq, Message)]
pub struct Parameter {
    /// The value.
    #[prost(oneof = "Kind", tags = "2, 3, 4")]
    pub kind: Option<Kind>,
}

/// What a hyper-parameter is.
#[derive(Clone, PartialEq, Oneof)]
pub enum Kind {
    /// A number.
    #[prost(double, tag = "2")]
    Number(f64),
    /// A text.
    #[prost(string, tag = "3")]
    Text(String),
    /// True or false.
    #[prost(bool, tag = "4")]
    Bool(bool),
}

/// A session ended.
#[derive(Clone, PartialEq, Message)]
pub struct SessionEndInfo {
    /// A number of [`status`].
    #[prost(int32, tag = "1")]
    pub status: i32,
    /// When, in seconds since 1970.
    #[prost(double, tag = "2")]
    pub end_time_secs: f64,
}

/// How a session ended.
pub mod status {
    /// Well.
    pub const SUCCESS: i32 = 1;
    /// Not well.
    pub const FAILURE: i32 = 2;
}
