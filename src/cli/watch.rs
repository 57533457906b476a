//! `cellwright watch`: pages of runs as they go, in a browser.

use super::output::{Outcome, print};
use super::signals::Signals;
use cellwright::watch::Server;
use std::path::PathBuf;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory below which the runs lie, whichever process works in them.
    #[arg(default_value = "runs", value_name = "RUNS_DIR")]
    directory: PathBuf,
    /// Port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

pub fn run(args: &Args) -> Outcome {
    let signals = Signals::listen()?;
    let server = Server::bind(&args.directory, args.port)?;
    print(&format!("{}: watched at\n{}\nCtrl-C ends it.\n", args.directory.display(), server.url()))?;
    // Being asked to stop is how it ends.
    Ok(server.serve(|| signals.status().is_some())?)
}
