//! What settings of training may be: neither nothing nor too much. Problems are told by the setting they begin with.

use crate::data::Augmentation;
use crate::optim::{AdamConfig, Schedule, SgdConfig};
use crate::settings::SettingsError;

/// Most epochs of anything. Times stages, steps and images they still can be counted.
pub const MOST_EPOCHS: u32 = 1_000_000;
/// Most images a step: more than any dataset that is known has.
pub const MOST_IMAGES: usize = 1 << 27;

/// The error for a setting.
pub fn wrong(problem: impl Into<String>) -> SettingsError {
    SettingsError(problem.into())
}

/// Whether a count lies in `least`..=`most`.
///
/// # Errors
/// If it does not.
pub fn within(key: &str, value: u64, least: u64, most: u64) -> Result<(), SettingsError> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false if value < least => Err(wrong(format!("{key} = {value}: must be at least {least}"))),
        false => Err(wrong(format!("{key} = {value}: must be at most {most}"))),
    }
}

/// Whether there are epochs, and not too many.
///
/// # Errors
/// If not.
pub fn epochs(key: &str, value: u32) -> Result<(), SettingsError> {
    within(key, value.into(), 1, MOST_EPOCHS.into())
}

/// Whether a batch has images, and not too many.
///
/// # Errors
/// If not.
pub fn images(key: &str, value: usize) -> Result<(), SettingsError> {
    within(key, value as u64, 1, MOST_IMAGES as u64)
}

/// Whether a number is one, and not negative.
pub fn is_usable(value: f32) -> bool {
    value >= 0.0 && value.is_finite()
}

/// Whether a number is a share of less than everything.
pub fn is_share(value: f32) -> bool {
    (0.0..1.0).contains(&value)
}

/// Whether weights can be trained so.
///
/// # Errors
/// Which of `rate`, `sgd` and `augmentation` cannot be used, and what it must be.
pub fn regime(rate: &Schedule, sgd: &SgdConfig, augmentation: &Augmentation) -> Result<(), SettingsError> {
    if !rate.is_usable() {
        return Err(wrong("rate must hold rates of at least 0 and periods of at least 1"));
    }
    if !is_share(sgd.momentum) {
        return Err(wrong("sgd.momentum must be at least 0 and less than 1"));
    }
    if !is_usable(sgd.weight_decay) || !is_usable(sgd.clip) {
        return Err(wrong("sgd.weight_decay and clip must not be negative"));
    }
    augmentation.check()
}

/// Whether Adam can be used so.
///
/// # Errors
/// What cannot, with `key` before it, and what it must be.
pub fn adam(key: &str, adam: &AdamConfig) -> Result<(), SettingsError> {
    if !is_share(adam.beta1) || !is_share(adam.beta2) {
        return Err(wrong(format!("{key}.beta1 and beta2 must be at least 0 and less than 1")));
    }
    if !(adam.epsilon > 0.0 && adam.epsilon.is_finite() && is_usable(adam.weight_decay)) {
        return Err(wrong(format!("{key}.epsilon must be positive, and weight_decay not negative")));
    }
    Ok(())
}
