//! An architecture as it is given: a name, its text, a file or a run's directory that holds one.

use super::read::space_in;
use crate::space::notation;
use crate::space::{self, SpaceConfig};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Longest file that is looked through, in bytes: logs are long.
const LONGEST: u64 = 16 << 20;
/// Longest header of a safetensors file that is read, in bytes.
const LONGEST_HEADER: u64 = 16 << 20;

/// What was given: the text, and the space it belongs to where that is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The architecture's text, for [`space::Space::parse`] and its kin.
    pub text: String,
    /// Its space: that of the run it comes from, else the first that can read it.
    pub space: SpaceConfig,
}

/// Why what was given is no architecture.
#[derive(Debug, thiserror::Error)]
#[error(
    "architecture {given}: {problem}; give a published name (`cellwright show --list`), its text, a file that holds it \
     (FILE:NAME takes one of several), or a run's directory"
)]
pub struct ArchitectureError {
    /// What was given: a path.
    pub given: String,
    /// What is wrong with it.
    pub problem: String,
}

/// Reads an architecture that is given as a published name, as its text, as a file (a genotype in any text, a Python file of
/// several, of which `FILE:NAME` takes one, a run's `summary.json`, `genotype.json` or `weights.safetensors`), or as a run's
/// directory.
///
/// What looks like a path must be one: a file that is not there is not taken for a name.
///
/// ```
/// use cellwright::run::architecture;
///
/// let given = architecture::read("DARTS_V2")?;
/// assert_eq!(given.space.name, "darts");
/// let given = architecture::read("|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")?;
/// assert_eq!(given.space.name, "nas-bench-201");
/// assert!(architecture::read("no/such/genotype.json").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ArchitectureError`] if a file cannot be read or holds no architecture. A text is not looked into: that is for its space.
pub fn read(given: &str) -> Result<Given, ArchitectureError> {
    let path = Path::new(given);
    let wrong = |problem: String| ArchitectureError { given: given.to_owned(), problem };
    if path.is_dir() {
        return directory(path).map_err(wrong);
    }
    if path.is_file() {
        return file(path).map_err(wrong);
    }
    if let Some((path, name)) = given.rsplit_once(':').map(|(path, name)| (Path::new(path), name))
        && path.is_file()
    {
        let text = text(&bytes(path).map_err(&wrong)?).map_err(&wrong)?;
        return Ok(plain(notation::assigned(&text, name.trim()).map_err(|error| wrong(error.to_string()))?));
    }
    let is_text = given.contains(|c: char| "({[=|,\n".contains(c) || c.is_whitespace());
    let looks_like_file = given.contains(std::path::is_separator) || path.extension().is_some();
    if looks_like_file && !is_text {
        return Err(wrong("there is no such file".into()));
    }
    Ok(plain(given))
}

/// A text with the space that can read it.
fn plain(text: &str) -> Given {
    Given { text: text.to_owned(), space: SpaceConfig::of(space::of_text(text)) }
}

/// The architecture of a run's directory.
fn directory(path: &Path) -> Result<Given, String> {
    for name in ["summary.json", "genotype.json", "weights.safetensors"] {
        if path.join(name).is_file() {
            return file(&path.join(name)).map_err(|problem| format!("{name}: {problem}"));
        }
    }
    let problem = "is a directory without summary.json, genotype.json and weights.safetensors";
    Err(match path.join("config.toml").is_file() {
        true => format!("{problem}: its run has not come so far"),
        false => format!("{problem}, not one of a run"),
    })
}

/// The architecture that a file holds.
fn file(path: &Path) -> Result<Given, String> {
    if let Some(given) = weights(path)? {
        return Ok(in_run(path, given));
    }
    let text = text(&bytes(path)?)?;
    let json: Option<serde_json::Value> =
        if text.trim_start().starts_with('{') { serde_json::from_str(&text).ok() } else { None };
    let Some(json) = json else { return Ok(plain(&text)) };
    if let (Some(genotype), true) = (json.get("genotype"), json.get("test_accuracy").is_some()) {
        // A run's summary.
        return match genotype.as_str().filter(|text| !text.is_empty()) {
            Some(text) => Ok(in_run(path, plain(text))),
            None => Err("names no architecture".into()),
        };
    }
    Ok(in_run(path, plain(&text)))
}

/// With the space of the run in whose directory a file lies, if it lies in one.
fn in_run(path: &Path, given: Given) -> Given {
    let config = path.with_file_name("config.toml");
    let read = || {
        let text = text(&bytes(&config).ok()?).ok()?;
        space_in("config.toml", &text).ok()
    };
    match config.is_file().then(read).flatten() {
        Some(space) => Given { space, ..given },
        None => given,
    }
}

/// The architecture in the metadata of a safetensors file; none if the file is of another kind.
fn weights(path: &Path) -> Result<Option<Given>, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut file = File::open(path).map_err(failed)?;
    let mut begin = Vec::new();
    file.by_ref().take(9).read_to_end(&mut begin).map_err(failed)?;
    let (Some(length), Some(b'{')) = (begin.first_chunk::<8>(), begin.get(8)) else { return Ok(None) };
    let length = u64::from_le_bytes(*length);
    // Eight letters of a text would be a far larger number.
    if length > 1 << 40 {
        return Ok(None);
    }
    if length > LONGEST_HEADER {
        return Err(format!("the header would have {length} bytes, more than {LONGEST_HEADER}"));
    }
    let mut header = vec![b'{'];
    file.take(length.saturating_sub(1)).read_to_end(&mut header).map_err(failed)?;
    let header: serde_json::Value =
        serde_json::from_slice(&header).map_err(|error| format!("not a safetensors file: {error}"))?;
    let metadata = &header["__metadata__"];
    let own: Option<serde_json::Value> = metadata["cellwright"].as_str().and_then(|own| serde_json::from_str(own).ok());
    let genotype = own.as_ref().map_or(&metadata["genotype"], |own| &own["genotype"]);
    match genotype.as_str().filter(|text| !text.is_empty()) {
        Some(text) => {
            let given = plain(text);
            // A space of one's own is known by the run beside the file only.
            let name = own.as_ref().and_then(|own| own["space"].as_str()).filter(|name| space::entry(name).is_some());
            let space = name.map_or_else(|| given.space.clone(), SpaceConfig::of);
            Ok(Some(Given { space, ..given }))
        }
        None => Err("its metadata name no architecture".into()),
    }
}

