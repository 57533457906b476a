//! The sequence of a controller's steps, recorded once for all rows of a batch.
//!
//! An LSTM is fed the learned embedding g first, then what was decided last: the state chosen, or the embedding of the
//! option chosen. States are attended to by keys W₁h (ENAS, section 2; the details are those of its code).

use super::{ControllerConfig, Entropy, Plan};
use crate::autograd::ops::{self, Decide};
use crate::autograd::{Tape, Var};
use crate::nn::{Init, Spec};
use crate::space::Question;
use crate::tensor::{Error, Tensor};
use std::ops::Range;

/// Initial weights are uniform within this distance of 0.
const BOUND: f32 = 0.1;

/// What is learned about the options of one vocabulary.
#[derive(Clone)]
pub(super) struct Vocabulary<V> {
    /// What the next step is fed, `[options, units]`.
    pub(super) embedding: V,
    /// From h to scores, `[options, units]`.
    pub(super) head: V,
    /// Added to the scores, `[options]`.
    pub(super) bias: Option<V>,
}

/// What a controller learns: names and shapes, places among the parameters, or values on a tape.
#[derive(Clone)]
pub(super) struct Weights<V> {
    /// g, `[1, units]`.
    pub(super) start: V,
    /// Of the LSTM's input and of its h.
    pub(super) lstm: [V; 2],
    /// W₁, W₂ and v, where states are chosen from.
    pub(super) attention: Option<[V; 3]>,
    pub(super) vocabularies: Vec<Vocabulary<V>>,
}

impl Weights<Spec> {
    pub(super) fn specs(plan: &Plan, config: &ControllerConfig) -> Self {
        let units = config.units;
        let spec = |name: &str, shape: &[usize]| Spec {
            name: name.to_owned(),
            shape: shape.to_vec(),
            init: Init::Uniform(BOUND),
        };
        let vocabulary = |(number, &options): (usize, &usize)| Vocabulary {
            embedding: spec(&format!("options.{number}.embedding"), &[options, units]),
            head: spec(&format!("options.{number}.head.weight"), &[options, units]),
            bias: (!config.bias.is_empty()).then(|| spec(&format!("options.{number}.head.bias"), &[options])),
        };
        Self {
            start: spec("start", &[1, units]),
            lstm: ["lstm.input", "lstm.state"].map(|name| spec(name, &[4 * units, units])),
            attention: (plan.states > 0).then(|| {
                let [key, query] = ["attention.key", "attention.query"].map(|name| spec(name, &[units, units]));
                [key, query, spec("attention.vector", &[units])]
            }),
            vocabularies: plan.vocabularies.iter().enumerate().map(vocabulary).collect(),
        }
    }
}

impl<V> Weights<V> {
    /// The same with `f` of each, always in the same order.
    pub(super) fn map<W, E>(self, mut f: impl FnMut(V) -> Result<W, E>) -> Result<Weights<W>, E> {
        let start = f(self.start)?;
        let [input, state] = self.lstm;
        let lstm = [f(input)?, f(state)?];
        let attention = match self.attention {
            Some([key, query, vector]) => Some([f(key)?, f(query)?, f(vector)?]),
            None => None,
        };
        let mut vocabularies = Vec::with_capacity(self.vocabularies.len());
        for Vocabulary { embedding, head, bias } in self.vocabularies {
            let (embedding, head) = (f(embedding)?, f(head)?);
            vocabularies.push(Vocabulary { embedding, head, bias: bias.map(&mut f).transpose()? });
        }
        Ok(Weights { start, lstm, attention, vocabularies })
    }
}

/// Where decisions come from and go to: words, `[decisions, rows]`.
pub(super) struct Decisions<'a> {
    /// Uniform numbers, or answers.
    pub(super) picks: &'a Tensor,
    /// Whether they are uniform numbers.
    pub(super) drawn: bool,
    /// Where the answers are written.
    pub(super) answers: &'a Tensor,
}

/// Keys and states so far, and the memory that they lie in.
struct States {
    keys: Option<Var>,
    anchors: Option<Var>,
    memory: [Tensor; 2],
}

struct Run<'a> {
    config: &'a ControllerConfig,
    weights: &'a Weights<Var>,
    decisions: &'a Decisions<'a>,
    rows: usize,
    capacity: usize,
    /// g for each row.
    start: Var,
    state: Var,
    input: Var,
    totals: Var,
    states: Option<States>,
}

/// Records the answers to all questions of a plan; gives the totals (`[rows, 3]`, see [`ops::Decided`]).
///
/// # Errors
/// As recording does.
pub(super) fn record(
    tape: &mut Tape,
    plan: &Plan,
    config: &ControllerConfig,
    weights: &Weights<Var>,
    decisions: &Decisions<'_>,
) -> Result<Var, Error> {
    let (rows, units) = (decisions.picks.shape()[1], config.units);
    tape.set_scope("controller");
    let ones = Var::constant(Tensor::from_values(tape.device(), &vec![1.0; rows], &[rows, 1])?);
    let start = ops::matmul(tape, &ones, &weights.start)?;
    let mut run = Run {
        config,
        weights,
        decisions,
        rows,
        capacity: plan.states,
        input: start.clone(),
        start,
        state: Var::constant(Tensor::zeros(tape.device(), &[2, rows, units])?),
        totals: Var::constant(Tensor::zeros(tape.device(), &[rows, 3])?),
        states: None,
    };
    for question in &plan.questions {
        run.answer(tape, question)?;
    }
    Ok(run.totals)
}

