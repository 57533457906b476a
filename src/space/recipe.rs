//! How networks of a space were published: sizes and training, for CIFAR-10.
//!
//! It is data alone. Whoever prepares an experiment takes from it what suits the dataset.

use crate::optim::{Schedule, SgdConfig};

/// How large a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Channels of the first cells.
    pub channels: usize,
    /// Number of cells, or of layers.
    pub layers: usize,
}

/// How weights were trained.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regime {
    /// Number of epochs.
    pub epochs: u32,
    /// Images in a batch.
    pub batch: usize,
    /// The optimiser.
    pub sgd: SgdConfig,
    /// Its learning rates.
    pub rate: Schedule,
    /// Side of the square that is cut out of each image; 0 for none.
    pub cutout: usize,
    /// Probability of dropping a path, reached at the end.
    pub drop_path: f32,
}

/// How networks of a space were published. Where a regime is missing, it is that of DARTS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Size of the supernet.
    pub supernet: Size,
    /// Size of the network that was found.
    pub network: Size,
    /// Training of weights that single paths share.
    pub shared: Option<Regime>,
    /// Training of a network from scratch.
    pub training: Option<Regime>,
}

impl Default for Recipe {
    /// The sizes of DARTS.
    fn default() -> Self {
        let supernet = Size { channels: 16, layers: 8 };
        Self { supernet, network: Size { channels: 36, layers: 20 }, shared: None, training: None }
    }
}

/// Momentum as Nesterov has it, gradients of any length: what the code of ENAS and that of NAS-Bench-201 train with.
pub(super) fn nesterov(weight_decay: f32) -> SgdConfig {
    SgdConfig { nesterov: true, weight_decay, clip: 0.0, ..SgdConfig::default() }
}

/// The cosines of ENAS.
pub(super) fn restarts(to: f64) -> Schedule {
    Schedule::WarmRestarts { from: 0.05, to, first: 10, times: 2 }
}
