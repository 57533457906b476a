//! What a study decides: the space's architectures, and values of settings beside them.

use crate::random::Random;
use crate::space::{Architecture, Decision, Mutation, Space};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use toml::Value;

/// The values that a setting may have which is decided beside the architecture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// All numbers between two, uniform in their logarithm.
    Log {
        /// The least and the greatest, both positive.
        log: [f64; 2],
    },
    /// All numbers between two.
    Linear {
        /// The least and the greatest.
        linear: [f64; 2],
    },
    /// One of several, in an order that means something where they are numbers.
    Listed(Vec<Value>),
}

impl Values {
    /// What is wrong with them, if anything is.
    pub fn problem(&self) -> Option<String> {
        let is_range = |[low, high]: [f64; 2]| low.is_finite() && high.is_finite() && low < high;
        match self {
            Self::Log { log } if !(is_range(*log) && log[0] > 0.0) => {
                Some(format!("{log:?} is no range of positive numbers, the least first"))
            }
            Self::Linear { linear } if !is_range(*linear) => {
                Some(format!("{linear:?} is no range of numbers, the least first"))
            }
            Self::Listed(values) if values.len() < 2 => Some("a choice needs two values at least".to_owned()),
            _ => None,
        }
    }

    /// How it is decided.
    pub fn dimension(&self) -> Dimension {
        match self {
            Self::Log { .. } | Self::Linear { .. } => Dimension::Real,
            Self::Listed(values) => {
                let number = |value: &Value| value.as_float().or(value.as_integer().map(|whole| whole as f64));
                let numbers: Option<Vec<f64>> = values.iter().map(number).collect();
                match numbers.is_some_and(|numbers| numbers.is_sorted() || numbers.iter().rev().is_sorted()) {
                    true => Dimension::Ordered(values.len()),
                    false => Dimension::Options(values.len()),
                }
            }
        }
    }

    /// The value that a coordinate stands for.
    pub fn value(&self, coordinate: f64) -> Value {
        match self {
            Self::Log { log: [low, high] } => {
                Value::Float((low.ln() + coordinate * (high.ln() - low.ln())).exp().clamp(*low, *high))
            }
            Self::Linear { linear: [low, high] } => Value::Float((low + coordinate * (high - low)).clamp(*low, *high)),
            Self::Listed(values) => values[(coordinate as usize).min(values.len().saturating_sub(1))].clone(),
        }
    }
}

/// One decision of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// One of so many that have no order. Its coordinate is the number of the option.
    Options(usize),
    /// One of so many in order, likewise.
    Ordered(usize),
    /// A number. Its coordinate is from 0 to 1.
    Real,
}

impl Dimension {
    /// Number of options; none where there is no end of them.
    pub fn options(self) -> Option<usize> {
        match self {
            Self::Options(count) | Self::Ordered(count) => Some(count),
            Self::Real => None,
        }
    }

    /// A coordinate, each option alike, or uniform.
    pub fn draw(self, random: &mut Random) -> f64 {
        match self {
            Self::Options(count) | Self::Ordered(count) => random.below(count.max(1)) as f64,
            Self::Real => f64::from(random.uniform()),
        }
    }

    /// How far two coordinates lie apart, from 0 to 1.
    pub fn distance(self, a: f64, b: f64) -> f64 {
        match self {
            Self::Options(_) => f64::from(u8::from(a != b)),
            Self::Ordered(count) => (a - b).abs() / count.saturating_sub(1).max(1) as f64,
            Self::Real => (a - b).abs(),
        }
    }
}

/// What is tried: an architecture, and a coordinate for each setting decided beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The architecture.
    pub answers: Architecture,
    /// Coordinates of the settings beside it, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<f64>,
}

impl Candidate {
    /// All coordinates: the architecture's answers, then what is beside.
    pub fn point(&self) -> Vec<f64> {
        self.answers.answers.iter().map(|&answer| answer as f64).chain(self.beside.iter().copied()).collect()
    }

    /// What tells it from others: bits of its coordinates.
    pub fn key(&self) -> Vec<u64> {
        self.point().into_iter().map(f64::to_bits).collect()
    }
}

/// All that a study may try.
pub struct Domain<'a> {
    /// The space of architectures.
    pub space: &'a dyn Space,
    /// Its decisions.
    pub decisions: Vec<Decision>,
    /// Settings that are decided beside the architecture, by key.
    pub beside: Vec<(String, Values)>,
}

