//! What a run took, and how to have it again.

use super::document::{Block, Cell, Column, Form, Table};
use crate::run::Purpose;
use crate::run::trace::{Came, Trace};

/// Device, data, and the phases.
pub(super) fn blocks(trace: &Trace) -> Vec<Block> {
    let mut blocks = Vec::new();
    let said = match &trace.came {
        Some(Came::Search(summary)) => Some((summary.device.clone(), summary.data_source.clone())),
        Some(Came::Random(summary)) => Some((summary.device.clone(), summary.data_source.clone())),
        Some(Came::Training(summary)) => {
            let text = |key: &str| summary[key].as_str().unwrap_or_default().to_owned();
            Some((text("device"), text("data_source")))
        }
        None => None,
    };
    if let Some((device, source)) = said {
        blocks.push(Block::Words { text: format!("On {device}. {source}") });
    }
    let phases: Vec<_> = trace.timing.phases.iter().filter(|phase| phase.resumed.is_none()).collect();
    let resumed = trace.timing.phases.len() - phases.len();
    if resumed > 0 {
        let times = if resumed == 1 { "once".to_owned() } else { format!("{resumed} times") };
        blocks.push(Block::Words {
            text: format!(
                "The run was stopped and gone on with {times}; its results are those of a run that never was."
            ),
        });
    }
    if phases.is_empty() {
        return blocks;
    }
    let count = |count: Option<u64>| Cell::number(count.map(|count| count as f64));
    blocks.push(Block::Table(Table {
        id: "phases".to_owned(),
        caption: "Phases".to_owned(),
        columns: vec![
            Column::new("phase", Form::Text),
            Column::new("began", Form::Text),
            Column::new("seconds", Form::Seconds),
            Column::new("dispatches", Form::Whole),
            Column::new("most memory by then", Form::Bytes),
            Column::new("checkpoints", Form::Whole),
            Column::new("the largest", Form::Bytes),
            Column::new("seconds of them", Form::Seconds),
            Column::new("ended by", Form::Text),
        ],
        rows: phases
            .into_iter()
            .map(|phase| {
                vec![
                    Cell::Text(phase.phase.clone()),
                    Cell::Text(phase.began.as_deref().map(second).unwrap_or_default()),
                    Cell::number(phase.phase_seconds),
                    count(phase.dispatches),
                    count(phase.device_bytes),
                    count(phase.checkpoints),
                    count(phase.checkpoint_bytes),
                    Cell::number(phase.checkpoint_seconds),
                    Cell::Text(phase.ended_by.clone().unwrap_or_default()),
                ]
            })
            .collect(),
        marked: Vec::new(),
        links: Vec::new(),
        together: None,
    }));
    blocks
}

/// A time in RFC 3339 to the second, for readers.
fn second(time: &str) -> String {
    match time.split_once('T') {
        Some((day, time)) => format!("{day} {} UTC", time.split(['.', 'Z']).next().unwrap_or_default()),
        None => time.to_owned(),
    }
}

/// The configuration, and the command.
pub(super) fn again(trace: &Trace) -> Vec<Block> {
    let verb = match trace.purpose() {
        Purpose::Training => Some("train"),
        Purpose::Search => Some("search"),
        // Random networks of a suite are trained by the suite alone.
        Purpose::Random => None,
    };
    let command = verb.map(|verb| Block::Code {
        caption: "In the run's directory, with the same data and the same kind of device".to_owned(),
        text: format!("cellwright {verb} config.toml"),
    });
    let text = trace.text.trim_end().to_owned();
    command.into_iter().chain([Block::Code { caption: "config.toml".to_owned(), text }]).collect()
}
