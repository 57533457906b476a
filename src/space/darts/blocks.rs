//! What cells are joined by: ReLU-convolution-norm and factorised reduction.

use crate::graph::{Conv, Graph, NodeId, Op, Padding};
use crate::space::SpaceError;

/// Whether a primitive competes with others or is trained alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// In a supernet: batch norms have no affine parameters (they would trade off against the
    /// architecture weights), and pools are followed by such a batch norm.
    Search,
    /// In a derived network: batch norms are affine, pools have none.
    Evaluation,
}

/// A batch norm, affine outside the search.
pub(in crate::space) fn norm(
    graph: &mut Graph,
    name: String,
    input: NodeId,
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    Ok(graph.push(name, Op::BatchNorm { affine: variant == Variant::Evaluation }, &[input])?)
}

/// Appends ReLU, 1×1 convolution to `channels`, batch norm. Returns the last node.
///
/// # Errors
/// [`SpaceError::Graph`] if `channels` is zero.
pub fn relu_conv_bn(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    channels: usize,
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    let inputs = graph.shape(input).channels;
    let relu = graph.push(format!("{name}.op.0"), Op::Relu, &[input])?;
    let conv = graph.push(format!("{name}.op.1"), Op::Conv(Conv::square(inputs, channels, 1, 1)), &[relu])?;
    norm(graph, format!("{name}.op.2"), conv, variant)
}

/// Appends factorised reduction: ReLU, two 1×1 convolutions of stride 2 to half the channels each,
/// the second on the input shifted by one row and column so that together they see more of it,
/// joined, batch norm. Rows and columns are halved, rounded up. Returns the last node.
///
/// # Errors
/// [`SpaceError::OddChannels`] if `channels` is odd.
pub fn factorized_reduce(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    channels: usize,
    variant: Variant,
) -> Result<NodeId, SpaceError> {
    even(name, channels)?;
    let relu = graph.push(format!("{name}.relu"), Op::Relu, &[input])?;
    let joined = halved(graph, name, relu, channels)?;
    norm(graph, format!("{name}.bn"), joined, variant)
}

/// The inside of factorised reduction, without ReLU and batch norm: the two convolutions, joined.
///
/// # Errors
/// [`SpaceError::OddChannels`] if `channels` is odd.
pub(in crate::space) fn halved(
    graph: &mut Graph,
    name: &str,
    input: NodeId,
    channels: usize,
) -> Result<NodeId, SpaceError> {
    even(name, channels)?;
    let shape = graph.shape(input);
    // Of an odd size the shifted half has one position less: a row of zeros makes them agree.
    let odd = |size: usize| i32::from(!size.is_multiple_of(2));
    let straight = Conv::square(shape.channels, channels / 2, 1, 2);
    let shifted = Conv {
        padding: Padding { top: -1, left: -1, bottom: odd(shape.height), right: odd(shape.width) },
        ..straight.clone()
    };
    let first = graph.push(format!("{name}.conv_1"), Op::Conv(straight), &[input])?;
    let second = graph.push(format!("{name}.conv_2"), Op::Conv(shifted), &[input])?;
    Ok(graph.push(format!("{name}.concat"), Op::Concat, &[first, second])?)
}

fn even(name: &str, channels: usize) -> Result<(), SpaceError> {
    if channels.is_multiple_of(2) { Ok(()) } else { Err(SpaceError::OddChannels { node: name.to_owned(), channels }) }
}
