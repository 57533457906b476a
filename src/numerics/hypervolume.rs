//! The hypervolume of a set of points in several objectives, all of them minimised.

/// The volume that `points` dominate up to `reference`: the measure of what is at least as bad as one of them and not
/// worse than the reference in any objective (Zitzler and Thiele, 1998), in the product of the objectives' units.
///
/// Exact for any number of objectives: it slices along the last one until two are left (While et al., "A faster
/// algorithm for calculating hypervolume", 2006). For n points in d ≥ 2 objectives that takes n^(d−1) steps at worst.
/// Points that are not better than the reference in every objective add nothing. None without objectives, or if a point
/// has another number of them than the reference.
///
/// ```
/// use cellwright::numerics::hypervolume::hypervolume;
///
/// // Two rectangles of 2×1 and 1×2 that overlap in a square.
/// assert_eq!(hypervolume(&[[1.0, 2.0], [2.0, 1.0]], &[3.0, 3.0]), Some(3.0));
/// ```
pub fn hypervolume<P: AsRef<[f64]>>(points: &[P], reference: &[f64]) -> Option<f64> {
    let same = points.iter().all(|point| point.as_ref().len() == reference.len());
    if reference.is_empty() || !same {
        return None;
    }
    let better = |point: &&[f64]| point.iter().zip(reference).all(|(value, reference)| value < reference);
    let inside: Vec<&[f64]> = points.iter().map(AsRef::as_ref).filter(better).collect();
    Some(volume(inside, reference))
}

/// The volume of points that are all better than the reference, in as many of their first objectives as it has.
fn volume(mut points: Vec<&[f64]>, reference: &[f64]) -> f64 {
    let Some((&end, others)) = reference.split_last() else { return 1.0 };
    let last = others.len();
    points.sort_unstable_by(|a, b| a[last].total_cmp(&b[last]));
    if last == 1 {
        return area(&points, others[0], end);
    }
    // Between two neighbouring values of the last objective, the points with at most the lower one count. With one
    // objective alone that is the length from the least value.
    let mut sum = 0.0;
    for k in 0..points.len() {
        let next = points.get(k + 1).map_or(end, |point| point[last]);
        let thickness = next - points[k][last];
        if thickness > 0.0 {
            sum += thickness * volume(points[..=k].to_vec(), others);
        }
    }
    sum
}

/// The area of points of two objectives, sorted by the second.
fn area(points: &[&[f64]], width: f64, height: f64) -> f64 {
    let (mut sum, mut left) = (0.0, width);
    // Each adds a rectangle from its own first objective to the least one below it.
    for point in points {
        if point[0] < left {
            sum += (left - point[0]) * (height - point[1]);
            left = point[0];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    /// pymoo 0.6.2's `HV` of the first points of the sequence below (`tests/oracles/pareto.py`).
    #[test]
    fn volumes_are_those_of_pymoo() {
        let value = |k: usize| (k * k + 7 * k + 3) as f64 * 0.618_033_988_749_894_9 % 1.0;
        for (objectives, expected) in [
            (2, 0.778_888_080_843_484_4),
            (3, 0.581_233_886_099_899_7),
            (4, 0.299_942_551_394_695_1),
            (5, 0.236_787_772_925_760_45),
        ] {
            let points: Vec<Vec<f64>> =
                (0..20).map(|i| (0..objectives).map(|m| value(i * objectives + m)).collect()).collect();
            let found = hypervolume(&points, &vec![0.95; objectives]).unwrap();
            assert_relative_eq!(found, expected, max_relative = 1e-12);
        }
    }

    #[test]
    fn what_is_not_better_than_the_reference_adds_nothing() {
        let volume = |points: &[Vec<f64>]| hypervolume(points, &[1.0, 1.0, 1.0]);
        assert_eq!(volume(&[]), Some(0.0));
        assert_eq!(volume(&[vec![1.0, 0.0, 0.0], vec![0.5, 2.0, 0.0], vec![f64::NAN, 0.0, 0.0]]), Some(0.0));
        assert_eq!(volume(&[vec![0.5; 3], vec![1.0, 0.0, 0.0]]), Some(0.125));
        assert_eq!(volume(&[vec![0.5; 2]]), None);
        assert_eq!(hypervolume::<Vec<f64>>(&[], &[]), None);
        assert_eq!(hypervolume(&[[3.0], [1.5], [2.0]], &[4.0]), Some(2.5));
    }

    proptest! {
        /// On a grid of integers the volume is the number of unit cubes that a point dominates.
        #[test]
        fn volumes_count_cubes(
            points in prop::collection::vec(prop::collection::vec((0..6u8).prop_map(f64::from), 4), 0..12),
            objectives in 1usize..=4,
        ) {
            let cut: Vec<&[f64]> = points.iter().map(|point| &point[..objectives]).collect();
            let side = 5usize;
            let cubes = (0..side.pow(objectives as u32))
                .filter(|cube| {
                    cut.iter().any(|point| {
                        point.iter().enumerate().all(|(m, &value)| value <= (cube / side.pow(m as u32) % side) as f64)
                    })
                })
                .count();
            prop_assert_eq!(hypervolume(&cut, &vec![side as f64; objectives]), Some(cubes as f64));
        }
    }
}
