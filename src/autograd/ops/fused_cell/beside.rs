//! Candidates of a fan that are operations of the tape: convolutions over all channels, which read the state's ReLU
//! together, and what the caller records.

use crate::autograd::ops::Moments;
use crate::autograd::{Aside, Tape, Var};
use crate::device::Recorder;
use crate::kernels::activation;
use crate::tensor::{Error, Tensor};

/// Convolutions over all channels of the state's ReLU, side by side, with windows of one size that keep the size of
/// the image.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Number of convolutions.
    pub branches: usize,
    /// Weights, `[branches · channels, channels, kernel, kernel]`, `kernel` odd.
    pub weights: Var,
    /// Biases, `[branches · channels]`. The batch norm behind them takes away what they add: they count in its mean alone, and
    /// their gradient is zero.
    pub biases: Option<Var>,
    /// Mean and variance, branch after branch.
    pub moments: Moments,
}

/// Records a candidate of a state's variable that a cell knows nothing of, by the numbers of the state and of the candidate; its
/// result must be written to the given tensor.
pub type RecordPlain<'a> = dyn FnMut(&mut Tape, [usize; 2], &Var, &Tensor) -> Result<Var, Error> + 'a;

/// What was recorded beside a fan's banks.
#[derive(Debug)]
pub(super) struct Beside {
    pub aside: Aside,
    /// The state, and its ReLU if there are convolutions: leaves of what is aside.
    pub state: Var,
    pub rectified: Option<Var>,
    pub dense: Vec<Var>,
    pub plain: Vec<Var>,
}

/// The gradients of what [`Beside`] has as leaves.
#[derive(Debug, Default)]
pub(super) struct Leaves {
    pub state: Option<Tensor>,
    /// The ReLU's result, and its gradient.
    pub rectified: Option<[Tensor; 2]>,
}

impl Beside {
    pub fn bytes(&self) -> usize {
        self.aside.saved_bytes()
    }

    /// Whether anything that the caller recorded learns, or the state's gradient needs it.
    pub fn wants_gradient(&self) -> bool {
        self.plain.iter().any(Var::wants_gradient)
    }
}

impl Leaves {
    /// Records dx (+)= their share in the gradient of the state. Whether dx was written.
    pub fn record(&self, recorder: &mut Recorder, dx: &Tensor, accumulate: bool) -> Result<bool, Error> {
        let mut written = accumulate;
        if let Some([y, dy]) = &self.rectified {
            let params = activation::Backward {
                y: y.at(),
                dy: dy.at(),
                dx: dx.at(),
                count: y.count() as u32,
                function: activation::RELU,
                accumulate: written.into(),
                slope: 0.0,
                low: 0.0,
                high: 0.0,
            };
            recorder.dispatch(&activation::BACKWARD, &params, &[y.binding(), dy.binding()], &[dx.binding()])?;
            written = true;
        }
        if let Some(dy) = &self.state {
            crate::autograd::gradients::scale(recorder, dy, dx, 1.0, written)?;
            written = true;
        }
        Ok(written)
    }
}
