//! Cells as NNI's exported architectures have them: `{"normal/op_2_0": "sep_conv_3x3", "normal/input_2_0": 0, …}`, for each side
//! of each node (state 2 is the first) its operation and the state it reads. All nodes are joined.

use super::cell::KEPT_EDGES;
use super::{CELL_INPUTS, CellGenotype, Edge, Genotype, GenotypeError, MOST_NODES, Primitive};
use crate::names::nearest;
use crate::space::notation::{Kind, Value};

/// Whether a dictionary is one of these.
pub(super) fn is_nni(pairs: &[(Value, Value)]) -> bool {
    pairs.iter().any(|(key, _)| key.text().is_some_and(|key| key.starts_with("normal/") || key.starts_with("reduce/")))
}

/// Reads such a dictionary. Its other entries (width, depth) are those of the network around the cells.
pub(super) fn read(pairs: &[(Value, Value)]) -> Result<Genotype, GenotypeError> {
    let cell = |kind: &'static str| {
        let wrong = |problem: String| GenotypeError::Cell { cell: kind, problem };
        let find = |what: &str, state: usize, side: usize| {
            let wanted = format!("{kind}/{what}_{state}_{side}");
            pairs.iter().find(|(key, _)| key.text() == Some(&wanted)).map(|(_, value)| value)
        };
        let mut edges = Vec::new();
        for state in CELL_INPUTS..CELL_INPUTS + MOST_NODES {
            for side in 0..KEPT_EDGES {
                let (operation, input) = (find("op", state, side), find("input", state, side));
                let (Some(operation), Some(input)) = (operation, input) else {
                    let started = operation.or(input).is_some() || side > 0;
                    if started {
                        let missing = if operation.is_none() { "op" } else { "input" };
                        return Err(wrong(format!("`{kind}/{missing}_{state}_{side}` is missing")));
                    }
                    let last = state - 1;
                    return Ok(CellGenotype::of_pairs(edges, (CELL_INPUTS..=last).collect()));
                };
                let Some(name) = operation.text() else {
                    return Err(wrong(format!("`{kind}/op_{state}_{side}` is no operation in quotes")));
                };
                // Older versions write a list of one.
                let input = if let Kind::List(items) = &input.kind { items.first().unwrap_or(input) } else { input };
                let Some(input) = input.index() else {
                    return Err(wrong(format!("`{kind}/input_{state}_{side}` is no state")));
                };
                let primitive: Primitive = name.parse().map_err(|_| GenotypeError::Unknown {
                    kind: "primitive",
                    nearest: nearest(name, Primitive::ALL.map(Primitive::name)),
                    name: name.to_owned(),
                })?;
                edges.push(Edge { primitive, input });
            }
        }
        Err(wrong(format!("has more than {MOST_NODES} nodes")))
    };
    let genotype = Genotype { normal: cell("normal")?, reduce: cell("reduce")? };
    genotype.check()?;
    Ok(genotype)
}

/// Writes cells whose nodes have two edges and are all joined; none for others.
pub(super) fn write(genotype: &Genotype) -> Option<String> {
    let mut entries = Vec::new();
    for (kind, cell) in [("normal", &genotype.normal), ("reduce", &genotype.reduce)] {
        if !cell.has_pairs() || !cell.concat.iter().copied().eq(CELL_INPUTS..CELL_INPUTS + cell.nodes.len()) {
            return None;
        }
        for (node, edges) in cell.nodes.iter().enumerate() {
            for (side, edge) in edges.iter().enumerate() {
                let state = node + CELL_INPUTS;
                entries.push(format!("\"{kind}/op_{state}_{side}\": \"{}\"", edge.primitive));
                entries.push(format!("\"{kind}/input_{state}_{side}\": {}", edge.input));
            }
        }
    }
    Some(format!("{{{}}}", entries.join(", ")))
}
