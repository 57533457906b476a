//! One thing that was held against another.

use crate::device::{Agreement, Disagreement, Error};
use crate::nn::ExchangeError;
use crate::search::SearchError;
use serde::Serialize;

/// What was held against what, and what differs.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// A kernel's name, or what was computed.
    pub name: String,
    /// Cases, or quantities compared.
    pub compared: usize,
    /// The largest error of all that agree, as a share of what is allowed.
    pub closest: f64,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    /// In words: what differs, and how.
    pub message: String,
    /// Relative L2 error; nothing where there were no results.
    pub error: Option<f64>,
    /// How much is allowed.
    pub allowed: Option<f64>,
}

impl Check {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), compared: 0, closest: 0.0, differences: Vec::new() }
    }

    /// Of something that could not be computed.
    pub(super) fn failed(name: impl Into<String>, error: &Failure) -> Self {
        let difference = Difference { message: error.to_string(), error: None, allowed: None };
        Self { differences: vec![difference], ..Self::new(name) }
    }

    /// Requires an error of at most `allowed` times the norm of what is expected.
    pub(super) fn close(&mut self, what: &str, got: &[f32], expected: &[f32], allowed: f64) {
        self.within(what, got, expected, allowed * norm(expected) + 1e-12);
    }

    /// Requires an L2 error of at most `most`.
    pub(super) fn within(&mut self, what: &str, got: &[f32], expected: &[f32], most: f64) {
        self.compared += 1;
        let error = distance(got, expected);
        // A NaN is never within what is allowed.
        if got.len() == expected.len() && error <= most {
            self.closest = self.closest.max(error / most);
            return;
        }
        let norm = norm(expected).max(1e-30);
        let (error, allowed) = (error / norm, most / norm);
        let message = format!("{what}: relative error {error:.2e}, allowed {allowed:.2e}");
        self.differences.push(Difference { message, error: Some(error), allowed: Some(allowed) });
    }
}

impl From<Agreement> for Check {
    fn from(agreement: Agreement) -> Self {
        let difference = |failure: Disagreement| {
            let message = failure.to_string();
            let (error, allowed) = match failure {
                Disagreement::Differs { error, allowed, .. } => (Some(error), Some(allowed)),
                Disagreement::Device { .. } | Disagreement::NoCases { .. } => (None, None),
            };
            Difference { message, error, allowed }
        };
        Self {
            name: agreement.kernel.to_owned(),
            compared: agreement.cases,
            closest: agreement.closest,
            differences: agreement.failures.into_iter().map(difference).collect(),
        }
    }
}

/// Why something could not be computed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Search(#[from] SearchError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("the values inside the program lack `{0}`")]
    Lacking(String),
}

impl From<crate::tensor::Error> for Failure {
    fn from(error: crate::tensor::Error) -> Self {
        Self::Search(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Search(error.into())
    }
}

pub(super) fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

pub(super) fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
}
