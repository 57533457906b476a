//! Options that say which network is meant: a space's supernet, or one architecture.

use super::common::{parse_image, space_name};
use cellwright::graph::{Features, Graph};
use cellwright::run::{architecture, spaces_that_read};
use cellwright::space::{self, NetworkSettings, Reads, Sketch, Space, SpaceSettings, Stem};
use std::error::Error;

/// Whether networks depend on a size.
type Read = fn(Reads) -> bool;

/// A network of a search space.
#[derive(Debug, clap::Args)]
pub struct NetworkArgs {
    /// Search space: darts, nasnet, enas-micro, enas-macro, nas-bench-201, chain, chain-vgg16, chain-mlp, mobile, or a
    /// TOML file that describes stages [default: that of the architecture, else darts].
    #[arg(long, value_name = "NAME|FILE")]
    pub space: Option<String>,
    /// Channels of the first cells; later ones have multiples [default: 16, with --stem imagenet 48].
    #[arg(long, value_name = "C")]
    pub channels: Option<usize>,
    /// Cells of the network (`darts`, `nasnet`, `enas-micro`, `nas-bench-201`) [default: 8, as published 15 for the
    /// last, with --stem imagenet 14].
    #[arg(long, value_name = "L")]
    pub layers: Option<usize>,
    /// Number of classes [default: 10, with --stem imagenet 1000].
    #[arg(long, value_name = "N")]
    pub classes: Option<usize>,
    /// Shape of one image: channels x rows x columns [default: 3x32x32, with --stem imagenet 3x224x224].
    #[arg(long, value_parser = parse_image, value_name = "CxHxW")]
    pub image: Option<Features>,
    /// What stands before the first cell (`darts`, `nasnet`): `cifar`, one convolution, or `imagenet`, three of stride 2.
    /// [default: cifar]
    #[arg(long, value_parser = str::parse::<Stem>, value_name = "cifar|imagenet")]
    pub stem: Option<Stem>,
    /// `darts`: nodes of a cell of the supernet [default: 4].
    #[arg(long, value_name = "N", help_heading = "What the space is built with")]
    pub nodes: Option<usize>,
    /// `darts`: primitives on each edge of the supernet [default: the published eight].
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', help_heading = "What the space is built with")]
    pub primitives: Option<Vec<String>>,
    /// `chain-vgg16`: kernel sizes each convolution chooses from [default: 3,5,7].
    #[arg(long, value_name = "K,…", value_delimiter = ',', help_heading = "What the space is built with")]
    pub kernels: Option<Vec<usize>>,
    /// `chain-mlp`: hidden layers [default: 3].
    #[arg(long, value_name = "N", help_heading = "What the space is built with")]
    pub hidden_layers: Option<usize>,
    /// `chain-mlp`: units each hidden layer chooses from [default: 16,32,64,128].
    #[arg(long, value_name = "U,…", value_delimiter = ',', help_heading = "What the space is built with")]
    pub units: Option<Vec<usize>>,
    /// `enas-macro`: layers of the network [default: 12].
    #[arg(long, value_name = "N", help_heading = "What the space is built with")]
    pub macro_layers: Option<usize>,
}

impl NetworkArgs {
    /// The space, with the settings given. Of an architecture without `--space` it is that which the architecture says.
    ///
    /// # Errors
    /// An unknown space, a setting that cannot be used, or one that belongs to another space.
    fn space(&self, given: Option<&architecture::Given>) -> Result<Box<dyn Space>, Box<dyn Error>> {
        let mut settings = SpaceSettings::default();
        // An unknown name is the first thing to hear of.
        let name = match (&self.space, given) {
            (Some(space), _) => space_name(space, &mut settings)?,
            (None, Some(given)) => {
                settings = given.space.1.clone();
                given.space.0.clone()
            }
            (None, None) => "darts".to_owned(),
        };
        space::find(&name, &settings)?;
        let given = [
            ("--nodes", self.nodes.is_some(), "darts"),
            ("--primitives", self.primitives.is_some(), "darts"),
            ("--kernels", self.kernels.is_some(), "chain-vgg16"),
            ("--hidden-layers", self.hidden_layers.is_some(), "chain-mlp"),
            ("--units", self.units.is_some(), "chain-mlp"),
            ("--macro-layers", self.macro_layers.is_some(), space::enas_macro::NAME),
        ];
        if let Some((option, _, owner)) = given.iter().find(|(_, given, owner)| *given && *owner != name) {
            return Err(format!("{option} belongs to the space `{owner}`: leave it out for `{name}`").into());
        }
        settings.macro_layers = self.macro_layers.unwrap_or(settings.macro_layers);
        settings.nodes = self.nodes.unwrap_or(settings.nodes);
        settings.hidden_layers = self.hidden_layers.unwrap_or(settings.hidden_layers);
        settings.primitives = self.primitives.clone().unwrap_or(settings.primitives);
        settings.kernels = self.kernels.clone().unwrap_or(settings.kernels);
        settings.units = self.units.clone().unwrap_or(settings.units);
        let space = space::find(&name, &settings)?;
        let sizes: [(_, _, Read); 3] = [
            ("--channels", self.channels.is_some(), |r| r.channels),
            ("--layers", self.layers.is_some(), |r| r.layers),
            ("--stem", self.stem.is_some(), |r| r.stem),
        ];
        if let Some((option, _, reads)) = sizes.into_iter().find(|(_, given, reads)| *given && !reads(space.reads())) {
            let readers = spaces_that_read(reads);
            let problem = format!("{option} says nothing to the space `{name}`: leave it out; it belongs to {readers}");
            return Err(problem.into());
        }
        Ok(space)
    }

