//! The space of NAS-Bench-201 (Dong & Yang: "NAS-Bench-201: extending the scope of reproducible neural
//! architecture search", ICLR 2020): 15,625 cells, each of which the benchmark has trained.
//!
//! A cell has four nodes, the first of which is its input and the last its output; every node is the sum of one
//! operation on each earlier node. All cells of a network are the same. The network around them is fixed: a stem
//! of C channels, three stages of cells at C, 2C and 4C channels, residual blocks of stride 2 between them. As
//! published C is 16 and there are [`LAYERS`] cells.
//!
//! Names of nodes are those of the reference's search network (`cells.3.edges.2<-0.3.op.1`: in the fourth member
//! of the list, on the edge from node 0 to node 2, the convolution of operation 3), in the supernet and in the
//! networks of single cells alike.

mod cell;
mod forms;
mod index;
mod mersenne;
mod network;
mod operation;
mod text;

pub use cell::{CELLS, EDGES, LAYERS, NAME, NODES, edges};
pub use operation::{Operation, Variant};

use super::entry::{Entry, NoSettings, defaults, read};
use super::recipe::nesterov;
use super::weights::largest;
use super::{
    Architecture, CellPlan, Decision, Form, NetworkSettings, Reads, Recipe, Regime, Size, Space, SpaceError,
    TableWeights, baseline,
};
use crate::graph::Graph;
use crate::optim::Schedule;
use crate::settings::Settings;
use cell::TABLE;

/// The space `nas-bench-201`.
pub static ENTRY: Entry = Entry { name: NAME, defaults: defaults::<NoSettings>, build };

fn build(settings: &Settings) -> Result<Box<dyn Space>, SpaceError> {
    let NoSettings {} = read(NAME, settings)?;
    Ok(Box::new(NasBench201))
}

/// The space of NAS-Bench-201.
///
/// Its decisions are the operations on the six edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3. An architecture is written as
/// the benchmark writes it, `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`, and read from that, from the benchmark's index
/// (`#1459`) or from JSON.
///
/// ```
/// use cellwright::space::Space as _;
/// use cellwright::space::nas_bench_201::NasBench201;
///
/// let cell = NasBench201.parse("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")?;
/// let index = NasBench201.index_of(&cell)?;
/// assert_eq!(NasBench201.parse(&format!("#{index}"))?, cell);
/// assert_eq!(NasBench201.size(), Some(15_625));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NasBench201;

impl NasBench201 {
    /// The operations of an architecture's edges, in order.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn cell(&self, architecture: &Architecture) -> Result<[Operation; EDGES], SpaceError> {
        architecture.check(NAME, &self.decisions())?;
        let mut cell = [Operation::None; EDGES];
        for (operation, &answer) in cell.iter_mut().zip(&architecture.answers) {
            *operation = Operation::ALL[answer];
        }
        Ok(cell)
    }

    /// The benchmark's index of an architecture, from 0 to 15,624.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] if it is not one of this space.
    pub fn index_of(&self, architecture: &Architecture) -> Result<usize, SpaceError> {
        Ok(index::index_of(&self.cell(architecture)?))
    }

    /// The architecture that the benchmark has at an index.
    ///
    /// # Errors
    /// [`SpaceError::Architecture`] beyond the last, 15,624.
    pub fn architecture_of(&self, index: usize) -> Result<Architecture, SpaceError> {
        match index::answers_of(index) {
            Some(answers) => Ok(Architecture { answers: answers.to_vec() }),
            None => {
                let problem = format!("there is no cell #{index}: there are #0 to #{}", CELLS - 1);
                Err(SpaceError::architecture(NAME, problem))
            }
        }
    }
}

impl Space for NasBench201 {
    fn name(&self) -> &str {
        NAME
    }

    fn reads(&self) -> Reads {
        Reads { layers: true, drop_path: true, ..Reads::default() }
    }

    fn published(&self) -> Recipe {
        let size = Size { channels: 16, layers: LAYERS };
        let training = Regime {
            epochs: 200,
            batch: 256,
            sgd: nesterov(5e-4),
            rate: Schedule::Cosine { from: 0.1, to: 0.0 },
            cutout: 0,
            drop_path: 0.0,
        };
        Recipe { supernet: size, network: size, shared: None, training: Some(training) }
    }

