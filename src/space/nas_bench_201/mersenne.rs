//! The random numbers that the benchmark numbered its cells with: MT19937 (Matsumoto & Nishimura 1998) as
//! Python's `random` seeds and uses it. It is here for that numbering alone; everything that is drawn in this
//! crate comes from [`crate::random`].

const WORDS: usize = 624;
const MIDDLE: usize = 397;

/// The generator's state.
pub(super) struct MersenneTwister {
    words: [u32; WORDS],
    /// The word that comes next; `WORDS` where all are used up.
    next: usize,
}

impl MersenneTwister {
    /// Seeded by a key of at least one word, as `init_by_array` of the published generator does. Python's
    /// `random.seed(n)` has the key `[n]` for n below 2³².
    pub fn new(key: &[u32]) -> Self {
        let mut words = [0u32; WORDS];
        words[0] = 19_650_218;
        for i in 1..WORDS {
            words[i] = mix(words[i - 1]).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        let mut i = 1;
        // Word 0 only hands on what the last one came to: places run from 1 to the last and around.
        let mut step = |words: &mut [u32; WORDS], change: &dyn Fn(u32, u32, usize) -> u32| {
            words[i] = change(words[i], mix(words[i - 1]), i);
            i += 1;
            if i == WORDS {
                words[0] = words[WORDS - 1];
                i = 1;
            }
        };
        for (place, &part) in key.iter().enumerate().cycle().take(WORDS.max(key.len())) {
            let more = part.wrapping_add(place as u32);
            step(&mut words, &|word, mixed, _| (word ^ mixed.wrapping_mul(1_664_525)).wrapping_add(more));
        }
        for _ in 1..WORDS {
            step(&mut words, &|word, mixed, i| (word ^ mixed.wrapping_mul(1_566_083_941)).wrapping_sub(i as u32));
        }
        words[0] = 1 << 31;
        Self { words, next: WORDS }
    }

    /// The next 32 bits.
    pub fn draw(&mut self) -> u32 {
        if self.next == WORDS {
            for i in 0..WORDS {
                let joined = (self.words[i] & 1 << 31) | (self.words[(i + 1) % WORDS] & !(1 << 31));
                let odd = if joined & 1 == 1 { 0x9908_B0DF } else { 0 };
                self.words[i] = self.words[(i + MIDDLE) % WORDS] ^ (joined >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9D2C_5680;
        y ^= (y << 15) & 0xEFC6_0000;
        y ^ (y >> 18)
    }

    /// A number from 0 to `count` − 1 (`count` at least 1), as Python draws it: as many leading bits as `count`
    /// has, again and again until they are below it.
    fn below(&mut self, count: u32) -> u32 {
        let shift = count.leading_zeros();
        loop {
            let drawn = self.draw() >> shift;
            if drawn < count {
                return drawn;
            }
        }
    }

    /// Shuffles as Python's `random.shuffle` does: from the last place down, each is swapped with one not
    /// above it.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            let other = self.below(place as u32 + 1) as usize;
            items.swap(place, other);
        }
    }
}

fn mix(word: u32) -> u32 {
    word ^ (word >> 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_are_those_published_with_the_generator() {
        let mut twister = MersenneTwister::new(&[0x123, 0x234, 0x345, 0x456]);
        let first: Vec<u32> = (0..5).map(|_| twister.draw()).collect();
        assert_eq!(first, [1_067_595_299, 955_945_823, 477_289_528, 4_107_218_783, 4_228_976_476]);
    }

    #[test]
    fn a_seed_of_88_gives_what_python_gives() {
        let mut twister = MersenneTwister::new(&[88]);
        let first: Vec<u32> = (0..4).map(|_| twister.draw()).collect();
        assert_eq!(first, [1_707_201_716, 4_182_107_318, 813_946_014, 1_429_399_738]);
        let mut numbers: Vec<u32> = (0..10).collect();
        MersenneTwister::new(&[88]).shuffle(&mut numbers);
        assert_eq!(numbers, [8, 2, 9, 4, 0, 7, 1, 5, 3, 6]);
    }
}
