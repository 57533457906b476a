//! The list of all runs, as a document.

use super::door::MOST_TOGETHER;
use super::row::{Row, State};
use crate::export::markup::address;
use crate::report::page::document::{Better, Block, Cell, Column, Document, FORMAT, Form, Section, Table, Together};
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

/// A directory that holds several runs.
pub(super) struct Group<'a> {
    /// What it is called; nothing for the one that all lie below.
    pub name: &'a str,
    pub is_suite: bool,
    /// Its runs.
    pub rows: Vec<&'a Row>,
}

/// The list of runs below a directory of this name, and of the directories that hold several of them; `more` if some are left out.
pub(super) fn document(directory: &str, mut entries: Vec<Entry<'_>>, groups: &[Group<'_>], more: bool) -> Document {
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
    let mut subtitle = counted(entries.iter().map(|entry| entry.row));
    if more {
        subtitle += " · there are more, which are not shown";
    }
    Document {
        format: FORMAT,
        title: format!("Experiments in {directory}"),
        subtitle,
        sections: [("runs", "Runs", blocks), ("directories", "Together", together(directory, groups))]
            .into_iter()
            .filter(|(.., blocks)| !blocks.is_empty())
            .map(|(id, title, blocks)| Section { id, title: title.to_owned(), blocks })
            .collect(),
    }
}

/// The directories that hold several runs, each with a link to the page of all of these.
fn together(directory: &str, groups: &[Group<'_>]) -> Vec<Block> {
    if groups.is_empty() {
        return Vec::new();
    }
    let of = |group: &Group<'_>, state: State| {
        Cell::number(Some(group.rows.iter().filter(|row| row.state == state).count() as f64))
    };
    let row = |group: &Group<'_>| {
        vec![
            Cell::from(if group.name.is_empty() { directory } else { group.name }),
            Cell::from(if group.is_suite { "a suite" } else { "several runs" }),
            Cell::number(Some(group.rows.len() as f64)),
            of(group, State::Running),
            of(group, State::Finished),
        ]
    };
    let link = |group: &Group<'_>| match group.name {
        "" => "directory".to_owned(),
        name => format!("directory/{}", address(name)),
    };
    vec![Block::Table(Table {
        id: "directories-table".to_owned(),
        caption: "Directories of several runs".to_owned(),
        columns: vec![
            Column::new("directory", Form::Text),
            Column::new("holds", Form::Text),
            Column::new("runs begun", Form::Whole),
            Column::new("running", Form::Whole),
            Column::new("finished", Form::Whole),
        ],
        rows: groups.iter().map(row).collect(),
        marked: Vec::new(),
        links: groups.iter().map(link).collect(),
        together: None,
    })]
}

/// What there is to be said of a run, or a suite, whose files are not what they should be.
pub(super) fn unreadable(name: &str, problem: &str) -> Document {
    let blocks = vec![Block::Warning { text: format!("It cannot be read: {problem}") }];
    let sections = vec![Section { id: "summary", title: "Summary".to_owned(), blocks }];
    Document { format: FORMAT, title: name.to_owned(), subtitle: State::Unreadable.word().to_owned(), sections }
}

/// How many runs are in which state.
pub(super) fn counted<'a>(rows: impl Iterator<Item = &'a Row> + Clone) -> String {
    let states = [State::Running, State::Stopped, State::Failed, State::Finished, State::Unreadable, State::Unread];
    let counts = states.map(|state| (state, rows.clone().filter(|row| row.state == state).count()));
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
        together: Some(Together { from: "run/", to: "compare/", most: MOST_TOGETHER }),
        marked: (0..entries.len()).filter(|at| entries[*at].row.state == State::Running).collect(),
        links: entries.iter().map(|entry| format!("run/{}", address(entry.name))).collect(),
    }
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
    fn what_goes_on_comes_first_then_the_newest() {
        let row = |state, minutes: u64| {
            let begun = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60 * minutes));
            Row { begun, ..Row::bare(state, String::new()) }
        };
        let rows = [row(State::Finished, 1), row(State::Stopped, 3), row(State::Running, 2)];
        let entries =
            ["a", "b", "c"].iter().zip(&rows).map(|(name, row)| Entry { name, row, left: Some(1.4) }).collect();
        let group = |name: &'static str| Group { name, is_suite: name.is_empty(), rows: rows.iter().collect() };
        let document = document("runs", entries, &[group(""), group("s, t/u")], true);
        let [Block::Table(groups)] = &document.sections[1].blocks[..] else { panic!("no table of directories") };
        assert_eq!(groups.links, ["directory", "directory/s%2C%20t/u"]);
        let numbers = [3, 1, 1].map(|count| Cell::number(Some(f64::from(count))));
        assert_eq!(groups.rows[0][..2], ["runs", "a suite"].map(Cell::from));
        assert_eq!(groups.rows[1][2..], numbers);
        assert_eq!(document.subtitle, "1 running · 1 stopped · 1 finished · there are more, which are not shown");
        let [Block::Table(table), _] = &document.sections[0].blocks[..] else { panic!("no table") };
        assert_eq!(table.rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), ["c", "b", "a"].map(Cell::from));
        assert_eq!((table.rows[0].last(), &table.marked), (Some(&Cell::from("1970-01-01 00:02")), &vec![0]));
    }
}
