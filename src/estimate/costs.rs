//! What is known of an architecture's network without measuring it.

use super::EstimateError;
use super::measured::{ACTIVATION_BYTES, MULTIPLY_ADDS, PARAMETERS};
use crate::cost::Cost;
use crate::space::{Architecture, NetworkSettings, Space};
use std::collections::BTreeMap;

/// What the network of an architecture costs for one image, by the name of the objective. An auxiliary head is no part of it.
pub(super) fn costs(
    space: &dyn Space,
    architecture: &Architecture,
    settings: &NetworkSettings,
) -> Result<BTreeMap<String, f64>, EstimateError> {
    let plain = NetworkSettings { auxiliary: false, ..settings.clone() };
    let cost = Cost::of(&space.decode(architecture, &plain)?, 1)?;
    let all =
        [(PARAMETERS, cost.parameters), (MULTIPLY_ADDS, cost.multiply_adds), (ACTIVATION_BYTES, cost.activation_bytes)];
    Ok(all.into_iter().map(|(name, count)| (name.to_owned(), count as f64)).collect())
}
