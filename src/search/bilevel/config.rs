//! What a gradient method is made of, each part by itself.

use super::parts::{Alignment, Auxiliary, Freezing, Lora, Update};
use super::weighing::Weighing;
use crate::data::Augmentation;
use crate::optim::{AdamConfig, Schedule, SgdConfig};
use serde::{Deserialize, Serialize};

/// How the gradient of α is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Order {
    /// At the present weights (the paper's ξ = 0).
    #[default]
    First,
    /// At the weights one step ahead, with the Hessian product by central differences (equations 7
    /// and 8).
    Second,
}

impl TryFrom<u8> for Order {
    type Error = String;

    fn try_from(order: u8) -> Result<Self, String> {
        match order {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            other => Err(format!("order {other} does not exist: use 1 (first order) or 2 (second order)")),
        }
    }
}

impl From<Order> for u8 {
    fn from(order: Order) -> u8 {
        match order {
            Order::First => 1,
            Order::Second => 2,
        }
    }
}

/// What is added to the validation loss, a function of α alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Penalty {
    /// Nothing.
    #[default]
    None,
    /// −`weight` · mean((w − ½)²), w the options' weights: it drives them to 0 or 1 (FairDARTS, equation 4).
    ZeroOne {
        /// Its factor.
        weight: f64,
    },
    /// `weight` · ½ Σ α²: it keeps Dirichlet(elu(α) + 1) near the uniform distribution (DrNAS, equation 6, as its code has
    /// it).
    Anchor {
        /// Its factor.
        weight: f64,
    },
    /// λ · mean of log Σ exp α over the rows of each table: it keeps the softmax of options apart from what the gradient of the
    /// loss makes of it (β-DARTS; Ye et al. 2022, equation 12).
    LogSumExp {
        /// λ by epoch.
        weight: Schedule,
    },
    /// `weight` · Σ p·ln(Kp) over the options' weights p of rows of K: their distance from the uniform row (GAEA's code).
    Divergence {
        /// Its factor.
        weight: f64,
    },
}

/// What becomes of the options' weights before the step of the shared weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Perturbation {
    /// They stay.
    #[default]
    None,
    /// Uniform noise of at most ε (SDARTS-RS; Chen & Hsieh 2020, equation 6).
    Random {
        /// ε by epoch.
        epsilon: Schedule,
    },
    /// The worst within ε that projected sign ascent finds (SDARTS-ADV, equation 7).
    Adversarial {
        /// ε by epoch.
        epsilon: Schedule,
        /// Steps of ascent, of 2ε/`steps` each.
        steps: u32,
    },
}

/// When a search ends before its last epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Stop {
    /// Never.
    #[default]
    Never,
    /// When the derived architecture's normal cell has so many skip connections (DARTS+; Liang et al. 2019, criterion
    /// 1).
    Skips {
        /// How many.
        most: usize,
        /// The first epoch at which a search may end: before, the derived architecture is chance.
        earliest: u32,
    },
    /// When the largest eigenvalue of ∇²α L_val grows (RobustDARTS; Zela et al. 2020, section 4.3).
    Eigenvalue {
        /// Epochs from one eigenvalue to the next.
        every: u32,
        /// Eigenvalues that are averaged.
        window: usize,
        /// Averages between the two that are compared.
        back: usize,
        /// How many times as large the later average must be.
        ratio: f64,
        /// The first epoch whose architecture a search may end with.
        earliest: u32,
        /// What the weights' decay is multiplied by when the search is taken back to that epoch instead of ending, to go on from
        /// there (DARTS-ADA); 1 at most: it ends.
        #[serde(default)]
        growth: f64,
        /// The most that the decay may come to so.
        #[serde(default)]
        most_decay: f64,
    },
}

/// How the architecture is chosen in the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Selection {
    /// By the options' weights, as the space derives.
    #[default]
    Weights,
    /// The same, of the epoch after which the supernet was most accurate on the half that trains the architecture weights: the
    /// first of equal ones (GAEA PC-DARTS' code).
    BestEpoch,
    /// By the accuracy lost without an option (DARTS-PT; Wang et al. 2021, algorithm 1).
    Masking {
        /// Epochs of training after each choice; 0: none.
        tune: u32,
        /// What the learning rate is divided by then.
        divisor: f64,
    },
}

/// A part of a search with a supernet of its own.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stage {
    /// Layers that its supernet has beyond those configured.
    pub deeper: usize,
    /// Options of each choice point that it begins with; 0: all. The heaviest of the stage before stay.
    pub options: usize,
    /// Parts of the channels, of which choice points see one.
    pub parts: usize,
    /// Probability of dropout on plain identities at its start.
    pub dropout: f32,
    /// Whether weights and architecture weights go on where the stage before has left them, as far as they are still
    /// there.
    pub goes_on: bool,
}

impl Default for Stage {
    fn default() -> Self {
        Self { deeper: 0, options: 0, parts: 1, dropout: 0.0, goes_on: false }
    }
}

