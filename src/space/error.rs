//! What can be wrong with a search space, an architecture, or what is asked of them.

use super::darts::GenotypeError;
use super::stages::DescriptionError;
use crate::cost::CostError;
use crate::graph::{Features, GraphError};

/// Why a space cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpaceError {
    /// A name that means nothing here.
    #[error("unknown {kind} `{name}`: did you mean `{nearest}`? (known: {})", known.join(", "))]
    Unknown {
        /// What was named: `search space`, `primitive`, …
        kind: &'static str,
        /// The name as given.
        name: String,
        /// The valid name most like it.
        nearest: String,
        /// All valid names.
        known: Vec<String>,
    },
    /// A setting of the network or the space that cannot be used.
    #[error("{setting} = {value}: {problem}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What is wrong and what would do.
        problem: String,
    },
    /// Settings that are not those of the space: a key it does not have, a value of another type.
    #[error("{space}: {problem}")]
    Settings {
        /// Name of the space.
        space: String,
        /// What does not fit.
        problem: String,
    },
    /// A reduction cell is reached with a map that cannot be halved.
    #[error(
        "an image of {image} is too small: the reduction cell at layer {layer} of {layers} would have to halve a map \
         of {map}, and needs at least 2x2; use larger images"
    )]
    ImageTooSmall {
        /// Image of the settings.
        image: Features,
        /// The cell, from 0.
        layer: usize,
        /// Number of cells.
        layers: usize,
        /// What the cell gets.
        map: Features,
    },
    /// The auxiliary head is wanted where it has no place.
    #[error(
        "the auxiliary head needs a map of {wanted}, but cell {layer} of {layers} gives {map} for an image of {image}: turn \
         the auxiliary head off, or use images of {images} rows and columns"
    )]
    Auxiliary {
        /// Image of the settings.
        image: Features,
        /// The cell whose output the head reads, from 0.
        layer: usize,
        /// Number of cells.
        layers: usize,
        /// Its output.
        map: Features,
        /// What the head is made for.
        wanted: &'static str,
        /// Images for which it is that.
        images: &'static str,
    },
    /// The space's networks have no auxiliary head.
    #[error("networks of the space `{space}` have no auxiliary head: turn it off")]
    NoAuxiliary {
        /// Name of the space.
        space: String,
    },
    /// The space's networks begin in one way only.
    #[error("networks of the space `{space}` have a stem of their own: leave out `stem = imagenet`")]
    NoStem {
        /// Name of the space.
        space: String,
    },
    /// Factorised reduction joins two halves of its channels.
    #[error("{node}: factorised reduction makes two halves of its {channels} channels: use an even number of channels")]
    OddChannels {
        /// Where.
        node: String,
        /// The odd number.
        channels: usize,
    },
    /// An architecture that is not one of this space.
    #[error("not an architecture of the space `{space}`: {problem}")]
    Architecture {
        /// Name of the space.
        space: String,
        /// What does not fit.
        problem: String,
    },
    /// A description of stages that cannot be used.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// A genotype that cannot be read or built.
    #[error(transparent)]
    Genotype(#[from] GenotypeError),
    /// Architecture weights that do not belong to this space.
    #[error("architecture weights `{table}`: {problem}")]
    Weights {
        /// The table.
        table: String,
        /// What does not fit.
        problem: String,
    },
    /// No hand-designed network has the wanted size.
    #[error(
        "no hand-designed network for {image} and {classes} classes comes within 10 % of {parameters} parameters \
         (the closest has {closest})"
    )]
    Baseline {
        /// The wanted number.
        parameters: u64,
        /// The closest that was found.
        closest: u64,
        /// Image of the settings.
        image: Features,
        /// Classes of the settings.
        classes: usize,
    },
    /// Operations that do not fit together.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A network too large to count.
    #[error(transparent)]
    Cost(#[from] CostError),
}

impl SpaceError {
    /// The error for a name that is none of `known`, with the nearest of them.
    pub fn unknown<S: AsRef<str>>(kind: &'static str, name: &str, known: impl IntoIterator<Item = S>) -> Self {
        let known: Vec<String> = known.into_iter().map(|k| k.as_ref().to_owned()).collect();
        Self::Unknown { kind, name: name.to_owned(), nearest: crate::names::nearest(name, &known), known }
    }

    /// The error for a setting that cannot be used.
    pub(crate) fn setting(setting: &'static str, value: impl ToString, problem: impl Into<String>) -> Self {
        Self::Setting { setting, value: value.to_string(), problem: problem.into() }
    }

    /// The error for an architecture that does not fit a space.
    pub(crate) fn architecture(space: &str, problem: impl Into<String>) -> Self {
        Self::Architecture { space: space.to_owned(), problem: problem.into() }
    }
}
