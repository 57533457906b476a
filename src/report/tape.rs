//! A tape of recorded operations as a diagram.

use super::{Block, Diagram, Direction, Kind};
use crate::autograd::{Record, ValueId};
use std::collections::BTreeMap;

/// The operations of a tape ([`Tape::records`](crate::autograd::Tape::records)) from top to bottom, each with
/// the shape of its result, what it saves for the way back, and its scope.
///
/// Values that no operation made are leaves: they come first, called by what `names` says or by
/// their number. A tape does not remember constants, so they are not drawn. What nobody reads is drawn
/// as an output.
pub fn diagram(records: &[Record], names: &[(ValueId, &str)], title: &str) -> Diagram {
    let mut diagram = Diagram { title: title.into(), direction: Direction::Down, ..Diagram::default() };
    let mut boxes: BTreeMap<ValueId, usize> = BTreeMap::new();
    let read: Vec<ValueId> = records.iter().flat_map(|r| r.inputs.iter().copied()).collect();
    for &leaf in read.iter().filter(|&&value| !records.iter().any(|r| r.output == value)) {
        boxes.entry(leaf).or_insert_with(|| {
            let name = names.iter().find(|(value, _)| *value == leaf).map(|(_, name)| (*name).to_owned());
            diagram.add(Block::new(name.unwrap_or_else(|| format!("%{leaf}")), Kind::Input))
        });
    }
    for record in records {
        let kind = if read.contains(&record.output) { Kind::of_operation(record.operation) } else { Kind::Output };
        let mut details = vec![format!("{:?}", record.shape)];
        if record.saved_bytes > 0 {
            details.push(format!("saves {} bytes", record.saved_bytes));
        }
        if !record.scope.is_empty() {
            details.push(record.scope.clone());
        }
        let made = diagram.add(Block { label: record.operation.into(), details, kind });
        boxes.insert(record.output, made);
        for from in record.inputs.iter().filter_map(|input| boxes.get(input).copied()) {
            diagram.join(from, made, "", Kind::Flow);
        }
    }
    diagram
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(operation: &'static str, inputs: &[ValueId], output: ValueId, saved_bytes: usize) -> Record {
        Record { operation, scope: String::new(), inputs: inputs.to_vec(), output, shape: vec![2, 3], saved_bytes }
    }

    #[test]
    fn leaves_come_first_and_every_input_is_an_arrow() {
        // %2 = conv(%0, %1), %3 = relu(%2), %4 = add(%3, %2)
        let records = [record("conv", &[0, 1], 2, 24), record("relu", &[2], 3, 0), record("add", &[3, 2], 4, 0)];
        let drawn = diagram(&records, &[(1, "weight")], "a tape");
        let labels: Vec<&str> = drawn.boxes.iter().map(|b| b.label.as_str()).collect();
        assert_eq!(labels, ["%0", "weight", "conv", "relu", "add"]);
        let edges: Vec<(usize, usize)> = drawn.edges.iter().map(|e| (e.from, e.to)).collect();
        assert_eq!(edges, [(0, 2), (1, 2), (2, 3), (3, 4), (2, 4)]);
        assert_eq!(drawn.boxes[2].details, ["[2, 3]", "saves 24 bytes"]);
        let kinds: Vec<Kind> = drawn.boxes.iter().map(|b| b.kind).collect();
        assert_eq!(kinds, [Kind::Input, Kind::Input, Kind::Convolution, Kind::Elementwise, Kind::Output]);
        assert!(crate::report::svg::draw(&drawn).is_ok_and(|svg| svg.contains("a tape")));
    }

    #[test]
    fn a_value_read_twice_by_one_operation_has_two_arrows() {
        let drawn = diagram(&[record("multiply", &[0, 0], 1, 0)], &[], "");
        assert_eq!(drawn.edges.len(), 2);
        assert_eq!(drawn.boxes.len(), 2);
    }
}
