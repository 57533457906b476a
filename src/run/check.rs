//! Which configurations can be used.

use super::config::Config;
use super::config_error::{ConfigError, value_error};
use crate::estimate::limits::within;
use crate::settings::SettingsError;
use crate::space::NetworkSettings;

/// Most random architectures to compare with.
const MOST_ARCHITECTURES: u64 = 1_000_000;

impl Config {
    /// Whether all values can be used.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let of = |group: &str, result: Result<(), SettingsError>| {
            result.map_err(|error| value_error("configuration", format!("{group}{error}")))
        };
        of("", within("random", self.random as u64, 0, MOST_ARCHITECTURES))?;
        let sizes = [
            ("supernet.", self.supernet.channels, self.supernet.layers),
            ("network.", self.network.channels, self.network.layers),
        ];
        let size = |channels, layers| NetworkSettings { channels, layers, ..NetworkSettings::default() };
        for (group, channels, layers) in sizes {
            of(group, size(channels, layers).check().map_err(|error| SettingsError(error.to_string())))?;
        }
        if !(self.checkpoint.seconds >= 0.0 && self.checkpoint.seconds.is_finite()) {
            of("checkpoint.", Err(SettingsError("seconds must not be negative".into())))?;
        }
        if self.benchmark.as_ref().is_some_and(|benchmark| benchmark.dir.as_os_str().is_empty()) {
            of("benchmark.", Err(SettingsError("dir is empty: name the directory of the table's files".into())))?;
        }
        if self.model.is_some() && self.architecture.is_some() {
            of("", Err(SettingsError("architecture and model: say one of the two, which is trained".into())))?;
        }
        of("train.", self.train.check())?;
        let supernet = size(self.supernet.channels, self.supernet.layers);
        of("search.", self.search.strategy.check(&self.search.settings, &supernet))
    }
}
