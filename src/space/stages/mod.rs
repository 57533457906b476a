//! The space of stages: what a user describes in TOML, and the built-in space `mobile`, which is such a text.
//!
//! ```toml
//! name = "small"              # letters, digits, - and _
//!
//! [stem]                      # convolution, batch norm, ReLU
//! channels = "1C"             # a number, or a multiple of the network's base channels: --channels scales it
//! kernel = 3                  # 3 if left out
//! stride = 1                  # 1 if left out
//!
//! [[stage]]                   # blocks of one width; as many stages as you like
//! channels = ["2C", 24]       # the width, one for the whole stage: a value, or a list to choose from
//! depth = [1, 2, 4]           # number of blocks: a value, or a list to choose from
//! stride = 2                  # of the first block; 1 if left out
//! operations = ["conv_3x3", "skip"]    # each block chooses one of these
//! kernel = [3, 5]             # with expansion: every mbconv_KxK_eE, beside the operations listed
//! expansion = [3, 6]
//!
//! [head]                      # 1×1 convolution, batch norm, ReLU; may be left out
//! channels = "8C"
//! ```
//!
//! Operations are `mbconv_KxK_eE`, an inverted residual ([`Operation::InvertedResidual`]); `conv_KxK` and
//! `sep_conv_KxK`, with batch norm and ReLU; `max_pool_KxK` and `avg_pool_KxK`, normalised; and `skip`. Global pooling
//! and a classifier follow the last stage or the head.
//!
//! **Shapes are told from the description alone**, not from the numbers a base width gives: a block keeps its input's
//! shape if it is not the first of its stage, or if that has no stride and both stages name the same single width in the
//! same way. Where a block keeps it, an inverted residual adds its input. Where it does not, `skip` is not among
//! the choices (a stage that could choose nothing else is refused), and a pool is followed by a 1×1 convolution if the
//! number of channels may change.
//!
//! **Depth** is one decision of a stage: its first so many blocks are taken. What the blocks beyond it would
//! compute is still answered, and changes nothing. In the supernet a chain of choice points, each inside the one
//! before, asks whether to go deeper, so that what lies beyond is not computed where the answer is no.
//!
//! **Width** is a mask over the widest choice, whose weights all widths share. Batch norm makes something of masked
//! channels, so the masks stand behind it: at the end of each operation, before the residual sum (what is added
//! to is masked already), and, for an inverted residual, before its last convolution over the expanded channels too,
//! there with the widths of its input times the expansion. Then the supernet computes what an architecture's own network does with
//! the first weights of each kind.

mod build;
mod description;
mod entry;
mod error;
mod operation;
mod plan;
mod read;

pub use description::{Stage, Stages, Stem};
pub use entry::{ENTRY, StagesConfig, settings};
pub(super) use entry::{described, is_described};
pub use error::DescriptionError;
pub use operation::Operation;

use super::chain::{Width, table_name};
use super::weights::largest;
use super::{Architecture, Decision, NetworkSettings, Reads, Space, SpaceError, TableWeights, baseline};
use crate::graph::Graph;

/// The description of the space `mobile`.
const MOBILE: &str = include_str!("mobile.toml");

impl Stages {
    /// The space that a TOML text describes: the format is this module's own page.
    ///
    /// ```
    /// use cellwright::space::Space as _;
    /// use cellwright::space::stages::Stages;
    ///
    /// let text = "
    /// name = 'small'
    /// [stem]
    /// channels = '1C'
    /// [[stage]]
    /// channels = ['1C', '2C']
    /// depth = [1, 2]
    /// operations = ['conv_3x3', 'sep_conv_5x5']
    /// ";
    /// let space = Stages::read(text)?;
    /// assert_eq!(space.size(), Some(2 * 2 * 2 * 2)); // a width, a depth, two blocks
    /// let error = Stages::read(&text.replace("conv_3x3", "conv_3")).err().expect("there is no such operation");
    /// assert!(error.to_string().contains("line 8"), "{error}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`SpaceError::Description`] naming line and key of the first thing that is wrong.
    pub fn read(text: &str) -> Result<Self, SpaceError> {
        Ok(read::read(text)?)
    }

