//! Genotypes as text, in the forms in which people write and paste them.
//!
//! ```text
//! Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=[…], reduce_concat=range(2, 6))
//! Genotype(normal=[[('sep_conv_3x3', 0), …], …], …)        one list a node, of any number of edges
//! Genotype(normal=[('sep_conv_3x3', 2, 0), …], …)          triples: primitive, the state it leads to, the state it reads
//! {"normal": [["sep_conv_3x3", 0], …], …}                  a dictionary of the same parts
//! ```

use super::cell::{KEPT_EDGES, PUBLISHED_NODES};
use super::{CELL_INPUTS, CellGenotype, Edge, Genotype, GenotypeError, MOST_NODES, Primitive, nni};
use crate::names::nearest;
use crate::space::notation::{self, Entry, Kind, SyntaxError, Value};

const PARTS: [&str; 4] = ["normal", "normal_concat", "reduce", "reduce_concat"];
/// Parts of AutoDL-Projects' genotypes that hold nothing.
const UNUSED: [&str; 2] = ["connectN", "connects"];

/// Operations of other programs' cells.
const FOREIGN: [(&str, &str); 1] =
    [("att_squeeze", "weighs channels by a squeeze-and-excitation block (AutoDL-Projects)")];

/// Reads a genotype that stands somewhere in a text.
pub(super) fn parse(text: &str) -> Result<Genotype, GenotypeError> {
    let error = match parse_plain(text) {
        Err(error @ (GenotypeError::Syntax(_) | GenotypeError::Part { .. })) => error,
        read => return read,
    };
    // From a page or a paper, or out of JSON.
    let tidied = notation::tidied(text);
    if tidied == text { Err(error) } else { parse_plain(&tidied).map_err(|_| error) }
}

fn parse_plain(text: &str) -> Result<Genotype, GenotypeError> {
    let mut entries = notation::calls(text, "Genotype");
    if entries.is_empty() {
        entries = notation::calls_with(text, "normal");
    }
    if entries.is_empty() {
        return match text.find('{') {
            Some(at) => at_place(text, at),
            None if text.contains("OrderedDict(") => at_place(text, text.find("OrderedDict(").unwrap_or_default()),
            None if notation::calls_with(text, "recurrent").is_empty() => {
                Err(SyntaxError::new(text, 0, "`Genotype(…)`, a dictionary of its parts, or a published name").into())
            }
            None => Err(GenotypeError::Recurrent),
        };
    }
    let read: Vec<(&Entry, Result<Genotype, GenotypeError>)> =
        entries.iter().map(|entry| (entry, at_place(text, entry.at))).collect();
    // What is assigned twice is what it was assigned last.
    let replaced = |i: usize| read[i + 1..].iter().any(|(later, _)| later.assigned && later.name == read[i].0.name);
    let standing = || read.iter().enumerate().filter(|(i, (e, _))| !(e.assigned && replaced(*i))).map(|(_, pair)| pair);
    // A file also has functions that make genotypes: they are none.
    let mut good = standing().filter_map(|(entry, genotype)| Some((entry, genotype.as_ref().ok()?)));
    match (good.next(), standing().next()) {
        (Some((_, first)), _) if good.all(|(_, other)| other == first) => Ok(first.clone()),
        (Some(_), _) => {
            let names = standing().filter(|(_, genotype)| genotype.is_ok()).map(|(entry, _)| entry.label());
            Err(GenotypeError::Several { names: names.collect() })
        }
        (None, Some((_, Err(error)))) => Err(error.clone()),
        (None, _) => Err(SyntaxError::new(text, 0, "`Genotype(…)`").into()),
    }
}

/// Reads the genotype that begins at a byte of a text.
fn at_place(text: &str, at: usize) -> Result<Genotype, GenotypeError> {
    let error = match notation::read(text, at) {
        Ok((value, _)) => return genotype(text, &value),
        Err(error) => error,
    };
    // Terminals and mails break lines in the midst of words and numbers.
    let rest = &text[at..];
    if rest.contains('\n') && !rest.contains('#') {
        let joined: String = rest.lines().map(str::trim).collect();
        if let Ok((value, _)) = notation::read(&joined, 0) {
            return genotype(&joined, &value);
        }
    }
    Err(error.into())
}

