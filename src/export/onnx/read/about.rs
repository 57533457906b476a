//! What a file says about itself: versions, input and output, classes, and how images are normalised.

use super::importer::Importer;
use super::node::Reader;
use crate::export::onnx::proto::{GraphProto, ModelProto, ValueInfoProto, dtype};
use crate::export::onnx::{OUTPUT, OnnxError};
use crate::graph::{Features, Graph};
use crate::nn::Array;
use std::collections::{BTreeMap, BTreeSet};

/// Versions of the operators that are read.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=28;
/// Largest number of channels, rows or columns of an image.
const MOST: i64 = 65_536;

/// A network that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The network: one input, one output `logits`.
    pub graph: Graph,
    /// Its parameters and running statistics by name, for [`Network::load`](crate::network::Network::load).
    pub arrays: BTreeMap<String, Array>,
    /// Names of the classes; empty if the file has none.
    pub classes: Vec<String>,
    /// Mean of each channel of images, of pixels from 0 to 1; empty if the file does not say.
    pub mean: Vec<f32>,
    /// Standard deviation of the same.
    pub std: Vec<f32>,
    /// The architecture as its space writes it, if this program wrote the file.
    pub genotype: Option<String>,
    /// Name of its space.
    pub space: Option<String>,
    /// Whether the file's network takes pixels from 0 to 255 and normalises them itself. The graph does not: it takes
    /// (pixel / 255 − mean) / std.
    pub preprocessing: bool,
    /// Whether the file's network ends in a softmax, or its logarithm. The graph does not: it gives the logits before it.
    pub probabilities: bool,
    /// Name of the program that wrote the file.
    pub producer: String,
}

/// Whether ONNX's own operators are of a version that is read. What differs among these is told by what nodes have.
pub(super) fn check_opset(model: &ModelProto) -> Result<(), OnnxError> {
    let own = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let version = model.opset_import.iter().find(|set| own(&set.domain)).map(|set| set.version);
    let version = version.ok_or_else(|| OnnxError::Format("it does not say which operators it uses".into()))?;
    if !OPSETS.contains(&version) {
        let (first, last) = (OPSETS.start(), OPSETS.end());
        let problem =
            format!("it uses operator set {version}; {first} to {last} are read: export it with one of these");
        return Err(OnnxError::Model(problem));
    }
    Ok(())
}

/// Name and shape of the one input, and whether the batch is of one image.
pub(super) fn input(file: &GraphProto) -> Result<(String, Features, bool), OnnxError> {
    let constants: BTreeSet<&str> = file.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    // Old files name constants as inputs, too.
    let inputs: Vec<&ValueInfoProto> =
        file.input.iter().filter(|input| !constants.contains(input.name.as_str())).collect();
    let [input] = inputs[..] else {
        return Err(OnnxError::Model(format!("it has {} inputs; a network has one, the images", inputs.len())));
    };
    let wrong = |problem: &str| OnnxError::Model(format!("its input `{}` {problem}", input.name));
    let tensor = input.r#type.as_ref().and_then(|t| t.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| wrong("is not an array"))?;
    if !dtype::is_float(tensor.elem_type) {
        let problem = format!("has values of type {}, expected are floats", dtype::name(tensor.elem_type));
        return Err(wrong(&problem));
    }
    let dims = tensor.shape.as_ref().map_or(&[][..], |shape| &shape.dim);
    let fixed = |at: usize| match dims[at].dim_value {
        Some(size) if (1..=MOST).contains(&size) => Ok(size as usize),
        Some(size) => Err(wrong(&format!("has size {size} in dimension {at}: from 1 to {MOST} can be"))),
        None => {
            Err(wrong(&format!("leaves the size of dimension {at} open: only that of the batch, dimension 0, may be")))
        }
    };
    let shape = match dims.len() {
        4 => Features::new(fixed(1)?, fixed(2)?, fixed(3)?),
        2 => Features::new(fixed(1)?, 1, 1),
        rank => return Err(wrong(&format!("has {rank} dimensions; expected are batch, channels, rows, columns"))),
    };
    let single = match dims[0].dim_value {
        None => false,
        Some(1) => true,
        Some(size) => return Err(wrong(&format!("is for batches of {size}: the batch must be open, or of 1"))),
    };
    Ok((input.name.clone(), shape, single))
}

/// Number of dimensions of an input.
pub(super) fn rank(file: &GraphProto, name: &str) -> usize {
    let input = file.input.iter().find(|input| input.name == name);
    let tensor = input.and_then(|input| input.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref());
    tensor.map_or(0, |shape| shape.dim.len())
}

/// Name of the output that counts: `logits`, or the only one.
pub(super) fn output(file: &GraphProto) -> Result<String, OnnxError> {
    let names: Vec<&str> = file.output.iter().map(|output| output.name.as_str()).collect();
    match names[..] {
        [only] => Ok(only.to_owned()),
        _ if names.contains(&OUTPUT) => Ok(OUTPUT.to_owned()),
        _ => Err(OnnxError::Model(format!(
            "it has {} outputs {names:?}: one of them has to be called `{OUTPUT}`, or be the only one",
            names.len()
        ))),
    }
}

