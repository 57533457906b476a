//! What a run must have in common with the one that it goes on with.

use super::config::Config;
use super::config_error::ConfigError;
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
    /// Names of the devices.
    device: String,
}

impl Identity {
    pub fn of(config: &Config, purpose: Purpose, data: &str, devices: &[Device]) -> Result<Self, ConfigError> {
        let device = devices.iter().map(Device::name).collect::<Vec<_>>().join(", ");
        Ok(Self { config: config.written(purpose)?, data: data.to_owned(), device })
    }

    /// What of this run is not as it was, if anything that matters is. The device may be another if that is allowed. `done` are
    /// the names of the phases that are over.
    pub fn differs(&self, before: &Self, other_device: bool, done: &[String]) -> Option<String> {
        if self.data != before.data {
            return Some("the content of the dataset is another".to_owned());
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
        let (Ok(now), Ok(before)) = (self.config.parse::<Table>(), before.parse::<Table>()) else {
            return (self.config != before).then(|| "the configuration is another".to_owned());
        };
        if now.get("format") != before.get("format") {
            return None;
        }
        let all = keys(&now).into_iter().chain(keys(&before));
        let may_differ =
            |key: &str| MAY_DIFFER.iter().any(|group| key == *group || key.starts_with(&format!("{group}.")));
        let phase = |key: &str| MAY_GROW.iter().find(|(grows, _)| *grows == key).map(|(_, phase)| *phase);
        let over = |phase: &str| done.iter().find(|name| name.starts_with(phase));
        let is_other = |key: &String| {
            let [now, before] = [&now, &before].map(|table| get(table, key));
            let is_more = now.and_then(|v| v.as_integer()) > before.and_then(|v| v.as_integer());
            let grows = is_more && phase(key).is_some_and(|phase| over(phase).is_none());
            now != before && !grows && !may_differ(key)
        };
        all.into_iter().find(is_other).map(|key| {
            let said = |table: &Table| get(table, &key).map_or("nothing".to_owned(), ToString::to_string);
            let (now, before) = (said(&now), said(&before));
            let why = match phase(&key).and_then(over) {
                Some(phase) => format!("the phase `{phase}` of the run is over, so it may not be set any more"),
                None => {
                    let growing: Vec<&str> = MAY_GROW.iter().map(|(key, _)| *key).collect();
                    format!("only {} may be set, to more", growing.join(", "))
                }
            };
            format!("{key} was {before} and is {now} now; {why}")
        })
    }
}

/// A hash of all that a dataset holds.
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