    /// The first of the options given that say how large a network is.
    pub fn size_option(&self) -> Option<&'static str> {
        let sizes = [
            ("--channels", self.channels.is_some()),
            ("--layers", self.layers.is_some()),
            ("--stem", self.stem.is_some()),
            ("--classes", self.classes.is_some()),
            ("--image", self.image.is_some()),
        ];
        sizes.into_iter().find(|(_, given)| *given).map(|(option, _)| option)
    }

    /// What networks of a space are built for.
    fn settings(&self, space: &str, auxiliary: bool) -> NetworkSettings {
        let stem = self.stem.unwrap_or_default();
        let own = stem.settings();
        let layers = match stem {
            Stem::Cifar => published_layers(space),
            Stem::ImageNet => None,
        };
        NetworkSettings {
            image: self.image.unwrap_or(own.image),
            classes: self.classes.unwrap_or(own.classes),
            channels: self.channels.unwrap_or(own.channels),
            layers: self.layers.or(layers).unwrap_or(own.layers),
            auxiliary,
            ..own
        }
    }

    /// The network meant: that of an architecture, given by name, text, file or run, or the supernet.
    ///
    /// # Errors
    /// Whatever cannot be read or does not fit.
    pub fn network(&self, architecture: Option<&str>, auxiliary: bool) -> Result<Subject, Box<dyn Error>> {
        let given = architecture.map(architecture::read).transpose()?;
        let space = self.space(given.as_ref())?;
        if given.is_some() && space.name() == "darts" && (self.nodes.is_some() || self.primitives.is_some()) {
            return Err("a genotype says its own nodes and primitives: leave out --nodes and --primitives".into());
        }
        let settings = self.settings(space.name(), auxiliary);
        let (graph, sketch) = match given {
            None => (space.supernet(&settings)?, None),
            Some(given) => (space.decode_text(&given.text, &settings)?, Some(space.sketch(&given.text)?)),
        };
        Ok(Subject { space, settings, graph, sketch })
    }
}

/// Cells of a space's published network; none where the depth is part of the space's description.
fn published_layers(space: &str) -> Option<usize> {
    match space {
        "darts" | space::nasnet::NAME => Some(NetworkSettings::default().layers),
        space::enas_micro::NAME => Some(space::enas_micro::LAYERS),
        space::nas_bench_201::NAME => Some(space::nas_bench_201::LAYERS),
        _ => None,
    }
}

/// A network and where it comes from.
pub struct Subject {
    /// Its space.
    pub space: Box<dyn Space>,
    /// What it is built for.
    pub settings: NetworkSettings,
    /// The network.
    pub graph: Graph,
    /// The architecture, unless it is the supernet.
    pub sketch: Option<Sketch>,
}

impl Subject {
    /// What it is, in one line.
    pub fn title(&self) -> String {
        let NetworkSettings { image, classes, channels, layers, .. } = &self.settings;
        let kind = if self.sketch.is_some() { "network" } else { "supernet" };
        let depth = published_layers(self.space.name()).map_or(String::new(), |_| format!(", {layers} layers"));
        format!("{} {kind}, {channels} channels{depth}, {classes} classes, image {image}", self.space.name())
    }
}
