//! The micro space of ENAS (Pham, Guan, Zoph, Le, Dean: "Efficient neural architecture search via parameter sharing",
//! ICML 2018, section 2.4): a normal and a reduction cell of five nodes, each node the sum of two of five
//! operations on two earlier states.
//!
//! The supernet is the published search's child network: each pair of an earlier state and an operation has weights of
//! its own at each node, side and cell, batch norms are affine. The network of one architecture is the one that is
//! published for training it from scratch. They differ in two points. The supernet's reduction cells work on an image
//! that factorised reduction has halved before, whereas those of a single network read their inputs with stride 2; and
//! the supernet brings what is joined back to C channels, which a single network does not.

mod network;

use super::darts::Primitive;
use super::entry::{Entry, NoSettings, defaults, read};
use super::pairwise::{PairSpace, Pairs};
use super::recipe::{nesterov, restarts};
use super::{Recipe, Regime, Size, Space, SpaceError};
use crate::settings::Settings;

/// Name of the space.
pub const NAME: &str = "enas-micro";
/// Nodes of a cell.
pub const NODES: usize = 5;
/// Cells of the published search's network: six normal and two reduction cells.
pub const LAYERS: usize = 8;
/// The operations, in the published order: that of the options of each decision. Separable convolutions are ReLU, depthwise,
/// pointwise, batch norm, twice; `skip_connect` is the identity.
pub const OPERATIONS: [Primitive; 5] = [
    Primitive::SepConv3x3,
    Primitive::SepConv5x5,
    Primitive::AvgPool3x3,
    Primitive::MaxPool3x3,
    Primitive::SkipConnect,
];

/// What the published controller adds to the logits of a normal cell's operations: it begins by preferring
/// convolutions.
const BIAS: [f32; 5] = [0.25, 0.25, -0.25, -0.25, -0.25];

/// The cells that the authors train from scratch (`scripts/cifar10_micro_final.sh` of their code).
const NAMED: [(&str, &str); 1] = [(
    "ENAS-MICRO",
    "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 \
     1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1",
)];

/// The micro space of ENAS. Known by name are the cells of the authors, `ENAS-MICRO`.
///
/// [`super::NetworkSettings::layers`] counts all cells. Of the published 6 normal and 2 reduction cells those at 2 and 5
/// reduce, of 15 and 2 those at 5 and 11; generally, of N normal cells and 2, those at N/3 and 2·(N/3) + 1, rounded down.
pub const SPACE: PairSpace = PairSpace {
    pairs: Pairs { space: NAME, nodes: NODES, primitives: &OPERATIONS, named: &NAMED },
    biases: [&BIAS, &[]],
    published,
    supernet: network::supernet,
    network: network::network,
    auxiliary: false,
};

/// The published weight decay is that of a penalty, half a square: its gradient has twice the factor.
fn published() -> Recipe {
    let (sgd, rate) = (nesterov(2e-4), restarts(5e-4));
    let shared = Regime { epochs: 150, batch: 160, sgd, rate, cutout: 0, drop_path: 0.0 };
    let (sgd, rate) = (nesterov(4e-4), restarts(1e-4));
    let training = Regime { epochs: 630, batch: 144, sgd, rate, cutout: 16, drop_path: 0.4 };
    Recipe {
        supernet: Size { channels: 20, layers: LAYERS },
        network: Size { channels: 36, layers: 15 + 2 },
        shared: Some(shared),
        training: Some(training),
    }
}

/// The space `enas-micro`.
pub static ENTRY: Entry = Entry { name: NAME, defaults: defaults::<NoSettings>, build };

fn build(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let NoSettings {} = read(NAME, settings)?;
    Ok(Box::new(SPACE))
}

#[cfg(test)]
mod tests;
