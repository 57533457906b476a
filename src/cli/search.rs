//! Not there yet.

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args) -> super::Outcome {
    Err("this verb is being written".into())
}
