//! What changes from step to step, in one small buffer: the recording stays the same.

use crate::device::Device;
use crate::tensor::{Error, Tensor};

/// The values of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Number of the step: the counter of all random numbers.
    pub counter: u32,
    /// Learning rate of the weights.
    pub weight_rate: f32,
    /// Learning rate of the architecture weights.
    pub alpha_rate: f32,
    /// Probability of dropping a path.
    pub drop_path: f32,
    /// 1 − β₁ᵗ and 1 − β₂ᵗ of the weights' Adam.
    pub weight_corrections: [f32; 2],
    /// The same of the architecture weights' Adam.
    pub alpha_corrections: [f32; 2],
    /// Probability of what varies an example by chance, where it need not befall every one.
    pub chance: f32,
}

/// A [`Step`] on a device.
#[derive(Clone, Debug)]
pub struct StepBuffer {
    words: Tensor,
}

impl StepBuffer {
    /// Index of [`Step::counter`].
    pub const COUNTER: u32 = 0;
    /// Index of [`Step::weight_rate`].
    pub const WEIGHT_RATE: u32 = 1;
    /// Index of [`Step::alpha_rate`].
    pub const ALPHA_RATE: u32 = 2;
    /// Index of [`Step::drop_path`].
    pub const DROP_PATH: u32 = 3;
    /// Index of [`Step::weight_corrections`].
    pub const WEIGHT_CORRECTIONS: u32 = 4;
    /// Index of [`Step::alpha_corrections`].
    pub const ALPHA_CORRECTIONS: u32 = 6;
    /// Index of [`Step::chance`].
    pub const CHANCE: u32 = 8;

    /// A buffer of zeros.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`].
    pub fn new(device: &Device) -> Result<Self, Error> {
        Ok(Self { words: Tensor::zeros(device, &[9])? })
    }

    /// The words.
    pub fn words(&self) -> &Tensor {
        &self.words
    }

    /// Sets the values for what is run next.
    ///
    /// # Errors
    /// An earlier error of the device.
    pub fn write(&self, device: &Device, step: &Step) -> Result<(), Error> {
        let [w1, w2] = step.weight_corrections;
        let [a1, a2] = step.alpha_corrections;
        let floats = [step.weight_rate, step.alpha_rate, step.drop_path, w1, w2, a1, a2, step.chance];
        let words: Vec<u32> = std::iter::once(step.counter).chain(floats.map(f32::to_bits)).collect();
        self.words.write_words(device, &words)
    }
}
