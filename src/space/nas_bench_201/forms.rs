//! Cells as other programs write them: NNI's dictionary, NASLib's tuple, AutoDL-Projects' list.

use super::{CELLS, EDGES, NAME, NODES, Operation, edges, index, text};
use crate::space::notation::{self, Kind, Value};
use crate::space::{Architecture, Form, SpaceError};

/// Marks a tuple as NASLib's: six numbers alone do not say whose they are.
const NASLIB: &str = "naslib:";
/// NASLib's operations, in its order.
const NASLIB_OPERATIONS: [Operation; 5] =
    [Operation::SkipConnect, Operation::None, Operation::NorConv3x3, Operation::NorConv1x1, Operation::AvgPool3x3];

/// NASLib's edges, 1-2, 1-3, 1-4, 2-3, 2-4, 3-4, as nodes from 0.
fn naslib_edges() -> impl Iterator<Item = (usize, usize)> {
    (0..NODES).flat_map(|source| (source + 1..NODES).map(move |target| (source, target)))
}

fn wrong(problem: String) -> SpaceError {
    SpaceError::architecture(NAME, problem)
}

/// Reads a cell in one of the forms, if the text has one of them; none if it is for [`text::parse`] to say what it is.
pub(super) fn parse(given: &str) -> Option<Result<Architecture, SpaceError>> {
    let trimmed = given.trim();
    let numbers = match trimmed.get(..NASLIB.len()) {
        Some(start) if start.eq_ignore_ascii_case(NASLIB) => Some(&trimmed[NASLIB.len()..]),
        _ => None,
    };
    if let Some(numbers) = numbers {
        return Some(naslib(numbers));
    }
    // A text that holds the benchmark's own, in quotes, brackets or behind something.
    if let (Some(first), Some(last)) = (trimmed.find('|'), trimmed.rfind('|')) {
        let inside = &trimmed[first..=last];
        let cells: Vec<&str> = inside
            .split(['\'', '"', '\n', ' ', ',', '[', ']', '(', ')'])
            .filter(|part| part.starts_with('|') && part.contains('~'))
            .collect();
        let joined: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
        return Some(match cells[..] {
            [first, second, ..] if first.ends_with('|') && text::parse(second).is_ok() && first != second => {
                Err(wrong(format!("the text holds {} cells: give just one of them", cells.len())))
            }
            [first, ..] if text::parse(first).is_ok() => text::parse(first),
            // Blanks and line breaks may stand anywhere.
            _ => text::parse(&joined).or_else(|_| text::parse(&trimmed[first..])),
        });
    }
    let at = trimmed.find(['{', '[', '('])?;
    let value = match notation::read(trimmed, at) {
        Ok((value, _)) => value,
        Err(error) => return Some(Err(wrong(error.to_string()))),
    };
    match &value.kind {
        Kind::Map(pairs) => Some(dictionary(pairs)),
        Kind::List(items) => Some(list(items)),
        _ => None,
    }
}

/// NNI's `{"0_1": "conv_3x3", …}`, or the decisions as this program writes them (`{"edge_0_1": "nor_conv_3x3", …}`).
fn dictionary(pairs: &[(Value, Value)]) -> Result<Architecture, SpaceError> {
    let mut answers = [None; EDGES];
    for (key, value) in pairs {
        let (Some(key), Some(operation)) = (key.text(), value.text()) else {
            return Err(wrong("a dictionary needs an edge and an operation in quotes in each entry".into()));
        };
        let name = key.strip_prefix("edge_").unwrap_or(key);
        let Some(edge) = edges().position(|(source, target)| name == format!("{source}_{target}")) else {
            let known: Vec<String> = edges().map(|(source, target)| format!("{source}_{target}")).collect();
            return Err(wrong(format!("unknown edge `{key}` (known: {})", known.join(", "))));
        };
        if answers[edge].replace(answer(operation, key)?).is_some() {
            return Err(wrong(format!("the edge `{key}` is given twice")));
        }
    }
    let missing = edges().zip(answers).find(|(_, answer)| answer.is_none());
    if let Some(((source, target), _)) = missing {
        return Err(wrong(format!("the edge `{source}_{target}` is missing")));
    }
    Ok(Architecture { answers: answers.into_iter().flatten().collect() })
}

