//! Checks gradients against central differences.

use super::{Tape, Var};
use crate::device::Device;
use crate::tensor::{Error, Tensor};

/// Why a gradient check failed.
#[derive(Debug, thiserror::Error)]
pub enum GradientError {
    /// Something could not be computed.
    #[error(transparent)]
    Tensor(#[from] Error),
    /// A gradient is not what differences of the function give.
    #[error(
        "gradient of input {input}: relative error {error:e} (allowed {allowed:e}); element {at}: {got} by the tape, {expected} by differences"
    )]
    Wrong {
        /// Which input.
        input: usize,
        /// Relative L2 error.
        error: f64,
        /// What is allowed.
        allowed: f64,
        /// The element that differs most.
        at: usize,
        /// What the tape computed.
        got: f64,
        /// What differences give.
        expected: f64,
    },
}

/// Checks the gradients of `function` at `inputs` (values and shape each) against central
/// differences of Σ output · c, with fixed numbers c, on `device`.
///
/// Differences of float32 results are good to about 1e-3; `tolerance` is the relative L2 error
/// allowed for each input's gradient. Values should keep away from kinks (ReLU at 0, ties of max).
///
/// # Errors
/// [`GradientError::Wrong`] for the first input whose gradient is wrong.
pub async fn check_gradients(
    device: &Device,
    inputs: &[(Vec<f32>, Vec<usize>)],
    function: impl Fn(&mut Tape, &[Var]) -> Result<Var, Error>,
    tolerance: f64,
) -> Result<(), GradientError> {
    let tensors = inputs
        .iter()
        .map(|(values, shape)| Tensor::from_values(device, values, shape))
        .collect::<Result<Vec<_>, _>>()?;

    let mut tape = Tape::new(device);
    let leaves: Vec<Var> = tensors.iter().map(|t| tape.leaf(t.clone())).collect();
    let output = function(&mut tape, &leaves)?;
    let weights = crate::device::noise(output.tensor().count(), 0xC4EC);
    let seed = Tensor::from_values(device, &weights, output.shape())?;
    let gradients = tape.backward(&output, Some(seed))?;
    device.run(&tape.finish()).map_err(Error::from)?;
    let mut analytic = Vec::new();
    for (leaf, tensor) in leaves.iter().zip(&tensors) {
        let gradient = leaf.id().and_then(|id| gradients[id].as_ref());
        analytic.push(match gradient {
            Some(gradient) => gradient.read(device).await.map_err(Error::from)?,
            None => vec![0.0; tensor.count()],
        });
    }

    // The same function recorded once without gradients, run for each changed element.
    let mut tape = Tape::new(device);
    let constants: Vec<Var> = tensors.iter().map(|t| Var::constant(t.clone())).collect();
    let output = function(&mut tape, &constants)?;
    let recording = tape.finish();
    for (index, (values, _)) in inputs.iter().enumerate() {
        let mut differences = Vec::with_capacity(values.len());
        for at in 0..values.len() {
            let step = 1e-2f32;
            let mut sides = [0.0f64; 2];
            for (side, sign) in sides.iter_mut().zip([1.0, -1.0]) {
                let mut changed = values.clone();
                changed[at] += sign * step;
                tensors[index].write(device, &changed)?;
                device.run(&recording).map_err(Error::from)?;
                let result = output.tensor().read(device).await.map_err(Error::from)?;
                *side = result.iter().zip(&weights).map(|(y, c)| f64::from(*y) * f64::from(*c)).sum();
            }
            let width = f64::from(values[at] + step) - f64::from(values[at] - step);
            differences.push((sides[0] - sides[1]) / width);
        }
        tensors[index].write(device, values)?;
        compare(index, &analytic[index], &differences, tolerance)?;
    }
    Ok(())
}

fn compare(input: usize, got: &[f32], expected: &[f64], allowed: f64) -> Result<(), GradientError> {
    let norm = expected.iter().map(|e| e * e).sum::<f64>().sqrt().max(1e-3);
    let deviations: Vec<f64> = got.iter().zip(expected).map(|(&g, e)| f64::from(g) - e).collect();
    let error = deviations.iter().map(|d| d * d).sum::<f64>().sqrt() / norm;
    if error <= allowed {
        return Ok(());
    }
    let at = (0..deviations.len()).max_by(|&a, &b| deviations[a].abs().total_cmp(&deviations[b].abs())).unwrap_or(0);
    Err(GradientError::Wrong { input, error, allowed, at, got: f64::from(got[at]), expected: expected[at] })
}