/// The bytes of a file that is meant to be read as text.
fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(LONGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    Ok(bytes)
}

/// Bytes as text: UTF-8, or UTF-16 as PowerShell writes it, with or without a byte order mark.
fn text(bytes: &[u8]) -> Result<String, String> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair)).collect()
    };
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => String::from_utf16_lossy(&units(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => String::from_utf16_lossy(&units(rest, u16::from_be_bytes)),
        // Without a mark: every other byte of English is zero.
        [first, 0, ..] if *first != 0 => String::from_utf16_lossy(&units(bytes, u16::from_le_bytes)),
        [0, second, ..] if *second != 0 => String::from_utf16_lossy(&units(bytes, u16::from_be_bytes)),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    if text.contains('\0') { Err("is no text".into()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Genotype(normal=[('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=range(2, 3), \
                        reduce=[('max_pool_3x3', 0), ('skip_connect', 1)], reduce_concat=range(2, 3))";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        folder
    }

    fn of(folder: &tempfile::TempDir, name: &str) -> Result<Given, String> {
        read(folder.path().join(name).to_str().unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_or_a_text_stands_for_itself_and_a_file_for_what_it_holds() {
        for text in ["DARTS_V2", TEXT, "layer0=conv_3x3", "#1459", "naslib:(4, 0, 3, 1, 4, 3)", "0 1 0 2.5"] {
            assert_eq!(read(text).unwrap().text, text);
        }
        let folder = folder(&[("found.txt", TEXT.as_bytes())]);
        assert_eq!(of(&folder, "found.txt").unwrap().text, TEXT);
    }

    #[test]
    fn a_file_that_is_not_there_is_not_taken_for_a_name() {
        let folder = folder(&[("large", &vec![b' '; LONGEST as usize + 1]), ("picture.png", b"\x89PNG\0\0\0\rIHDR")]);
        for (given, problem) in [
            ("nowhere/found.json", "no such file"),
            ("found.json", "no such file"),
            (folder.path().to_str().unwrap(), "directory without summary.json"),
            (folder.path().join("large").to_str().unwrap(), "longer than"),
            (folder.path().join("picture.png").to_str().unwrap(), "is no text"),
        ] {
            let error = read(given).unwrap_err().to_string();
            assert!(error.contains(given) && error.contains(problem), "{error}");
        }
    }

    #[test]
    fn texts_are_read_in_the_encodings_that_windows_writes() {
        let wide = |order: fn(u16) -> [u8; 2]| TEXT.encode_utf16().flat_map(order).collect::<Vec<u8>>();
        for bytes in [
            [&[0xef, 0xbb, 0xbf], TEXT.as_bytes()].concat(),
            [&[0xff, 0xfe], &wide(u16::to_le_bytes)[..]].concat(),
            [&[0xfe, 0xff], &wide(u16::to_be_bytes)[..]].concat(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
        ] {
            let folder = folder(&[("found.txt", &bytes)]);
            assert_eq!(of(&folder, "found.txt").unwrap().text, TEXT);
        }
    }

    #[test]
    fn one_of_several_is_taken_by_its_name() {
        let file =
            format!("from x import Genotype\nFIRST = {TEXT}\nSECOND = {}\nBEST = SECOND\n", TEXT.replace("sep", "dil"));
        let folder = folder(&[("genotypes.py", file.as_bytes())]);
        assert_eq!(of(&folder, "genotypes.py:FIRST").unwrap().text, TEXT);
        assert!(of(&folder, "genotypes.py:BEST").unwrap().text.contains("dil_conv_3x3"));
        let error = of(&folder, "genotypes.py:SECND").unwrap_err();
        assert!(error.contains("did you mean `SECOND`? (names in it: FIRST, SECOND"), "{error}");
    }

    #[test]
    fn a_run_is_known_by_its_directory_and_by_each_file_in_it() {
        let cell = "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|skip_connect~2|";
        let summary =
            serde_json::json!({ "space": "nas-bench-201", "genotype": cell, "test_accuracy": 0.5 }).to_string();
        let own = serde_json::json!({ "genotype": cell, "space": "nas-bench-201" }).to_string();
        let header = serde_json::json!({ "__metadata__": { "cellwright": own } }).to_string();
        let weights = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let config = "space = \"nas-bench-201\"\n";
        let files = [
            ("summary.json", summary.as_bytes()),
            ("weights.safetensors", &weights),
            ("config.toml", config.as_bytes()),
        ];
        let folder = folder(&files);
        for name in ["", "summary.json", "weights.safetensors"] {
            let given = of(&folder, name).unwrap();
            assert_eq!((given.text.as_str(), given.space.name.as_str()), (cell, "nas-bench-201"), "{name}");
        }
        let cut = &weights[..weights.len() - 9];
        std::fs::write(folder.path().join("weights.safetensors"), cut).unwrap();
        assert!(of(&folder, "weights.safetensors").unwrap_err().contains("not a safetensors file"));
    }
}
