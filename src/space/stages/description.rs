//! What a description of stages says.

use super::Operation;
use crate::space::chain::Width;

/// The first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stem {
    /// Its channels.
    pub channels: Width,
    /// Rows and columns of its kernel, odd.
    pub kernel: usize,
    /// Its step in rows and columns.
    pub stride: usize,
}

/// Blocks of one width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The numbers of channels to choose from.
    pub channels: Vec<Width>,
    /// The numbers of blocks to choose from, ascending.
    pub depths: Vec<usize>,
    /// Step of the first block in rows and columns.
    pub stride: usize,
    /// The operations each block chooses from.
    pub operations: Vec<Operation>,
}

impl Stage {
    /// The largest number of blocks.
    pub(super) fn most_blocks(&self) -> usize {
        self.depths.iter().copied().max().unwrap_or(0)
    }

    /// Whether the first block gives the channels it reads, in every architecture; `before` are the choices of what
    /// it reads.
    pub(super) fn keeps_channels(&self, before: &[Width]) -> bool {
        self.channels.len() == 1 && self.channels == before
    }

    /// The operations its first block chooses from: a skip only where the shape stays.
    pub(super) fn first_operations(&self, before: &[Width]) -> Vec<Operation> {
        let keeps = self.stride == 1 && self.keeps_channels(before);
        self.operations.iter().copied().filter(|&operation| keeps || operation != Operation::SKIP).collect()
    }
}

/// A space of stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stages {
    pub(super) name: String,
    pub(super) stem: Stem,
    pub(super) stages: Vec<Stage>,
    pub(super) head: Option<Width>,
}

impl Stages {
    /// The first layer.
    pub fn stem(&self) -> &Stem {
        &self.stem
    }

    /// The stages.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Channels of the last convolution, if there is one behind the stages.
    pub fn head(&self) -> Option<Width> {
        self.head
    }
}
