//! The command line: `cellwright --help`.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