    fn decisions(&self) -> Vec<Decision> {
        let options = Operation::ALL.map(|operation| operation.to_string());
        let decision =
            |(source, target)| Decision { name: format!("edge_{source}_{target}"), options: options.to_vec() };
        edges().map(decision).collect()
    }

    fn supernet(&self, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        network::supernet(settings)
    }

    /// The operation of largest weight on each edge, the first of equal ones. `none` can win.
    fn derive(&self, weights: &[TableWeights]) -> Result<Architecture, SpaceError> {
        let table = TableWeights::find(weights, TABLE, EDGES, Operation::ALL.len())?;
        let answers = (0..EDGES).map(|edge| largest(table.row(edge).iter().copied())).collect();
        Ok(Architecture { answers })
    }

    /// An edge without weights is `none`, the first of its equal options.
    fn leaves_out(&self) -> bool {
        true
    }

    fn decode(&self, architecture: &Architecture, settings: &NetworkSettings) -> Result<Graph, SpaceError> {
        let cell = self.cell(architecture)?;
        if settings.auxiliary {
            return Err(SpaceError::NoAuxiliary { space: NAME.into() });
        }
        network::network(&cell, settings)
    }

    /// In the search networks `edges.2<-1.3` is operation 3 between the nodes 1 and 2; `InferCell` has a list of the edges instead.
    fn published_layer(&self, layer: &str) -> String {
        let of_cell = || {
            let (cell, rest) = layer.split_once(".edges.")?;
            let mut parts = rest.splitn(3, '.');
            let edge = parts.next()?;
            let place = edges().position(|(source, target)| edge == format!("{target}<-{source}"))?;
            let rest = parts.nth(1).map_or(String::new(), |rest| format!(".{rest}"));
            Some(format!("{cell}.layers.{place}{rest}"))
        };
        of_cell().unwrap_or_else(|| layer.to_owned())
    }

    fn settle(&self, architecture: &Architecture) -> Result<Vec<TableWeights>, SpaceError> {
        let one_hot = |operation| Operation::ALL.map(|other| f32::from(u8::from(other == operation)));
        let values = self.cell(architecture)?.into_iter().flat_map(one_hot).collect();
        Ok(vec![TableWeights { name: TABLE.into(), rows: EDGES, options: Operation::ALL.len(), values }])
    }

    /// Without `none`, which is the lack of an edge.
    fn edge_primitives(&self) -> Vec<String> {
        Operation::ALL.iter().filter(|o| **o != Operation::None).map(ToString::to_string).collect()
    }

    fn cells(&self, architecture: &Architecture) -> Vec<CellPlan> {
        let Ok(cell) = self.cell(architecture) else { return Vec::new() };
        // Node 0 is the input, so the first node of a plan is node 1.
        let edge = |((source, target), operation): ((usize, usize), Operation)| (source, target - 1, operation);
        let edges = edges().zip(cell).map(edge).map(|(from, to, operation)| (from, to, operation.to_string()));
        vec![CellPlan {
            name: "cell".into(),
            inputs: 1,
            edges: edges.collect(),
            nodes: NODES - 1,
            concat: vec![NODES - 1],
        }]
    }

    /// Reads the benchmark's text (in quotes or brackets, too), its index (`#1459`, `1459`), NNI's dictionary, NASLib's tuple
    /// (`naslib:(4, 0, 3, 1, 4, 3)`), AutoDL-Projects' list, or JSON.
    fn parse(&self, text: &str) -> Result<Architecture, SpaceError> {
        let text = text.trim_matches('\u{feff}');
        forms::parse(text).unwrap_or_else(|| text::parse(text))
    }

    fn forms(&self, architecture: &Architecture) -> Vec<Form> {
        self.cell(architecture).map(|cell| forms::forms(&cell)).unwrap_or_default()
    }

    /// The benchmark's text: `|nor_conv_3x3~0|+|…|`.
    fn print(&self, architecture: &Architecture) -> String {
        match self.cell(architecture) {
            Ok(cell) => text::print(&cell),
            Err(_) => super::architecture::print_pairs(&self.decisions(), architecture),
        }
    }

    fn baseline(&self, settings: &NetworkSettings, parameters: u64) -> Result<Graph, SpaceError> {
        baseline::residual(settings, parameters)
    }
}

#[cfg(test)]
mod tests;
