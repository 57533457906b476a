//! One operation of a block of layers, as graph nodes.

use super::Operation;
use crate::graph::{Conv, Graph, NodeId, Op, Pool};
use crate::space::SpaceError;

/// A layer on maps, once its width is known.
pub(in crate::space) struct Block {
    /// Prefix of its nodes' names; the operation's name follows.
    pub(in crate::space) place: String,
    /// Channels it gives.
    pub(in crate::space) outputs: usize,
    /// Step in rows and columns.
    pub(in crate::space) stride: usize,
    /// Whether pools and skips need no convolution to give the right number of channels.
    pub(in crate::space) keeps: bool,
}

impl Block {
    /// Appends one operation and what normalises it; gives the last node. Batch norms learn scale and
    /// shift if `affine`.
    pub(in crate::space) fn append(
        &self,
        graph: &mut Graph,
        x: NodeId,
        operation: Operation,
        affine: bool,
    ) -> Result<NodeId, SpaceError> {
        let name = format!("{}.{operation}", self.place);
        let channels = graph.shape(x).channels;
        let pool = |kernel| Pool::new(kernel, self.stride, kernel / 2);
        let last = match operation {
            Operation::Conv(kernel) => {
                let conv = Conv::square(channels, self.outputs, kernel, self.stride);
                graph.push(format!("{name}.conv"), Op::Conv(conv), &[x])?
            }
            Operation::SeparableConv(kernel) => {
                let depthwise = Conv::depthwise(channels, kernel, self.stride, 1);
                let depthwise = graph.push(format!("{name}.depthwise"), Op::Conv(depthwise), &[x])?;
                self.project(graph, &name, "pointwise", depthwise, 1)?
            }
            Operation::MaxPool(kernel) => graph.push(format!("{name}.pool"), Op::MaxPool(pool(kernel)), &[x])?,
            Operation::AvgPool(kernel) => graph.push(format!("{name}.pool"), Op::AvgPool(pool(kernel)), &[x])?,
            Operation::Skip if self.keeps && self.stride == 1 => {
                return Ok(graph.push(format!("{name}.identity"), Op::Identity, &[x])?);
            }
            Operation::Skip => self.project(graph, &name, "projection", x, self.stride)?,
        };
        let is_pool = operation.keeps_channels() && operation != Operation::Skip;
        let last = match is_pool {
            true if !self.keeps => self.project(graph, &name, "projection", last, 1)?,
            // Trained alone, a bare pool is not normalised: it has nothing to compete with.
            true if affine => return Ok(last),
            _ => last,
        };
        Ok(graph.push(format!("{name}.bn"), Op::BatchNorm { affine }, &[last])?)
    }

    fn project(
        &self,
        graph: &mut Graph,
        name: &str,
        part: &str,
        x: NodeId,
        stride: usize,
    ) -> Result<NodeId, SpaceError> {
        let conv = Conv::square(graph.shape(x).channels, self.outputs, 1, stride);
        Ok(graph.push(format!("{name}.{part}"), Op::Conv(conv), &[x])?)
    }
}
