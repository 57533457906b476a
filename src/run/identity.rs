//! What a run must have in common with the one that it goes on with.

use super::config::Config;
use super::config_error::ConfigError;
use super::model::Model;
use super::owners::Purpose;
use super::tables::{get, keys};
use crate::data::Dataset;
use crate::device::Device;
use serde::{Deserialize, Serialize};
use toml::Table;

/// Settings that may grow where a run goes on, and of which phases: by the beginning of their names.
const MAY_GROW: &[(&str, &str)] =
    &[("search.epochs", "search"), ("search.trials", "search"), ("train.epochs", "train "), ("random", "summarise")];
/// Settings that say nothing of what is computed.
const MAY_DIFFER: &[&str] = &["checkpoint", "device"];

/// What the bits of a run depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The configuration, as it is written.
    pub config: String,
    /// A hash of the dataset's content.
    data: String,
    /// A hash of what the network begins with, if it has learned something before.
    #[serde(default)]
    model: Option<String>,
    /// Names of the devices.
    device: String,
}

impl Identity {
    pub fn of(config: &Config, purpose: Purpose, data: &str, devices: &[Device]) -> Result<Self, ConfigError> {
        let device = devices.iter().map(Device::name).collect::<Vec<_>>().join(", ");
        Ok(Self { config: config.written(purpose)?, data: data.to_owned(), model: None, device })
    }

    /// Of a training that begins with this network.
    pub fn beginning_with(self, model: &Model) -> Self {
        Self { model: Some(model.hash()), ..self }
    }

    /// What of this run is not as it was, if anything that matters is. The device may be another if that is allowed. `done` are
    /// the names of the phases that are over.
    pub fn differs(&self, before: &Self, other_device: bool, done: &[String]) -> Option<String> {
        if self.data != before.data {
            return Some("the content of the dataset is another".to_owned());
        }
        if self.model != before.model {
            return Some("the network that it began with is another".to_owned());
        }
        if self.device != before.device && !other_device {
            let (now, before) = (&self.device, &before.device);
            return Some(format!(
                "it ran on `{before}`, this is `{now}`: choose that device, or --allow-other-device, and bits will differ"
            ));
        }
        self.differs_from_config(&before.config, done)
    }

    /// What of this run's configuration is not as in a text that a run wrote, if anything that matters is. A text of an
    /// earlier form cannot be compared.
    pub fn differs_from_config(&self, before: &str, done: &[String]) -> Option<String> {
        differs(&self.config, before, done)
    }
}

/// What of a configuration, as it is written, is not as in a text that a run wrote, if anything that matters is. A text of an
/// earlier form cannot be compared. `done` are the names of the phases of that run that are over.
fn differs(now: &str, before: &str, done: &[String]) -> Option<String> {
    let (Ok(now), Ok(before)) = (now.parse::<Table>(), before.parse::<Table>()) else {
        return (now != before).then(|| "the configuration is another".to_owned());
    };
    if now.get("format") != before.get("format") {
        return None;
    }
    let phase = |key: &str| MAY_GROW.iter().find(|(grows, _)| *grows == key).map(|(_, phase)| *phase);
    let over = |phase: &str| done.iter().find(|name| name.starts_with(phase));
    let may_be = |key: &str| {
        let [now, before] = [&now, &before].map(|table| get(table, key).and_then(|v| v.as_integer()));
        now > before && phase(key).is_some_and(|phase| over(phase).is_none())
    };
    first_other(&now, &before, may_be).map(|(key, said)| {
        let why = match phase(&key).and_then(over) {
            Some(phase) => format!("the phase `{phase}` of the run is over, so it may not be set any more"),
            None => {
                let growing: Vec<&str> = MAY_GROW.iter().map(|(key, _)| *key).collect();
                format!("only {} may be set, to more", growing.join(", "))
            }
        };
        format!("{said}; {why}")
    })
}

/// What of a configuration, as it is written, is not as in a text that a run wrote, for runs that are to be alike: nothing may
/// have grown.
pub(super) fn other_setting(now: &str, before: &str) -> Option<String> {
    let (Ok(now), Ok(before)) = (now.parse::<Table>(), before.parse::<Table>()) else {
        return (now != before).then(|| "the configuration is another".to_owned());
    };
    first_other(&now, &before, |_| false).map(|(_, said)| said)
}

/// The first setting that is another and may not be, with what it was and is.
fn first_other(now: &Table, before: &Table, may_be: impl Fn(&str) -> bool) -> Option<(String, String)> {
    let free = |key: &str| MAY_DIFFER.iter().any(|group| key == *group || key.starts_with(&format!("{group}.")));
    let is_other = |key: &String| get(now, key) != get(before, key) && !free(key) && !may_be(key);
    keys(now).into_iter().chain(keys(before)).find(is_other).map(|key| {
        let said = |table: &Table| get(table, &key).map_or("nothing".to_owned(), ToString::to_string);
        let text = format!("{key} was {} and is {} now", said(before), said(now));
        (key, text)
    })
}

/// A hash of a dataset's content.
pub(super) fn hash(data: &Dataset) -> String {
    let mut hasher = blake3::Hasher::new();
    for images in [&data.train, &data.test] {
        images.shape().iter().for_each(|size| _ = hasher.update(&(*size as u64).to_le_bytes()));
        images.labels().iter().for_each(|label| _ = hasher.update(&label.to_le_bytes()));
        images.classes().iter().for_each(|class| _ = hasher.update(class.as_bytes()).update(&[0]));
        hasher.update(images.pixels());
    }
    hasher.finalize().to_hex().to_string()
}
