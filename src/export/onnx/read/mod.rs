//! An ONNX file as a network.
//!
//! The nodes that the output needs become a [`Graph`] one after the other. Layers are called after their weights where these
//! are called `….weight`, else after their nodes. What a graph has no node for but its layers can do goes into them:
//! padding and cutting into the next convolution, a bias that is added behind into the layer before, other ε of batch
//! normalisations into their variances, strides of a slice into a pool of single pixels. All else is refused, saying which
//! node it was.

mod about;
mod arithmetic;
mod constant;
mod importer;
mod layers;
mod node;
mod operators;
mod pools;
mod shapes;
mod sizes;
mod value;

pub use about::Imported;

use super::proto::{GraphProto, ModelProto, TensorProto};
use super::{OUTPUT, OnnxError};
use crate::graph::Graph;
use about::Preprocessing;
use importer::Importer;
use node::Reader;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use value::{Value, View};

/// Reads a network from the bytes of an ONNX file: what [`write`](super::write()) wrote, or one of operators that a graph has
/// operations for, of operator sets 7 to 28. The size of the batch must be open or 1, all others be given; weights may be of
/// any type of floating-point numbers.
///
/// # Errors
/// [`OnnxError::Format`] if it is not such a file; [`OnnxError::Unsupported`] naming the node that cannot be represented;
/// [`OnnxError::Array`] or [`OnnxError::Missing`] for arrays that do not fit; [`OnnxError::Model`] if the whole does not.
pub fn read(bytes: &[u8]) -> Result<Imported, OnnxError> {
    let proto = ModelProto::decode(bytes).map_err(|error| OnnxError::Format(error.to_string()))?;
    let Some(file) = &proto.graph else { return Err(OnnxError::Format("it has no graph".into())) };
    about::check_opset(&proto)?;
    let (input, image, single) = about::input(file)?;
    let output = about::output(file)?;
    let needed = needed(file, &output)?;
    let mut importer = Importer {
        single,
        graph: Graph::new(&[image]),
        arrays: BTreeMap::new(),
        values: HashMap::new(),
        tensors: tensors(file)?,
        uses: uses(file, &needed, &output),
        output,
        probabilities: false,
        names: BTreeSet::new(),
        last_layer: None,
        // Each value of the file takes a byte at least; a few layers may share weights, and a few are made up.
        room: bytes.len().saturating_mul(4).saturating_add(1 << 16),
    };
    importer.check_features(0)?;
    let preprocessing = Preprocessing::find(file, &needed, &mut importer, &input)?;
    let (begin, done) = match &preprocessing {
        Some(found) => (found.output.clone(), found.nodes),
        None => (input.clone(), [usize::MAX; 3]),
    };
    let first = match about::rank(file, &input) {
        2 => Value::Flat(0),
        _ => Value::Map(View::whole(0)),
    };
    importer.values.insert(begin, first);
    for (index, proto) in file.node.iter().enumerate() {
        if needed[index] && !done.contains(&index) {
            importer.node(&Reader { proto, index })?;
        }
    }
    let last = importer.last()?;
    importer.graph.output(OUTPUT, last);
    about::imported(&proto, importer, preprocessing, image)
}

/// Which nodes the output needs. Each value must be made once.
fn needed(file: &GraphProto, output: &str) -> Result<Vec<bool>, OnnxError> {
    let mut made: HashMap<&str, usize> = HashMap::new();
    for (index, node) in file.node.iter().enumerate() {
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if made.insert(name, index).is_some() {
                return Err(OnnxError::Format(format!("the value `{name}` is made twice")));
            }
        }
    }
    for name in file.input.iter().map(|input| &input.name).chain(file.initializer.iter().map(|tensor| &tensor.name)) {
        if made.contains_key(name.as_str()) {
            return Err(OnnxError::Format(format!("the value `{name}` is given and made as well")));
        }
    }
    let mut needed = vec![false; file.node.len()];
    let mut open: Vec<&str> = vec![output];
    while let Some(name) = open.pop() {
        if let Some(&index) = made.get(name)
            && !std::mem::replace(&mut needed[index], true)
        {
            open.extend(file.node[index].input.iter().map(String::as_str));
        }
    }
    Ok(needed)
}

/// How often each value is read by nodes that are needed, and as the output.
fn uses<'a>(file: &'a GraphProto, needed: &[bool], output: &str) -> HashMap<&'a str, usize> {
    let mut uses: HashMap<&str, usize> = HashMap::new();
    let nodes = file.node.iter().zip(needed).filter(|(_, needed)| **needed);
    nodes.flat_map(|(node, _)| &node.input).for_each(|name| *uses.entry(name.as_str()).or_default() += 1);
    let output = file.output.iter().find(|value| value.name == output);
    output.into_iter().for_each(|value| *uses.entry(value.name.as_str()).or_default() += 1);
    uses
}

fn tensors(file: &GraphProto) -> Result<HashMap<&str, &TensorProto>, OnnxError> {
    if let Some(sparse) = file.sparse_initializer.first() {
        let name = sparse.values.as_ref().map_or("", |values| &values.name);
        return Err(OnnxError::array(name, "is stored sparsely, which is not read"));
    }
    let mut tensors = HashMap::new();
    for tensor in &file.initializer {
        if tensors.insert(tensor.name.as_str(), tensor).is_some() {
            return Err(OnnxError::Format(format!("the array `{}` is there twice", tensor.name)));
        }
    }
    Ok(tensors)
}
