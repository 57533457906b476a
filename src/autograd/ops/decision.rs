//! Decisions drawn from (or held against) a learned distribution, and REINFORCE's way back through them.

use super::*;
use crate::kernels::decision as kernels;

/// How a decision is made, and from what.
#[derive(Clone, Copy, Debug)]
pub struct Decide<'a> {
    /// Uniform numbers in [0, 1), or the answers themselves, as words: `[rows]` for a choice, `[layers, rows]` for skips.
    pub picks: &'a Tensor,
    /// Whether `picks` are uniform numbers.
    pub drawn: bool,
    /// Where the answers are written, in the shape of `picks`, as words.
    pub answers: &'a Tensor,
    /// Logits are `reach · tanh(slope · score)`.
    pub slope: f32,
    /// What the tanh is multiplied by.
    pub reach: f32,
    /// Whether the entropy is −p·log p of what was chosen, or that of the whole distribution.
    pub entropy_of_choice: bool,
}

/// What was decided: the new totals, and how much each option weighs.
#[derive(Clone, Debug)]
pub struct Decided {
    /// Totals by row, `[rows, 3]`: −log p of all choices so far, their entropy, the penalty of skips. The entropy has no
    /// gradient: it counts as a reward.
    pub totals: Var,
    /// `[rows, options]`: of a choice 1 for the option chosen; of skips 1 / (1 + number of yes) for each yes.
    pub weights: Tensor,
}

fn check(name: &'static str, scores: &Var, totals: &Var, decide: &Decide<'_>, each: bool) -> Result<[usize; 2], Error> {
    let &[rows, options] = scores.shape() else {
        return Err(Error::shape(name, format!("scores {:?} are not a matrix", scores.shape())));
    };
    let count = if each { rows * options } else { rows };
    let [picks, answers] = [decide.picks, decide.answers];
    if options == 0 || totals.shape() != [rows, 3] || picks.count() != count || answers.count() != count {
        let problem = format!(
            "scores {:?}, totals {:?}, picks {:?}, answers {:?}",
            scores.shape(),
            totals.shape(),
            picks.shape(),
            answers.shape()
        );
        return Err(Error::shape(name, problem));
    }
    Ok([rows, options])
}

/// One option a row from `softmax(reach · tanh(slope · scores) + bias)`, for scores `[rows, options]` and a fixed bias
/// `[options]`.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn choose(
    tape: &mut Tape,
    scores: &Var,
    bias: Option<&Tensor>,
    totals: &Var,
    decide: Decide<'_>,
) -> Result<Decided, Error> {
    let [rows, options] = check("choose", scores, totals, &decide, false)?;
    if bias.is_some_and(|bias| bias.count() != options) {
        return Err(Error::shape("choose", format!("a bias that does not fit scores {:?}", scores.shape())));
    }
    let after = tape.output(totals.shape())?;
    let weights = Tensor::scratch(tape.recorder(), scores.shape())?;
    let params = kernels::Choose {
        scores: scores.tensor().at(),
        bias: bias.map_or(0, Tensor::at),
        picks: decide.picks.at(),
        before: totals.tensor().at(),
        weights: weights.at(),
        answers: decide.answers.at(),
        after: after.at(),
        rows: rows as u32,
        options: options as u32,
        has_bias: bias.is_some().into(),
        drawn: decide.drawn.into(),
        of_choice: decide.entropy_of_choice.into(),
        slope: decide.slope,
        reach: decide.reach,
    };
    let read = [scores.tensor(), bias.unwrap_or(scores.tensor()), decide.picks, totals.tensor()].map(Tensor::binding);
    let written = [&weights, decide.answers, &after].map(Tensor::binding);
    tape.recorder().dispatch(&kernels::CHOOSE, &params, &read, &written)?;
    let undo = || Chosen {
        scores_id: scores.id(),
        totals: totals.id(),
        scores: scores.tensor().clone(),
        bias: bias.cloned(),
        weights: weights.clone(),
        shape: [decide.slope, decide.reach],
    };
    let totals = tape.push("choose", &[scores, totals], after, undo);
    Ok(Decided { totals, weights })
}

#[derive(Debug)]
struct Chosen {
    scores_id: Option<usize>,
    totals: Option<usize>,
    scores: Tensor,
    bias: Option<Tensor>,
    weights: Tensor,
    shape: [f32; 2],
}

