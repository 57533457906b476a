//! A search strategy of one's own, from outside the crate, in the same runs as those inside: hill climbing with shared
//! weights. `cargo run --release --example custom_strategy -- --space nas-bench-201`
//!
//! The shared weights are trained one random path a step. Then the search stands on an architecture and measures its
//! neighbours in a random order; the first that is better becomes the place to stand on, until it has no better neighbour
//! or the measurements are used up.

use cellwright::data::{Augmentation, split};
use cellwright::device::{Device, Selector};
use cellwright::estimate::{Estimator, Fidelity, PathConfig, PathTraining, SharedWeights, finish, limits};
use cellwright::optim::{Schedule, SgdConfig};
use cellwright::random::Random;
use cellwright::run::{self, Config, Directory, Setting, Silent, Sources};
use cellwright::search::{
    self, About, Bench, BoxFuture, Event, Origin, Progress, SearchError, Stepper, Strategy, Task,
};
use cellwright::settings::{Settings, SettingsError};
use cellwright::space::{Architecture, NetworkSettings, Space, SpaceConfig};
use cellwright::state::State;
use clap::Parser;
use serde::{Deserialize, Serialize};

/// All that the program need know of it: how it is called, what its settings are, how it is built.
struct HillClimbing;

static ABOUT: About = About {
    name: "hill-climbing",
    paper: "Hill climbing with shared weights (an example)",
    weighs: "uniform architectures",
    runs: "one path",
    learns: "nothing",
    stops: "after its epochs",
    chooses: "the top of the hill, with shared weights",
};

/// The group `[search]` of a run by it.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Climb {
    /// Passes over the half of the images that trains the weights.
    epochs: u32,
    /// Images a step.
    batch: usize,
    /// Architectures that are measured, at most.
    measurements: u32,
}

impl Strategy for HillClimbing {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn preset(&self, task: &Task<'_>) -> Result<Settings, SettingsError> {
        let epochs = if task.scale.is_brief() { 20 } else { 50 };
        Settings::of(&Climb { epochs: task.epochs.unwrap_or(epochs), batch: 64, measurements: 60 })
    }

    fn check(&self, settings: &Settings, _: &NetworkSettings) -> Result<(), SettingsError> {
        let Climb { epochs, batch, measurements } = settings.read()?;
        limits::epochs("epochs", epochs)?;
        limits::images("batch", batch)?;
        limits::within("measurements", measurements.into(), 1, 1_000_000)
    }

    fn build<'a>(
        &self,
        settings: &Settings,
        bench: Bench<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Stepper + 'a>, SearchError>> {
        let config = settings.read::<Climb>();
        Box::pin(async move { Ok(Box::new(Climber::new(config?, bench)?) as Box<dyn Stepper + 'a>) })
    }
}

/// A search under way.
struct Climber<'a> {
    config: Climb,
    space: &'a dyn Space,
    seed: u64,
    paths: PathTraining,
    /// The images that measure.
    measuring: Vec<u32>,
    here: Option<(Architecture, f64)>,
    /// What is to be measured yet, from the last.
    waiting: Vec<Architecture>,
    taken: u64,
    over: bool,
}

impl<'a> Climber<'a> {
    fn new(config: Climb, bench: Bench<'a>) -> Result<Self, SearchError> {
        let Bench { device, space, settings, images, labels, seed, .. } = bench;
        let (training, measuring) = split::halves(labels, seed)?;
        let with = PathConfig {
            epochs: config.epochs,
            batch: config.batch,
            sgd: SgdConfig::default(),
            rate: Schedule::Cosine { from: 0.05, to: 0.001 },
            augmentation: Augmentation::default(),
            dropout: false,
        };
        let paths = PathTraining::new(device, space.supernet(settings)?, images, training, with, seed)?;
        let (here, waiting) = (None, vec![space.random(&mut Random::new(seed, 1 << 60))]);
        Ok(Self { config, space, seed, paths, measuring, here, waiting, taken: 0, over: false })
    }

