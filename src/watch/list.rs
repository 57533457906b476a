//! The list of all runs, as a document.

use super::row::{Row, State};
use crate::report::page::document::{Better, Block, Cell, Column, Document, FORMAT, Form, Section, Table};
use std::fmt::Write as _;
use std::time::SystemTime;

/// How columns are to be read.
const READING: &str = "Best is the greatest accuracy: on the test images once there is one; before that of a trial, of the derived \
                       architecture or of those ranked, on images that train nothing, or the controller's reward. Time left is that of the \
                       search while it searches, then that of all trainings.";

/// A run of the list: its name, what is said of it, and seconds left.
pub(super) struct Entry<'a> {
    pub name: &'a str,
    pub row: &'a Row,
    pub left: Option<f64>,
}

/// The list of runs below a directory of this name; `more` if some are left out.
pub(super) fn document(directory: &str, mut entries: Vec<Entry<'_>>, more: bool) -> Document {
    // What goes on first, then the newest.
    let order = |entry: &Entry<'_>| (entry.row.state != State::Running, std::cmp::Reverse(entry.row.begun));
    entries.sort_by(|a, b| order(a).cmp(&order(b)).then(a.name.cmp(b.name)));
    let blocks = match entries.is_empty() {
        true => vec![Block::Words {
            text: "No run lies here. One that is begun here with `cellwright search --out` is shown by itself."
                .to_owned(),
        }],
        false => vec![Block::Table(table(&entries)), Block::Words { text: READING.to_owned() }],
    };
    let mut subtitle = counted(&entries);
    if more {
        subtitle += " · there are more, which are not shown";
    }
    Document {
        format: FORMAT,
        title: format!("Experiments in {directory}"),
        subtitle,
        sections: vec![Section { id: "runs", title: "Runs".to_owned(), blocks }],
    }
}

/// What there is to be said of a run whose files are not what they should be.
pub(super) fn unreadable(name: &str, problem: &str) -> Document {
    let blocks = vec![Block::Warning { text: format!("The run cannot be read: {problem}") }];
    let sections = vec![Section { id: "summary", title: "Summary".to_owned(), blocks }];
    Document { format: FORMAT, title: name.to_owned(), subtitle: State::Unreadable.word().to_owned(), sections }
}

fn counted(entries: &[Entry<'_>]) -> String {
    let states = [State::Running, State::Stopped, State::Failed, State::Finished, State::Unreadable, State::Unread];
    let counts = states.map(|state| (state, entries.iter().filter(|entry| entry.row.state == state).count()));
    let told: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(state, count)| format!("{count} {}", state.word()))
        .collect();
    if told.is_empty() { "none".to_owned() } else { told.join(" · ") }
}

fn table(entries: &[Entry<'_>]) -> Table {
    let better = |better, column| Column { better: Some(better), ..column };
    let columns = vec![
        Column::new("run", Form::Text),
        Column::new("state", Form::Text),
        better(Better::More, Column::new("best", Form::Share)),
        Column::new("of", Form::Text),
        better(Better::More, Column::new("done", Form::Share)),
        better(Better::Less, Column::new("left", Form::Duration)),
        Column::new("at", Form::Text),
        Column::new("strategy", Form::Text),
        Column::new("space", Form::Text),
        Column::new("data", Form::Text),
        Column::new("seed", Form::Whole),
        Column::new("begun (UTC)", Form::Text),
    ];
    let row = |entry: &Entry<'_>| {
        let Row { state, words, strategy, space, data, seed, best, progress, begun } = entry.row;
        let text = |text: &str| Cell::from(text);
        vec![
            text(entry.name),
            text(state.word()),
            Cell::number(best.as_ref().map(|(value, _)| *value)),
            text(best.as_ref().map_or("", |(_, of)| of)),
            Cell::number(progress.as_ref().and_then(|progress| progress.share())),
            Cell::number(entry.left.map(f64::round)),
            text(words),
            text(strategy),
            text(space),
            text(data),
            Cell::number(seed.map(|seed| seed as f64)),
            Cell::Text(begun.map(minute).unwrap_or_default()),
        ]
    };
    Table {
        id: "runs-table".to_owned(),
        caption: "Runs".to_owned(),
        columns,
        rows: entries.iter().map(row).collect(),
        marked: (0..entries.len()).filter(|at| entries[*at].row.state == State::Running).collect(),
        links: entries.iter().map(|entry| address(entry.name)).collect(),
    }
}

/// Where the page of a run is, from the list's.
fn address(name: &str) -> String {
    let mut address = "run".to_owned();
    for part in name.split('/') {
        address.push('/');
        for byte in part.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => address.push(char::from(byte)),
                // A name of dots alone would be taken for a way upwards; in others they are as good.
                b'.' if !part.bytes().all(|byte| byte == b'.') => address.push('.'),
                // Writing to a String cannot fail.
                _ => _ = write!(address, "%{byte:02X}"),
            }
        }
    }
    address
}

/// To the minute, as one sorts it.
fn minute(time: SystemTime) -> String {
    let whole = jiff::Timestamp::try_from(time).map(|time| time.to_string()).unwrap_or_default();
    whole.get(..16).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn names_become_addresses_of_plain_letters() {
        assert_eq!(address("suite/darts-seed0.b"), "run/suite/darts-seed0.b");
        assert_eq!(address("a b/<\"ü\n%"), "run/a%20b/%3C%22%C3%BC%0A%25");
        assert_eq!(address("..."), "run/%2E%2E%2E");
    }

    #[test]
    fn what_goes_on_comes_first_then_the_newest() {
        let row = |state, minutes: u64| {
            let begun = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minutes));
            Row { begun, ..Row::bare(state, String::new()) }
        };
        let rows = [row(State::Finished, 1), row(State::Stopped, 3), row(State::Running, 2)];
        let entries =
            ["a", "b", "c"].iter().zip(&rows).map(|(name, row)| Entry { name, row, left: Some(1.4) }).collect();
        let document = document("runs", entries, true);
        assert_eq!(document.subtitle, "1 running · 1 stopped · 1 finished · there are more, which are not shown");
        let [Block::Table(table), _] = &document.sections[0].blocks[..] else { panic!("no table") };
        assert_eq!(table.rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), ["c", "b", "a"].map(Cell::from));
        assert_eq!((table.rows[0].last(), &table.marked), (Some(&Cell::from("1970-01-01 00:02")), &vec![0]));
    }
}
