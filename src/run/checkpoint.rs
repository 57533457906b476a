//! Where a run stands, in files of its directory, so that it can be gone on with.
//!
//! A checkpoint is one line (its form, and a hash of the rest), then a [`State`] as bytes. It is whole or not there; the last
//! two are kept, so that there is one to go back to where the last is damaged.

use super::directory::{CHECKPOINTS, Directory};
use super::error::RunError;
use crate::state::State;
use std::fs;
use std::path::{Path, PathBuf};

/// What the first line begins with, before the number of the form.
const NAME: &str = "cellwright checkpoint ";
/// The form that is written and read.
const FORM: u32 = 2;
const ENDING: &str = "checkpoint";
/// How many are kept.
const KEPT: usize = 2;
/// The longest that is read, in bytes.
const LONGEST: u64 = 16 << 30;

/// The checkpoints of a run.
#[derive(Debug)]
pub(super) struct Checkpoints<'a> {
    directory: &'a Directory,
    /// Number of the next.
    next: u64,
}

/// What was found of earlier checkpoints.
#[derive(Debug)]
pub(super) struct Found {
    /// The last that can be read, and its file.
    pub last: Option<(State, PathBuf)>,
    /// What is wrong with those after it.
    pub damaged: Vec<String>,
}

impl<'a> Checkpoints<'a> {
    /// Those of a directory, the last of which that is whole is read.
    pub fn open(directory: &'a Directory) -> Result<(Self, Found), RunError> {
        let numbered = numbered(&directory.path().join(CHECKPOINTS))?;
        let next = numbered.last().map_or(0, |(number, _)| number + 1);
        let mut damaged = Vec::new();
        let mut last = None;
        for (_, path) in numbered.iter().rev() {
            match read(path) {
                Ok(state) => {
                    last = Some((state, path.clone()));
                    break;
                }
                Err(Unread::OtherForm(form)) => {
                    let problem = format!(
                        "it is of form {form}, this program reads form {FORM}: go on with the program that began the run"
                    );
                    return Err(RunError::Resume { path: path.clone(), problem });
                }
                Err(Unread::Damaged(problem)) => damaged.push(format!("{} is damaged ({problem})", path.display())),
            }
        }
        Ok((Self { directory, next }, Found { last, damaged }))
    }

    /// Writes one, and removes those that are older than the one before. Gives its length in bytes.
    pub fn write(&mut self, state: &State) -> Result<u64, RunError> {
        let failed = |error: crate::state::StateError| RunError::Estimate(error.into());
        let bytes = state.to_bytes().map_err(failed)?;
        let mut file = format!("{NAME}{FORM} {}\n", hash(&FORM.to_string(), &bytes)).into_bytes();
        file.extend(bytes);
        let folder = self.directory.folder(CHECKPOINTS)?;
        self.directory.write(&format!("{CHECKPOINTS}/{:08}.{ENDING}", self.next), &file)?;
        self.next += 1;
        let numbered = numbered(&folder)?;
        for (_, path) in numbered.iter().rev().skip(KEPT) {
            // One too many does no harm.
            let _ = fs::remove_file(path);
        }
        Ok(file.len() as u64)
    }
}

/// The checkpoints in a folder, by their numbers.
fn numbered(folder: &Path) -> Result<Vec<(u64, PathBuf)>, RunError> {
    let failed = |source| RunError::Write { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let Some(number) = number.filter(|_| path.extension().is_some_and(|ending| ending == ENDING)) {
            found.push((number, path));
        }
    }
    found.sort();
    Ok(found)
}

/// A hash of the form and of what follows the first line.
fn hash(form: &str, bytes: &[u8]) -> String {
    blake3::Hasher::new().update(form.as_bytes()).update(bytes).finalize().to_hex().to_string()
}

/// Why a checkpoint cannot be read.
enum Unread {
    /// Another version of the program wrote it.
    OtherForm(u32),
    Damaged(String),
}

impl From<String> for Unread {
    fn from(problem: String) -> Self {
        Self::Damaged(problem)
    }
}

fn read(path: &Path) -> Result<State, Unread> {
    let length = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > LONGEST {
        return Err(format!("it has {length} bytes, more than {LONGEST}").into());
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let damaged = |problem: &str| problem.to_owned();
    let end = bytes.iter().take(256).position(|byte| *byte == b'\n').ok_or(damaged("its first line is missing"))?;
    let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
    let said = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix(NAME)?.split_once(' '));
    let (form, hash) = said.ok_or(damaged("its first line is none that this program writes"))?;
    let whole = self::hash(form, rest) == hash;
    match form.parse() {
        Ok(FORM) if whole => Ok(State::from_bytes(rest).map_err(|error| error.to_string())?),
        Ok(other) if whole => Err(Unread::OtherForm(other)),
        _ => Err(damaged("its hash is another").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn state(number: u32) -> State {
        let mut state = State::of("checkpoint");
        state.set("number", number).unwrap();
        state
    }

    fn number(found: &Found) -> Option<u32> {
        found.last.as_ref().map(|(state, _)| state.get("number").unwrap())
    }

    #[test]
    fn the_last_two_are_kept_and_numbers_go_on() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::create(place.path()).unwrap();
        let (mut checkpoints, found) = Checkpoints::open(&directory).unwrap();
        assert!(found.last.is_none() && found.damaged.is_empty());
        (0..4).for_each(|at| assert!(checkpoints.write(&state(at)).unwrap() > 0));
        let (mut checkpoints, found) = Checkpoints::open(&directory).unwrap();
        assert_eq!(number(&found), Some(3));
        checkpoints.write(&state(4)).unwrap();
        let names: Vec<_> =
            numbered(&place.path().join(CHECKPOINTS)).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(names, [3, 4]);
        (0..2).for_each(|_| directory.finish(false).unwrap());
        assert!(Checkpoints::open(&directory).unwrap().1.last.is_none());
    }

    #[test]
    fn one_of_another_form_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::create(place.path()).unwrap();
        let (mut checkpoints, _) = Checkpoints::open(&directory).unwrap();
        checkpoints.write(&state(0)).unwrap();
        let path = numbered(&place.path().join(CHECKPOINTS)).unwrap().pop().unwrap().1;
        let later = b"whatever it holds";
        let line = format!("{NAME}3 {}\n", hash("3", later));
        fs::write(&path, [line.as_bytes(), later].concat()).unwrap();
        let error = Checkpoints::open(&directory).unwrap_err().to_string();
        assert!(error.contains("it is of form 3, this program reads form 2"), "{error}");
    }

    #[test]
    fn one_that_is_cut_flipped_or_zeroed_is_told_and_the_one_before_it_taken() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::create(place.path()).unwrap();
        let (mut checkpoints, _) = Checkpoints::open(&directory).unwrap();
        (0..2).for_each(|at| assert!(checkpoints.write(&state(at)).unwrap() > 0));
        let path = numbered(&place.path().join(CHECKPOINTS)).unwrap().pop().unwrap().1;
        let whole = fs::read(&path).unwrap();
        for case in 0..300 {
            let mut random = Random::new(case, 0);
            let mut bytes = whole.clone();
            let at = random.below(bytes.len());
            match random.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << random.below(8),
                _ => {
                    let to = (at + 1 + random.below(64)).min(bytes.len());
                    bytes[at..to].fill(0);
                }
            }
            fs::write(&path, &bytes).unwrap();
            let (_, found) = Checkpoints::open(&directory).unwrap();
            let intact = bytes == whole;
            assert_eq!(
                (number(&found), found.damaged.len()),
                (Some(intact.into()), usize::from(!intact)),
                "case {case}"
            );
        }
    }
}
