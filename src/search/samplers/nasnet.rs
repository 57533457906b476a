//! The LSTM controller of NASNet (Zoph & Le 2017, "Neural architecture search with reinforcement learning"), whose samples are trained from
//! scratch.

use super::random;
use crate::estimate::measured::ACCURACY;
use crate::estimate::{BoxFuture, Measured};
use crate::search::SearchError;
use crate::search::controller::{Controller, ControllerConfig, Sample};
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Candidate, Follower, Machine, Proposal, Subject};
use std::collections::HashMap;

/// The controller, with the settings of that of NAS-Bench-201.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "nasnet",
        paper: "NAS with reinforcement learning (Zoph & Le 2017)",
        weighs: "architectures written by an LSTM controller",
        learns: "REINFORCE on what trials are worth, moving-average baseline, entropy bonus",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&ControllerConfig::nas_bench_201()),
    make: |settings, seed| {
        let config: ControllerConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || Nasnet {
            config: config.clone(),
            seed,
            controller: None,
            begun: 0,
            batch: Batch::default(),
        })))
    },
};

/// What the controller has written at once, and learns from at once.
#[derive(Default)]
struct Batch {
    samples: Vec<Sample>,
    begun: usize,
    /// What each is worth, by its place; what failed is worth nothing.
    rewards: HashMap<usize, f64>,
}

/// Trials written by a controller.
struct Nasnet {
    config: ControllerConfig,
    seed: u64,
    controller: Option<Controller>,
    /// Trials before the present batch.
    begun: usize,
    batch: Batch,
}

impl Nasnet {
    async fn propose(&mut self, subject: Subject<'_>) -> Result<Proposal, SearchError> {
        if !subject.domain.beside.is_empty() {
            let problem = "nasnet writes architectures and decides nothing beside them: leave out search.also";
            return Err(SearchError::Settings(problem.into()));
        }
        let controller = match &mut self.controller {
            Some(controller) => controller,
            None => {
                let (device, space) = (subject.device, subject.domain.space);
                self.controller.insert(Controller::new(device, space, self.config.clone(), self.seed)?)
            }
        };
        let Batch { samples, begun, rewards } = &mut self.batch;
        if *begun == samples.len() {
            if rewards.len() < samples.len() {
                return Ok(Proposal::Wait);
            }
            if !samples.is_empty() {
                let rewards: Vec<f64> = (0..samples.len()).map(|at| rewards.get(&at).copied().unwrap_or(0.0)).collect();
                controller.learn(samples, &rewards).await?;
                self.begun += samples.len();
            }
            self.batch = Batch { samples: controller.sample().await?, ..Batch::default() };
        }
        let sample = &self.batch.samples[self.batch.begun];
        self.batch.begun += 1;
        Ok(Proposal::whole(Candidate { answers: sample.architecture.clone(), beside: Vec::new() }))
    }
}

impl Machine for Nasnet {
    fn next<'a>(&'a mut self, subject: Subject<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(self.propose(subject))
    }

    fn ended<'a>(
        &'a mut self,
        subject: Subject<'a>,
        trial: usize,
        measured: &'a Measured,
    ) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            let is_accuracy = subject.objectives.first().is_some_and(|objective| objective.name.contains(ACCURACY));
            let worst = if is_accuracy { 0.0 } else { f64::MIN };
            // A reward is a share; of other quantities it is what it is.
            let worth = subject.worth(measured).unwrap_or(worst);
            if let Some(at) = trial.checked_sub(self.begun) {
                self.batch.rewards.insert(at, worth);
            }
            Ok(())
        })
    }
}