impl Run<'_> {
    fn answer(&mut self, tape: &mut Tape, question: &Question) -> Result<(), Error> {
        match question {
            Question::Cell { inputs } => {
                self.states = None;
                for _ in 0..*inputs {
                    self.input = self.start.clone();
                    let h = self.step(tape)?;
                    let nothing = Tensor::zeros(tape.device(), &[self.rows, self.config.units])?;
                    self.remember(tape, &h, &Var::constant(nothing))?;
                }
                self.input = self.start.clone();
            }
            Question::State { decision } => {
                let h = self.step(tape)?;
                let (scores, anchors) = self.attend(tape, &h)?;
                let place = self.place(*decision..*decision + 1);
                let decide = self.decide(&place, self.config.tanh);
                let decided = ops::choose(tape, &scores, None, &self.totals, decide)?;
                self.input = ops::recall(tape, &decided.weights, &anchors)?;
                self.totals = decided.totals;
            }
            Question::Option { decision, vocabulary, bias } => {
                let h = self.step(tape)?;
                let known = &self.weights.vocabularies[*vocabulary];
                let scores = ops::linear(tape, &h, &known.head, known.bias.as_ref())?;
                let fixed = match &bias[..] {
                    [] => None,
                    bias => Some(Tensor::from_values(tape.device(), bias, &[bias.len()])?),
                };
                let place = self.place(*decision..*decision + 1);
                let decide = self.decide(&place, self.config.tanh / self.config.operation_tanh_reduce);
                let decided = ops::choose(tape, &scores, fixed.as_ref(), &self.totals, decide)?;
                self.input = ops::matmul(tape, &Var::constant(decided.weights), &known.embedding)?;
                self.totals = decided.totals;
            }
            Question::Node => {
                let h = self.step(tape)?;
                self.remember(tape, &h, &h)?;
                self.input = self.start.clone();
            }
            Question::Skips { decisions } => {
                let h = self.step(tape)?;
                self.input = self.start.clone();
                if !decisions.is_empty() {
                    let (scores, anchors) = self.attend(tape, &h)?;
                    let targets = [1.0 - self.config.skip_target, self.config.skip_target];
                    let place = self.place(decisions.clone());
                    let decide = self.decide(&place, self.config.tanh);
                    let decided = ops::skips(tape, &scores, &self.totals, targets, decide)?;
                    self.input = ops::recall(tape, &decided.weights, &anchors)?;
                    self.totals = decided.totals;
                }
                self.remember(tape, &h, &h)?;
            }
        }
        Ok(())
    }

    /// One step of the LSTM; gives h.
    fn step(&mut self, tape: &mut Tape) -> Result<Var, Error> {
        let [of_input, of_state] = &self.weights.lstm;
        self.state = ops::lstm(tape, &self.input, &self.state, [of_input, of_state])?;
        ops::part(tape, &self.state, 0, &[self.rows, self.config.units])
    }

    fn attention(&self) -> Result<&[Var; 3], Error> {
        self.weights
            .attention
            .as_ref()
            .ok_or_else(|| Error::shape("controller", "no attention, though there are states"))
    }

    /// Makes a state: attended to by the key W₁h, recalled as `anchor`.
    fn remember(&mut self, tape: &mut Tape, h: &Var, anchor: &Var) -> Result<(), Error> {
        let shape = [self.capacity, self.rows, self.config.units];
        let mut states = match self.states.take() {
            Some(states) => states,
            None => {
                let memory = [Tensor::scratch(tape.recorder(), &shape)?, Tensor::scratch(tape.recorder(), &shape)?];
                States { keys: None, anchors: None, memory }
            }
        };
        let [key, _, _] = self.attention()?;
        let slot = states.keys.as_ref().map_or(0, |keys| keys.shape()[0]);
        if slot >= self.capacity {
            return Err(Error::shape("controller", "more states than planned"));
        }
        tape.write_next_to(states.memory[0].view(slot * self.rows * self.config.units, &shape[1..]));
        let key = ops::linear(tape, h, key, None)?;
        states.keys = Some(ops::append(tape, states.keys.as_ref(), &states.memory[0], &key)?);
        states.anchors = Some(ops::append(tape, states.anchors.as_ref(), &states.memory[1], anchor)?);
        self.states = Some(states);
        Ok(())
    }

    /// Scores of the states so far, and what they are recalled as.
    fn attend(&self, tape: &mut Tape, h: &Var) -> Result<(Var, Var), Error> {
        let [_, query, vector] = self.attention()?;
        let Some(States { keys: Some(keys), anchors: Some(anchors), .. }) = &self.states else {
            return Err(Error::shape("controller", "a state is asked for where there is none"));
        };
        let query = ops::linear(tape, h, query, None)?;
        Ok((ops::additive_attention(tape, keys, &query, vector)?, anchors.clone()))
    }

    /// Where some of the decisions come from and go to.
    fn place(&self, decisions: Range<usize>) -> [Tensor; 2] {
        let (first, shape) = (decisions.start * self.rows, [decisions.len(), self.rows]);
        [self.decisions.picks, self.decisions.answers].map(|all| all.view(first, &shape))
    }

    fn decide<'t>(&self, [picks, answers]: &'t [Tensor; 2], reach: f32) -> Decide<'t> {
        Decide {
            picks,
            drawn: self.decisions.drawn,
            answers,
            slope: 1.0 / self.config.temperature,
            reach,
            entropy_of_choice: self.config.entropy == Entropy::Choice,
        }
    }
}
