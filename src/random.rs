//! Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy
//! as 1, 2, 3", SC 2011).
//!
//! A block of four words is a pure function of a key and a counter, so every value can be computed
//! alone, in any order, on any device, and a run resumes by remembering two integers.

use serde::{Deserialize, Serialize};

/// Four random words for a `key` (the seed) and a `counter`.
pub fn philox(key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let [mut k0, mut k1] = key;
    let mut c = counter;
    for _ in 0..10 {
        let a = u64::from(c[0]) * 0xD251_1F53;
        let b = u64::from(c[2]) * 0xCD9E_8D57;
        c = [(b >> 32) as u32 ^ c[1] ^ k0, b as u32, (a >> 32) as u32 ^ c[3] ^ k1, a as u32];
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    c
}

/// A uniform number in [0, 1) from the upper 24 bits of a word: exact in float32, the same on
/// every device.
pub fn uniform(word: u32) -> f32 {
    (word >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// Where a stream stands: all that is needed to go on from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// The seed.
    pub seed: u64,
    /// Which of its streams.
    pub stream: u64,
    /// Words that have been drawn.
    pub drawn: u64,
}

/// A stream of random numbers on the host. Streams of one seed with different `stream` numbers are
/// independent.
///
/// ```
/// use cellwright::random::Random;
///
/// let (mut first, mut again) = (Random::new(7, 0), Random::new(7, 0));
/// let drawn: Vec<usize> = (0..5).map(|_| first.below(10)).collect();
/// assert!(drawn.iter().all(|&number| number < 10));
/// assert_eq!(drawn, (0..5).map(|_| again.below(10)).collect::<Vec<_>>());
/// assert_ne!(Random::new(7, 0).word(), Random::new(7, 1).word());
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    key: [u32; 2],
    stream: [u32; 2],
    next: u64,
    block: [u32; 4],
}

impl Random {
    /// The stream `stream` of `seed`, from its start.
    pub fn new(seed: u64, stream: u64) -> Self {
        let split = |x: u64| [x as u32, (x >> 32) as u32];
        Self { key: split(seed), stream: split(stream), next: 0, block: [0; 4] }
    }

    /// A stream from where another stands.
    pub fn at(Position { seed, stream, drawn }: Position) -> Self {
        let mut random = Self::new(seed, stream);
        random.next = drawn;
        if !drawn.is_multiple_of(4) {
            random.fill(drawn / 4);
        }
        random
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        let join = |[low, high]: [u32; 2]| u64::from(low) | u64::from(high) << 32;
        Position { seed: join(self.key), stream: join(self.stream), drawn: self.next }
    }

    fn fill(&mut self, block: u64) {
        self.block = philox(self.key, [block as u32, (block >> 32) as u32, self.stream[0], self.stream[1]]);
    }

    /// The next 32 random bits.
    pub fn word(&mut self) -> u32 {
        let lane = (self.next % 4) as usize;
        if lane == 0 {
            self.fill(self.next / 4);
        }
        self.next = self.next.wrapping_add(1);
        self.block[lane]
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f32 {
        uniform(self.word())
    }

    /// Uniform in [low, high).
    pub fn range(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.uniform()
    }

    /// A uniform integer in 0..`bound`, without bias.
    ///
    /// # Panics
    /// If `bound` is zero.
    pub fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "a random choice needs something to choose from");
        let bound = bound as u64;
        // Words at or above the largest multiple of `bound` would favour small values.
        let limit = (1u64 << 32) - (1u64 << 32) % bound;
        loop {
            let word = u64::from(self.word());
            if word < limit {
                return (word % bound) as usize;
            }
        }
    }

    /// A standard normal number (Box–Muller, in float64).
    pub fn normal(&mut self) -> f32 {
        let u = 1.0 - f64::from(self.uniform());
        let angle = std::f64::consts::TAU * f64::from(self.uniform());
        ((-2.0 * u.ln()).sqrt() * angle.cos()) as f32
    }

    /// Permutes a slice uniformly.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_matches_the_published_vectors() {
        // Known answers of the Random123 distribution (kat_vectors, philox 4x32 10 rounds).
        assert_eq!(philox([0, 0], [0; 4]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 2], [u32::MAX; 4]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0xa409_3822, 0x299f_31d0], [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn streams_are_reproducible_and_differ() {
        let draw = |seed, stream| {
            (0..9)
                .map({
                    let mut random = Random::new(seed, stream);
                    move |_| random.word()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn a_stream_goes_on_from_any_position() {
        let (seed, stream) = (u64::MAX - 5, 3 << 40 | 9);
        let whole: Vec<u32> = {
            let mut random = Random::new(seed, stream);
            (0..19).map(|_| random.word()).collect()
        };
        for drawn in 0..whole.len() {
            let mut first = Random::new(seed, stream);
            (0..drawn).for_each(|_| _ = first.word());
            assert_eq!(first.position(), Position { seed, stream, drawn: drawn as u64 });
            let mut second = Random::at(first.position());
            assert!(whole[drawn..].iter().all(|&word| second.word() == word), "from {drawn}");
        }
    }

    #[test]
    fn moments_are_as_they_should_be() {
        let mut random = Random::new(7, 0);
        let values: Vec<f32> = (0..20_000).map(|_| random.normal()).collect();
        let mean = values.iter().sum::<f32>() / 20_000.0;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
        assert!((0..1000).all(|_| random.below(3) < 3));
    }
}
