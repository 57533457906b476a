//! Studies: trials, each of an architecture (and of settings beside it), and samplers that decide which is next.
//!
//! A [`Sampler`] is a function of its settings, its seed and the [`History`] of the study, which is its journal: asked with the same
//! journal it answers the same, whoever asks. What an architecture is worth an [`Estimator`](crate::estimate::Estimator) says.

pub mod about;
mod config;
mod crew;
mod domain;
mod estimator;
mod history;
mod objective;
mod sampler;
mod simulate;
mod stepper;
mod stopping;

pub use config::{EstimatorConfig, StudyConfig};
pub use crew::{Carried, Crew, InHand, Inline, Order};
pub use domain::{Candidate, Dimension, Domain, Values};
pub use estimator::estimator;
pub use history::{Entry, History, Trial};
pub use objective::Objective;
pub use sampler::{Asked, Follower, Machine, Proposal, Sampler, Subject};
pub use simulate::simulate;
pub use stepper::{BEYOND, Study};
pub use stopping::{Stopping, Watch};
