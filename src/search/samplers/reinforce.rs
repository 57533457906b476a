//! REINFORCE on independent logits, one table of them for each decision (Williams 1992; as NAS-Bench-101 and -201 have it).

use super::random;
use crate::estimate::measured::ACCURACY;
use crate::estimate::{BoxFuture, Measured};
use crate::random::Random;
use crate::search::SearchError;
use crate::search::strategies::Sampled;
use crate::search::strategy::About;
use crate::search::study::{Candidate, Dimension, Domain, Follower, Machine, Proposal, Subject};
use crate::settings::SettingsError;
use crate::space::Architecture;
use serde::{Deserialize, Serialize};

/// REINFORCE.
pub static METHOD: Sampled = Sampled {
    about: About {
        name: "reinforce",
        paper: "REINFORCE on independent logits (Williams 1992; Ying et al. 2019)",
        weighs: "softmax of each decision’s logits",
        learns: "REINFORCE, moving-average baseline, Adam",
        ..random::ABOUT
    },
    preset: |config, _| config.with(&ReinforceConfig::default()),
    make: |settings, seed| {
        let config: ReinforceConfig = settings.read()?;
        config.check()?;
        Ok(Box::new(Follower::new(move || Reinforce::new(config, seed))))
    },
};

/// Streams of the study's seed: the first logits, and one for each candidate.
const LOGITS: u64 = 0x5A04 << 48;
const DRAWN: u64 = 0x5A05 << 48;
/// Adam's, as PyTorch has them unless told otherwise.
const BETAS: [f64; 2] = [0.9, 0.999];
const EPSILON: f64 = 1e-8;

/// Settings of [`Reinforce`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReinforceConfig {
    /// Learning rate of the logits.
    pub rate: f64,
    /// Standard deviation of the logits at the start.
    pub deviation: f64,
    /// Decay of the moving average of rewards that is the baseline.
    pub baseline_decay: f64,
}

impl Default for ReinforceConfig {
    /// As for NATS-Bench. (The code for NAS-Bench-201 has a rate of 0.5, with which it does worse.)
    fn default() -> Self {
        Self { rate: 0.01, deviation: 1e-3, baseline_decay: 0.9 }
    }
}

impl ReinforceConfig {
    /// Whether it can be used.
    ///
    /// # Errors
    /// What cannot.
    pub fn check(&self) -> Result<(), SettingsError> {
        let usable = |value: f64| value.is_finite() && value >= 0.0;
        if !usable(self.rate) || !usable(self.deviation) || !(0.0..1.0).contains(&self.baseline_decay) {
            let problem = "rate and deviation must not be negative, baseline_decay must be from 0 to below 1";
            return Err(SettingsError(problem.into()));
        }
        Ok(())
    }
}

/// What a candidate was drawn with: for each dimension its option and the probabilities of all options.
struct Drawn {
    options: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
}

/// Logits, their optimiser, and the baseline.
pub struct Reinforce {
    config: ReinforceConfig,
    seed: u64,
    logits: Vec<Vec<f64>>,
    moments: Vec<Vec<[f64; 2]>>,
    updates: i32,
    average: f64,
    drawn: Vec<Drawn>,
}

impl Reinforce {
    /// With logits of almost nothing.
    pub fn new(config: ReinforceConfig, seed: u64) -> Self {
        let (logits, moments) = (Vec::new(), Vec::new());
        Self { config, seed, logits, moments, updates: 0, average: 0.0, drawn: Vec::new() }
    }

    fn draw(&mut self, domain: &Domain<'_>) -> Result<Candidate, SearchError> {
        let sizes: Option<Vec<usize>> = domain.dimensions().into_iter().map(Dimension::options).collect();
        let real = "reinforce decides among options, not numbers between two: list the values of each setting";
        let sizes = sizes.ok_or_else(|| SearchError::Settings(real.into()))?;
        if self.logits.is_empty() {
            let mut random = Random::new(self.seed, LOGITS);
            let mut logit = || self.config.deviation * f64::from(random.normal());
            self.logits = sizes.iter().map(|&size| (0..size).map(|_| logit()).collect()).collect();
            self.moments = sizes.iter().map(|&size| vec![[0.0; 2]; size]).collect();
        }
        let mut random = Random::new(self.seed, DRAWN + self.drawn.len() as u64);
        // Only where the space excludes answers does it matter what one begins with.
        let mut answers = domain.space.random(&mut random);
        let mut drawn = Drawn { options: Vec::new(), probabilities: Vec::new() };
        for (at, logits) in self.logits.iter().enumerate() {
            let allowed = |option: usize| at >= domain.decisions.len() || domain.space.allows(&answers, at, option);
            let probabilities = softmax(logits, &allowed);
            let option = choose(&probabilities, random.uniform().into());
            if let Some(answer) = answers.answers.get_mut(at) {
                *answer = option;
            }
            drawn.options.push(option);
            drawn.probabilities.push(probabilities);
        }
        let beside = drawn.options[domain.decisions.len()..].iter().map(|&option| option as f64).collect();
        self.drawn.push(drawn);
        Ok(Candidate { answers: Architecture { answers: answers.answers }, beside })
    }

