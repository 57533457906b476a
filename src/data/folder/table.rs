//! A table beside pictures: which file has which label.

use super::{DataError, Role};
use std::collections::HashMap;

/// Names of the column of files, those most to be trusted first.
const PATHS: [&str; 14] = [
    "path",
    "filepath",
    "file_path",
    "image_path",
    "filename",
    "file_name",
    "image_name",
    "file",
    "image",
    "img",
    "image_id",
    "id_code",
    "imageid",
    "id",
];
/// Names of the column of labels, likewise.
const LABELS: [&str; 8] = ["label", "labels", "class", "class_name", "category", "target", "class_id", "label_name"];
/// Names of the column that says to which part a picture belongs.
const SPLITS: [&str; 3] = ["split", "subset", "partition"];

/// One picture of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line in the file, from 1.
    pub line: u64,
    /// Path or name of the picture as the table has it, with `/` between folders; never absolute, never with `..`.
    pub path: String,
    /// Its class.
    pub label: String,
    /// To which part it belongs, if the table says so.
    pub role: Option<Role>,
}

/// A table of pictures and labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns that were read.
    pub columns: Vec<String>,
    /// Its rows, but for those that are wrong.
    pub rows: Vec<Row>,
    /// Rows that cannot be used: the line, and why.
    pub wrong: Vec<(u64, String)>,
}

/// Where the columns are.
struct Columns {
    path: usize,
    label: usize,
    split: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord) -> Option<Self> {
        let names: Vec<String> =
            header.iter().map(|name| name.trim().to_lowercase().replace([' ', '-'], "_")).collect();
        let find = |wanted: &[&str]| wanted.iter().find_map(|wanted| names.iter().position(|name| name == wanted));
        Some(Self { path: find(&PATHS)?, label: find(&LABELS)?, split: find(&SPLITS) })
    }
}

impl Table {
    /// Reads a table in UTF-8 with commas, semicolons or tabs between the columns; `None` if its first line names no
    /// column of files (`path`, `filename`, `image`, `id`, …) or none of labels (`label`, `class`, …).
    ///
    /// # Errors
    /// If it is not in UTF-8.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, DataError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let open = |separator: u8| {
            let mut builder = csv::ReaderBuilder::new();
            builder.delimiter(separator).flexible(true).trim(csv::Trim::All).from_reader(bytes)
        };
        for separator in [b',', b';', b'\t'] {
            let mut reader = open(separator);
            let header = match reader.headers() {
                Ok(header) => header.clone(),
                Err(error) => return Err(DataError::NotATable(error.to_string())),
            };
            if let Some(columns) = Columns::of(&header) {
                return Self::rows(bytes, reader, &header, &columns).map(Some);
            }
        }
        Ok(None)
    }

    fn rows(
        bytes: &[u8],
        mut reader: csv::Reader<&[u8]>,
        header: &csv::StringRecord,
        columns: &Columns,
    ) -> Result<Self, DataError> {
        let used = [Some(columns.path), Some(columns.label), columns.split];
        let columns_read = used.into_iter().flatten().filter_map(|at| header.get(at)).map(str::to_owned).collect();
        let mut table = Self { columns: columns_read, rows: Vec::new(), wrong: Vec::new() };
        let (mut at, mut line) = (0, 1);
        let mut seen: HashMap<String, u64> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| DataError::NotATable(error.to_string()))?;
            // The reader's own count is one short where lines end as on Windows.
            let from = record.position().map_or(at, |position| position.byte() as usize).min(bytes.len());
            let from = from + bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            line += bytes[at..from.max(at)].iter().filter(|&&byte| byte == b'\n').count() as u64;
            at = from.max(at);
            let wrong = match row(&record, header.len(), columns, line) {
                Ok(row) => match seen.insert(row.path.clone(), line) {
                    None => {
                        table.rows.push(row);
                        continue;
                    }
                    Some(first) => format!("{} has a label in line {first} already", row.path),
                },
                Err(problem) => problem,
            };
            table.wrong.push((line, wrong));
        }
        Ok(table)
    }
}

fn row(record: &csv::StringRecord, width: usize, columns: &Columns, line: u64) -> Result<Row, String> {
    if record.len() != width {
        return Err(format!("{} columns, not the {width} of the first line", record.len()));
    }
    let cell = |at: usize| record.get(at).unwrap_or_default();
    let (path, label) = (cell(columns.path), cell(columns.label));
    if path.is_empty() || label.is_empty() {
        return Err(format!("no {}", if path.is_empty() { "file" } else { "label" }));
    }
    // Tables made on Windows have `\` between folders.
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
    let drive = path.as_bytes().get(1) == Some(&b':');
    if path.starts_with('/') || drive || path.split('/').any(|step| step == "..") {
        return Err(format!("{path} leads out of the table's folder"));
    }
    let role = match columns.split.map(cell) {
        None | Some("") => None,
        Some(name) => Some(Role::of(name).ok_or_else(|| format!("`{name}` is none of train, val and test"))?),
    };
    Ok(Row { line, path, label: label.to_owned(), role })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Table {
        Table::read(text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn columns_are_known_by_many_names_and_separators() {
        for text in [
            "path,label\na/1.png,cat\n",
            "\u{feff}Filename;note;Class\na/1.png;\"x;y\";cat\n",
            "category\timage_id\ncat\ta/1.png\n",
            "id,label\n\"a\\1.png\",cat",
            "label,File Name\r\ncat,./a/1.png\r\n",
        ] {
            let table = read(text);
            assert_eq!(table.rows[0].path, "a/1.png", "{text}");
            assert_eq!((table.rows[0].label.as_str(), table.rows[0].line, table.wrong.len()), ("cat", 2, 0), "{text}");
        }
        for text in ["", "a,b\n1,2\n", "path\n1.png\n", "label,score\ncat,2\n"] {
            assert_eq!(Table::read(text.as_bytes()).unwrap(), None, "{text}");
        }
        assert!(matches!(Table::read(b"path,label\n\xff,x\n"), Err(DataError::NotATable(_))));
    }

    #[test]
    fn a_path_goes_before_an_id_and_parts_are_said_in_a_column() {
        let table = read("id,path,label,split\n7,1.png,a,Train\n8,2.png,b,valid\n9,3.png,b,TEST\n10,4.png,a,\n");
        assert_eq!(table.columns, ["path", "label", "split"]);
        let roles: Vec<_> = table.rows.iter().map(|row| row.role).collect();
        assert_eq!(roles, [Some(Role::Train), Some(Role::Validation), Some(Role::Test), None]);
    }

    #[test]
    fn wrong_rows_are_kept_with_their_lines() {
        let table = read(
            "path,label,split\nok.png,a,train\n,a,train\nx.png,,train\n../x.png,a,train\n/etc/x.png,a,train\n\
            c:\\x.png,a,train\na/../../x.png,a,train\ny.png,a,dev\nz.png,a\nok.png,b,train\n",
        );
        assert_eq!(table.rows.len(), 1);
        let lines: Vec<u64> = table.wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, (3..=11).collect::<Vec<u64>>());
        let said = |line: usize| table.wrong[line - 3].1.as_str();
        assert_eq!((said(3), said(4)), ("no file", "no label"));
        assert!((5..=8).all(|line| said(line).contains("leads out of")), "{:?}", table.wrong);
        assert_eq!(said(9), "`dev` is none of train, val and test");
        assert_eq!(said(10), "2 columns, not the 3 of the first line");
        assert_eq!(said(11), "ok.png has a label in line 2 already");
    }
}