impl Backward for Chosen {
    fn backward(self: Box<Self>, dtotals: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { scores_id, totals, scores, bias, weights, shape: [slope, reach] } = *self;
        gradients.add(scores_id, scores.shape(), |recorder, dscores, accumulate| {
            let params = kernels::ChooseBackward {
                scores: scores.at(),
                bias: bias.as_ref().map_or(0, Tensor::at),
                weights: weights.at(),
                dafter: dtotals.at(),
                dscores: dscores.at(),
                rows: scores.shape()[0] as u32,
                options: scores.shape()[1] as u32,
                has_bias: bias.is_some().into(),
                accumulate: accumulate.into(),
                slope,
                reach,
            };
            let read = [&scores, bias.as_ref().unwrap_or(&scores), &weights, dtotals].map(Tensor::binding);
            Ok(recorder.dispatch(&kernels::CHOOSE_BACKWARD, &params, &read, &[dscores.binding()])?)
        })?;
        gradients.pass(totals, dtotals)
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.scores) + bytes(&self.weights)
    }
}

/// Yes or no to each of several layers from `softmax(−l, l)`, l = reach · tanh(slope · score), for scores
/// `[rows, layers]`. The penalty added to the totals is `Σ σ(s)·log(σ(s)/target)` over s = −l (`targets[0]`) and
/// s = l (`targets[1]`), elementwise.
///
/// # Errors
/// [`Error::Shape`] if the sizes do not fit.
pub fn skips(
    tape: &mut Tape,
    scores: &Var,
    totals: &Var,
    targets: [f32; 2],
    decide: Decide<'_>,
) -> Result<Decided, Error> {
    let [rows, layers] = check("skips", scores, totals, &decide, true)?;
    let after = tape.output(totals.shape())?;
    let weights = Tensor::scratch(tape.recorder(), scores.shape())?;
    let params = kernels::Skips {
        scores: scores.tensor().at(),
        picks: decide.picks.at(),
        before: totals.tensor().at(),
        weights: weights.at(),
        answers: decide.answers.at(),
        after: after.at(),
        rows: rows as u32,
        layers: layers as u32,
        drawn: decide.drawn.into(),
        of_choice: decide.entropy_of_choice.into(),
        slope: decide.slope,
        reach: decide.reach,
        target_no: targets[0],
        target_yes: targets[1],
    };
    let read = [scores.tensor(), decide.picks, totals.tensor()].map(Tensor::binding);
    let written = [&weights, decide.answers, &after].map(Tensor::binding);
    tape.recorder().dispatch(&kernels::SKIPS, &params, &read, &written)?;
    let undo = || Skipped {
        scores_id: scores.id(),
        totals: totals.id(),
        scores: scores.tensor().clone(),
        weights: weights.clone(),
        shape: [decide.slope, decide.reach],
        targets,
    };
    let totals = tape.push("skips", &[scores, totals], after, undo);
    Ok(Decided { totals, weights })
}

#[derive(Debug)]
struct Skipped {
    scores_id: Option<usize>,
    totals: Option<usize>,
    scores: Tensor,
    weights: Tensor,
    shape: [f32; 2],
    targets: [f32; 2],
}

impl Backward for Skipped {
    fn backward(self: Box<Self>, dtotals: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { scores_id, totals, scores, weights, shape: [slope, reach], targets } = *self;
        gradients.add(scores_id, scores.shape(), |recorder, dscores, accumulate| {
            let params = kernels::SkipsBackward {
                scores: scores.at(),
                weights: weights.at(),
                dafter: dtotals.at(),
                dscores: dscores.at(),
                rows: scores.shape()[0] as u32,
                layers: scores.shape()[1] as u32,
                accumulate: accumulate.into(),
                slope,
                reach,
                target_no: targets[0],
                target_yes: targets[1],
            };
            let read = [&scores, &weights, dtotals].map(Tensor::binding);
            Ok(recorder.dispatch(&kernels::SKIPS_BACKWARD, &params, &read, &[dscores.binding()])?)
        })?;
        gradients.pass(totals, dtotals)
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.scores) + bytes(&self.weights)
    }
}
