//! Choosing by what an option's loss costs (Wang et al. 2021, "Rethinking architecture selection in differentiable NAS",
//! algorithm 1): α says little about the accuracy an option contributes.
//!
//! Choice points are settled one by one, in random order: each option is masked in turn, and that stays whose loss costs
//! most accuracy. After each the shared weights are trained for a few epochs. Then, node by node, the edges whose loss
//! costs least go, until the node has as many as the space derives.

use super::SearchError;
use super::scoring::Scoring;
use crate::device::Device;
use crate::graph::{Graph, Op, Table};
use crate::random::Random;
use crate::space::{Space, TableWeights};
use crate::state::{Element, State, StateError};

/// What is settled next.
#[derive(Clone, Debug, PartialEq)]
enum Question {
    /// The option of a row of a table.
    Option { table: usize, row: usize },
    /// Which edges of a node stay: (table, row) of each, and how many.
    Edges(Vec<(usize, usize)>),
}

/// A selection under way.
#[derive(Debug)]
pub(super) struct Masking {
    questions: Vec<Question>,
    /// Questions that have been answered.
    answered: usize,
    /// Weights of options: those of settled rows are 1 and 0.
    weights: Vec<TableWeights>,
}

impl Masking {
    /// Begins with the weights that the search has left.
    pub fn new(graph: &Graph, tables: &[Table], weights: Vec<TableWeights>, random: &mut Random) -> Self {
        let place = |name: &str| tables.iter().position(|t| t.name == name);
        let mut options: Vec<Question> = (0..tables.len())
            .flat_map(|table| (0..tables[table].rows).map(move |row| Question::Option { table, row }))
            .collect();
        random.shuffle(&mut options);
        // Cells that share their decisions are one node.
        let mut nodes: Vec<Question> = Vec::new();
        for node in graph.nodes.iter().filter(|n| n.op == Op::Add) {
            let edge = |&input: &usize| match &graph.nodes[input].op {
                Op::Choice(choice) => Some((place(&choice.table)?, choice.row)),
                _ => None,
            };
            let Some(edges) = node.inputs.iter().map(edge).collect::<Option<Vec<_>>>() else { continue };
            let question = Question::Edges(edges);
            if !nodes.contains(&question) {
                nodes.push(question);
            }
        }
        random.shuffle(&mut nodes);
        options.extend(nodes);
        Self { questions: options, answered: 0, weights }
    }

    /// Questions left.
    pub fn count(&self) -> u64 {
        (self.questions.len() - self.answered) as u64
    }

    /// The weights as far as they are settled.
    pub fn weights(&self) -> &[TableWeights] {
        &self.weights
    }

    /// Answers the next question; false when there is none.
    /// What stands beside the options weighs `auxiliary`.
    pub async fn answer(
        &mut self,
        space: &dyn Space,
        device: &Device,
        scoring: &Scoring,
        auxiliary: f64,
    ) -> Result<bool, SearchError> {
        let scoring = (scoring, auxiliary);
        match self.questions.get(self.answered).cloned() {
            None => return Ok(false),
            Some(Question::Option { table, row }) => {
                let options = self.weights[table].options;
                let mut best: Option<(usize, f64)> = None;
                for option in 0..options {
                    if !can_win(space, &self.weights, table, row, option)? {
                        continue;
                    }
                    let accuracy = self.without(device, scoring, table, row, Some(option)).await?;
                    if best.is_none_or(|(_, least)| accuracy < least) {
                        best = Some((option, accuracy));
                    }
                }
                let values = &mut self.weights[table].values[row * options..][..options];
                for (option, value) in values.iter_mut().enumerate() {
                    *value = f32::from(u8::from(best.is_some_and(|(kept, _)| kept == option)));
                }
            }
            Some(Question::Edges(mut edges)) => {
                let keep = self.derived_edges(space, &edges)?;
                while edges.len() > keep {
                    let mut least: Option<(usize, f64)> = None;
                    for (at, &(table, row)) in edges.iter().enumerate() {
                        let accuracy = self.without(device, scoring, table, row, None).await?;
                        if least.is_none_or(|(_, most)| accuracy > most) {
                            least = Some((at, accuracy));
                        }
                    }
                    let Some((at, _)) = least else { break };
                    let (table, row) = edges.remove(at);
                    let options = self.weights[table].options;
                    self.weights[table].values[row * options..][..options].fill(0.0);
                }
            }
        }
        self.answered += 1;
        Ok(true)
    }

