//! When a search ends before its last epoch.

use super::SearchError;
use super::config::Stop;
use super::hessian::largest_eigenvalue;
use super::phase::Phase;
use crate::data::Fresh;
use crate::device::Recording;
use crate::estimate::{Scalars, Wants};
use crate::random::Random;
use crate::search::check_architectures;
use crate::space::{Architecture, Space};
use crate::state::{State, StateError};

/// How far α is moved to either side for a product with ∇²α L_val.
const DISTANCE: f64 = 0.01;
/// What the weight decay of α adds to the diagonal.
const DECAY: f64 = 1e-3;

/// Follows a search and says when it has gone too far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Eigenvalues so far, with epoch and architecture.
    seen: Vec<(u32, f64, Architecture)>,
    /// Accuracy of the supernet after the best epoch, and the architecture that it stood for.
    best: Option<(f64, Architecture)>,
}

impl Watch {
    /// Its state.
    pub fn save(&self) -> Result<State, StateError> {
        let mut state = State::of("watch");
        // Bits: an eigenvalue need not be finite.
        let seen = self.seen.iter().map(|(epoch, value, architecture)| (epoch, value.to_bits(), architecture));
        state.set("seen", seen.collect::<Vec<_>>())?;
        state.set("best", &self.best)?;
        Ok(state)
    }

    /// Goes on from a state.
    pub fn restore(&mut self, state: &State, space: &dyn Space) -> Result<(), SearchError> {
        state.check("watch")?;
        let seen: Vec<(u32, u64, Architecture)> = state.get("seen")?;
        check_architectures(state, "seen", space, seen.iter().map(|(.., architecture)| architecture))?;
        self.best = state.get("best")?;
        check_architectures(state, "best", space, self.best.iter().map(|(_, architecture)| architecture))?;
        self.seen = seen.into_iter().map(|(epoch, bits, found)| (epoch, f64::from_bits(bits), found)).collect();
        Ok(())
    }

    /// Notes how accurate the supernet was after an epoch, and what it stood for.
    pub fn note(&mut self, accuracy: f64, architecture: &Architecture) {
        if self.best.as_ref().is_none_or(|(best, _)| accuracy > *best) {
            self.best = Some((accuracy, architecture.clone()));
        }
    }

    /// What the supernet stood for after the epoch in which it was most accurate.
    pub fn best(&self) -> Option<Architecture> {
        self.best.as_ref().map(|(_, architecture)| architecture.clone())
    }

    /// The eigenvalue of an epoch, if one was taken.
    pub fn eigenvalue_of(&self, epoch: u32) -> Option<f64> {
        self.seen.iter().find(|(e, ..)| *e == epoch).map(|(_, value, _)| *value)
    }

    /// The architecture to end with after this epoch, if it must end.
    pub fn skips(&self, stop: Stop, epoch: u32, architecture: &Architecture, skips: usize) -> Option<Architecture> {
        matches!(stop, Stop::Skips { most, earliest } if skips >= most && epoch >= earliest)
            .then(|| architecture.clone())
    }

    /// The same by eigenvalues, to which that of this epoch is added if it is its turn; and the epoch it is of.
    pub async fn eigenvalue(
        &mut self,
        stop: Stop,
        epoch: u32,
        architecture: &Architecture,
        phase: &Phase,
        valid: &Fresh,
        seed: u64,
    ) -> Result<Option<(u32, Architecture)>, SearchError> {
        let Stop::Eigenvalue { every, .. } = stop else { return Ok(None) };
        if !epoch.is_multiple_of(every.max(1)) {
            return Ok(None);
        }
        let value = curvature(phase, valid, epoch, seed).await?;
        self.seen.push((epoch, value, architecture.clone()));
        Ok(self.verdict(stop))
    }

    /// Whether the averaged eigenvalue exceeds `ratio` times the one `back` before; then that epoch and its architecture.
    fn verdict(&self, stop: Stop) -> Option<(u32, Architecture)> {
        let Stop::Eigenvalue { window, back, ratio, earliest, .. } = stop else { return None };
        let half = window / 2;
        let last = self.seen.len().checked_sub(1)?;
        // Centred means, of what there is at the ends.
        let mean = |at: usize| {
            let range = at.saturating_sub(half)..(at + half + 1).min(self.seen.len());
            let count = range.len() as f64;
            self.seen[range].iter().map(|(_, value, _)| value).sum::<f64>() / count
        };
        let before = last.checked_sub(back)?;
        let (epoch, _, architecture) = &self.seen[before];
        (*epoch >= earliest && mean(last) > ratio * mean(before)).then(|| (*epoch, architecture.clone()))
    }
}

/// The largest eigenvalue of ∇²α L_val on one batch, products by central differences.
async fn curvature(phase: &Phase, valid: &Fresh, epoch: u32, seed: u64) -> Result<f64, SearchError> {
    let supernet = &phase.supernet;
    let device = supernet.device();
    supernet.valid().indices.write_words(device, &valid.at(epoch))?;
    // No running statistics: this is no step.
    let recorder = phase.gathered([false, true])?;
    let (recorder, _) = supernet.record_pass(recorder, supernet.valid(), Wants::Alphas, Scalars::INNER_LOSSES)?;
    let recording: Recording = recorder.finish();
    let alphas = supernet.alphas().read(device).await?;
    let gradient = async |v: &[f64], sign: f64| -> Result<Vec<f32>, SearchError> {
        let moved: Vec<f32> = alphas.iter().zip(v).map(|(a, v)| (f64::from(*a) + sign * DISTANCE * v) as f32).collect();
        supernet.alphas().values().write(device, &moved)?;
        device.run(&recording)?;
        Ok(supernet.alphas().gradients().read(device).await?)
    };
    let product = async |v: &[f64]| {
        let (plus, minus) = (gradient(v, 1.0).await?, gradient(v, -1.0).await?);
        let differences = plus.iter().zip(&minus).zip(v);
        Ok(differences.map(|((p, m), v)| f64::from(p - m) / (2.0 * DISTANCE) + DECAY * v).collect())
    };
    let value = largest_eigenvalue(alphas.len(), &mut Random::new(seed, u64::from(epoch)), product).await;
    supernet.alphas().values().write(device, &alphas)?;
    value
}

#[cfg(test)]
mod tests;
