//! The order in which images are met: batches of indices as pure functions of a seed and a place.
//!
//! Nothing is carried from batch to batch, so a run that stops at (epoch, step) goes on from these
//! two numbers alone.

use super::DataError;
use super::stream::{Purpose, stream};
use crate::random::Random;

/// One of the independent shuffles of a run: orders with another `stream` of the same seed have
/// nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffle {
    /// The run's seed.
    pub seed: u64,
    /// Which of its shuffles.
    pub stream: u8,
}

/// What becomes of the last images of an epoch when they fill no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// They make a smaller batch.
    Keep,
    /// They are left out; another shuffle brings others to this place.
    Drop,
}

/// Epochs of shuffled batches: in an epoch each image comes once (but see [`Last::Drop`]).
#[derive(Clone, Debug)]
pub struct Batches {
    indices: Vec<u32>,
    size: usize,
    last: Last,
    shuffle: Shuffle,
}

impl Batches {
    /// Batches of `size` of the images at `indices`.
    ///
    /// # Errors
    /// If `size` is zero or larger than the number of indices.
    pub fn new(indices: Vec<u32>, size: usize, last: Last, shuffle: Shuffle) -> Result<Self, DataError> {
        check_size(size, indices.len())?;
        Ok(Self { indices, size, last, shuffle })
    }

    /// Batches in an epoch.
    pub fn per_epoch(&self) -> usize {
        match self.last {
            Last::Keep => self.indices.len().div_ceil(self.size),
            Last::Drop => self.indices.len() / self.size,
        }
    }

    /// Images in an epoch.
    pub fn images_per_epoch(&self) -> usize {
        self.indices.len().min(self.per_epoch() * self.size)
    }

    /// The batches of epoch `epoch` (from 0) from step `step` (from 0) on; none if `step` is beyond
    /// the epoch's last.
    pub fn epoch(&self, epoch: u32, step: usize) -> impl ExactSizeIterator<Item = Vec<u32>> + use<> {
        let mut order = self.indices.clone();
        Random::new(self.shuffle.seed, stream(Purpose::Epoch, self.shuffle.stream, epoch)).shuffle(&mut order);
        order.truncate(self.images_per_epoch());
        let size = self.size;
        (step.min(self.per_epoch())..self.per_epoch())
            .map(move |step| order[step * size..order.len().min((step + 1) * size)].to_vec())
    }
}

/// An endless row of batches, each drawn afresh from all images (none twice within a batch): what
/// the architecture step of DARTS validates on.
#[derive(Clone, Debug)]
pub struct Fresh {
    indices: Vec<u32>,
    size: usize,
    shuffle: Shuffle,
    step: u32,
}

impl Fresh {
    /// Batches of `size` of the images at `indices`, beginning at step `step`.
    ///
    /// # Errors
    /// If `size` is zero or larger than the number of indices.
    pub fn new(indices: Vec<u32>, size: usize, shuffle: Shuffle, step: u32) -> Result<Self, DataError> {
        check_size(size, indices.len())?;
        Ok(Self { indices, size, shuffle, step })
    }

    /// The batch of step `step`, whatever was drawn before.
    pub fn at(&self, step: u32) -> Vec<u32> {
        let mut random = Random::new(self.shuffle.seed, stream(Purpose::Fresh, self.shuffle.stream, step));
        let mut drawn = self.indices.clone();
        // The beginning of a shuffle; the rest of it would be thrown away.
        for i in 0..self.size {
            let other = i + random.below(drawn.len() - i);
            drawn.swap(i, other);
        }
        drawn.truncate(self.size);
        drawn
    }

    /// The step of the next batch.
    pub fn step(&self) -> u32 {
        self.step
    }
}

impl Iterator for Fresh {
    type Item = Vec<u32>;

    /// The next batch: there always is one. After 2³² steps the row begins again.
    fn next(&mut self) -> Option<Vec<u32>> {
        let batch = self.at(self.step);
        self.step = self.step.wrapping_add(1);
        Some(batch)
    }
}

fn check_size(batch: usize, images: usize) -> Result<(), DataError> {
    if batch == 0 {
        return Err(DataError::BatchZero);
    }
    if batch > images {
        return Err(DataError::BatchTooLarge { batch, images });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHUFFLE: Shuffle = Shuffle { seed: 5, stream: 0 };

    fn batches(last: Last) -> Batches {
        Batches::new((100..110).collect(), 4, last, SHUFFLE).unwrap()
    }

    #[test]
    fn an_epoch_meets_every_image_once() {
        let epoch: Vec<_> = batches(Last::Keep).epoch(0, 0).collect();
        assert_eq!(epoch.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
        let mut met = epoch.concat();
        assert!(!met.is_sorted(), "it should be shuffled");
        met.sort_unstable();
        assert!(met.into_iter().eq(100..110));
    }

    #[test]
    fn the_remainder_is_dropped_where_asked() {
        let batches = batches(Last::Drop);
        assert_eq!((batches.per_epoch(), batches.images_per_epoch()), (2, 8));
        assert!(batches.epoch(3, 0).all(|batch| batch.len() == 4));
        let exact = Batches::new((0..8).collect(), 4, Last::Drop, SHUFFLE).unwrap();
        assert_eq!((exact.per_epoch(), exact.images_per_epoch()), (2, 8));
    }

    #[test]
    fn an_epoch_resumes_at_any_step() {
        let batches = batches(Last::Keep);
        let whole: Vec<_> = batches.epoch(7, 0).collect();
        for step in 0..=4 {
            let rest = batches.clone().epoch(7, step);
            assert_eq!(rest.len(), 3usize.saturating_sub(step));
            assert!(rest.eq(whole.iter().skip(step).cloned()), "from step {step}");
        }
    }

    #[test]
    fn epochs_seeds_and_streams_differ() {
        let order = |seed, stream, epoch| {
            let batches = Batches::new((0..50).collect(), 50, Last::Keep, Shuffle { seed, stream }).unwrap();
            batches.epoch(epoch, 0).next().unwrap()
        };
        assert_eq!(order(1, 0, 0), order(1, 0, 0));
        for other in [order(2, 0, 0), order(1, 1, 0), order(1, 0, 1)] {
            assert_ne!(order(1, 0, 0), other);
        }
    }

    #[test]
    fn fresh_batches_have_no_image_twice_and_resume() {
        let fresh = Fresh::new((0..30).collect(), 10, SHUFFLE, 0).unwrap();
        let first: Vec<_> = fresh.clone().take(300).collect();
        let mut met = [0; 30];
        for batch in &first {
            let mut sorted = batch.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), 10);
            batch.iter().for_each(|&index| met[index as usize] += 1);
        }
        // 100 draws each on average, deviation 8.2.
        assert!(met.iter().all(|n| (60..140).contains(n)), "{met:?}");
        assert_eq!(fresh.at(17), first[17]);
        let mut later = Fresh::new((0..30).collect(), 10, SHUFFLE, 17).unwrap();
        assert_eq!((later.next(), later.step()), (Some(first[17].clone()), 18));
    }

    #[test]
    fn a_batch_must_fit_the_data() {
        let error = Batches::new(vec![1, 2], 3, Last::Keep, SHUFFLE).unwrap_err().to_string();
        assert_eq!(error, "a batch of 3 images is larger than the data, which are 2 images: use a smaller batch");
        assert!(matches!(Fresh::new(vec![], 1, SHUFFLE, 0), Err(DataError::BatchTooLarge { .. })));
        assert!(matches!(Fresh::new(vec![1], 0, SHUFFLE, 0), Err(DataError::BatchZero)));
    }
}