/// The nodes of (pixel / 255 − mean) / deviation in front of a network.
pub(super) struct Preprocessing {
    /// Their numbers.
    pub nodes: [usize; 3],
    /// The value they make.
    pub output: String,
    mean: Vec<f32>,
    std: Vec<f32>,
}

impl Preprocessing {
    /// Looks for them: they are what alone reads the input, and each what alone reads the one before.
    pub fn find(
        file: &GraphProto,
        needed: &[bool],
        importer: &mut Importer<'_>,
        input: &str,
    ) -> Result<Option<Self>, OnnxError> {
        let channels = importer.graph.shape(0).channels;
        let mut value = input;
        let mut nodes = [0; 3];
        let mut constants = Vec::new();
        for (step, operator) in ["Div", "Sub", "Div"].into_iter().enumerate() {
            let mut readers = file.node.iter().enumerate().filter(|(index, node)| {
                needed[*index] && node.op_type == operator && node.input.first().is_some_and(|name| name == value)
            });
            let (Some((index, node)), 1) = (readers.next(), importer.uses.get(value).copied().unwrap_or(0)) else {
                return Ok(None);
            };
            let reader = Reader { proto: node, index };
            let known =
                reader.input(1).is_some_and(|name| importer.tensors.contains_key(name) || importer.is_constant(name));
            let (true, [output]) = (known && node.input.len() == 2, &node.output[..]) else { return Ok(None) };
            let Some(constant) = importer.constant(&reader, 1)? else { return Ok(None) };
            let values = constant.numbers()?;
            let each = match constant.shape[..] {
                [1, c, 1, 1] | [c, 1, 1] if c == channels => values.to_vec(),
                _ => match constant.number() {
                    Some(one) => vec![one; channels],
                    None => return Ok(None),
                },
            };
            constants.push(each);
            nodes[step] = index;
            value = output;
        }
        let [most, mean, std] = &constants[..] else { return Ok(None) };
        let usable = most.iter().all(|&v| v == 255.0)
            && mean.iter().all(|v| v.is_finite())
            && std.iter().all(|v| v.is_finite() && *v > 0.0);
        let found = Self { nodes, output: value.to_owned(), mean: mean.clone(), std: std.clone() };
        Ok(usable.then_some(found))
    }
}

/// Puts together what was read. Metadata count if they have the form in which this program writes them; if it did write them,
/// they must.
pub(super) fn imported(
    model: &ModelProto,
    importer: Importer<'_>,
    preprocessing: Option<Preprocessing>,
    image: Features,
) -> Result<Imported, OnnxError> {
    let mut metadata: BTreeMap<&str, &str> = BTreeMap::new();
    let own = model.producer_name == env!("CARGO_PKG_NAME");
    for entry in &model.metadata_props {
        if metadata.insert(&entry.key, &entry.value).is_some() && own {
            return Err(OnnxError::Format(format!("the metadata have `{}` twice", entry.key)));
        }
    }
    let classes: Vec<String> = listed(&metadata, "classes", own)?;
    let outputs = importer.graph.outputs.first().map_or(0, |output| importer.graph.shape(output.node).count());
    let classes = fitting(classes, outputs, own, "classes")?;
    let (mean, std) = match &preprocessing {
        Some(found) => (found.mean.clone(), found.std.clone()),
        None => {
            let mean = fitting(listed(&metadata, "mean", own)?, image.channels, own, "mean")?;
            (mean, fitting(listed(&metadata, "std", own)?, image.channels, own, "std")?)
        }
    };
    if mean.iter().chain(&std).any(|v: &f32| !v.is_finite()) || std.iter().any(|v| *v <= 0.0) {
        return Err(OnnxError::Model(format!("mean {mean:?}, std {std:?}: these are not means and deviations")));
    }
    let text = |key: &str| metadata.get(key).filter(|_| own).map(|text| (*text).to_owned());
    Ok(Imported {
        graph: importer.graph,
        arrays: importer.arrays,
        classes,
        mean,
        std,
        genotype: text("genotype"),
        space: text("space"),
        preprocessing: preprocessing.is_some(),
        probabilities: importer.probabilities,
        producer: model.producer_name.clone(),
    })
}

/// A list of the metadata; empty if there is none.
fn listed<T: serde::de::DeserializeOwned>(
    metadata: &BTreeMap<&str, &str>,
    key: &str,
    own: bool,
) -> Result<Vec<T>, OnnxError> {
    match metadata.get(key).map(|text| serde_json::from_str(text)) {
        Some(Ok(list)) => Ok(list),
        Some(Err(error)) if own => Err(OnnxError::Format(format!("its metadata `{key}` cannot be read: {error}"))),
        _ => Ok(Vec::new()),
    }
}

/// A list of one entry for each of so many things, or none.
fn fitting<T>(list: Vec<T>, count: usize, own: bool, key: &str) -> Result<Vec<T>, OnnxError> {
    match list.len() {
        0 => Ok(list),
        found if found == count => Ok(list),
        found if own => {
            Err(OnnxError::Model(format!("its metadata `{key}` have {found} entries, the network {count}")))
        }
        _ => Ok(Vec::new()),
    }
}