impl<'a> Domain<'a> {
    /// The architectures of a space, and settings beside them.
    pub fn new(space: &'a dyn Space, beside: &BTreeMap<String, Values>) -> Self {
        let beside = beside.iter().map(|(key, values)| (key.clone(), values.clone())).collect();
        Self { space, decisions: space.decisions(), beside }
    }

    /// Its dimensions, in the order of a candidate's coordinates.
    pub fn dimensions(&self) -> Vec<Dimension> {
        let decisions = self.decisions.iter().map(|decision| Dimension::Options(decision.options.len()));
        decisions.chain(self.beside.iter().map(|(_, values)| values.dimension())).collect()
    }

    /// Whether any of its settings is a number between two.
    pub fn is_real(&self) -> bool {
        self.beside.iter().any(|(_, values)| values.dimension() == Dimension::Real)
    }

    /// A candidate as random search draws it.
    pub fn draw(&self, random: &mut Random) -> Candidate {
        let answers = self.space.random(random);
        let beside = self.beside.iter().map(|(_, values)| values.dimension().draw(random)).collect();
        Candidate { answers, beside }
    }

    /// A candidate that differs in one decision, each as likely as any other.
    pub fn mutate(&self, from: &Candidate, random: &mut Random) -> Candidate {
        let (decisions, beside) = (self.decisions.len(), self.beside.len());
        let at = random.below((decisions + beside).max(1));
        let mut to = from.clone();
        match at.checked_sub(decisions) {
            Some(at) if at < beside => to.beside[at] = self.other(at, from.beside[at], random),
            _ => to.answers = self.space.mutate(&from.answers, Mutation::One, random),
        }
        to
    }

    /// A candidate whose every decision is drawn anew with a probability.
    pub fn mutate_each(&self, from: &Candidate, probability: f32, random: &mut Random) -> Candidate {
        let mut to = from.clone();
        to.answers = self.space.mutate(&from.answers, Mutation::Each(probability), random);
        for (coordinate, (_, values)) in to.beside.iter_mut().zip(&self.beside) {
            if random.uniform() < probability {
                *coordinate = values.dimension().draw(random);
            }
        }
        to
    }

    /// A child of two candidates: each decision that of one of them.
    pub fn cross(&self, a: &Candidate, b: &Candidate, random: &mut Random) -> Candidate {
        let answers = self.space.crossover(&a.answers, &b.answers, random);
        let pick = |(a, b): (&f64, &f64)| if random.below(2) == 1 { *b } else { *a };
        Candidate { answers, beside: a.beside.iter().zip(&b.beside).map(pick).collect() }
    }

    /// All candidates that differ in one decision; of a setting that is a number, three others drawn.
    pub fn neighbours(&self, from: &Candidate, random: &mut Random) -> Vec<Candidate> {
        let answers = self.space.neighbours(&from.answers).into_iter();
        let mut all: Vec<Candidate> = answers.map(|answers| Candidate { answers, ..from.clone() }).collect();
        for (at, (_, values)) in self.beside.iter().enumerate() {
            let others: Vec<f64> = match values.dimension() {
                Dimension::Options(count) | Dimension::Ordered(count) => {
                    (0..count).map(|option| option as f64).filter(|option| *option != from.beside[at]).collect()
                }
                Dimension::Real => (0..3).map(|_| f64::from(random.uniform())).collect(),
            };
            all.extend(others.into_iter().map(|other| {
                let mut to = from.clone();
                to.beside[at] = other;
                to
            }));
        }
        all
    }

    /// Another coordinate of the setting `at`.
    fn other(&self, at: usize, from: f64, random: &mut Random) -> f64 {
        match self.beside[at].1.dimension() {
            Dimension::Real => f64::from(random.uniform()),
            Dimension::Options(count) | Dimension::Ordered(count) if count > 1 => {
                let drawn = random.below(count - 1) as f64;
                if drawn >= from { drawn + 1.0 } else { drawn }
            }
            _ => from,
        }
    }

    /// The candidate closest to coordinates in which every decision was drawn by itself: a random one of the space takes over one
    /// answer after the other, as far as the space allows it beside those that it has.
    pub fn nearest(&self, point: &[f64], random: &mut Random) -> Candidate {
        let mut candidate = self.draw(random);
        let decisions = self.decisions.len().min(point.len());
        // What one answer allows may become possible by another.
        for _ in 0..2 {
            for (decision, &coordinate) in point[..decisions].iter().enumerate() {
                let answer = coordinate as usize;
                if self.space.allows(&candidate.answers, decision, answer) {
                    candidate.answers.answers[decision] = answer;
                }
            }
        }
        candidate.beside.copy_from_slice(&point[decisions..][..self.beside.len()]);
        candidate
    }

