//! Where results go: standard output, or a file that is either whole or not there.

use serde::Serialize;
use std::borrow::Cow;
use std::error::Error;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// What every verb gives: nothing, or a message for the user.
pub type Outcome = Result<(), Box<dyn Error>>;

/// A run that was asked to stop, and has: no failure, but not done either.
#[derive(Debug)]
pub struct Interrupted {
    /// The exit status.
    pub status: u8,
    pub message: String,
}

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Interrupted {}

/// Prints a text, without what would steer a terminal: names and texts in it may come from anywhere. A reader that has heard enough
/// (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    match out.write_all(harmless(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(format!("standard output: {error}").into()),
        _ => Ok(()),
    }
}

/// Says something on standard error, likewise.
pub fn tell(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{}", harmless(text));
}

/// A text in which nothing steers a terminal but line breaks and tabs.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(steers) { text.replace(steers, " ").into() } else { text.into() }
}

/// The same in one line.
pub fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// Prints a value as JSON, indented.
pub fn print_json(value: &impl Serialize) -> Result<(), Box<dyn Error>> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Writes a file beside its place and moves it there when it is whole.
pub fn write_file(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Box<dyn Error>> {
    write_beside(path, contents.as_ref())
        .map_err(|error| format!("{} cannot be written: {error}", path.display()).into())
}

fn write_beside(path: &Path, contents: &[u8]) -> std::io::Result<()> {
    // What a link points to is meant; devices and pipes (`/dev/stdout`) cannot be replaced.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    match path.metadata() {
        Ok(found) if found.is_dir() => return Err(std::io::Error::other("it is a directory")),
        Ok(found) if !found.is_file() => return std::fs::write(path, contents),
        _ => {}
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".cellwright").tempfile_in(folder).map_err(|error| {
        // The name of the file beside it says nothing to the user.
        match error.kind() {
            ErrorKind::NotFound => std::io::Error::other(format!("there is no directory {}", folder.display())),
            kind => kind.into(),
        }
    })?;
    file.write_all(contents)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_a_terminal() {
        let text = "a\u{1b}]0;title\u{7}\u{1b}[31mb\r\u{9b}2J\u{8}\n\tü → c\u{7f}\n";
        assert_eq!(harmless(text), "a ]0;title  [31mb  2J \n\tü → c \n");
        assert!(matches!(harmless("lines\nand\ttabs"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cell.svg");
        for text in ["first", "second, longer"] {
            write_file(&path, text).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_file(folder.path(), "x").unwrap_err().to_string();
        assert!(error.contains("is a directory"), "{error}");
        let error = write_file(&folder.path().join("no/cell.svg"), "x").unwrap_err().to_string();
        assert!(error.contains("there is no directory"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