/// Settings of [`Bilevel`](super::Bilevel).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BilevelConfig {
    /// Passes over the half that trains the weights, in each stage.
    pub epochs: u32,
    /// Images a step, of each half.
    pub batch: usize,
    /// First or second order.
    pub order: Order,
    /// Learning rate of the architecture weights.
    pub alpha_rate: f32,
    /// Standard deviation of the architecture weights at the start.
    pub alpha_deviation: f32,
    /// Epochs of each stage before the architecture weights begin to move.
    pub warmup: u32,
    /// Parts of the channels, of which choice points see one; with more than one there are edge weights.
    pub parts: usize,
    /// Skip connections of the derived normal cell, at most; 0: as many as there may be.
    pub most_skips: usize,
    /// What an option must weigh to be chosen, in spaces that can leave out an edge
    /// ([`Space::leaves_out`](crate::space::Space::leaves_out)). Of a table in which nothing weighs as much it is not
    /// asked: a cell without edges would be none.
    pub threshold: f32,
    /// Whether weights and architecture weights are trained on the same images, all of them, instead of a half each
    /// (GAEA's single-level search).
    pub all_images: bool,
    /// Whether patterns of operations that are known to be faster together are recorded so.
    pub fusion: bool,
    /// The weights' optimiser.
    pub sgd: SgdConfig,
    /// Learning rate of the weights by epoch.
    pub rate: Schedule,
    /// Probability at the end with which each sum goes without each of its choice points, image by image; it grows from 0 in equal
    /// steps (RobustDARTS, section 5.1).
    pub edge_drop_path: f32,
    /// Whether a cutout comes with a probability that grows from 0 to 1 in equal steps, instead of always (RobustDARTS' code, beside its
    /// drop-path).
    pub cutout_grows: bool,
    /// Whether the step of the weights comes before that of the architecture weights (Λ-DARTS' code for NAS-Bench-201).
    pub weights_first: bool,
    /// Whether options that differ in the size of their windows only share weights: those of the smaller are the middle of the
    /// largest's, kernels are mixed, and what a group of them makes is added without a weight (weight entanglement).
    pub entangle: bool,
    /// What choice points have beside their options.
    pub auxiliary: Auxiliary,
    /// How the architecture weights follow their gradient.
    pub update: Update,
    /// Adam of the architecture weights, if they follow it.
    pub adam: AdamConfig,
    /// Variation of the images.
    pub augmentation: Augmentation,
    /// How α becomes weights.
    pub weighing: Weighing,
    /// What is added to the validation loss.
    pub penalty: Penalty,
    /// What the step of the weights sees instead of the weights of options.
    pub perturbation: Perturbation,
    /// What aligns the gradients of layers that share architecture weights.
    pub alignment: Alignment,
    /// Which operations stop being trained.
    pub freezing: Freezing,
    /// What is trained of convolutions.
    pub lora: Lora,
    /// When it ends early.
    pub stop: Stop,
    /// How the architecture is chosen.
    pub selection: Selection,
    /// Stages with supernets of their own; none: one for all epochs.
    pub stages: Vec<Stage>,
}

impl Default for BilevelConfig {
    /// DARTS as published for CIFAR-10, first order.
    fn default() -> Self {
        Self {
            epochs: 50,
            batch: 64,
            order: Order::First,
            alpha_rate: 3e-4,
            alpha_deviation: 1e-3,
            warmup: 0,
            parts: 1,
            most_skips: 0,
            threshold: 0.0,
            all_images: false,
            fusion: true,
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.025, to: 0.001 },
            edge_drop_path: 0.0,
            cutout_grows: false,
            weights_first: false,
            entangle: false,
            auxiliary: Auxiliary::default(),
            update: Update::default(),
            adam: AdamConfig::default(),
            augmentation: Augmentation::USUAL,
            weighing: Weighing::default(),
            penalty: Penalty::default(),
            perturbation: Perturbation::default(),
            alignment: Alignment::default(),
            freezing: Freezing::default(),
            lora: Lora::default(),
            stop: Stop::default(),
            selection: Selection::default(),
            stages: Vec::new(),
        }
    }
}

/// The rules by which α becomes weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub weighing: Weighing,
    pub penalty: Penalty,
    pub auxiliary: Auxiliary,
}

impl BilevelConfig {
    /// The stages, at least one.
    pub(super) fn stages(&self) -> Vec<Stage> {
        match self.stages.is_empty() {
            true => vec![Stage { parts: self.parts, ..Stage::default() }],
            false => self.stages.clone(),
        }
    }

    /// Epochs altogether.
    pub fn all_epochs(&self) -> u32 {
        self.epochs.saturating_mul(self.stages.len().max(1) as u32)
    }

    /// The rules by which α becomes weights.
    pub(super) fn rules(&self) -> Rules {
        Rules { weighing: self.weighing, penalty: self.penalty, auxiliary: self.auxiliary }
    }

    /// Whether the weights of options come from the host: all but a plain softmax to the end.
    pub(super) fn is_given(&self) -> bool {
        self.weighing != Weighing::Softmax
            || self.penalty != Penalty::None
            || self.auxiliary != Auxiliary::None
            || self.alignment != Alignment::None
            || self.perturbation != Perturbation::None
            || matches!(self.selection, Selection::Masking { .. })
    }
}
