//! Whether a device computes what it should: every kernel's cases against their references, a golden mixed operation
//! against values from elsewhere, and a search step against the CPU's. What anyone should run first on a new GPU, so it
//! needs nothing but the program, takes seconds, and goes on after a difference.

mod golden;
mod step;

use crate::device::{Agreement, Device, Disagreement, Error, Kernel, check_cases};
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

/// What a device was found to compute.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Each kernel on its cases.
    pub kernels: Vec<Check>,
    /// The golden mixed operation, fused and plain.
    pub golden: Vec<Check>,
    /// The search step, fused and plain.
    pub step: Vec<Check>,
}

impl Report {
    /// All checks.
    pub fn all(&self) -> impl Iterator<Item = &Check> {
        self.kernels.iter().chain(&self.golden).chain(&self.step)
    }

    /// Whether nothing differs.
    pub fn agrees(&self) -> bool {
        self.all().all(|check| check.differences.is_empty())
    }
}

impl Check {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), compared: 0, closest: 0.0, differences: Vec::new() }
    }

    /// Of something that could not be computed.
    fn failed(name: impl Into<String>, error: &Failure) -> Self {
        let difference = Difference { message: error.to_string(), error: None, allowed: None };
        Self { differences: vec![difference], ..Self::new(name) }
    }

    /// Requires an error of at most `allowed` times the norm of what is expected.
    fn close(&mut self, what: &str, got: &[f32], expected: &[f32], allowed: f64) {
        self.within(what, got, expected, allowed * norm(expected) + 1e-12);
    }

    /// Requires an L2 error of at most `most`.
    fn within(&mut self, what: &str, got: &[f32], expected: &[f32], most: f64) {
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
enum Failure {
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

fn norm(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt()
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>().sqrt()
}

/// Checks `device` with `kernels`, a golden mixed operation and a search step. Before each part `progress` is told its
/// name, and how many parts of how many are done.
pub async fn check(
    device: &Device,
    kernels: &[&'static Kernel],
    mut progress: impl FnMut(&str, usize, usize),
) -> Report {
    let parts = kernels.len() + 2;
    let mut report = Report { kernels: Vec::with_capacity(kernels.len()), golden: Vec::new(), step: Vec::new() };
    for (done, kernel) in kernels.iter().enumerate() {
        progress(kernel.name, done, parts);
        report.kernels.push(check_cases(device, kernel).await.into());
    }
    progress("golden operation", parts - 2, parts);
    report.golden = golden::check(device).await;
    progress("search step", parts - 1, parts);
    report.step = step::check(device).await;
    report
}

#[cfg(test)]
mod tests;
