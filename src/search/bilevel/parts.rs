//! What the newer gradient methods put into the loop, each by itself.

use crate::optim::Schedule;
use serde::{Deserialize, Serialize};

/// What choice points have beside their options while they are searched. Derived networks lack it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auxiliary {
    /// Nothing.
    #[default]
    None,
    /// A skip connection, which takes the residual effect from those among the options (DARTS-; Chu et al. 2021, equation 4).
    Skip {
        /// Its weight by epoch.
        weight: Schedule,
    },
}

impl Auxiliary {
    /// What it weighs in epoch `epoch` of `epochs`; nothing where there is none.
    pub(super) fn weight(&self, epoch: u32, epochs: u32) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Skip { weight } => weight.rate(epoch, epochs).into(),
        }
    }
}

/// How the architecture weights follow their gradient, at the rate `alpha_rate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Update {
    /// By Adam, whose settings are `adam`.
    #[default]
    Adam,
    /// By the exponentiated gradient, which keeps rows of positive numbers summing to one (GAEA; Li et al. 2021, equation 5).
    Exponentiated {
        /// What an option weighs at least before its row is divided by the sum. (Edges may come to weigh nothing.)
        floor: f32,
    },
}

/// What aligns the gradients that layers give the architecture weights they share, in the step of the weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Alignment {
    /// Nothing.
    #[default]
    None,
    /// Their mean pairwise cosine (Λ-DARTS; Movahedi et al. 2023, equation 7).
    Correlation {
        /// What its gradient is multiplied by, by epoch.
        weight: Schedule,
        /// How far the options' weights of all layers are moved for it, as a vector.
        distance: f64,
    },
    /// The same of their signs (equation 8): the sum of |gᵢ·gⱼ| over the entries in which two agree in sign.
    SignCorrelation {
        /// What its gradient is multiplied by, by epoch.
        weight: Schedule,
        /// How far the options' weights of all layers are moved for it, as a vector.
        distance: f64,
    },
}

/// Which operations stop being trained while the search goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Freezing {
    /// None.
    #[default]
    None,
    /// Those whose gradients of training and validation loss do not agree (OLES; Jiang et al. 2023, section 3.3). Their
    /// architecture weights still move.
    Gradients {
        /// The least that the mean score may be.
        threshold: f64,
        /// Scores after which an operation is judged.
        window: u32,
        /// Whether the gradient of the validation loss is taken by itself. Published code takes that of both losses together,
        /// against which the same threshold freezes far less.
        clean: bool,
    },
}

/// What is trained of convolutions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Lora {
    /// Their weights.
    #[default]
    None,
    /// After a warm-up factors of low rank beside their weights, which are frozen; without momentum, and with a cosine of the
    /// learning rate that starts anew from what it has come to.
    LowRank {
        /// r: the factors of a k×k convolution have rank r·k.
        rank: usize,
        /// Epochs of the warm-up.
        from: u32,
        /// Epochs at whose beginning each convolution merges its factors into its weight, to train that, or goes back.
        toggles: Vec<u32>,
        /// With what probability it does.
        probability: f64,
    },
}
