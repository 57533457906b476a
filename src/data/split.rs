//! Stratified splits: each part has its share of every class, within one image.
//!
//! A split is a pure function of the labels and a seed. Both parts are indices in ascending order.

use super::stream::{Purpose, stream};
use super::{DataError, Images};
use crate::random::Random;

/// The seed of test splits. Not the user's: whatever the seed, the same images stay unseen, so that
/// results of different seeds can be compared.
const TEST_SEED: u64 = 0x7E57;

/// Splits `count` images off those with the given labels, in proportion to the classes; returns the
/// indices of the rest and of the part split off.
///
/// # Errors
/// If either part would be empty.
pub fn stratified(labels: &[u32], count: usize, seed: u64) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    split(labels, count, seed, 0)
}

/// [`stratified`] by the stream `number`: a split of a split must not meet the same draws again.
fn split(labels: &[u32], count: usize, seed: u64, number: u32) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    let total = labels.len();
    if count == 0 || count >= total {
        return Err(DataError::Split { count, total });
    }
    let mut random = Random::new(seed, stream(Purpose::Split, 0, number));
    // Grouped by class, images of a class in a random order.
    let mut order: Vec<u32> = (0..total as u32).collect();
    random.shuffle(&mut order);
    order.sort_by_key(|&index| labels[index as usize]);
    let classes: Vec<&[u32]> = order.chunk_by(|&a, &b| labels[a as usize] == labels[b as usize]).collect();

    // Each class gives the whole part of its share. The images still wanted come, one each, from the
    // classes with the largest fractions; of equal fractions, from random ones.
    let share = |class: &[u32]| class.len() as u128 * count as u128;
    let mut quota: Vec<usize> = classes.iter().map(|class| (share(class) / total as u128) as usize).collect();
    let mut by_fraction: Vec<usize> = (0..classes.len()).collect();
    random.shuffle(&mut by_fraction);
    by_fraction.sort_by_key(|&class| std::cmp::Reverse(share(classes[class]) % total as u128));
    let missing = count - quota.iter().sum::<usize>();
    by_fraction.iter().take(missing).for_each(|&class| quota[class] += 1);

    let (mut rest, mut off) = (Vec::with_capacity(total - count), Vec::with_capacity(count));
    for (class, quota) in classes.iter().zip(quota) {
        let (mine, others) = class.split_at(quota);
        off.extend_from_slice(mine);
        rest.extend_from_slice(others);
    }
    rest.sort_unstable();
    off.sort_unstable();
    Ok((rest, off))
}

/// The first `count` images of those with the given labels, in proportion to the classes: of each class its first ones. All
/// where there are no more. Indices in ascending order; nothing is drawn.
pub fn first(labels: &[u32], count: usize) -> Vec<u32> {
    let total = labels.len();
    if count >= total {
        return (0..total as u32).collect();
    }
    let mut counts: Vec<usize> = vec![0; labels.iter().max().map_or(0, |&most| most as usize + 1)];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    // As in `split`; of equal fractions the class of the smaller number comes first.
    let share = |class: usize| counts[class] as u128 * count as u128;
    let mut quota: Vec<usize> = (0..counts.len()).map(|class| (share(class) / total as u128) as usize).collect();
    let mut by_fraction: Vec<usize> = (0..counts.len()).collect();
    by_fraction.sort_by_key(|&class| std::cmp::Reverse(share(class) % total as u128));
    let missing = count - quota.iter().sum::<usize>();
    by_fraction.iter().take(missing).for_each(|&class| quota[class] += 1);
    let mut taken = Vec::with_capacity(count);
    for (index, &label) in labels.iter().enumerate() {
        let left = &mut quota[label as usize];
        if *left > 0 {
            *left -= 1;
            taken.push(index as u32);
        }
    }
    taken
}

/// The two halves of a training set for a bilevel search: the first trains the weights, the second
/// the architecture. Of an odd number the first half has one more.
///
/// # Errors
/// If there are fewer than two images.
pub fn halves(labels: &[u32], seed: u64) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    split(labels, labels.len() / 2, seed, 1)
}

/// The images to train on, and `count` held out to validate on. The draw is independent of that of
/// [`halves`] under the same seed, so the one may follow the other.
///
/// # Errors
/// If either part would be empty.
pub fn held_out(labels: &[u32], count: usize, seed: u64) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    split(labels, count, seed, 2)
}

