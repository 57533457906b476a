//! The cells of NASNet (Zoph, Vasudevan, Shlens, Le: "Learning transferable architectures for scalable image
//! recognition", CVPR 2018, section 3.1) with the eight operations of AmoebaNet (Real, Aggarwal, Huang, Le: "Regularized
//! evolution for image classifier architecture search", AAAI 2019): a normal and a reduction cell of five nodes, each
//! node the sum of two operations on two earlier states.
//!
//! Both papers train each architecture by itself; around the cells and in the supernet, which they do not have, things
//! are as DARTS has them: ReLU-1×1-norm on a cell's inputs, stride 2 on what reads the inputs of a reduction cell, batch
//! norms without affine parameters among candidates.

use super::darts::{Primitive, Variant, cell_network};
use super::entry::{Entry, NoSettings, defaults, read};
use super::pairwise::{Cell, PairSpace, Pairs, Place};
use super::{NetworkSettings, Recipe, Space, SpaceError};
use crate::graph::{Graph, NodeId, Op};
use crate::settings::Settings;

/// Name of the space.
pub const NAME: &str = "nasnet";
/// Nodes of a cell.
pub const NODES: usize = 5;
/// The operations, in the order of the options of each decision; `skip_connect` is the identity.
pub const OPERATIONS: [Primitive; 8] = [
    Primitive::SkipConnect,
    Primitive::SepConv3x3,
    Primitive::SepConv5x5,
    Primitive::SepConv7x7,
    Primitive::AvgPool3x3,
    Primitive::MaxPool3x3,
    Primitive::DilConv3x3,
    Primitive::Conv7x1Then1x7,
];

/// The cells found by the two papers, as the DARTS reference compares with them.
const NAMED: [(&str, &str); 2] = [
    (
        "NASNET-A",
        "normal=[1:sep_conv_5x5+0:sep_conv_3x3, 0:sep_conv_5x5+0:sep_conv_3x3, 1:avg_pool_3x3+0:skip_connect, \
         0:avg_pool_3x3+0:avg_pool_3x3, 1:sep_conv_3x3+1:skip_connect] \
         reduce=[1:sep_conv_5x5+0:sep_conv_7x7, 1:max_pool_3x3+0:sep_conv_7x7, 1:avg_pool_3x3+0:sep_conv_5x5, \
         3:skip_connect+2:avg_pool_3x3, 2:sep_conv_3x3+1:max_pool_3x3]",
    ),
    (
        "AMOEBANET-A",
        "normal=[0:avg_pool_3x3+1:max_pool_3x3, 0:sep_conv_3x3+2:sep_conv_5x5, 0:sep_conv_3x3+3:avg_pool_3x3, \
         1:sep_conv_3x3+1:skip_connect, 0:skip_connect+1:avg_pool_3x3] \
         reduce=[0:avg_pool_3x3+1:sep_conv_3x3, 0:max_pool_3x3+2:sep_conv_7x7, 0:sep_conv_7x7+1:avg_pool_3x3, \
         0:max_pool_3x3+1:max_pool_3x3, 0:conv_7x1_1x7+5:sep_conv_3x3]",
    ),
];

/// The space of NASNet and AmoebaNet. Known by name are the cells of the two papers, `NASNET-A` and `AMOEBANET-A`.
pub const SPACE: PairSpace = PairSpace {
    pairs: Pairs { space: NAME, nodes: NODES, primitives: &OPERATIONS, named: &NAMED },
    biases: [&[], &[]],
    published: Recipe::default,
    supernet,
    network,
    auxiliary: true,
};

fn supernet(pairs: &Pairs, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    let append = |graph: &mut Graph, primitive: Primitive, name: &str, input: NodeId, stride: usize| {
        primitive.append(graph, name, input, stride, Variant::Search)
    };
    cell_network(settings, Variant::Search, |graph, place, inputs| {
        let place = Place { name: &place.name, reduction: place.reduction, stride: place.stride(0) };
        pairs.mixed_cell(graph, &place, inputs, Variant::Search, append)
    })
}

fn network(pairs: &Pairs, cells: &[Cell; 2], settings: &NetworkSettings) -> Result<Graph, SpaceError> {
    let append = |graph: &mut Graph, primitive: Primitive, name: &str, input: NodeId, stride: usize| {
        let x = primitive.append(graph, name, input, stride, Variant::Evaluation)?;
        if !settings.drop_path || primitive.is_identity(stride) {
            return Ok(x);
        }
        Ok(graph.push(format!("{name}.drop_path"), Op::DropPath, &[x])?)
    };
    cell_network(settings, Variant::Evaluation, |graph, place, inputs| {
        let cell = &cells[usize::from(place.reduction)];
        let place = Place { name: &place.name, reduction: place.reduction, stride: place.stride(0) };
        pairs.plain_cell(cell, graph, &place, inputs, append)
    })
}

/// The space `nasnet`.
pub static ENTRY: Entry = Entry { name: NAME, defaults: defaults::<NoSettings>, build };

fn build(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let NoSettings {} = read(NAME, settings)?;
    Ok(Box::new(SPACE))
}

#[cfg(test)]
mod tests;
