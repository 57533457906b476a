//! Choice points: several options, weighed by a row of architecture weights.

use super::{Choice, Entangled, Features, Options};

impl Options {
    /// Number of options.
    pub fn len(&self) -> usize {
        match self {
            Self::Operations(candidates) => candidates.len(),
            Self::Widths(widths) => widths.len(),
        }
    }

    /// Whether there is nothing to choose.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of the options.
    pub fn labels(&self) -> Vec<String> {
        match self {
            Self::Operations(candidates) => candidates.iter().map(|c| c.label.clone()).collect(),
            Self::Widths(widths) => widths.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether these are the options of a table whose rows differ: each is one of the names, separated by `|`, that
    /// `labels` has in its place.
    pub(super) fn are_among(&self, labels: &[String]) -> bool {
        let own = self.labels();
        own.len() == labels.len() && own.iter().zip(labels).all(|(name, all)| all.split('|').any(|one| one == name))
    }

    /// Whether these are widths, each the same multiple of the width that `labels` has in its place: a
    /// block that expands its channels follows the choice of their number.
    pub(super) fn are_multiples_of(&self, labels: &[String]) -> bool {
        let Self::Widths(widths) = self else { return false };
        let mut factors = widths.iter().zip(labels).map(|(&width, label)| match label.parse::<usize>() {
            Ok(base) if base > 0 && width % base == 0 => Some(width / base),
            _ => None,
        });
        let first = factors.next().flatten();
        widths.len() == labels.len() && first.is_some() && factors.all(|factor| factor == first)
    }
}

impl Choice {
    /// A choice point whose options share nothing.
    pub fn new(table: impl Into<String>, row: usize, options: Options) -> Self {
        Self { table: table.into(), row, options, entangled: Vec::new() }
    }

    /// The group of options that share weights to which an option belongs, if it does.
    pub fn group(&self, option: usize) -> Option<&Entangled> {
        self.entangled.iter().find(|group| group.kernels.iter().any(|(member, _)| *member == option))
    }

    /// The option whose graph computes an option: the largest of those that it shares weights with, or itself.
    pub fn computed(&self, option: usize) -> usize {
        self.group(option).map_or(option, |group| group.largest)
    }

    /// Shape of the result for inputs of the given shapes, or what is wrong with them.
    pub(super) fn infer(&self, inputs: &[Features]) -> Result<Features, String> {
        match &self.options {
            Options::Operations(candidates) => {
                let mut shape = None;
                for (_, candidate) in candidates.iter().enumerate().filter(|(k, _)| self.computed(*k) == *k) {
                    let given: Vec<Features> =
                        candidate.graph.nodes[..candidate.graph.input_count()].iter().map(|n| n.shape).collect();
                    if given != inputs {
                        return Err(format!(
                            "candidate `{}` takes {given:?}, the choice point has {inputs:?}",
                            candidate.label
                        ));
                    }
                    let Some(output) = candidate.graph.outputs.first() else {
                        return Err(format!("candidate `{}` has no output", candidate.label));
                    };
                    let result = candidate.graph.shape(output.node);
                    match shape {
                        None => shape = Some(result),
                        Some(first) if first == result => {}
                        Some(first) => {
                            return Err(format!(
                                "candidate `{}` gives {result}, the others give {first}",
                                candidate.label
                            ));
                        }
                    }
                }
                shape.ok_or_else(|| "needs a candidate".into())
            }
            Options::Widths(widths) => match (inputs, widths.iter().max()) {
                ([x], Some(&widest)) if widest == x.channels && !widths.contains(&0) => Ok(*x),
                ([x], _) => {
                    Err(format!("widths {widths:?} must be positive, the widest the input's {} channels", x.channels))
                }
                _ => Err("over widths takes one input".into()),
            },
        }
    }
}