/// Training and test part of a dataset that has none: the test part is a fifth, rounded down, the
/// same for every seed of a run.
///
/// # Errors
/// If there are fewer than five images.
pub fn test_fifth(images: &Images) -> Result<(Images, Images), DataError> {
    let (train, test) = stratified(images.labels(), images.count() / 5, TEST_SEED)?;
    Ok((images.subset(&train)?, images.subset(&test)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `rest` and `off` are all images, once each, and `off` has each class's share within one.
    fn check(labels: &[u32], count: usize, (rest, off): &(Vec<u32>, Vec<u32>)) {
        assert_eq!(off.len(), count);
        assert!(rest.is_sorted() && off.is_sorted());
        let mut all = [rest.as_slice(), off.as_slice()].concat();
        all.sort_unstable();
        assert!(all.iter().copied().eq(0..labels.len() as u32), "disjoint and complete");
        for class in 0..=labels.iter().copied().max().unwrap_or(0) {
            let of = |part: &[u32]| part.iter().filter(|&&index| labels[index as usize] == class).count() as f64;
            let share = (of(rest) + of(off)) * count as f64 / labels.len() as f64;
            assert!((of(off) - share).abs() < 1.0, "class {class}: {} for a share of {share}", of(off));
        }
    }

    proptest! {
        #[test]
        fn any_split_is_disjoint_complete_and_stratified(
            labels in prop::collection::vec(0u32..7, 2..200), part in 0.0..1.0f64, seed: u64,
        ) {
            let count = ((labels.len() as f64 * part) as usize).clamp(1, labels.len() - 1);
            check(&labels, count, &stratified(&labels, count, seed).unwrap());
        }
    }

    proptest! {
        #[test]
        fn the_first_images_are_the_first_of_each_class_in_its_share(
            labels in prop::collection::vec(0u32..7, 2..200), part in 0.0..1.0f64,
        ) {
            let count = ((labels.len() as f64 * part) as usize).clamp(1, labels.len() - 1);
            let taken = first(&labels, count);
            let rest = (0..labels.len() as u32).filter(|index| !taken.contains(index)).collect();
            for (at, &index) in taken.iter().enumerate() {
                let label = labels[index as usize];
                let before = |list: &[u32]| list.iter().filter(|&&i| labels[i as usize] == label).count();
                let all: Vec<u32> = (0..index).collect();
                assert_eq!(before(&taken[..at]), before(&all), "one of class {label} was passed over");
            }
            check(&labels, count, &(rest, taken));
        }
    }

    #[test]
    fn the_first_of_few_are_all() {
        assert_eq!(first(&[0, 0, 1], 3), [0, 1, 2]);
        assert_eq!(first(&[0, 0, 1, 1, 0, 1], 4), [0, 1, 2, 3]);
        assert_eq!(first(&[1, 1, 1, 0], 2), [0, 3], "of equal fractions, the class of the smaller number");
    }

    #[test]
    fn a_seed_gives_one_split_and_another_seed_another() {
        let labels: Vec<u32> = (0..101).map(|i| i % 10).collect();
        let halves_of = |seed| halves(&labels, seed).unwrap();
        assert_eq!(halves_of(1), halves_of(1));
        assert_ne!(halves_of(1), halves_of(2));
        check(&labels, 50, &halves_of(1));
    }

    #[test]
    fn the_test_split_never_changes() {
        // Figures of one version are compared with those of another: this pins what they stand on.
        let labels: Vec<u32> = (0..40).map(|i| i % 4).collect();
        assert_eq!(stratified(&labels, 8, TEST_SEED).unwrap().1, [1, 4, 17, 18, 19, 24, 26, 27]);
    }

    #[test]
    fn halving_after_holding_out_is_a_draw_of_its_own() {
        let labels = vec![0; 100];
        assert_ne!(held_out(&labels, 50, 3).unwrap(), halves(&labels, 3).unwrap());
    }

    #[test]
    fn a_part_of_nothing_is_refused() {
        assert!(matches!(halves(&[0], 1), Err(DataError::Split { count: 0, total: 1 })));
        assert!(halves(&[], 1).is_err());
        assert!(held_out(&[0, 1], 2, 1).is_err());
        let four = Images::new([1, 1, 1], vec![0; 4], vec![0; 4], vec!["a".into()]).unwrap();
        assert!(test_fifth(&four).is_err());
    }
}
