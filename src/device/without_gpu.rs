//! What stands in for `gpu` in a build without that feature: no adapter is found, so no GPU is ever opened.

use super::adapter::AdapterInfo;
use super::memory::Memory;
use super::recording::Recording;
use super::{Buffer, Class, Error, Limits, Pending};
use std::convert::Infallible;
use std::ops::Range;

/// Graphics interfaces that are asked: none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backends;

/// How graphics interfaces are asked: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InstanceFlags;

impl InstanceFlags {
    /// The same: the environment has nothing to say about interfaces that are not asked.
    #[must_use]
    pub fn with_env(self) -> Self {
        self
    }
}

/// Reads names of graphics interfaces. None is asked whatever they are, so any text will do.
///
/// # Errors
/// None; with the feature `gpu`, for a name that there is not.
pub fn backends(_: &str) -> Result<Backends, Error> {
    Ok(Backends)
}

pub(super) fn defaults() -> (Backends, InstanceFlags) {
    (Backends, InstanceFlags)
}

pub(super) async fn found(_: Backends, _: InstanceFlags) -> Vec<(AdapterInfo, Adapter)> {
    Vec::new()
}

/// An adapter: there is none.
#[derive(Debug)]
pub(super) enum Adapter {}

/// An opened GPU: there is none.
#[derive(Debug)]
pub(super) enum Gpu {}

impl Gpu {
    pub(super) async fn open(adapter: &Adapter) -> Result<(Self, Limits), Error> {
        match *adapter {}
    }

    pub(super) fn adapter(&self) -> &Adapter {
        match *self {}
    }

    pub(super) fn class(&self) -> Class {
        match *self {}
    }

    pub(super) fn destroy(&self) {
        match *self {}
    }

    pub(super) fn timestamps(&self) -> bool {
        match *self {}
    }

    pub(super) fn create_buffer(&self, _: u64, _: u64) -> Result<Infallible, Error> {
        match *self {}
    }

    pub(super) fn clear(&self, _: &Memory) -> Result<(), Error> {
        match *self {}
    }

    pub(super) fn write(&self, _: &Buffer, _: usize, _: &[u32]) -> Result<(), Error> {
        match *self {}
    }

    pub(super) fn read(&self, _: &Buffer, _: usize, _: usize) -> Pending<Vec<u32>> {
        match *self {}
    }

    pub(super) fn read_memory(&self, _: &Memory) -> Pending<Vec<u32>> {
        match *self {}
    }

    pub(super) fn run(&self, _: &Recording, _: &Limits) -> Result<(), Error> {
        match *self {}
    }

    pub(super) fn run_range(&self, _: &Recording, _: &Limits, _: Range<usize>) -> Result<(), Error> {
        match *self {}
    }

    pub(super) async fn by_timestamps(&self, _: &Recording, _: &Limits) -> Result<Vec<f64>, Error> {
        match *self {}
    }

    pub(super) async fn idle(&self) -> Result<(), Error> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Device, Options, Selector, adapters};
    use super::*;

    #[test]
    fn there_is_the_cpu_and_what_else_is_asked_for_names_the_feature() {
        let opened = |choice: &str, options: &Options| {
            pollster::block_on(Device::open_with(&choice.parse::<Selector>().unwrap(), options))
        };
        for choice in ["auto", "cpu", "0"] {
            assert!(!opened(choice, &Options::default()).unwrap().is_gpu(), "{choice}");
        }
        let named = Options { adapter_name: Some("fancy".into()), ..Options::default() };
        for (choice, options) in [
            ("gpu", &Options::default()),
            ("software", &Options::default()),
            ("1", &Options::default()),
            ("auto", &named),
        ] {
            let error = opened(choice, options).unwrap_err().to_string();
            assert!(error.contains("feature `gpu`") && error.contains("device `cpu`"), "{choice}: {error}");
        }
        assert_eq!(pollster::block_on(adapters(&Options::default())).len(), 1);
    }
}
