//! Options that say which network is meant: a space's supernet, or one architecture.

use super::common::{parse_image, space_help, space_of};
use cellwright::graph::{Features, Graph};
use cellwright::run::{architecture, spaces_that_read};
use cellwright::settings::Settings;
use cellwright::space::{self, Entry, NetworkSettings, Reads, Sketch, Space, SpaceConfig, Stem};
use std::error::Error;
use toml::Value;

/// Whether networks depend on a size.
type Read = fn(Reads) -> bool;

/// A network of a search space.
#[derive(Debug, clap::Args)]
pub struct NetworkArgs {
    #[arg(long, value_name = "NAME|FILE", help = space_help(" [default: that of the architecture, else darts]"))]
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
        let mut config = match (&self.space, given) {
            (Some(space), _) => space_of(space)?,
            (None, Some(given)) => given.space.clone(),
            (None, None) => SpaceConfig::of(space::darts::NAME),
        };
        // An unknown name is the first thing to hear of.
        config.build()?;
        for (option, key, value) in self.space_options() {
            let Some(value) = value else { continue };
            // Of several spaces with a setting of this name, the option's are those where it is of the same type.
            let has = |settings: &Settings| settings.get(key).is_some_and(|default| default.same_type(&value));
            let owners: Vec<&Entry> = space::ALL.iter().copied().filter(|entry| has(&(entry.defaults)())).collect();
            if owners.iter().all(|owner| owner.name != config.name) {
                let owners: Vec<&str> = owners.iter().map(|owner| owner.name).collect();
                let (owner, name) = (owners.join("`, `"), config.name);
                return Err(format!("{option} belongs to the space `{owner}`: leave it out for `{name}`").into());
            }
            config.settings.table_mut().insert(key.to_owned(), value);
        }
        let space = config.build()?;
        let sizes: [(_, _, Read); 3] = [
            ("--channels", self.channels.is_some(), |r| r.channels),
            ("--layers", self.layers.is_some(), |r| r.layers),
            ("--stem", self.stem.is_some(), |r| r.stem),
        ];
        if let Some((option, _, reads)) = sizes.into_iter().find(|(_, given, reads)| *given && !reads(space.reads())) {
            let (name, readers) = (space.name(), spaces_that_read(reads));
            let problem = format!("{option} says nothing to the space `{name}`: leave it out; it belongs to {readers}");
            return Err(problem.into());
        }
        Ok(space)
    }

    /// The options that say what a space is built with: the setting each is, and what was given.
    fn space_options(&self) -> [(&'static str, &'static str, Option<Value>); 6] {
        // What TOML cannot count is too large for any space.
        let count = |count: usize| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
        let counts = |given: &Option<Vec<usize>>| given.as_ref().map(|all| all.iter().copied().map(count).collect());
        let names = self.primitives.as_ref().map(|all| all.iter().cloned().map(Value::String).collect());
        [
            ("--nodes", "nodes", self.nodes.map(count)),
            ("--primitives", "primitives", names.map(Value::Array)),
            ("--kernels", "kernels", counts(&self.kernels).map(Value::Array)),
            ("--hidden-layers", "hidden_layers", self.hidden_layers.map(count)),
            ("--units", "units", counts(&self.units).map(Value::Array)),
            ("--macro-layers", "layers", self.macro_layers.map(count)),
        ]
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
    fn settings(&self, space: &dyn Space, auxiliary: bool) -> NetworkSettings {
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

    /// The supernet, as small as it can be read where nothing else was said.
    ///
    /// # Errors
    /// Whatever cannot be built.
    pub fn small_supernet(&self) -> Result<Subject, Box<dyn Error>> {
        let space = self.space(None)?;
        let own = self.settings(space.as_ref(), false);
        let settings = NetworkSettings {
            image: self.image.unwrap_or(Features::new(1, 8, 8)),
            channels: self.channels.unwrap_or(4),
            layers: self.layers.unwrap_or(3),
            ..own
        };
        let graph = space.supernet(&settings)?;
        Ok(Subject { space, settings, graph, sketch: None })
    }

    /// The network meant: that of an architecture, given by name, text, file or run, or the supernet.
    ///
    /// # Errors
    /// Whatever cannot be read or does not fit.
    pub fn network(&self, architecture: Option<&str>, auxiliary: bool) -> Result<Subject, Box<dyn Error>> {
        let given = architecture.map(architecture::read).transpose()?;
        let space = self.space(given.as_ref())?;
        if given.is_some() && (self.nodes.is_some() || self.primitives.is_some()) {
            return Err("a genotype says its own nodes and primitives: leave out --nodes and --primitives".into());
        }
        let settings = self.settings(space.as_ref(), auxiliary);
        let (graph, sketch) = match given {
            None => (space.supernet(&settings)?, None),
            Some(given) => (space.decode_text(&given.text, &settings)?, Some(space.sketch(&given.text)?)),
        };
        Ok(Subject { space, settings, graph, sketch })
    }
}

/// Cells of a space's published network; none where the depth is part of the space's description.
fn published_layers(space: &dyn Space) -> Option<usize> {
    space.reads().layers.then(|| space.published().supernet.layers)
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
        let depth = published_layers(self.space.as_ref()).map_or(String::new(), |_| format!(", {layers} layers"));
        format!("{} {kind}, {channels} channels{depth}, {classes} classes, image {image}", self.space.name())
    }
}
