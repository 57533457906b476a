//! Architectures as vectors, for predictors (White et al. 2020, "A study on encodings for neural architecture
//! search").

use super::{Architecture, CellPlan, Decision, SpaceError};
use std::collections::BTreeSet;

/// Longest vector that is made.
const MOST_VALUES: usize = 1 << 22;

/// How an architecture becomes a vector of zeros and ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// For each decision as many places as it has options, 1 at the chosen one.
    OneHot,
    /// For each cell and each pair of states as many places as there are primitives, 1 where an edge with that
    /// primitive leads from the one to the other.
    Adjacency,
    /// For each cell, each of its inputs and each sequence of up to so many primitives one place, 1 where a path
    /// from that input to the cell's output runs through just these (White et al. 2021, BANANAS, section 3.1). Shorter
    /// sequences come first; longer paths have no place.
    Path {
        /// Primitives of the longest path that counts.
        longest: usize,
    },
}

/// See [`Space::encode`](super::Space::encode): an architecture of the space called so, its cells and their primitives.
pub(super) fn encode(
    space: &str,
    architecture: &Architecture,
    decisions: &[Decision],
    cells: &[CellPlan],
    primitives: &[String],
    encoding: Encoding,
) -> Result<Vec<f32>, SpaceError> {
    match encoding {
        Encoding::OneHot => Ok(one_hot(decisions, architecture)),
        _ if cells.is_empty() || primitives.is_empty() => {
            let problem = "its architectures are no cells, so they have no adjacency matrix and no paths: encode \
                           their decisions (one-hot)";
            Err(SpaceError::architecture(space, problem))
        }
        Encoding::Adjacency => join(cells, |cell| adjacency(space, cell, primitives)),
        Encoding::Path { longest } => join(cells, |cell| paths(space, cell, primitives, longest)),
    }
}

fn one_hot(decisions: &[Decision], architecture: &Architecture) -> Vec<f32> {
    let row = |(d, &answer): (&Decision, &usize)| {
        (0..d.options.len()).map(move |option| f32::from(u8::from(option == answer))).collect::<Vec<_>>()
    };
    decisions.iter().zip(&architecture.answers).flat_map(row).collect()
}

fn join(cells: &[CellPlan], of: impl Fn(&CellPlan) -> Result<Vec<f32>, SpaceError>) -> Result<Vec<f32>, SpaceError> {
    let vectors = cells.iter().map(of).collect::<Result<Vec<_>, _>>()?;
    Ok(vectors.concat())
}

fn place(space: &str, primitives: &[String], name: &str) -> Result<usize, SpaceError> {
    let unknown = || SpaceError::architecture(space, format!("`{name}` is none of {}", primitives.join(", ")));
    primitives.iter().position(|p| p == name).ok_or_else(unknown)
}

/// A cell's edges; `none` is the lack of one.
fn edges(cell: &CellPlan) -> impl Iterator<Item = &(usize, usize, String)> {
    cell.edges.iter().filter(|(_, _, name)| name != "none")
}

fn adjacency(space: &str, cell: &CellPlan, primitives: &[String]) -> Result<Vec<f32>, SpaceError> {
    let states = cell.inputs + cell.nodes;
    let mut values = vec![0.0; states * states.saturating_sub(1) / 2 * primitives.len()];
    for (from, node, name) in edges(cell) {
        let to = cell.inputs + node;
        // Pairs (from, to) with from < to, by to.
        let pair = to * (to - 1) / 2 + from;
        values[pair * primitives.len() + place(space, primitives, name)?] = 1.0;
    }
    Ok(values)
}

