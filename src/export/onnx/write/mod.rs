//! A network as an ONNX file.

mod emit;
mod operations;
mod weights;

use super::OnnxError;
use super::proto::{GraphProto, ModelProto, OperatorSetIdProto, StringStringEntryProto};
use crate::graph::{Features, Graph, Op};
use crate::network::fold;
use crate::nn::{Array, ExchangeError};
use emit::{Emitter, value};
use operations::Writer;
use prost::Message;
use std::collections::BTreeMap;
use weights::Weights;

/// Name of the input of what is written.
pub const INPUT: &str = "input";
/// Name of the output of what is written, and of the output of a graph that is written.
pub const OUTPUT: &str = "logits";
/// Version of the format that is written.
pub const IR_VERSION: i64 = 8;
/// Version of the operators that are written.
pub const OPSET: i64 = 17;
/// Largest file that readers of protocol buffers take, in bytes.
const LARGEST: usize = i32::MAX as usize;

/// What is written: a network, its weights, and what a reader has to know about both.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    /// A network without choice points, of one input; its output `logits` is written, or the first if none is called so.
    pub graph: &'a Graph,
    /// Parameters and running statistics by name, as [`Network::state`](crate::network::Network::state) gives them. Others
    /// than the graph's are passed over.
    pub arrays: &'a BTreeMap<String, Array>,
    /// Names of the classes, in order; empty if they are not known.
    pub classes: &'a [String],
    /// Mean of each channel of images, of pixels from 0 to 1; empty if it is not known.
    pub mean: &'a [f32],
    /// Standard deviation of the same.
    pub std: &'a [f32],
    /// The architecture, as its space writes it.
    pub genotype: Option<&'a str>,
    /// Name of its space.
    pub space: Option<&'a str>,
    /// Whether a batch normalisation becomes part of the convolution before it, where nothing else reads that.
    pub fold: bool,
    /// Whether the network takes pixels from 0 to 255 and does (pixel / 255 − mean) / deviation itself; else it takes what
    /// that gives.
    pub preprocessing: bool,
}

impl<'a> Model<'a> {
    /// A network and its weights of which nothing else is known.
    pub const fn new(graph: &'a Graph, arrays: &'a BTreeMap<String, Array>) -> Self {
        Self {
            graph,
            arrays,
            classes: &[],
            mean: &[],
            std: &[],
            genotype: None,
            space: None,
            fold: false,
            preprocessing: false,
        }
    }
}

/// Writes a network as it is in evaluation: ONNX of operator set 17, one input `input` (batch × channels × height × width,
/// the batch's size open), one output `logits` (batch × classes). What is known of classes and images lies in the file's
/// metadata, as JSON: `classes`, `mean`, `std`; as text: `genotype`, `space`, `image`, `preprocessing`. The same model gives
/// the same bytes.
///
/// ```
/// use cellwright::device::Device;
/// use cellwright::export::onnx::{Model, read, write};
/// use cellwright::network::Network;
/// use cellwright::space::{self, NetworkSettings};
///
/// let settings = NetworkSettings { channels: 2, layers: 3, ..NetworkSettings::default() };
/// let graph = space::find("nas-bench-201")?.decode_text("#1459", &settings)?;
/// let network = Network::new(&Device::cpu(), graph, 7)?;
/// let arrays = pollster::block_on(network.state())?;
/// let bytes = write(&Model { genotype: Some("#1459"), ..Model::new(network.graph(), &arrays) })?;
/// assert_eq!(read(&bytes)?.genotype.as_deref(), Some("#1459"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`OnnxError::Unsupported`] naming a node that cannot be written, [`OnnxError::Missing`] or [`OnnxError::Array`] for
/// arrays that do not fit, [`OnnxError::Model`] if something about the whole does not.
pub fn write(model: &Model<'_>) -> Result<Vec<u8>, OnnxError> {
    let whole = |problem: String| OnnxError::Model(problem);
    let graph = model.graph;
    let inputs = graph.nodes.iter().filter(|node| matches!(node.op, Op::Input)).count();
    if inputs != 1 || graph.input_count() != 1 {
        return Err(whole(format!("the network has {inputs} inputs; a network of one input can be written")));
    }
    let output = graph.outputs.iter().find(|output| output.name == OUTPUT).or(graph.outputs.first());
    let output = output.filter(|output| output.node < graph.nodes.len());
    let output = output.ok_or_else(|| whole("the network has no output: name one `logits`".into()))?;
    // What other outputs read is not written.
    let alone = Graph { outputs: vec![output.clone()], ..graph.clone() }.main();
    let folded = model.fold.then(|| fold(&alone, model.arrays)).transpose().map_err(unfolded)?;
    let (graph, arrays) = folded.as_ref().map_or((&alone, model.arrays), |(graph, arrays)| (graph, arrays));
    let output = graph.outputs[0].node;
    let (image, scores) = (graph.shape(0), graph.shape(output));
    check(model, image, scores)?;

    let mut emitter = Emitter::default();
    let input = emitter.name(INPUT);
    emitter.name(OUTPUT);
    let input = if model.preprocessing { preprocess(&mut emitter, model, input) } else { input };
    let mut writer = Writer::new(graph, Weights(arrays), emitter, input);
    let last = writer.write(output)?;
    let mut emitter = writer.emitter;
    match last.as_str() {
        INPUT => {
            let copy = emitter.node("Identity", "copy", &[INPUT], Vec::new());
            emitter.rename(&copy, OUTPUT);
        }
        _ => emitter.rename(&last, OUTPUT),
    }
    let scores = match scores {
        Features { channels, height: 1, width: 1 } => vec![channels],
        Features { channels, height, width } => vec![channels, height, width],
    };
    let proto = ModelProto {
        ir_version: IR_VERSION,
        producer_name: env!("CARGO_PKG_NAME").to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
        metadata_props: metadata(model, image),
        graph: Some(GraphProto {
            node: emitter.nodes,
            name: model.space.unwrap_or("network").to_owned(),
            initializer: emitter.constants,
            input: vec![value(INPUT, &[image.channels, image.height, image.width])],
            output: vec![value(OUTPUT, &scores)],
            sparse_initializer: Vec::new(),
        }),
    };
    match proto.encoded_len() {
        bytes if bytes > LARGEST => {
            Err(whole(format!("the file would have {bytes} bytes, at most {LARGEST} can be read")))
        }
        _ => Ok(proto.encode_to_vec()),
    }
}

