//! Pairs of cells as text: `normal=[0:sep_conv_3x3+1:skip_connect, …] reduce=[…]`, node by node, each side as the state
//! it reads and the operation on it.

use super::{Cell, KINDS, Pairs, SIDES, Side};
use crate::names::nearest;
use crate::space::darts::{CellGenotype, Edge, Genotype, Primitive};
use crate::space::{Architecture, Form, SpaceError, notation};
use serde::Deserialize;

/// The form in JSON: for each cell two entries a node, operation and state, as genotypes have them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    normal: Vec<(String, usize)>,
    reduce: Vec<(String, usize)>,
}

impl Pairs {
    /// Writes an architecture in one line.
    pub fn print(&self, architecture: &Architecture) -> String {
        let Ok(cells) = self.cells(architecture) else {
            return crate::space::architecture::print_pairs(&self.decisions(), architecture);
        };
        let side = |side: &Side| format!("{}:{}", side.state, side.primitive);
        let node = |sides: &[Side; SIDES]| sides.iter().map(side).collect::<Vec<_>>().join("+");
        let cell = |(kind, cell): (&str, &Cell)| {
            format!("{kind}=[{}]", cell.nodes.iter().map(node).collect::<Vec<_>>().join(", "))
        };
        KINDS.into_iter().zip(&cells).map(cell).collect::<Vec<_>>().join(" ")
    }

    /// Writes an architecture as JSON.
    pub fn json(&self, architecture: &Architecture) -> serde_json::Value {
        let Ok([normal, reduce]) = self.cells(architecture) else {
            return crate::space::architecture::json_pairs(&self.decisions(), architecture);
        };
        let sides = |cell: &Cell| {
            let side = |side: &Side| serde_json::json!([side.primitive.name(), side.state]);
            cell.nodes.iter().flatten().map(side).collect::<Vec<_>>()
        };
        serde_json::json!({ "normal": sides(&normal), "reduce": sides(&reduce) })
    }

    /// As ENAS publishes cells (`fixed-arc`: the numbers of the answers), and as the DARTS reference writes them (`darts`).
    pub fn forms(&self, architecture: &Architecture) -> Vec<Form> {
        let numbers = architecture.answers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let mut forms = vec![Form::new("fixed-arc", numbers)];
        if let Ok([normal, reduce]) = self.cells(architecture) {
            let cell = |cell: &Cell| {
                let edge = |side: &Side| Edge { primitive: side.primitive, input: side.state };
                CellGenotype::of_pairs(cell.nodes.iter().flatten().map(edge), cell.unused())
            };
            let genotype = Genotype { normal: cell(&normal), reduce: cell(&reduce) };
            let text = genotype.check().map(|()| genotype.to_string()).map_err(|error| error.to_string());
            forms.push(Form { name: "darts", text });
        }
        forms
    }

