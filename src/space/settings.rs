//! What a network of a space is built for.

use super::SpaceError;
use crate::graph::Features;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Bounds that keep every count of a network far from overflow.
const MOST_CHANNELS: usize = 65_536;
const MOST_CLASSES: usize = 1 << 20;
const MOST_LAYERS: usize = 1000;

/// What stands between the image and the first cell of DARTS-like networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stem {
    /// One 3×3 convolution to three times the channels, for images like CIFAR's.
    #[default]
    Cifar,
    /// Three 3×3 convolutions of stride 2, for images like ImageNet's; the first two make the input of the first cell that is
    /// twice as large.
    ImageNet,
}

impl Stem {
    /// The published network that begins so: its channels, cells, image and, of ImageNet, 1000 classes. Of CIFAR's the
    /// supernet.
    pub fn settings(self) -> NetworkSettings {
        let own = NetworkSettings { stem: self, ..NetworkSettings::default() };
        match self {
            Self::Cifar => own,
            Self::ImageNet => {
                NetworkSettings { image: Features::new(3, 224, 224), classes: 1000, channels: 48, layers: 14, ..own }
            }
        }
    }
}

impl FromStr for Stem {
    type Err = SpaceError;

    fn from_str(name: &str) -> Result<Self, SpaceError> {
        match name {
            "cifar" => Ok(Self::Cifar),
            "imagenet" => Ok(Self::ImageNet),
            _ => Err(SpaceError::unknown("stem", name, ["cifar", "imagenet"])),
        }
    }
}

/// What a network of a space is built for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkSettings {
    /// Shape of one image.
    pub image: Features,
    /// Number of classes.
    pub classes: usize,
    /// Channels of the first cells; later ones have multiples. Chains scale by it what they
    /// describe in multiples.
    pub channels: usize,
    /// Number of cells. The depth of a chain or of `enas-macro` is part of its description instead.
    pub layers: usize,
    /// What stands before the first cell (`darts` and `nasnet` only).
    pub stem: Stem,
    /// Whether a network trained from scratch gets an auxiliary head at two thirds of its depth
    /// (`darts` and `nasnet` only). A supernet and a hand-designed network have none.
    pub auxiliary: bool,
    /// Whether a network trained from scratch gets a drop-path node on every edge that is not a
    /// plain identity. Spaces without parallel edges have nothing to drop.
    pub drop_path: bool,
}

impl Default for NetworkSettings {
    /// CIFAR-10 sized images, the published DARTS supernet's width and depth, no extras.
    fn default() -> Self {
        Self {
            image: Features::new(3, 32, 32),
            classes: 10,
            channels: 16,
            layers: 8,
            stem: Stem::Cifar,
            auxiliary: false,
            drop_path: false,
        }
    }
}

impl NetworkSettings {
    /// Checks that all sizes are usable.
    ///
    /// # Errors
    /// [`SpaceError::Setting`] with the first that is not.
    pub fn check(&self) -> Result<(), SpaceError> {
        let Features { channels, height, width } = self.image;
        let sizes = [
            ("image channels", channels, MOST_CHANNELS),
            ("image height", height, MOST_CHANNELS),
            ("image width", width, MOST_CHANNELS),
            ("classes", self.classes, MOST_CLASSES),
            ("channels", self.channels, MOST_CHANNELS),
            ("layers", self.layers, MOST_LAYERS),
        ];
        sizes.into_iter().try_for_each(|(setting, value, most)| within(setting, value, most))
    }

    /// As [`NetworkSettings::check`], for a space whose networks have a stem of their own and no auxiliary head.
    ///
    /// # Errors
    /// [`SpaceError::NoStem`], and what [`NetworkSettings::check`] says.
    pub(super) fn check_plain(&self, space: &str) -> Result<(), SpaceError> {
        match self.stem {
            Stem::Cifar => self.check(),
            Stem::ImageNet => Err(SpaceError::NoStem { space: space.to_owned() }),
        }
    }
}

/// Whether a setting lies in 1..=`most`.
pub(super) fn within(setting: &'static str, value: usize, most: usize) -> Result<(), SpaceError> {
    if (1..=most).contains(&value) {
        Ok(())
    } else {
        Err(SpaceError::setting(setting, value, format!("must be from 1 to {most}")))
    }
}

/// Which of [`NetworkSettings`] change the networks of a space: what it does not read says nothing to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// [`NetworkSettings::channels`].
    pub channels: bool,
    /// [`NetworkSettings::layers`].
    pub layers: bool,
    /// [`NetworkSettings::stem`].
    pub stem: bool,
    /// [`NetworkSettings::auxiliary`].
    pub auxiliary: bool,
    /// [`NetworkSettings::drop_path`].
    pub drop_path: bool,
}

impl Default for Reads {
    /// Networks of some width, whose depth is part of the space's description.
    fn default() -> Self {
        Self { channels: true, layers: false, stem: false, auxiliary: false, drop_path: false }
    }
}