fn unfolded(error: ExchangeError) -> OnnxError {
    match error {
        ExchangeError::Missing { name } => OnnxError::Missing { name },
        ExchangeError::Shape { name, expected, found } => {
            OnnxError::array(&name, format!("has shape {found:?}, needed is {expected:?}"))
        }
        other => OnnxError::Model(other.to_string()),
    }
}

/// Whether what is said about classes and images fits the network.
fn check(model: &Model<'_>, image: Features, scores: Features) -> Result<(), OnnxError> {
    let Model { classes, mean, std, preprocessing, .. } = model;
    let counts = [("mean", mean.len()), ("std", std.len())];
    if !classes.is_empty() && classes.len() != scores.count() {
        let problem = format!("{} names of classes for a network of {} outputs", classes.len(), scores.count());
        return Err(OnnxError::Model(problem));
    }
    for (what, count) in counts {
        if count != image.channels && (count > 0 || *preprocessing) {
            let problem = format!("{what} has {count} values, the images have {} channels", image.channels);
            return Err(OnnxError::Model(problem));
        }
    }
    if let Some(value) = mean.iter().chain(*std).find(|v| !v.is_finite()).or(std.iter().find(|v| **v <= 0.0)) {
        let problem = format!("mean {mean:?}, std {std:?}: {value} is neither a mean nor a deviation");
        return Err(OnnxError::Model(problem));
    }
    Ok(())
}

/// (pixel / 255 − mean) / deviation.
fn preprocess(emitter: &mut Emitter, model: &Model<'_>, input: String) -> String {
    let channels = [1, model.mean.len(), 1, 1];
    let most = emitter.numbers("preprocessing.most", &[], &[255.0]);
    let mean = emitter.numbers("preprocessing.mean", &channels, model.mean);
    let std = emitter.numbers("preprocessing.std", &channels, model.std);
    let unit = emitter.node("Div", "preprocessing.unit", &[&input, &most], Vec::new());
    let centred = emitter.node("Sub", "preprocessing.centred", &[&unit, &mean], Vec::new());
    emitter.node("Div", "preprocessing.normalised", &[&centred, &std], Vec::new())
}

fn metadata(model: &Model<'_>, image: Features) -> Vec<StringStringEntryProto> {
    // Numbers in as few digits as tell them from others of their precision.
    let numbers = |values: &[f32]| (!values.is_empty()).then(|| serde_json::to_string(values).ok()).flatten();
    let classes = (!model.classes.is_empty()).then(|| serde_json::to_string(model.classes).ok()).flatten();
    let all = [
        ("classes", classes),
        ("mean", numbers(model.mean)),
        ("std", numbers(model.std)),
        ("genotype", model.genotype.map(str::to_owned)),
        ("space", model.space.map(str::to_owned)),
        ("image", Some(image.to_string())),
        ("preprocessing", Some(model.preprocessing.to_string())),
    ];
    let entry =
        |(key, value): (&str, Option<String>)| Some(StringStringEntryProto { key: key.to_owned(), value: value? });
    all.into_iter().filter_map(entry).collect()
}
