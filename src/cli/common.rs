//! What several verbs share.

use cellwright::device::{Choice, Device};
use cellwright::graph::Features;
use std::convert::Infallible;

/// Options of every verb that computes.
#[derive(Debug, clap::Args)]
pub struct DeviceArg {
    /// `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists.
    #[arg(long, default_value = "auto", value_parser = parse_choice)]
    pub device: Choice,
}

impl DeviceArg {
    /// Opens the device.
    pub fn open(&self) -> Result<Device, cellwright::device::Error> {
        pollster::block_on(Device::open(&self.device))
    }
}

fn parse_choice(text: &str) -> Result<Choice, Infallible> {
    text.parse()
}

/// Reads `3x32x32`.
pub fn parse_image(text: &str) -> Result<Features, String> {
    text.parse()
}

/// An architecture given by name, as text, or as a file that holds text: the text.
pub fn architecture_text(given: &str) -> std::io::Result<String> {
    let path = std::path::Path::new(given);
    if path.is_file() { std::fs::read_to_string(path) } else { Ok(given.to_owned()) }
}