fn paths(space: &str, cell: &CellPlan, primitives: &[String], longest: usize) -> Result<Vec<f32>, SpaceError> {
    let longest = longest.min(cell.nodes);
    let count = |length: usize| primitives.len().checked_pow(length as u32)?.checked_mul(cell.inputs);
    let total = (1..=longest).try_fold(0usize, |sum, length| sum.checked_add(count(length)?));
    let Some(total) = total.filter(|&total| total <= MOST_VALUES) else {
        let problem = format!(
            "paths of up to {longest} of {} primitives would take more than {MOST_VALUES} places: count shorter ones only",
            primitives.len()
        );
        return Err(SpaceError::architecture(space, problem));
    };
    let mut values = vec![0.0; total];
    // For each state, the paths that lead there: the input they begin at, and their primitives.
    let mut leading: Vec<BTreeSet<(usize, Vec<usize>)>> = vec![BTreeSet::new(); cell.inputs + cell.nodes];
    (0..cell.inputs).for_each(|input| leading[input] = BTreeSet::from([(input, Vec::new())]));
    for node in 0..cell.nodes {
        let state = cell.inputs + node;
        for (from, _, name) in edges(cell).filter(|(_, to, _)| *to == node) {
            let primitive = place(space, primitives, name)?;
            let longer = leading[*from].iter().filter(|(_, path)| path.len() < longest).map(|(input, path)| {
                let mut path = path.clone();
                path.push(primitive);
                (*input, path)
            });
            let longer: Vec<_> = longer.collect();
            leading[state].extend(longer);
        }
    }
    for (input, path) in cell.concat.iter().flat_map(|&state| &leading[state]).filter(|(_, path)| !path.is_empty()) {
        let shorter: usize = (1..path.len()).filter_map(count).sum();
        let number = path.iter().fold(*input, |number, primitive| number * primitives.len() + primitive);
        values[shorter + number] = 1.0;
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::super::darts::Darts;
    use super::super::{Space, find};
    use super::*;
    use crate::random::Random;

    fn primitives() -> Vec<String> {
        ["a", "b"].map(String::from).to_vec()
    }

    /// Input 0 leads by `a` to state 1, which leads by `b` to state 2, where input 0 leads by `a`, too.
    fn cell() -> CellPlan {
        let edge = |from, to, name: &str| (from, to, name.to_owned());
        let edges = vec![edge(0, 0, "a"), edge(1, 1, "b"), edge(0, 1, "a")];
        CellPlan { name: "cell".into(), inputs: 1, edges, nodes: 2, concat: vec![2] }
    }

    #[test]
    fn an_adjacency_has_a_place_for_each_pair_and_primitive() {
        // Pairs 0→1, 0→2, 1→2.
        assert_eq!(adjacency("test", &cell(), &primitives()).unwrap(), [1.0, 0.0, 1.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_path_is_what_it_runs_through() {
        // a, b, then aa, ab, ba, bb.
        assert_eq!(paths("test", &cell(), &primitives(), 2).unwrap(), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(paths("test", &cell(), &primitives(), 1).unwrap(), [1.0, 0.0]);
        let long = paths("test", &CellPlan { nodes: 40, ..cell() }, &primitives(), 40).unwrap_err().to_string();
        assert!(long.contains("count shorter ones only"), "{long}");
    }

    #[test]
    fn cells_of_darts_have_as_many_paths_as_the_paper_counts() {
        let space = Darts::default();
        let architecture = space.random(&mut Random::new(1, 0));
        let vector = space.encode(&architecture, Encoding::Path { longest: 4 }).unwrap();
        // Two cells, two inputs, seven primitives, four nodes.
        assert_eq!(vector.len(), 2 * 2 * (7 + 49 + 343 + 2401));
        assert!(vector.iter().sum::<f32>() >= 4.0);
        let adjacency = space.encode(&architecture, Encoding::Adjacency).unwrap();
        assert_eq!(adjacency.len(), 2 * 15 * 7);
        assert_eq!(adjacency.iter().sum::<f32>(), 16.0);
    }

    #[test]
    fn none_is_no_edge() {
        let space = find("nas-bench-201").unwrap();
        let vector = |text: &str, encoding| space.encode(&space.parse(text).unwrap(), encoding).unwrap();
        let nothing = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|";
        let one = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|";
        for encoding in [Encoding::Adjacency, Encoding::Path { longest: 3 }] {
            assert_eq!([nothing, one].map(|text| vector(text, encoding).iter().sum::<f32>()), [0.0, 1.0]);
        }
        assert_eq!(vector(one, Encoding::Path { longest: 3 }).len(), 4 + 16 + 64);
    }

    #[test]
    fn what_has_no_cells_has_no_paths() {
        let space = find("chain").unwrap();
        let architecture = space.random(&mut Random::new(1, 0));
        let error = space.encode(&architecture, Encoding::Path { longest: 2 }).unwrap_err().to_string();
        assert!(error.contains("encode their decisions (one-hot)"), "{error}");
        assert!(space.encode(&architecture, Encoding::OneHot).is_ok());
    }
}