    async fn next(&mut self) -> Result<Vec<Event>, SearchError> {
        let Progress { total, .. } = self.progress();
        if self.taken < self.paths.steps() {
            // What a step draws depends on its number alone, so that a search can go on from any step.
            let architecture = self.space.random(&mut Random::new(self.seed, self.taken));
            let path = self.paths.path(self.space, &architecture)?;
            let train_loss = self.paths.step(self.taken, &path).await?.loss;
            self.taken += 1;
            return Ok(vec![Event::Step { taken: self.taken, total, train_loss, valid_loss: None }]);
        }
        let next = self.waiting.pop().filter(|_| self.taken < total);
        let Some(architecture) = next else {
            self.over = true;
            let nothing = || SearchError::Settings("nothing was measured".into());
            let (architecture, _) = self.here.clone().ok_or_else(nothing)?;
            return Ok(vec![Event::Derived { architecture }]);
        };
        let Self { space, paths, measuring, .. } = self;
        let estimator = SharedWeights::new(*space, paths, measuring, 4);
        let measured = finish(&mut *estimator.start(&architecture, &[], Fidelity::Full)?).await?;
        self.taken += 1;
        if let Some(accuracy) = measured.accuracy()
            && self.here.as_ref().is_none_or(|(_, best)| accuracy > *best)
        {
            self.waiting = self.space.neighbours(&architecture);
            Random::new(self.seed, (2 << 60) + self.taken).shuffle(&mut self.waiting);
            self.here = Some((architecture.clone(), accuracy));
        }
        Ok(vec![Event::Ranked { taken: self.taken, total, architecture, measured, origin: Origin::Strategy }])
    }
}

impl Stepper for Climber<'_> {
    fn advance(&mut self) -> BoxFuture<'_, Result<Vec<Event>, SearchError>> {
        Box::pin(async move { if self.over { Ok(Vec::new()) } else { self.next().await } })
    }

    fn progress(&self) -> Progress {
        let total = self.paths.steps() + u64::from(self.config.measurements);
        Progress { taken: if self.over { total } else { self.taken }, total }
    }

    fn save(&self) -> BoxFuture<'_, Result<State, SearchError>> {
        Box::pin(async move {
            let mut state = State::of("hill climbing");
            state.set("taken", self.taken)?;
            state.set("over", self.over)?;
            state.set("here", &self.here)?;
            state.set("waiting", &self.waiting)?;
            state.nest("paths", self.paths.save().await?);
            Ok(state)
        })
    }

    fn restore<'a>(&'a mut self, state: &'a State) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            state.check("hill climbing")?;
            self.taken = state.get("taken")?;
            self.over = state.get("over")?;
            self.here = state.get("here")?;
            self.waiting = state.get("waiting")?;
            self.paths.restore(state.part("paths")?)
        })
    }
}

#[derive(Parser)]
#[command(about = "Searches by a strategy of one's own")]
struct Args {
    /// Search space.
    #[arg(long, default_value = "nas-bench-201")]
    space: String,
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// One epoch only, of search and of training.
    #[arg(long)]
    quick: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    // The strategies there are, and this one. Names, settings, errors and files are then as of any other.
    let strategies: Vec<&'static dyn Strategy> = search::ALL.iter().copied().chain([&HillClimbing as _]).collect();
    let mut settings =
        vec!["strategy=hill-climbing".to_owned(), format!("space={}", args.space), "random=1".to_owned()];
    if args.quick {
        settings.extend(["search.epochs=1", "search.measurements=5", "train.epochs=1"].map(str::to_owned));
    }
    let settings: Vec<Setting> = settings.iter().map(|setting| Setting::set(setting)).collect();
    let sources = Sources { settings: &settings, strategies: &strategies, ..Sources::default() };
    let config = Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or("darts"))))?.config;

    let device = pollster::block_on(Device::open(&args.device.parse::<Selector>()?))?;
    let directory = Directory::create_numbered(&std::env::temp_dir(), "custom-strategy")?;
    let outcome = run::search(&device, &config, &directory, &mut Silent)?;
    println!("{} found {}", outcome.summary.strategy, outcome.summary.genotype);
    println!("after {} measurements with shared weights", outcome.searched.ranked.len());
    for network in &outcome.trained {
        println!("{:>9}: {:.2} % of the test images", network.facts.name, 100.0 * network.facts.test_accuracy);
    }
    println!("all of it is in {}", directory.path().display());
    Ok(())
}