    /// Reads what [`Pairs::print`] or [`Pairs::json`] wrote, a known name, the published search's numbers (input 1,
    /// operation 1, input 2, operation 2 of each node, the normal cell first), or a genotype
    /// (`Genotype(normal=…, …)`) whose cells join just the states that no node reads.
    ///
    /// # Errors
    /// [`SpaceError`] saying what cannot be read, or is not of this space.
    pub fn parse(&self, text: &str) -> Result<Architecture, SpaceError> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let plain = |name: &str| name.to_lowercase().replace('_', "-");
        if let Some((_, known)) = self.named.iter().find(|(name, _)| plain(name) == plain(text)) {
            return self.parse(known);
        }
        if text.starts_with('{') {
            let parts: Parts =
                serde_json::from_str(text).map_err(|error| self.wrong(format!("not valid JSON: {error}")))?;
            let side = |(kind, place): (&str, usize), (operation, state): (String, usize)| {
                self.side(&format!("{kind} cell, entry {place}"), state, &operation)
            };
            let cell = |kind: &'static str, entries: Vec<(String, usize)>| {
                let sides = entries.into_iter().enumerate().map(|(place, entry)| side((kind, place), entry));
                sides.collect::<Result<Vec<_>, _>>()
            };
            return self.assemble([cell(KINDS[0], parts.normal)?, cell(KINDS[1], parts.reduce)?]);
        }
        if !notation::calls(text, "Genotype").is_empty() {
            return self.of_genotype(&Genotype::read(text)?);
        }
        if let Some(text) = notation::numbers(text) {
            let number = |word: &str| word.parse().map_err(|_| self.wrong(format!("`{word}` is too large")));
            let answers = text.split_whitespace().map(number).collect::<Result<Vec<usize>, _>>()?;
            let architecture = Architecture { answers };
            architecture.check(self.space, &self.decisions())?;
            return Ok(architecture);
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
        if !text.is_empty() && text.chars().all(is_name) && !self.named.is_empty() {
            return Err(SpaceError::unknown("architecture", text, self.named.iter().map(|(name, _)| name)));
        }
        let mut rest = text;
        let mut cells = [Vec::new(), Vec::new()];
        for (kind, sides) in KINDS.into_iter().zip(&mut cells) {
            let (inside, behind) = self.list(kind, rest)?;
            for (node, pair) in inside.split(',').enumerate() {
                let place = format!("{kind} cell, node {node}");
                let pair: Vec<&str> = pair.split('+').collect();
                if pair.len() != SIDES {
                    let problem =
                        format!("{place}: `{}` is not `STATE:OPERATION+STATE:OPERATION`", pair.join("+").trim());
                    return Err(self.wrong(problem));
                }
                for side in pair {
                    let read = side.split_once(':').and_then(|(state, name)| Some((state.trim().parse().ok()?, name)));
                    let Some((state, operation)) = read else {
                        return Err(self.wrong(format!("{place}: `{}` is not `STATE:OPERATION`", side.trim())));
                    };
                    sides.push(self.side(&place, state, operation.trim())?);
                }
            }
            rest = behind.trim_start();
        }
        if !rest.is_empty() {
            return Err(self.wrong(format!("expected nothing after the reduction cell, found `{rest}`")));
        }
        self.assemble(cells)
    }

    /// What lies between the brackets of `KIND=[…]`, with which `text` must begin, and what lies behind them.
    fn list<'t>(&self, kind: &str, text: &'t str) -> Result<(&'t str, &'t str), SpaceError> {
        let opened = text.strip_prefix(kind).map(str::trim_start).and_then(|text| text.strip_prefix('='));
        let opened = opened.map(str::trim_start).and_then(|text| text.strip_prefix('['));
        opened.and_then(|text| text.split_once(']')).ok_or_else(|| {
            let found: String = text.chars().take(20).collect();
            let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
            self.wrong(format!(
                "expected `{kind}=[…]`, found {found}; write normal=[0:sep_conv_3x3+1:skip_connect, …] reduce=[…], node by \
                 node the states read and the operations on them, or JSON{}",
                if self.named.is_empty() { "" } else { ", or a known name" }
            ))
        })
    }

    fn side(&self, place: &str, state: usize, operation: &str) -> Result<Side, SpaceError> {
        match self.primitives.iter().find(|primitive| primitive.name() == operation) {
            Some(&primitive) => Ok(Side { state, primitive }),
            None => {
                let known: Vec<&str> = self.primitives.iter().map(|primitive| primitive.name()).collect();
                Err(self.wrong(format!(
                    "{place}: unknown operation `{operation}`: did you mean `{}`? (known: {})",
                    nearest(operation, &known),
                    known.join(", ")
                )))
            }
        }
    }

    fn of_genotype(&self, genotype: &Genotype) -> Result<Architecture, SpaceError> {
        let sides = |(kind, cell): (&str, &CellGenotype)| {
            let side = |edge: &Edge| self.side(&format!("{kind} cell"), edge.input, edge.primitive.name());
            let sides = cell.edges().map(side).collect::<Result<Vec<_>, _>>()?;
            let nodes = sides.chunks_exact(SIDES).map(|pair| [pair[0], pair[1]]).collect();
            let unused = Cell { nodes }.unused();
            let mut joined = cell.concat.clone();
            joined.sort_unstable();
            if joined != unused {
                let problem = format!(
                    "the {kind} cell joins states {joined:?}, but those that no node reads are {unused:?}: a cell of this \
                     space joins just these"
                );
                return Err(self.wrong(problem));
            }
            Ok(sides)
        };
        self.assemble([sides((KINDS[0], &genotype.normal))?, sides((KINDS[1], &genotype.reduce))?])
    }

    /// An architecture from the sides of both cells, in order.
    fn assemble(&self, cells: [Vec<Side>; 2]) -> Result<Architecture, SpaceError> {
        for (kind, sides) in KINDS.into_iter().zip(&cells) {
            let wanted = SIDES * self.nodes;
            if sides.len() != wanted {
                let problem = format!(
                    "the {kind} cell has {} operations: this space has {} nodes of {SIDES} operations, that is {wanted}",
                    sides.len(),
                    self.nodes
                );
                return Err(self.wrong(problem));
            }
        }
        let index = |primitive: Primitive| self.primitives.iter().position(|&p| p == primitive).unwrap_or_default();
        let answers = cells.iter().flatten().flat_map(|side| [side.state, index(side.primitive)]).collect();
        let architecture = Architecture { answers };
        architecture.check(self.space, &self.decisions())?;
        Ok(architecture)
    }

    fn wrong(&self, problem: String) -> SpaceError {
        SpaceError::architecture(self.space, problem)
    }
}
