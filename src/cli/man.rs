//! `man`: pages of the manual, from what the command line parses.

use super::output::{self, Outcome, write_file};
use clap::Command;
use clap_mangen::Man;
use std::path::{Path, PathBuf};

/// Where to.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory for cellwright.1 and a page for each verb; made if it is not there [default: cellwright.1 alone, on standard output].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn run(args: &Args, command: Command) -> Outcome {
    // The verb `help` is told of by the pages themselves.
    let mut command = command.disable_help_subcommand(true);
    // Names of verbs with what stands before them.
    command.build();
    let Some(out) = &args.out else {
        return output::print(&String::from_utf8(page(command)?)?);
    };
    std::fs::create_dir_all(out).map_err(|error| format!("{} cannot be made: {error}", out.display()))?;
    let count = write(out, command)?;
    output::print(&format!("{count} pages in {}: `man {}/cellwright.1`\n", out.display(), out.display()))
}

/// Writes the pages of a command and all under it, and says how many they are.
fn write(out: &Path, command: Command) -> Result<usize, Box<dyn std::error::Error>> {
    let mut count = 1;
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        count += write(out, verb.clone())?;
    }
    let man = Man::new(command.clone());
    write_file(&out.join(man.get_filename()), page(command)?)?;
    Ok(count)
}

fn page(command: Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
