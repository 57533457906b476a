//! Collects the nodes and constants of a file, with names that occur once.

use crate::export::onnx::proto::{
    AttributeProto, DimensionProto, NodeProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto,
    ValueInfoProto, dtype, kind,
};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes and constants so far.
#[derive(Default)]
pub(super) struct Emitter {
    pub nodes: Vec<NodeProto>,
    pub constants: Vec<TensorProto>,
    taken: BTreeSet<String>,
    /// Names of the lists of integers there are: each is written once.
    integers: BTreeMap<Vec<i64>, String>,
}

impl Emitter {
    /// A name like the one wanted that nothing bears yet.
    pub fn name(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut number = 1;
        while name.is_empty() || !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{wanted}_{number}");
        }
        name
    }

    /// Appends a node of one result; gives the result's name, which is the node's.
    pub fn node(&mut self, operator: &str, name: &str, inputs: &[&str], attribute: Vec<AttributeProto>) -> String {
        let name = self.name(name);
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.to_owned(),
            attribute,
            domain: String::new(),
        });
        name
    }

    /// A constant of single-precision values; gives its name.
    pub fn numbers(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        let name = self.name(name);
        let raw_data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let dims = shape.iter().map(|&d| d as i64).collect();
        self.constants.push(TensorProto {
            dims,
            data_type: dtype::FLOAT,
            name: name.clone(),
            raw_data,
            ..Default::default()
        });
        name
    }

    /// A constant list of integers (shapes, places in a shape); gives its name.
    pub fn list(&mut self, values: &[i64]) -> String {
        if let Some(name) = self.integers.get(values) {
            return name.clone();
        }
        let text: Vec<String> = values.iter().map(ToString::to_string).collect();
        let name = self.name(&format!("integers.{}", text.join(".")));
        self.constants.push(TensorProto {
            dims: vec![values.len() as i64],
            data_type: dtype::INT64,
            name: name.clone(),
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..Default::default()
        });
        self.integers.insert(values.to_vec(), name.clone());
        name
    }

    /// Calls a node's result otherwise, wherever it occurs.
    pub fn rename(&mut self, from: &str, to: &str) {
        let names = self.nodes.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output));
        names.filter(|name| *name == from).for_each(|name| to.clone_into(name));
    }
}

pub(super) fn integer(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), i: Some(value), r#type: kind::INT, ..Default::default() }
}

pub(super) fn integers(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&v| v as i64).collect();
    AttributeProto { name: name.to_owned(), ints, r#type: kind::INTS, ..Default::default() }
}

pub(super) fn number(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), f: Some(value), r#type: kind::FLOAT, ..Default::default() }
}

pub(super) fn tensor(name: &str, value: TensorProto) -> AttributeProto {
    AttributeProto { name: name.to_owned(), t: Some(value), r#type: kind::TENSOR, ..Default::default() }
}

/// A value that enters or leaves: single-precision, the first dimension being the batch, whose size is open.
pub(super) fn value(name: &str, shape: &[usize]) -> ValueInfoProto {
    let batch = DimensionProto { dim_param: Some("N".into()), dim_value: None };
    let fixed = shape.iter().map(|&size| DimensionProto { dim_value: Some(size as i64), dim_param: None });
    let shape = TensorShapeProto { dim: std::iter::once(batch).chain(fixed).collect() };
    let tensor = TensorTypeProto { elem_type: dtype::FLOAT, shape: Some(shape) };
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type: Some(tensor) }) }
}
