//! Whether a device computes what it should: every kernel's cases against their references, a golden mixed operation
//! against values from elsewhere, and a search step against the CPU's. What anyone should run first on a new GPU, so it
//! needs nothing but the program, takes seconds, and goes on after a difference.

mod comparison;
mod golden;
mod step;

pub use comparison::{Check, Difference};

use crate::device::{Device, Kernel, check_cases};
use serde::Serialize;

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