fn genotype<'v>(text: &str, value: &'v Value) -> Result<Genotype, GenotypeError> {
    let expected = |at: usize, what: &str| GenotypeError::from(SyntaxError::new(text, at, what));
    let mut parts: [Option<&Value>; 4] = [None; 4];
    let mut place = |name: &str, value: &'v Value| {
        if UNUSED.contains(&name) {
            return match value.kind {
                Kind::Nothing => Ok(()),
                _ => Err(expected(value.at, "`None`: connections are no part of cells here")),
            };
        }
        if name == "recurrent" {
            return Err(GenotypeError::Recurrent);
        }
        let Some(i) = PARTS.iter().position(|part| *part == name) else {
            return Err(GenotypeError::Unknown { kind: "part", nearest: nearest(name, PARTS), name: name.to_owned() });
        };
        match parts[i].replace(value) {
            None => Ok(()),
            Some(_) => Err(GenotypeError::Part { part: PARTS[i], problem: "given twice" }),
        }
    };
    match &value.kind {
        Kind::Call { arguments, .. } => {
            for (position, (name, value)) in arguments.iter().enumerate() {
                let by_position = PARTS.iter().chain(&UNUSED).nth(position).copied();
                let Some(name) = name.as_deref().or(by_position) else {
                    return Err(expected(value.at, "`)`: a genotype has four parts"));
                };
                place(name, value)?;
            }
        }
        Kind::Map(pairs) if nni::is_nni(pairs) => return nni::read(pairs),
        Kind::Map(pairs) => {
            for (key, value) in pairs {
                let Some(name) = key.text() else { return Err(expected(key.at, "the name of a part in quotes")) };
                place(name, value)?;
            }
        }
        _ => return Err(expected(value.at, "`Genotype(…)` or a dictionary of its parts")),
    }
    let [normal, normal_concat, reduce, reduce_concat] = parts;
    let items = |value: &'v Value| value.list().ok_or_else(|| expected(value.at, "a list in `[…]`"));
    // What is wrong with a part that is there is said before what is missing.
    let read = |kind, value: Option<&'v Value>| value.map(|value| nodes(text, kind, items(value)?)).transpose();
    let (normal, reduce) = (read("normal", normal)?, read("reduce", reduce)?);
    let missing = |i: usize| GenotypeError::Part { part: PARTS[i], problem: "missing" };
    let cell = |i: usize, nodes: Option<Vec<Vec<Edge>>>, concat: Option<&'v Value>| {
        let nodes = nodes.ok_or_else(|| missing(i))?;
        cell(text, nodes, items(concat.ok_or_else(|| missing(i + 1))?)?)
    };
    let genotype = Genotype { normal: cell(0, normal, normal_concat)?, reduce: cell(2, reduce, reduce_concat)? };
    genotype.check()?;
    Ok(genotype)
}

/// An edge as written: with two numbers it says where it leads, too.
struct Written {
    edge: Edge,
    target: Option<usize>,
}

/// The edges of each node, in whichever form they are written.
fn nodes(text: &str, kind: &'static str, items: &[Value]) -> Result<Vec<Vec<Edge>>, GenotypeError> {
    let wrong = |problem: String| GenotypeError::Cell { cell: kind, problem };
    let is_edge = |item: &Value| item.list().is_some_and(|parts| parts.first().is_some_and(|p| p.text().is_some()));
    let nested = items.iter().any(|item| item.list().is_some_and(|list| list.is_empty() || is_edge(&list[0])));
    if nested {
        let node = |item: &Value| match item.list() {
            Some(edges) if !is_edge(item) => edges.iter().map(|e| Ok(written(text, e)?.edge)).collect(),
            _ => Err(SyntaxError::new(text, item.at, "a list of the edges of one node").into()),
        };
        return items.iter().map(node).collect();
    }
    let edges = items.iter().map(|item| written(text, item)).collect::<Result<Vec<_>, _>>()?;
    match edges.iter().filter(|edge| edge.target.is_some()).count() {
        0 if edges.is_empty() || !edges.len().is_multiple_of(KEPT_EDGES) => {
            let edges = edges.len();
            Err(wrong(format!(
                "{edges} edges: each node has two, and there is at least one node; write one list a node, or triples, \
                 where it is otherwise"
            )))
        }
        0 => Ok(edges.chunks(KEPT_EDGES).map(|pair| pair.iter().map(|w| w.edge).collect()).collect()),
        targets if targets == edges.len() => by_target(&edges).map_err(wrong),
        _ => Err(wrong("some edges say where they lead and others do not".into())),
    }
}

/// A cell of nodes, which joins the states of a list.
fn cell(text: &str, mut nodes: Vec<Vec<Edge>>, concat: &[Value]) -> Result<CellGenotype, GenotypeError> {
    let state = |value: &Value| {
        value.index().ok_or_else(|| GenotypeError::from(SyntaxError::new(text, value.at, "a state: a number from 0")))
    };
    let mut concat = concat.iter().map(state).collect::<Result<Vec<usize>, _>>()?;
    // Nodes that no edge enters do not exist: nothing reads them, and they are not joined, whatever the text says.
    for node in 0..nodes.len() {
        let (before, from) = nodes.split_at_mut(node);
        from[0].retain(|edge| !is_missing(before, edge.input));
    }
    concat.retain(|&state| !is_missing(&nodes, state));
    Ok(CellGenotype { nodes, concat })
}