    /// Sum of the distances of all coordinates.
    pub fn distance(&self, a: &[f64], b: &[f64]) -> f64 {
        self.dimensions().into_iter().zip(a.iter().zip(b)).map(|(dimension, (a, b))| dimension.distance(*a, *b)).sum()
    }

    /// Whether a candidate can be one of it: answers of the space, and coordinates that stand for values.
    pub fn holds(&self, candidate: &Candidate) -> bool {
        let within = |(coordinate, (_, values)): (&f64, &(String, Values))| match values.dimension().options() {
            Some(count) => *coordinate >= 0.0 && *coordinate < count as f64 && coordinate.fract() == 0.0,
            None => (0.0..=1.0).contains(coordinate),
        };
        self.space.check(&candidate.answers).is_ok()
            && candidate.beside.len() == self.beside.len()
            && candidate.beside.iter().zip(&self.beside).all(within)
    }

    /// The settings of a candidate, by key.
    pub fn settings(&self, candidate: &Candidate) -> Vec<(String, Value)> {
        let value = |(coordinate, (key, values)): (&f64, &(String, Values))| (key.clone(), values.value(*coordinate));
        candidate.beside.iter().zip(&self.beside).map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space;

    fn beside() -> BTreeMap<String, Values> {
        let parse = |text: &str| toml::from_str::<BTreeMap<String, Values>>(text).unwrap();
        parse(
            "\"train.batch\" = [32, 64, 128]\n\"train.rate.from\" = { log = [0.01, 1.0] }\nx = ['a', 'b']\ny = { linear = [2, 4] }",
        )
    }

    #[test]
    fn coordinates_stand_for_values() {
        let (beside, space) = (beside(), space::find("chain").unwrap());
        let domain = Domain::new(&*space, &beside);
        let dimensions = &domain.dimensions()[domain.decisions.len()..];
        assert_eq!(dimensions, [Dimension::Ordered(3), Dimension::Real, Dimension::Options(2), Dimension::Real]);
        let candidate =
            Candidate { answers: domain.draw(&mut Random::new(1, 0)).answers, beside: vec![2.0, 0.5, 1.0, 0.25] };
        assert!(domain.holds(&candidate));
        let values: Vec<Value> = domain.settings(&candidate).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values[0], Value::Integer(128));
        assert!((values[1].as_float().unwrap() - 0.1).abs() < 1e-12);
        assert_eq!((&values[2], &values[3]), (&Value::String("b".into()), &Value::Float(2.5)));
        for wrong in [[3.0, 0.5, 1.0, 0.25], [0.5, 0.5, 1.0, 0.25], [0.0, 1.5, 1.0, 0.25]] {
            assert!(!domain.holds(&Candidate { beside: wrong.to_vec(), ..candidate.clone() }));
        }
    }

    #[test]
    fn what_is_no_range_is_said() {
        let problem = |text: &str| toml::from_str::<BTreeMap<String, Values>>(text).unwrap()["x"].problem();
        assert!(problem("x = { log = [0, 1] }").is_some() && problem("x = { linear = [1, 1] }").is_some());
        assert!(problem("x = [1]").is_some() && problem("x = { linear = [-1, 1] }").is_none());
    }

    #[test]
    fn every_step_leads_to_what_can_be_drawn() {
        for name in space::names() {
            let (beside, space) = (beside(), space::find(name).unwrap());
            let domain = Domain::new(&*space, &beside);
            let mut random = Random::new(7, 0);
            let (a, b) = (domain.draw(&mut random), domain.draw(&mut random));
            for _ in 0..20 {
                let steps = [
                    domain.mutate(&a, &mut random),
                    domain.mutate_each(&a, 0.5, &mut random),
                    domain.cross(&a, &b, &mut random),
                    domain.nearest(&b.point(), &mut random),
                ];
                assert!(steps.iter().all(|step| domain.holds(step)), "{name}");
                assert!(domain.distance(&a.point(), &steps[0].point()) <= 1.0 + 1e-12);
            }
            assert!(domain.neighbours(&a, &mut random).iter().all(|one| domain.holds(one)));
            assert_eq!(domain.distance(&a.point(), &a.point()), 0.0);
        }
    }
}
