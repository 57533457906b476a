//! Supernets in which options that differ in the size of their windows share weights (weight entanglement; as TangleNAS has it,
//! Sukthanker et al. 2024, "Weight-entanglement meets gradient-based neural architecture search").

use super::{Candidate, Choice, Conv, Entangled, Graph, GraphError, Op, Options};

impl Entangled {
    /// The size of the largest windows: that of the convolutions whose kernels are mixed. Others belong to all options alike.
    pub fn size(&self) -> usize {
        self.kernels.iter().map(|(_, size)| *size).max().unwrap_or(0)
    }
}

impl Graph {
    /// The supernet in which candidates of a choice point that differ in nothing but the size of their windows share weights.
    /// Tables keep their columns; the graphs of what the largest stands for are empty.
    ///
    /// # Errors
    /// [`GraphError`] if something does not fit together.
    pub fn entangled(&self) -> Result<Self, GraphError> {
        let shapes: Vec<_> = self.nodes[..self.input_count()].iter().map(|n| n.shape).collect();
        let mut graph = Self { outputs: self.outputs.clone(), declared: self.declared.clone(), ..Self::new(&shapes) };
        for node in &self.nodes[shapes.len()..] {
            let op = match &node.op {
                Op::Choice(choice) => match &choice.options {
                    Options::Operations(candidates) => Op::Choice(shared(choice, candidates)?),
                    Options::Widths(_) => node.op.clone(),
                },
                op => op.clone(),
            };
            graph.push(node.name.clone(), op, &node.inputs)?;
        }
        Ok(graph)
    }

    /// Whether any options of it share weights.
    pub fn is_entangled(&self) -> bool {
        self.choices().iter().any(|(_, choice)| !choice.entangled.is_empty())
    }
}

/// The choice point with its groups.
fn shared(choice: &Choice, candidates: &[Candidate]) -> Result<Choice, GraphError> {
    let mut entangled = Vec::new();
    let mut free: Vec<usize> = (0..candidates.len()).collect();
    while let Some(&first) = free.first() {
        let alike = |k: &usize| *k == first || windows(&candidates[first].graph, &candidates[*k].graph).is_some();
        let (group, others): (Vec<usize>, Vec<usize>) = free.iter().partition(|k| alike(k));
        free = others;
        let kernels: Vec<(usize, usize)> = group
            .iter()
            .filter_map(|&k| {
                let other = group.iter().find(|other| **other != k)?;
                Some((k, windows(&candidates[k].graph, &candidates[*other].graph)?[0]))
            })
            .collect();
        if let Some(&(largest, _)) = kernels.iter().max_by_key(|(_, size)| *size).filter(|_| kernels.len() > 1) {
            entangled.push(Entangled { largest, kernels });
        }
    }
    let mut made = Vec::with_capacity(candidates.len());
    for (k, candidate) in candidates.iter().enumerate() {
        let stands = |group: &Entangled| group.largest != k && group.kernels.iter().any(|(member, _)| *member == k);
        let shapes: Vec<_> = candidate.graph.nodes[..candidate.graph.input_count()].iter().map(|n| n.shape).collect();
        let graph = match entangled.iter().any(stands) {
            true => Graph::new(&shapes),
            false => candidate.graph.entangled()?,
        };
        made.push(Candidate { label: candidate.label.clone(), graph });
    }
    Ok(Choice { options: Options::Operations(made), entangled, ..choice.clone() })
}

/// The sizes of the windows by which two candidates differ, if that is all: square ones of two odd sizes about one centre. All
/// other convolutions have another size than the larger of them.
fn windows(one: &Graph, other: &Graph) -> Option<[usize; 2]> {
    if one.nodes.len() != other.nodes.len() || one.outputs.len() != other.outputs.len() {
        return None;
    }
    let mut found: Option<[usize; 2]> = None;
    let mut same = Vec::new();
    for (a, b) in one.nodes.iter().zip(&other.nodes) {
        if a.inputs != b.inputs || a.shape != b.shape {
            return None;
        }
        match (&a.op, &b.op) {
            (Op::Conv(a), Op::Conv(b)) if a.kernel != b.kernel => {
                let sizes = [square(a)?, square(b)?];
                let alike = Conv { kernel: b.kernel, padding: b.padding, ..a.clone() } == *b;
                if !alike || centre(a) != centre(b) || found.is_some_and(|found| found != sizes) {
                    return None;
                }
                found = Some(sizes);
            }
            (a, b) if a != b => return None,
            (Op::Conv(conv), _) => same.push(conv.kernel),
            _ => {}
        }
    }
    let largest = found?.into_iter().max()?;
    let ends = one.outputs.iter().zip(&other.outputs).all(|(a, b)| a.node == b.node);
    (ends && !same.contains(&[largest; 2])).then_some(found?)
}

/// The side of a square window with a centre.
fn square(conv: &Conv) -> Option<usize> {
    let [high, wide] = conv.kernel;
    (high == wide && !high.is_multiple_of(2)).then_some(high)
}

/// Where the centre of the first window lies.
fn centre(conv: &Conv) -> [i64; 2] {
    let reach = |axis: usize| (conv.dilation[axis] * (conv.kernel[axis] - 1) / 2) as i64;
    [reach(0) - i64::from(conv.padding.top), reach(1) - i64::from(conv.padding.left)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::parameters;
    use crate::space::{NetworkSettings, find};

    fn supernet(space: &str) -> Graph {
        let settings = NetworkSettings { channels: 4, layers: 3, ..Default::default() };
        find(space).unwrap().supernet(&settings).unwrap()
    }

    #[test]
    fn windows_of_two_sizes_share_the_larger() {
        let whole = supernet("darts");
        let shared = whole.entangled().unwrap();
        assert_eq!(shared.tables().unwrap(), whole.tables().unwrap());
        let choices = shared.choices();
        for (_, choice) in &choices {
            let group = |largest, kernels: &[(usize, usize)]| Entangled { largest, kernels: kernels.to_vec() };
            assert_eq!(choice.entangled, [group(5, &[(4, 3), (5, 5)]), group(7, &[(6, 3), (7, 5)])]);
            assert_eq!([3, 4, 5, 6, 7].map(|k| choice.computed(k)), [3, 5, 5, 7, 7]);
        }
        // Of each edge a separable and a dilated convolution of 3×3 are gone: two and one depthwise and pointwise ones of C channels.
        let of_cell = |c: u64| 14 * (2 * (9 * c + c * c) + (9 * c + c * c));
        let channels = [4, 8, 16];
        assert_eq!(
            parameters(&whole).unwrap() - parameters(&shared).unwrap(),
            channels.into_iter().map(of_cell).sum::<u64>()
        );
    }

    #[test]
    fn of_the_benchmark_the_two_convolutions_share() {
        let shared = supernet("nas-bench-201").entangled().unwrap();
        for (_, choice) in shared.choices() {
            assert_eq!(choice.entangled, [Entangled { largest: 3, kernels: vec![(2, 1), (3, 3)] }]);
        }
    }

    #[test]
    fn where_no_two_windows_differ_nothing_is_shared() {
        for space in ["robust-darts-s2", "chain-mlp"] {
            let whole = supernet(space);
            assert_eq!(whole.entangled().unwrap(), whole);
            assert!(!whole.is_entangled());
        }
    }
}
