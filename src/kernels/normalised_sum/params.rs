//! Parameters of the kernels, and what follows from them alone.

use crate::params;

params! {
    /// Parameters of [`FORWARD`](super::FORWARD).
    pub struct Forward {
        /// Offset of the table of terms.
        pub table: u32,
        /// Number of terms.
        pub terms: u32,
        /// How many of them, the first ones, lie in "z"; the others lie in "x".
        pub inside: u32,
        /// Offset of y, [batch, channels, pixels].
        pub y: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

impl Forward {
    /// Bytes of the candidates and of y: less than what is bound, which may be a whole arena.
    pub fn bytes(&self) -> u64 {
        4 * u64::from(self.batch) * u64::from(self.channels) * u64::from(self.pixels) * (u64::from(self.terms) + 1)
    }
}

params! {
    /// Parameters of [`BACKWARD`](super::BACKWARD).
    pub struct Backward {
        /// Offset of the table of terms.
        pub table: u32,
        /// Number of terms; all of them lie in "z".
        pub terms: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
    }
}

impl Backward {
    /// Bytes of the candidates, read and written, and of one dy: less than what is bound, which may be a whole
    /// arena.
    pub fn bytes(&self) -> u64 {
        4 * u64::from(self.batch) * u64::from(self.channels) * u64::from(self.pixels) * (2 * u64::from(self.terms) + 1)
    }
}

params! {
    /// Parameters of [`SUMS`](super::SUMS).
    pub struct Sums {
        /// Offset of the table of terms.
        pub table: u32,
        /// Number of terms.
        pub terms: u32,
        /// How many of them, the first ones, lie in "z"; the others lie in "x".
        pub inside: u32,
        /// Batch size.
        pub batch: u32,
        /// Channels.
        pub channels: u32,
        /// Height · width.
        pub pixels: u32,
    }
}

params! {
    /// Parameters of [`BACKWARD_WEIGHTS`](super::BACKWARD_WEIGHTS).
    pub struct BackwardWeights {
        /// Offset of the table of terms.
        pub table: u32,
        /// Number of terms.
        pub terms: u32,
        /// Channels.
        pub channels: u32,
        /// Offset of the gradient of weight 0.
        pub dweights: u32,
    }
}

impl Sums {
    /// Bytes of the candidates and of one dy: less than what is bound, which may be a whole arena.
    pub fn bytes(&self) -> u64 {
        4 * u64::from(self.batch) * u64::from(self.channels) * u64::from(self.pixels) * (u64::from(self.terms) + 1)
    }
}

params! {
    /// Parameters of [`BACKWARD_SHARED`](super::BACKWARD_SHARED).
    pub struct BackwardShared {
        /// Offset of the table: of each target, the indices of four weights (NONE: the mixture does not read it).
        pub table: u32,
        /// Offset of the first mixture's gradient.
        pub dy0: u32,
        /// Offset of the second mixture's gradient.
        pub dy1: u32,
        /// Offset of the third mixture's gradient.
        pub dy2: u32,
        /// Offset of the fourth mixture's gradient.
        pub dy3: u32,
        /// Offset of dx.
        pub dx: u32,
        /// Offset of the first target in dz; the others follow.
        pub dz: u32,
        /// Elements of each target.
        pub count: u32,
        /// Number of mixtures, 1 to 4; what is bound for the others is not read.
        pub edges: u32,
        /// Whether the first row of the table is for dx (1) or there is none for it (0).
        pub skip: u32,
        /// Number of targets in dz.
        pub targets: u32,
        /// Whether dx is added to (1) or overwritten (0).
        pub accumulate_x: u32,
        /// Whether dz is added to (1) or overwritten (0).
        pub accumulate_z: u32,
    }
}