    /// Ascends log p·(r − b): b is the bias-corrected average of rewards, this one included.
    fn learn(&mut self, trial: usize, reward: f64) {
        let Some(drawn) = self.drawn.get(trial) else { return };
        self.updates += 1;
        let decay = self.config.baseline_decay;
        self.average = decay * self.average + (1.0 - decay) * reward;
        let advantage = reward - self.average / (1.0 - decay.powi(self.updates));
        let corrections = BETAS.map(|beta| 1.0 - beta.powi(self.updates));
        for (at, (&option, probabilities)) in drawn.options.iter().zip(&drawn.probabilities).enumerate() {
            for (k, &probability) in probabilities.iter().enumerate() {
                // Of the loss −log p·(r − b).
                let gradient = (probability - f64::from(u8::from(k == option))) * advantage;
                let [m, v] = &mut self.moments[at][k];
                *m = BETAS[0] * *m + (1.0 - BETAS[0]) * gradient;
                *v = BETAS[1] * *v + (1.0 - BETAS[1]) * gradient * gradient;
                let step = (*m / corrections[0]) / ((*v / corrections[1]).sqrt() + EPSILON);
                self.logits[at][k] -= self.config.rate * step;
            }
        }
    }
}

/// Shares of the options that are allowed; if none is, of all.
fn softmax(logits: &[f64], allowed: &dyn Fn(usize) -> bool) -> Vec<f64> {
    let mut open: Vec<bool> = (0..logits.len()).map(allowed).collect();
    if !open.contains(&true) {
        open.fill(true);
    }
    let highest = logits.iter().zip(&open).filter(|(_, open)| **open).map(|(l, _)| *l).fold(f64::MIN, f64::max);
    let powers = logits.iter().zip(&open).map(|(logit, open)| if *open { (logit - highest).exp() } else { 0.0 });
    let powers: Vec<f64> = powers.collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn choose(probabilities: &[f64], uniform: f64) -> usize {
    let mut below = 0.0;
    for (option, probability) in probabilities.iter().enumerate() {
        below += probability;
        if uniform < below {
            return option;
        }
    }
    // By rounding the sum may fall short of 1.
    probabilities.iter().rposition(|probability| *probability > 0.0).unwrap_or(0)
}

impl Machine for Reinforce {
    fn next<'a>(&'a mut self, subject: Subject<'a>) -> BoxFuture<'a, Result<Proposal, SearchError>> {
        Box::pin(async move { Ok(Proposal::whole(self.draw(subject.domain)?)) })
    }

    /// Learns from it: from accuracies in per cent, from all else as it is.
    fn ended<'a>(
        &'a mut self,
        subject: Subject<'a>,
        trial: usize,
        measured: &'a Measured,
    ) -> BoxFuture<'a, Result<(), SearchError>> {
        Box::pin(async move {
            let scale = if subject.objectives.first().is_some_and(|o| o.name.contains(ACCURACY)) { 100.0 } else { 1.0 };
            if let Some(worth) = subject.worth(measured) {
                self.learn(trial, scale * worth);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_rewarded_more_than_usual_becomes_more_likely() {
        let mut reinforce = Reinforce::new(ReinforceConfig { deviation: 0.0, ..Default::default() }, 1);
        reinforce.logits = vec![vec![0.0; 2]];
        reinforce.moments = vec![vec![[0.0; 2]; 2]];
        let drawn = |option: usize| Drawn { options: vec![option], probabilities: vec![vec![0.5, 0.5]] };
        reinforce.drawn = vec![drawn(0), drawn(1)];
        reinforce.learn(0, 50.0);
        // The first reward is its own baseline.
        assert_eq!(reinforce.logits, [[0.0, 0.0]]);
        // b = (0.9·5 + 0.1·60) / (1 − 0.81) = 55.26; gradients ±½·4.74: Adam's step is by their sign, m/√v of the second step.
        reinforce.learn(1, 60.0);
        let step = 0.01 * (0.1 / 0.19) / (0.001f64 / (1.0 - 0.999 * 0.999)).sqrt();
        assert!((reinforce.logits[0][1] - step).abs() < 1e-9 && (reinforce.logits[0][0] + step).abs() < 1e-9);
    }

    #[test]
    fn options_that_are_not_allowed_have_no_share() {
        assert_eq!(softmax(&[5.0, 0.0, 0.0], &|option| option > 0), [0.0, 0.5, 0.5]);
        assert_eq!(softmax(&[0.0, 0.0], &|_| false), [0.5, 0.5]);
        assert_eq!([0.0, 0.49, 0.5, 0.999_999].map(|u| choose(&[0.5, 0.0, 0.5], u)), [0, 0, 2, 2]);
    }
}