    /// The space `mobile`: inverted residuals in the stages of MobileNetV2 (Sandler et al. 2018, table 2), each block with a
    /// choice of kernel (3, 5, 7), expansion (3, 6), and of being left out where it keeps the shape.
    ///
    /// # Errors
    /// None: its description is part of the program.
    pub fn mobile() -> Result<Self, SpaceError> {
        Self::read(MOBILE)
    }

    /// The space that a text describes, if it is called `name`.
    pub(super) fn named(name: &str, text: &str) -> Result<Self, SpaceError> {
        let space = Self::read(text)?;
        if space.name == name {
            return Ok(space);
        }
        let problem = format!("space.stages describes the space `{}`: set space.name to that", space.name);
        Err(SpaceError::setting("space.name", name, problem))
    }

    /// For each table of the supernet, its name and the options of its rows, by decision. Depth has a row for each step
    /// from one depth to the next, which stops or goes deeper.
    fn table(&self, decision: &Decision) -> (String, usize, usize) {
        let name = table_name(&decision.name);
        if decision.name.ends_with("_depth") {
            (name, decision.options.len() - 1, build::DEPTH_LABELS.len())
        } else {
            (name, 1, decision.options.len())
        }
    }
}

impl Space for Stages {
    fn name(&self) -> &str {
        &self.name
    }

    /// Paths that can be dropped are those beside which the input of an inverted residual is added.
    fn reads(&self) -> Reads {
        let widths =
            self.stages.iter().flat_map(|stage| &stage.channels).chain([&self.stem.channels]).chain(&self.head);
        let channels = widths.into_iter().any(|width| matches!(width, Width::Times(_)));
        let mut before = std::slice::from_ref(&self.stem.channels);
        let mut drop_path = false;
        for stage in &self.stages {
            let keeps = stage.most_blocks() > 1 || (stage.stride == 1 && stage.keeps_channels(before));
            drop_path |= keeps && stage.operations.iter().any(|o| matches!(o, Operation::InvertedResidual { .. }));
            before = &stage.channels;
        }
        Reads { channels, drop_path, ..Reads::default() }
    }

    fn decisions(&self) -> Vec<Decision> {
        plan::decisions(&self.open())
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        build::network(self, None, settings)
    }

    /// The option of largest weight, the first of equal ones; a stage ends at the first depth where stopping weighs no
    /// less than going deeper.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        let answer = |decision: Decision| {
            let (name, rows, options) = self.table(&decision);
            let table = TableWeights::find(weights, &name, rows, options)?;
            let mut best = (0..rows).map(|row| largest(table.row(row).iter().copied()));
            if decision.name.ends_with("_depth") {
                return Ok(best.take_while(|&option| option == build::DEEPER).count());
            }
            Ok(best.next().unwrap_or(0))
        };
        Ok(Architecture { answers: self.decisions().into_iter().map(answer).collect::<Result<_, SpaceError>>()? })
    }

    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        let decisions = self.decisions();
        architecture.check(&self.name, &decisions)?;
        let table = |(decision, &answer): (&Decision, &usize)| {
            let (name, rows, options) = self.table(decision);
            let depth = decision.name.ends_with("_depth");
            let taken = |row: usize| match depth {
                true if row < answer => build::DEEPER,
                true => build::STOP,
                false => answer,
            };
            let one_hot = |row: usize| (0..options).map(move |k| f32::from(u8::from(k == taken(row))));
            TableWeights { name, rows, options, values: (0..rows).flat_map(one_hot).collect() }
        };
        Ok(decisions.iter().zip(&architecture.answers).map(table).collect())
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        architecture.check(&self.name, &self.decisions())?;
        if settings.auxiliary {
            return Err(SpaceError::NoAuxiliary { space: self.name.clone() });
        }
        build::network(self, Some(architecture), settings)
    }

    /// The operations of the blocks that are taken, where there was a choice.
    fn operations(&self, architecture: &Architecture) -> Vec<String> {
        let mut chosen = Vec::new();
        for (open, closed) in self.open().iter().zip(self.closed(architecture)) {
            let depth = closed.depths.first().copied().unwrap_or(0);
            for (options, operations) in open.blocks.iter().zip(&closed.blocks).take(depth) {
                chosen.extend(operations.first().filter(|_| options.len() > 1).map(ToString::to_string));
            }
        }
        chosen
    }

    /// A residual network.
    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        baseline::residual(settings, parameters)
    }
}

#[cfg(test)]
mod tests;
