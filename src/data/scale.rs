//! How much work a dataset asks for, which is what presets go by.

/// What a search on a dataset can afford.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A few thousand pictures of a few pixels: many epochs, minutes on two CPU cores.
    Tiny,
    /// Tens of thousands of small grey pictures: few epochs, minutes on two CPU cores.
    Small,
    /// Everything else: as methods were published, for CIFAR-10.
    Published,
}

impl Scale {
    /// Whether a search takes few steps: what counts epochs of the published ones is shortened then.
    pub fn is_brief(self) -> bool {
        self != Self::Published
    }
}
