//! A study whose measurements are looked up: of samplers by themselves, in less than a second.

use super::domain::Domain;
use super::history::{Entry, History};
use super::objective::Objective;
use super::sampler::{Asked, Proposal, Sampler, Subject};
use crate::device::Device;
use crate::estimate::{Fidelity, Measured};
use crate::search::SearchError;

/// Asks a sampler for so many trials, a whole one of which has so many epochs, one after the other, each of which is worth what `measure` says of its candidate and
/// fidelity. Fewer if the sampler has no more.
///
/// # Errors
/// As [`Sampler::propose`], and what `measure` gives.
pub async fn simulate(
    device: &Device,
    domain: &Domain<'_>,
    objectives: &[Objective],
    epochs: u32,
    sampler: &mut dyn Sampler,
    trials: usize,
    measure: &dyn Fn(&super::domain::Candidate, Fidelity) -> Result<Measured, SearchError>,
) -> Result<History, SearchError> {
    let mut history = History::default();
    while history.trials().len() < trials {
        let subject = Subject { device, domain, objectives, epochs };
        let Proposal::Trial { candidate, fidelity, continues } =
            sampler.propose(Asked { subject, history: &history }).await?
        else {
            break;
        };
        let measured = measure(&candidate, fidelity)?;
        let trial = history.trials().len();
        for entry in [Entry::Began { candidate, fidelity, continues }, Entry::Ended { trial, measured }] {
            history.push(entry).map_err(SearchError::Settings)?;
        }
    }
    Ok(history)
}
