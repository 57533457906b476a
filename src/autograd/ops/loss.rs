//! Cross-entropy of a softmax, the number of right answers, and the answers.

use super::*;
use crate::device::Recorder;
use crate::kernels::loss as kernels;

/// Mean over the batch of −log softmax(logits)\[label\], shape `[1]`, for logits `[batch, classes]`
/// and labels `[batch]` (words); with label smoothing s the target is (1−s)·one-hot + s/classes.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn cross_entropy(tape: &mut Tape, logits: &Var, labels: &Tensor, smoothing: f32) -> Result<Var, Error> {
    let [batch, classes] = rows(logits.tensor(), labels)?;
    let losses = Tensor::scratch(tape.recorder(), &[batch])?;
    let probabilities = Tensor::scratch(tape.recorder(), &[batch, classes])?;
    let params = kernels::Forward {
        logits: logits.tensor().at(),
        labels: labels.at(),
        losses: losses.at(),
        probabilities: probabilities.at(),
        batch: batch as u32,
        classes: classes as u32,
        smoothing,
    };
    let inputs = [logits.tensor().binding(), labels.binding()];
    let outputs = [losses.binding(), probabilities.binding()];
    tape.recorder().dispatch(&kernels::FORWARD, &params, &inputs, &outputs)?;
    let loss = tape.output(&[1])?;
    super::arithmetic::record_reduce(tape.recorder(), crate::kernels::reduce::MEAN, &losses, &loss)?;
    let labels = labels.clone();
    Ok(tape.push("cross_entropy", &[logits], loss, || Undo { logits: logits.id(), probabilities, labels, smoothing }))
}

#[derive(Debug)]
struct Undo {
    logits: Option<usize>,
    probabilities: Tensor,
    labels: Tensor,
    smoothing: f32,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { logits, probabilities, labels, smoothing } = *self;
        gradients.add(logits, probabilities.shape(), |recorder, dlogits, accumulate| {
            let params = kernels::Backward {
                probabilities: probabilities.at(),
                labels: labels.at(),
                dloss: dy.at(),
                dlogits: dlogits.at(),
                batch: probabilities.shape()[0] as u32,
                classes: probabilities.shape()[1] as u32,
                smoothing,
                accumulate: accumulate.into(),
            };
            let inputs = [probabilities.binding(), labels.binding(), dy.binding()];
            Ok(recorder.dispatch(&kernels::BACKWARD, &params, &inputs, &[dlogits.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.probabilities) + bytes(&self.labels)
    }
}

/// Records `correct[0] (+)= rows of logits [batch, classes] whose largest value is at the label`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn accuracy(
    recorder: &mut Recorder,
    logits: &Tensor,
    labels: &Tensor,
    correct: &Tensor,
    accumulate: bool,
) -> Result<(), Error> {
    let [batch, classes] = rows(logits, labels)?;
    let params = kernels::Accuracy {
        logits: logits.at(),
        labels: labels.at(),
        correct: correct.at(),
        batch: batch as u32,
        classes: classes as u32,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&kernels::ACCURACY, &params, &[logits.binding(), labels.binding()], &[correct.binding()])?)
}

/// Records `answers[places[n]] = the class of row n's largest logit` for logits `[batch, classes]` and places `[batch]` (words),
/// no two alike and each within the answers (words).
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit.
pub fn answers(recorder: &mut Recorder, logits: &Tensor, places: &Tensor, answers: &Tensor) -> Result<(), Error> {
    let [batch, classes] = rows(logits, places)?;
    let params = kernels::Answers {
        logits: logits.at(),
        places: places.at(),
        answers: answers.at(),
        batch: batch as u32,
        classes: classes as u32,
    };
    Ok(recorder.dispatch(&kernels::ANSWERS, &params, &[logits.binding(), places.binding()], &[answers.binding()])?)
}

fn rows(logits: &Tensor, labels: &Tensor) -> Result<[usize; 2], Error> {
    match *logits.shape() {
        [batch, classes] if batch == labels.count() && batch > 0 => Ok([batch, classes]),
        _ => Err(Error::shape("cross_entropy", format!("logits {:?} for labels {:?}", logits.shape(), labels.shape()))),
    }
}
