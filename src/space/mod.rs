//! Search spaces: the decisions, an architecture as the answers, and the [`Graph`] both decode to.
//!
//! A [`Space`] knows three graphs: its *supernet*, with a choice point for each decision; the
//! network an [`Architecture`] stands for, trained *from scratch*; and a hand-designed *baseline* of
//! the same size, to hold a search against. Strategies see decisions and architectures only, so
//! every strategy works on every space.
//!
//! A space of your own is one type that implements [`Space`]; see [`chain`] for a small one and
//! [`darts`] for the cells of the literature. A space of [`stages`] takes no Rust: it is described in TOML.

mod architecture;
mod baseline;
pub mod chain;
pub mod darts;
pub mod enas_macro;
pub mod enas_micro;
mod encode;
mod entry;
mod error;
mod moves;
#[cfg(test)]
pub(crate) mod mutate;
mod named;
pub mod nas_bench_201;
pub mod nasnet;
pub mod notation;
pub mod pairwise;
mod question;
mod recipe;
mod settings;
mod sketch;
pub mod stages;
mod weights;

pub use architecture::{Architecture, Decision};
pub use encode::Encoding;
pub use entry::Entry;
pub use error::SpaceError;
pub use moves::Mutation;
pub use named::{ALL, SpaceConfig, entry, find, names, of_text};
pub use question::Question;
pub use recipe::{Recipe, Regime, Size};
pub use settings::{NetworkSettings, Reads, Stem};
pub use sketch::{CellPlan, Form, Sketch};
pub use weights::TableWeights;

use crate::graph::Graph;
use crate::random::Random;
use moves::Moves;

