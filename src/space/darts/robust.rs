//! The spaces S1 to S4 of RobustDARTS (Zela, Elsken, Saikia, Marrakchi, Brox, Hutter: "Understanding and robustifying
//! differentiable architecture search", ICLR 2020, section 3): DARTS' cells with few primitives on each edge, in which DARTS
//! finds cells of skip connections, or of noise.
//!
//! As in the published code, deriving passes over `none` alone; `noise` may be chosen. Networks were searched and trained
//! again with 16 channels and 8 cells, with drop-path of probability 0.2.

use super::cell::PUBLISHED_NODES;
use super::{Darts, Primitive};
use crate::settings::Settings;
use crate::space::entry::{Entry, NoSettings, defaults, read};
use crate::space::{Recipe, Size, Space, SpaceError};

/// The space `robust-darts-s1`: on each edge the two primitives that were strongest there in a search of DARTS.
pub static S1: Entry = Entry { name: NAMES[0], defaults: defaults::<NoSettings>, build: |settings| build(0, settings) };
/// The space `robust-darts-s2`: skip connection or separable convolution.
pub static S2: Entry = Entry { name: NAMES[1], defaults: defaults::<NoSettings>, build: |settings| build(1, settings) };
/// The space `robust-darts-s3`: the same, or nothing.
pub static S3: Entry = Entry { name: NAMES[2], defaults: defaults::<NoSettings>, build: |settings| build(2, settings) };
/// The space `robust-darts-s4`: separable convolution or noise.
pub static S4: Entry = Entry { name: NAMES[3], defaults: defaults::<NoSettings>, build: |settings| build(3, settings) };

const NAMES: [&str; 4] = ["robust-darts-s1", "robust-darts-s2", "robust-darts-s3", "robust-darts-s4"];

/// The edges of the two cells of S1, node by node, each with the letters of its primitives (see [`primitive`]).
const S1_EDGES: [&str; 2] =
    ["kd kD  kD ks kd  mk ks ks kd  ks mk kd dD dD", "ma md  ma ma kD  ma ms kd kD  ma ma kD kD kD"];

/// The four spaces, in order.
///
/// ```
/// use cellwright::space::{Space as _, darts::robust};
///
/// let [s1, s2, s3, s4] = robust::spaces();
/// let first = &s1.decisions()[1];
/// assert_eq!(first.options, ["skip_connect", "dil_conv_3x3|dil_conv_5x5"]);
/// assert_eq!([&s2, &s3, &s4].map(|space| space.edge_primitives().len()), [2; 3]);
/// assert_eq!(s1.size(), s4.size());
/// ```
pub fn spaces() -> [Darts; 4] {
    use Primitive::{Noise, None, SepConv3x3, SkipConnect};
    let edge = |letters: &str| letters.chars().map(primitive).collect();
    let s1 = S1_EDGES.map(|cell| cell.split_whitespace().map(edge).collect());
    let published = Recipe { supernet: SIZE, network: SIZE, ..Recipe::default() };
    [
        Darts::of_sets(NAMES[0], PUBLISHED_NODES, s1),
        Darts::uniform(NAMES[1], PUBLISHED_NODES, &[SkipConnect, SepConv3x3]),
        Darts::uniform(NAMES[2], PUBLISHED_NODES, &[None, SkipConnect, SepConv3x3]),
        Darts::uniform(NAMES[3], PUBLISHED_NODES, &[Noise, SepConv3x3]),
    ]
    .map(|space| Darts { published, ..space })
}

/// Size of the supernet and of what is found.
const SIZE: Size = Size { channels: 16, layers: 8 };

/// The primitive that a letter of [`S1_EDGES`] stands for.
fn primitive(letter: char) -> Primitive {
    match letter {
        'k' => Primitive::SkipConnect,
        'm' => Primitive::MaxPool3x3,
        'a' => Primitive::AvgPool3x3,
        's' => Primitive::SepConv3x3,
        'd' => Primitive::DilConv3x3,
        _ => Primitive::DilConv5x5,
    }
}

fn build(number: usize, settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let NoSettings {} = read(NAMES[number], settings)?;
    let [s1, s2, s3, s4] = spaces();
    Ok(Box::new(match number {
        0 => s1,
        1 => s2,
        2 => s3,
        _ => s4,
    }))
}