/// Whether a state is one of the given nodes, but one that no edge enters.
fn is_missing(nodes: &[Vec<Edge>], state: usize) -> bool {
    state >= CELL_INPUTS && nodes.get(state - CELL_INPUTS).is_some_and(Vec::is_empty)
}

/// The edges of each node, of edges that say to which state they lead.
fn by_target(edges: &[Written]) -> Result<Vec<Vec<Edge>>, String> {
    let targets = edges.iter().filter_map(|edge| edge.target);
    let last = targets.clone().max().unwrap_or_default();
    if let Some(target) = targets.clone().find(|&target| !(CELL_INPUTS..CELL_INPUTS + MOST_NODES).contains(&target)) {
        let most = CELL_INPUTS + MOST_NODES - 1;
        return Err(format!("an edge leads to state {target}: nodes are states {CELL_INPUTS} to {most}"));
    }
    // FairDARTS' cells have four nodes, of which the last may be missing like any other.
    let mut nodes = vec![Vec::new(); (last + 1 - CELL_INPUTS).max(PUBLISHED_NODES)];
    for (edge, target) in edges.iter().zip(targets) {
        nodes[target - CELL_INPUTS].push(edge.edge);
    }
    Ok(nodes)
}

/// `('sep_conv_3x3', 0)`, `('sep_conv_3x3', 2, 0)`, or a pair with its weight behind it.
fn written(text: &str, value: &Value) -> Result<Written, GenotypeError> {
    let expected = |at: usize, what: &str| GenotypeError::from(SyntaxError::new(text, at, what));
    let parts = value.list().unwrap_or_default();
    let [name, states @ ..] = parts else { return Err(expected(value.at, "an edge like `('sep_conv_3x3', 0)`")) };
    let Some(name) = name.text() else { return Err(expected(name.at, "a primitive in quotes")) };
    let state = |value: &Value| value.index().ok_or_else(|| expected(value.at, "a state: a number from 0"));
    let (input, target) = match states {
        [input] => (state(input)?, None),
        [input, Value { kind: Kind::Float(_), .. }] => (state(input)?, None),
        [target, input] => (state(input)?, Some(state(target)?)),
        _ => return Err(expected(value.at, "an edge like `('sep_conv_3x3', 0)`")),
    };
    let Ok(primitive) = name.parse::<Primitive>() else {
        if let Some(&(name, what)) = FOREIGN.iter().find(|(foreign, _)| *foreign == name) {
            return Err(GenotypeError::Foreign { name, what });
        }
        let known = Primitive::ALL.map(Primitive::name);
        return Err(GenotypeError::Unknown { kind: "primitive", nearest: nearest(name, known), name: name.to_owned() });
    };
    Ok(Written { edge: Edge { primitive, input }, target })
}

/// The text of a genotype whose cells are written by `edges`.
fn write(genotype: &Genotype, more: &str, edges: impl Fn(&CellGenotype) -> String) -> String {
    format!(
        "Genotype(normal=[{}], normal_concat={:?}, reduce=[{}], reduce_concat={:?}{more})",
        edges(&genotype.normal),
        genotype.normal.concat,
        edges(&genotype.reduce),
        genotype.reduce.concat
    )
}

fn edge(edge: &Edge) -> String {
    format!("('{}', {})", edge.primitive, edge.input)
}

fn edges(edges: &[Edge]) -> String {
    edges.iter().map(edge).collect::<Vec<_>>().join(", ")
}

/// The reference's text, for cells of two edges a node.
pub(super) fn pairs(genotype: &Genotype) -> String {
    write(genotype, "", |cell| cell.edges().map(edge).collect::<Vec<_>>().join(", "))
}

/// One list a node, as pt.darts writes genotypes.
pub(super) fn nested(genotype: &Genotype) -> String {
    let node = |node: &Vec<Edge>| format!("[{}]", edges(node));
    write(genotype, "", |cell| cell.nodes.iter().map(node).collect::<Vec<_>>().join(", "))
}

/// One tuple a node and two unused parts, as AutoDL-Projects writes genotypes.
pub(super) fn autodl(genotype: &Genotype) -> String {
    let node = |node: &Vec<Edge>| match &node[..] {
        // A tuple of one needs a comma.
        [one] => format!("({},)", edge(one)),
        many => format!("({})", edges(many)),
    };
    let more = ", connectN=None, connects=None";
    write(genotype, more, |cell| cell.nodes.iter().map(node).collect::<Vec<_>>().join(", "))
}

/// Triples, as FairDARTS writes genotypes.
pub(super) fn triples(genotype: &Genotype) -> String {
    let triple = |(node, e): (usize, &Edge)| format!("('{}', {}, {})", e.primitive, node + CELL_INPUTS, e.input);
    write(genotype, "", |cell| {
        let edges = cell.nodes.iter().enumerate().flat_map(|(node, edges)| edges.iter().map(move |e| (node, e)));
        edges.map(triple).collect::<Vec<_>>().join(", ")
    })
}