/// A set of architectures.
///
/// ```
/// use cellwright::cost;
/// use cellwright::random::Random;
/// use cellwright::space::{self, NetworkSettings};
///
/// let space = space::find("darts")?;
/// let architecture = space.random(&mut Random::new(1, 0));
/// let text = space.print(&architecture);
/// assert!(text.starts_with("Genotype(normal="));
/// assert_eq!(space.parse(&text)?, architecture);
/// let graph = space.decode(&architecture, &NetworkSettings::default())?;
/// assert!(!graph.has_choices() && cost::parameters(&graph)? > 100_000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Space: Send + Sync {
    /// Name, as the command line has it.
    fn name(&self) -> &str;

    /// Which of the settings of a network change its networks.
    fn reads(&self) -> Reads {
        Reads::default()
    }

    /// How its networks were published for CIFAR-10.
    fn published(&self) -> Recipe {
        Recipe::default()
    }

    /// The decisions. Every combination of answers decodes.
    fn decisions(&self) -> Vec<Decision>;

    /// Whether an architecture is one of this space: an option for each decision, or what else [`Space::derive`] may give.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] saying what it is not.
    fn check(&self, architecture: &Architecture) -> Result<(), SpaceError> {
        architecture.check(self.name(), &self.decisions())
    }

    /// The network that holds all architectures: a graph with choice points, output `logits`.
    ///
    /// # Errors
    /// [`SpaceError`] if the settings do not fit the space or the image.
    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError>;

    /// The architecture that architecture weights of the supernet stand for. `weights` are softmaxed.
    ///
    /// # Errors
    /// [`SpaceError::Weights`] if a table is missing, misshapen or not finite.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError>;

    /// Whether [`Space::derive`] leaves out an edge that would be chosen but none of whose options has any weight.
    fn leaves_out(&self) -> bool {
        false
    }

    /// The network of one architecture, to be trained from scratch: a graph without choice points,
    /// outputs `logits` and, if asked for, `auxiliary`.
    ///
    /// # Errors
    /// [`SpaceError`] if the architecture is not of this space, or the settings do not fit.
    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError>;

    /// The network that a text describes, even where the text means a network of the same family
    /// that this space's own decisions cannot express (more nodes, other primitives).
    ///
    /// # Errors
    /// [`SpaceError`] if the text cannot be read, or the settings do not fit.
    fn decode_text(&self, text: &str, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        self.decode(&self.parse(text)?, settings)
    }

    /// What the published code calls a layer of a network trained from scratch, where this is not what it calls the same layer of the
    /// supernet.
    fn published_layer(&self, layer: &str) -> String {
        layer.to_owned()
    }

    /// What a text describes, in other forms: for the same texts as [`Space::decode_text`].
    ///
    /// # Errors
    /// [`SpaceError`] if the text cannot be read.
    fn sketch(&self, text: &str) -> Result<Sketch, SpaceError> {
        let architecture = self.parse(text)?;
        let (text, json) = (self.print(&architecture), self.json(&architecture));
        Ok(Sketch { text, json, cells: self.cells(&architecture), forms: self.forms(&architecture) })
    }

    /// An architecture as other programs write it, besides [`Space::print`] and [`Space::json`].
    fn forms(&self, _architecture: &Architecture) -> Vec<Form> {
        Vec::new()
    }

    /// A random architecture, as random search draws it.
    fn random(&self, random: &mut Random) -> Architecture {
        Architecture::uniform(&self.decisions(), random)
    }

    /// Reads an architecture: what [`Space::print`] or [`Space::json`] wrote, or a known name.
    ///
    /// # Errors
    /// [`SpaceError`] saying what cannot be read, or is not of this space.
    fn parse(&self, text: &str) -> Result<Architecture, SpaceError> {
        architecture::parse_pairs(self.name(), &self.decisions(), text)
    }

    /// Writes an architecture in one line.
    fn print(&self, architecture: &Architecture) -> String {
        architecture::print_pairs(&self.decisions(), architecture)
    }

    /// Writes an architecture as JSON.
    fn json(&self, architecture: &Architecture) -> serde_json::Value {
        architecture::json_pairs(&self.decisions(), architecture)
    }

    /// The supernet's weights that come closest to an architecture: 1 for what it uses, 0 for the
    /// rest. With them the supernet computes what the architecture would with the shared weights.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError>;

    /// The operations that an architecture repeats most: those of its normal cell, or of all layers.
    fn operations(&self, architecture: &Architecture) -> Vec<String> {
        let decisions = self.decisions();
        let chosen = decisions.iter().zip(&architecture.answers);
        chosen.filter_map(|(d, &answer)| d.options.get(answer).cloned()).collect()
    }

    /// The cells an architecture is made of, to be drawn; none if it has no cells.
    fn cells(&self, _architecture: &Architecture) -> Vec<CellPlan> {
        Vec::new()
    }

    /// The questions of a strategy that decides one thing after the other: each decision is answered by just one. By
    /// default the decisions in order; those of equal options share a vocabulary.
    fn questions(&self) -> Vec<Question> {
        let mut vocabularies: Vec<Vec<String>> = Vec::new();
        let question = |(decision, Decision { options, .. }): (usize, Decision)| {
            let known = vocabularies.iter().position(|v| *v == options);
            let vocabulary = known.unwrap_or_else(|| {
                vocabularies.push(options);
                vocabularies.len() - 1
            });
            Question::Option { decision, vocabulary, bias: Vec::new() }
        };
        self.decisions().into_iter().enumerate().map(question).collect()
    }

    /// Whether [`Space::random`] may draw an architecture with this answer to a decision, the other answers being those
    /// of `architecture`. A space says by it which answers exclude each other; mutation, crossover and neighbours keep
    /// to it.
    fn allows(&self, _architecture: &Architecture, _decision: usize, _answer: usize) -> bool {
        true
    }

    /// The architecture after a mutation: one that may be drawn, if it was one.
    fn mutate(&self, architecture: &Architecture, mutation: Mutation, random: &mut Random) -> Architecture {
        let allows = |of: &Architecture, decision: usize, answer: usize| self.allows(of, decision, answer);
        Moves { decisions: &self.decisions(), allows: &allows }.mutate(architecture, mutation, random)
    }

    /// A child of two architectures: each answer is that of one of them. One that may be drawn, if `a` was one.
    fn crossover(&self, a: &Architecture, b: &Architecture, random: &mut Random) -> Architecture {
        let allows = |of: &Architecture, decision: usize, answer: usize| self.allows(of, decision, answer);
        Moves { decisions: &self.decisions(), allows: &allows }.crossover(a, b, random)
    }

    /// The architectures that [`Mutation::One`] can lead to.
    fn neighbours(&self, architecture: &Architecture) -> Vec<Architecture> {
        let allows = |of: &Architecture, decision: usize, answer: usize| self.allows(of, decision, answer);
        Moves { decisions: &self.decisions(), allows: &allows }.neighbours(architecture)
    }

    /// Names of the primitives that edges of its cells can have, in order; none if it has no cells.
    fn edge_primitives(&self) -> Vec<String> {
        Vec::new()
    }

    /// An architecture as a vector of zeros and ones, of the same length for all of the space.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space, if a space without cells is asked for their
    /// adjacency or paths, or if there are too many paths.
    fn encode(&self, architecture: &Architecture, encoding: Encoding) -> Result<Vec<f32>, SpaceError> {
        self.check(architecture)?;
        let (decisions, cells, primitives) = (self.decisions(), self.cells(architecture), self.edge_primitives());
        encode::encode(self.name(), architecture, &decisions, &cells, &primitives, encoding)
    }

    /// A hand-designed network within 10 % of `parameters`, for comparison.
    ///
    /// # Errors
    /// [`SpaceError::Baseline`] if none fits.
    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError>;

    /// Number of architectures, or `None` if it does not fit into 128 bits.
    fn size(&self) -> Option<u128> {
        self.decisions().iter().try_fold(1u128, |size, d| size.checked_mul(d.options.len() as u128))
    }

    /// Logarithm of the number of architectures to base 10.
    fn size_log10(&self) -> f64 {
        self.decisions().iter().map(|d| (d.options.len() as f64).log10()).sum()
    }
}

#[cfg(test)]
pub(crate) mod tests;
