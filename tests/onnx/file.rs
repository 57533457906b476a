//! Files as other programs write them, put together node by node.

use cellwright::export::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto,
    TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, dtype, kind,
};
use cellwright::export::onnx::{Imported, read};
use cellwright::random::Random;
use prost::Message;

/// A file in the making.
#[derive(Clone)]
pub struct File {
    pub model: ModelProto,
}

pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i: Some(value), r#type: kind::INT, ..Default::default() }
}

pub fn ints(name: &str, values: &[i64]) -> AttributeProto {
    AttributeProto { name: name.into(), ints: values.to_vec(), r#type: kind::INTS, ..Default::default() }
}

pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { name: name.into(), f: Some(value), r#type: kind::FLOAT, ..Default::default() }
}

pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { name: name.into(), s: Some(value.into()), r#type: kind::STRING, ..Default::default() }
}

pub fn value(name: &str, dims: &[Option<i64>]) -> ValueInfoProto {
    let dim = dims
        .iter()
        .map(|&dim_value| DimensionProto { dim_value, dim_param: dim_value.is_none().then(|| "batch".into()) })
        .collect();
    let tensor_type = TensorTypeProto { elem_type: dtype::FLOAT, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
}

impl File {
    /// A file that reads images of a shape as `x` and gives `y`.
    pub fn new(opset: i64, [c, h, w]: [i64; 3]) -> Self {
        let graph = GraphProto {
            name: "g".into(),
            input: vec![value("x", &[None, Some(c), Some(h), Some(w)])],
            output: vec![value("y", &[])],
            ..Default::default()
        };
        let opset_import = vec![OperatorSetIdProto { domain: String::new(), version: opset }];
        Self { model: ModelProto { ir_version: 8, graph: Some(graph), opset_import, ..Default::default() } }
    }

    pub fn graph(&mut self) -> &mut GraphProto {
        self.model.graph.as_mut().unwrap()
    }

    pub fn node(mut self, operator: &str, inputs: &[&str], output: &str, attribute: &[AttributeProto]) -> Self {
        let name = format!("{}{}", operator.to_lowercase(), self.graph().node.len());
        self.graph().node.push(NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: output.split_whitespace().map(str::to_owned).collect(),
            name,
            op_type: operator.into(),
            attribute: attribute.to_vec(),
            ..Default::default()
        });
        self
    }

    pub fn numbers(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let (name, float_data) = (name.into(), values.to_vec());
        let tensor =
            TensorProto { dims: dims.to_vec(), data_type: dtype::FLOAT, name, float_data, ..Default::default() };
        self.graph().initializer.push(tensor);
        self
    }

    /// Numbers of their own.
    pub fn drawn(self, name: &str, dims: &[i64]) -> Self {
        let count = dims.iter().product::<i64>();
        let mut draw = Random::new(name.len() as u64, count as u64);
        let values: Vec<f32> = (0..count).map(|_| 0.5 * draw.normal()).collect();
        self.numbers(name, dims, &values)
    }

    pub fn list(mut self, name: &str, values: &[i64]) -> Self {
        let (dims, name, int64_data) = (vec![values.len() as i64], name.into(), values.to_vec());
        self.graph().initializer.push(TensorProto {
            dims,
            data_type: dtype::INT64,
            name,
            int64_data,
            ..Default::default()
        });
        self
    }

    pub fn read(&self) -> Imported {
        read(&self.model.encode_to_vec()).unwrap()
    }

    pub fn error(&self) -> String {
        read(&self.model.encode_to_vec()).unwrap_err().to_string()
    }
}

/// A file with images of 2 × 6 × 5 and a weight `w` for them.
pub fn small(opset: i64) -> File {
    File::new(opset, [2, 6, 5]).drawn("w", &[4, 2, 3, 3])
}
