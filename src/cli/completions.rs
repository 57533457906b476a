//! `completions`: what lets a shell complete verbs, options and their values.

use super::output::{self, Outcome};
use clap::Command;
use clap_complete::Shell;

/// For which shell.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell. `bash`: into ~/.local/share/bash-completion/completions/cellwright; `zsh`: into _cellwright in a directory of
    /// $fpath; `fish`: into ~/.config/fish/completions/cellwright.fish.
    shell: Shell,
}

pub fn run(args: &Args, command: &mut Command) -> Outcome {
    // Not to standard output itself: a reader that has heard enough would be a panic.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, command, "cellwright", &mut text);
    output::print(&String::from_utf8(text)?)
}
