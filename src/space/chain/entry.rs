//! The chains by name, and what they are built with.

use super::presets::{MLP_NAME, SMALL_NAME, VGG16_NAME};
use super::{Chain, Layer};
use crate::settings::Settings;
use crate::space::entry::{Entry, defaults, read};
use crate::space::{Space, SpaceError};
use serde::{Deserialize, Serialize};

/// The space `chain`: layers of your own, or a small stack of convolutions.
pub static ENTRY: Entry = Entry { name: SMALL_NAME, defaults: defaults::<ChainConfig>, build: chain };

/// The space `chain-vgg16`: [`Chain::vgg16`].
pub static VGG16: Entry = Entry { name: VGG16_NAME, defaults: defaults::<Vgg16Config>, build: vgg16 };

/// The space `chain-mlp`: [`Chain::mlp`].
pub static MLP: Entry = Entry { name: MLP_NAME, defaults: defaults::<MlpConfig>, build: mlp };

/// Settings of the space `chain`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainConfig {
    /// The layers; empty for a small stack of convolutions.
    pub layers: Vec<Layer>,
}

/// Settings of the space `chain-vgg16`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Vgg16Config {
    /// Kernel sizes each convolution chooses from.
    pub kernels: Vec<usize>,
}

impl Default for Vgg16Config {
    fn default() -> Self {
        Self { kernels: vec![3, 5, 7] }
    }
}

/// Settings of the space `chain-mlp`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// Number of hidden layers.
    pub hidden_layers: usize,
    /// Units each hidden layer chooses from.
    pub units: Vec<usize>,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self { hidden_layers: 3, units: vec![16, 32, 64, 128] }
    }
}

fn chain(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let ChainConfig { layers } = read(SMALL_NAME, settings)?;
    Ok(Box::new(if layers.is_empty() { Chain::small() } else { Chain::new(SMALL_NAME, layers)? }))
}

fn vgg16(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let Vgg16Config { kernels } = read(VGG16_NAME, settings)?;
    Ok(Box::new(Chain::vgg16(&kernels)?))
}

fn mlp(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let MlpConfig { hidden_layers, units } = read(MLP_NAME, settings)?;
    Ok(Box::new(Chain::mlp(hidden_layers, &units)?))
}