    /// Its state: how many questions have been answered (their order is a matter of the seed), and the weights.
    pub fn save(&self) -> Result<State, StateError> {
        let mut state = State::of("selection by masking");
        state.set("answered", self.answered)?;
        for table in &self.weights {
            let words = table.values.iter().map(|weight| weight.to_bits()).collect();
            state.put(&table.name, Element::F32, &[table.rows, table.options], words)?;
        }
        Ok(state)
    }

    /// Goes on from a state.
    pub fn restore(&mut self, state: &State) -> Result<(), StateError> {
        state.check("selection by masking")?;
        self.answered = state.get("answered")?;
        if self.answered > self.questions.len() {
            return Err(state.wrong("answered", format!("there are {} questions", self.questions.len())));
        }
        for table in &mut self.weights {
            let words = state.words(&table.name, Element::F32, &[table.rows, table.options])?;
            table.values = words.iter().map(|word| f32::from_bits(*word)).collect();
        }
        Ok(())
    }

    /// Of some edges, how many an architecture of the space has.
    fn derived_edges(&self, space: &dyn Space, edges: &[(usize, usize)]) -> Result<usize, SearchError> {
        let settled = space.settle(&space.derive(&self.weights)?)?;
        let used = |&&(table, row): &&(usize, usize)| {
            let name = &self.weights[table].name;
            settled.iter().find(|t| t.name == *name).is_some_and(|t| t.row(row).iter().any(|&w| w > 0.0))
        };
        Ok(edges.iter().filter(used).count())
    }

    /// Accuracy without an option, or without all of them. What is left is not weighed anew.
    async fn without(
        &self,
        device: &Device,
        (scoring, auxiliary): (&Scoring, f64),
        table: usize,
        row: usize,
        option: Option<usize>,
    ) -> Result<f64, SearchError> {
        let mut weights = self.weights.clone();
        let options = weights[table].options;
        let values = &mut weights[table].values[row * options..][..options];
        match option {
            Some(option) => values[option] = 0.0,
            None => values.fill(0.0),
        }
        scoring.score(device, &weights, auxiliary).await
    }
}

/// Whether the space chooses an option that has all the weight there is: DARTS never chooses `none`.
fn can_win(
    space: &dyn Space,
    weights: &[TableWeights],
    table: usize,
    row: usize,
    option: usize,
) -> Result<bool, SearchError> {
    let mut alone = weights.to_vec();
    alone.iter_mut().for_each(|t| t.values.fill(0.0));
    alone[table].values[row * weights[table].options + option] = 1.0;
    let settled = space.settle(&space.derive(&alone)?)?;
    Ok(settled.iter().any(|t| t.name == weights[table].name && t.row(row)[option] > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{NetworkSettings, find};

    #[test]
    fn every_row_is_asked_once_and_every_kind_of_node() {
        let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
        for (space, rows, nodes) in [("darts", 28, 8), ("nas-bench-201", 6, 2)] {
            let space = find(space).unwrap();
            let graph = space.supernet(&settings).unwrap();
            let tables = graph.tables().unwrap();
            let masking = Masking::new(&graph, &tables, Vec::new(), &mut Random::new(0, 0));
            let all = &masking.questions[..];
            let options: std::collections::HashSet<String> = all[..rows].iter().map(|q| format!("{q:?}")).collect();
            assert_eq!((options.len(), all.len() - rows), (rows, nodes));
            assert!(all[rows..].iter().all(|q| matches!(q, Question::Edges(_))));
        }
    }

    #[test]
    fn nothing_is_chosen_that_the_space_cannot_derive() {
        let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
        for (name, none_wins) in [("darts", false), ("nas-bench-201", true)] {
            let space = find(name).unwrap();
            let tables = space.supernet(&settings).unwrap().tables().unwrap();
            let weights: Vec<TableWeights> = tables
                .iter()
                .map(|t| {
                    let (name, options) = (t.name.clone(), t.options.len());
                    TableWeights { name, rows: t.rows, options, values: vec![0.1; t.rows * options] }
                })
                .collect();
            for (index, table) in tables.iter().enumerate() {
                for (row, option) in (0..table.rows).flat_map(|row| (0..table.options.len()).map(move |k| (row, k))) {
                    let wins = can_win(space.as_ref(), &weights, index, row, option).unwrap();
                    assert_eq!(wins, none_wins || table.options[option] != "none", "{name} {row} {option}");
                }
            }
        }
    }
}