/// The answer that is the operation of a name; NNI leaves the `nor_` out.
fn answer(operation: &str, edge: &str) -> Result<usize, SpaceError> {
    let by_name = |name: &str| Operation::ALL.iter().position(|known| known.name() == name);
    by_name(operation).or_else(|| by_name(&format!("nor_{operation}"))).ok_or_else(|| {
        let known = Operation::ALL.map(Operation::name);
        let meant = crate::names::nearest(operation, known);
        wrong(format!(
            "edge `{edge}`: unknown operation `{operation}`: did you mean `{meant}`? (known: {})",
            known.join(", ")
        ))
    })
}

fn naslib(numbers: &str) -> Result<Architecture, SpaceError> {
    let form = "write naslib:(4, 0, 3, 1, 4, 3): for the edges 1-2, 1-3, 1-4, 2-3, 2-4, 3-4 the index of the operation among \
                skip_connect, none, nor_conv_3x3, nor_conv_1x1, avg_pool_3x3";
    let value = notation::read(numbers, 0).map_err(|error| wrong(format!("{error}; {form}")))?.0;
    let items = value.list().unwrap_or_default();
    let chosen: Option<Vec<Operation>> =
        items.iter().map(|item| NASLIB_OPERATIONS.get(item.index()?).copied()).collect();
    let Some(chosen) = chosen.filter(|chosen| chosen.len() == EDGES) else {
        return Err(wrong(format!("expected {EDGES} numbers from 0 to 4; {form}")));
    };
    let operation = |edge| naslib_edges().zip(&chosen).find(|(other, _)| *other == edge).map(|(_, &o)| o);
    let answers = edges().map(|edge| operation(edge).and_then(position).unwrap_or_default()).collect();
    Ok(Architecture { answers })
}

fn position(operation: Operation) -> Option<usize> {
    Operation::ALL.iter().position(|&other| other == operation)
}

/// A cell in brackets: AutoDL-Projects' list of nodes, each of pairs of operation and node.
fn list(items: &[Value]) -> Result<Architecture, SpaceError> {
    if items.iter().all(|item| matches!(item.kind, Kind::Integer(_))) {
        return Err(wrong(format!(
            "a bare tuple does not say whose it is: write naslib:(…) if it is NASLib's, #INDEX for the benchmark's index (0 to \
             {}), or |op~0|+|op~0|op~1|+|op~0|op~1|op~2|",
            CELLS - 1
        )));
    }
    // `['…']`, whatever it holds.
    if let [Value { kind: Kind::Text(text), .. }] = items {
        return text::parse(text);
    }
    let mut answers = Vec::with_capacity(EDGES);
    let expected =
        || wrong("expected a list of three nodes, each of pairs like ('nor_conv_3x3', 0), one a node before".into());
    if items.len() != NODES - 1 {
        return Err(expected());
    }
    for (node, pairs) in items.iter().enumerate() {
        let pairs = pairs.list().unwrap_or_default();
        if pairs.len() != node + 1 {
            return Err(expected());
        }
        for source in 0..=node {
            let reads = |pair: &&Value| pair.list().and_then(|p| p.get(1)?.index()) == Some(source);
            let name = pairs.iter().find(reads).and_then(|pair| pair.list()?.first()?.text()).ok_or_else(expected)?;
            answers.push(answer(name, &format!("{source}_{}", node + 1))?);
        }
    }
    Ok(Architecture { answers })
}

/// All forms of a cell.
pub(super) fn forms(cell: &[Operation; EDGES]) -> Vec<Form> {
    let of_edge = |edge| edges().zip(cell).find(|(other, _)| *other == edge).map_or(Operation::None, |(_, &o)| o);
    let nni: Vec<String> = edges()
        .zip(cell)
        .map(|((source, target), operation)| {
            let name = operation.name();
            format!("\"{source}_{target}\": \"{}\"", name.strip_prefix("nor_").unwrap_or(name))
        })
        .collect();
    let index_of = |operation| NASLIB_OPERATIONS.iter().position(|&o| o == operation).unwrap_or_default();
    let naslib: Vec<String> = naslib_edges().map(|edge| index_of(of_edge(edge)).to_string()).collect();
    let node = |target: usize| {
        let pair = |source| format!("('{}', {source})", of_edge((source, target)).name());
        format!("({},)", (0..target).map(pair).collect::<Vec<_>>().join(", "))
    };
    let autodl: Vec<String> = (1..NODES).map(node).collect();
    vec![
        Form::new("nas-bench-201", text::print(cell)),
        Form::new("nni", format!("{{{}}}", nni.join(", "))),
        Form::new("naslib", format!("{NASLIB}({})", naslib.join(", "))),
        Form::new("autodl", format!("[{}]", autodl.join(", "))),
        Form::new("index", format!("#{}", index::index_of(cell))),
    ]
}
