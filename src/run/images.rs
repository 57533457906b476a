//! How the files of a dataset are read, and what is too much.

use serde::{Deserialize, Serialize};

/// Settings of reading: group `images` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImagesConfig {
    /// The largest picture that is decoded, in pixels.
    pub most_pixels: u64,
    /// The largest file that is unpacked from an archive, in bytes.
    pub most_bytes: u64,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self { most_pixels: 4096 * 4096, most_bytes: 4 << 30 }
    }
}
