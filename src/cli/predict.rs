//! `predict`: what a trained network says of pictures.

use super::common::DeviceArg;
use super::output::{self, Outcome};
use cellwright::report::table::Table;
use cellwright::run::Model;
use cellwright::run::predict::{Answer, Guess, Predictor, files};
use std::io::BufRead;
use std::path::PathBuf;

/// Pictures that are answered at a time.
const BATCH: usize = 64;

/// Which network, and which pictures.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of a search or a training: its trained network answers.
    run: PathBuf,
    /// Picture files and folders of them; `-`: paths from standard input, one a line.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// How many classes are named of each.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    /// Exchange dark and bright: for digits drawn black on white, where the network has learned from white on black.
    #[arg(long)]
    invert: bool,
    #[command(flatten)]
    device: DeviceArg,
    /// Print a line of JSON for each file.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome {
    let model = Model::read(&args.run)?;
    let device = args.device.open()?;
    let mut paths = Vec::new();
    for path in &args.files {
        match path.as_os_str() == "-" {
            true => {
                let lines = std::io::stdin().lock().lines().collect::<Result<Vec<_>, _>>()?;
                paths.extend(lines.into_iter().filter(|line| !line.trim().is_empty()).map(PathBuf::from));
            }
            false => paths.push(path.clone()),
        }
    }
    let files = files(&paths)?;
    let mut predictor = Predictor::new(&model, &device, args.top.into(), args.invert)?;
    let (mut unread, mut table) = (0, Table::new(&["file", "class", "probability", "or else"]));
    for batch in files.chunks(BATCH) {
        for answer in predictor.answer(batch)? {
            match (&answer, args.json) {
                (Answer::Unread { .. }, true) => unread += 1,
                (Answer::Unread { file, error }, false) => {
                    unread += 1;
                    output::tell(&format!("{file}: {error}"));
                }
                (Answer::Classes { file, top }, false) => table.row(row(file, top)),
                (Answer::Classes { .. }, true) => {}
            }
            if args.json {
                output::print(&(serde_json::to_string(&answer)? + "\n"))?;
            }
        }
    }
    if !args.json && unread < files.len() {
        output::print(&table.render())?;
    }
    match unread {
        0 => Ok(()),
        _ => Err(format!("{unread} of {} files could not be read", files.len()).into()),
    }
}

/// A file, the most likely class, and the others.
fn row(file: &str, top: &[Guess]) -> [String; 4] {
    let said = |guess: &Guess| format!("{} {:.1} %", guess.class, 100.0 * guess.probability);
    let [class, probability] = match top.first() {
        Some(best) => [best.class.clone(), format!("{:.1} %", 100.0 * best.probability)],
        None => [String::new(), String::new()],
    };
    [file.to_owned(), class, probability, top.iter().skip(1).map(said).collect::<Vec<_>>().join(", ")]
}
