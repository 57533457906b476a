//! The spaces by name, and what they are built with.

use super::chain::Layer;
use super::{Space, SpaceError};
use super::{chain, darts, enas_macro, enas_micro, nas_bench_201, nasnet, notation, stages};
use serde::{Deserialize, Serialize};

/// What a space is built with: each space reads what concerns it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpaceSettings {
    /// `darts`: intermediate nodes of a cell.
    pub nodes: usize,
    /// `darts`: names of the primitives on every edge, in order.
    pub primitives: Vec<String>,
    /// `chain-vgg16`: kernel sizes each convolution chooses from.
    pub kernels: Vec<usize>,
    /// `chain-mlp`: number of hidden layers.
    pub hidden_layers: usize,
    /// `chain-mlp`: units each hidden layer chooses from.
    pub units: Vec<usize>,
    /// `chain`: the layers; empty for a small stack of convolutions.
    pub chain: Vec<Layer>,
    /// `enas-macro`: number of layers. They are what is decided, so networks have as many, whatever
    /// [`NetworkSettings::layers`](super::NetworkSettings::layers) says.
    pub macro_layers: usize,
    /// For a space of your own: its description in TOML, as [`super::stages`] reads it. The space is
    /// called as the description says.
    pub stages: String,
}

impl Default for SpaceSettings {
    fn default() -> Self {
        Self {
            nodes: 4,
            primitives: darts::Primitive::DARTS.iter().map(ToString::to_string).collect(),
            kernels: vec![3, 5, 7],
            hidden_layers: 3,
            units: vec![16, 32, 64, 128],
            chain: Vec::new(),
            macro_layers: enas_macro::LAYERS,
            stages: String::new(),
        }
    }
}

/// Names of the spaces that [`find`] knows.
pub const NAMES: [&str; 9] = [
    "darts",
    "chain",
    "chain-vgg16",
    "chain-mlp",
    nas_bench_201::NAME,
    "mobile",
    enas_micro::NAME,
    enas_macro::NAME,
    nasnet::NAME,
];

/// The space called `name`, built with `settings`: one of [`NAMES`], or that which `settings.stages` describes.
///
/// ```
/// use cellwright::cost;
/// use cellwright::space::{self, NetworkSettings, SpaceSettings};
///
/// // The supernet of DARTS on CIFAR-10, and its published size.
/// let supernet = space::find("darts", &SpaceSettings::default())?.supernet(&NetworkSettings::default())?;
/// assert_eq!(cost::parameters(&supernet)?, 1_930_618);
/// let error = space::find("dart", &SpaceSettings::default()).err().expect("there is no such space");
/// assert!(error.to_string().contains("darts"), "{error}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`SpaceError::Unknown`] for any other name; what is wrong with the settings.
pub fn find(name: &str, settings: &SpaceSettings) -> Result<Box<dyn Space>, SpaceError> {
    Ok(match name {
        "darts" => {
            let primitives = settings.primitives.iter().map(|p| p.parse()).collect::<Result<Vec<_>, _>>()?;
            Box::new(darts::Darts::new(settings.nodes, primitives)?)
        }
        "chain" if settings.chain.is_empty() => Box::new(chain::Chain::small()),
        "chain" => Box::new(chain::Chain::new("chain", settings.chain.clone())?),
        "chain-vgg16" => Box::new(chain::Chain::vgg16(&settings.kernels)?),
        "chain-mlp" => Box::new(chain::Chain::mlp(settings.hidden_layers, &settings.units)?),
        nas_bench_201::NAME => Box::new(nas_bench_201::NasBench201),
        "mobile" => Box::new(stages::Stages::mobile()?),
        enas_micro::NAME => Box::new(enas_micro::SPACE),
        enas_macro::NAME => Box::new(enas_macro::EnasMacro::new(settings.macro_layers)?),
        nasnet::NAME => Box::new(nasnet::SPACE),
        _ if !settings.stages.is_empty() => Box::new(stages::Stages::named(name, &settings.stages)?),
        _ => return Err(SpaceError::unknown("search space", name, NAMES)),
    })
}

/// The name of the built-in space that a text is an architecture of: the first of [`NAMES`] that can read it, else the one
/// whose error will say most.
pub fn of_text(text: &str) -> &'static str {
    let settings = SpaceSettings::default();
    let reads = |name: &&'static str| find(name, &settings).is_ok_and(|space| space.sketch(text).is_ok());
    let resembles_benchmark = || {
        let numbers = notation::numbers(text).is_some_and(|numbers| numbers.split(' ').count() == nas_bench_201::EDGES);
        let text = text.to_lowercase();
        numbers || text.contains("naslib:") || (text.contains('|') && text.contains('~')) || text.contains("\"0_1\"")
    };
    let otherwise = || if resembles_benchmark() { nas_bench_201::NAME } else { NAMES[0] };
    NAMES.into_iter().find(|name| reads(name)).unwrap_or_else(otherwise)
}
