//! Which points are better in several objectives, all of them minimised: dominance, fronts, and the order of NSGA-II
//! (Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", 2002).
//!
//! What is not a number counts as worse than any number.

use std::cmp::Ordering;

/// The order of two values of an objective, the better one first.
fn by_value(a: f64, b: f64) -> Ordering {
    // Zeros of both signs are equal, which `total_cmp` alone would not say.
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Whether `a` is at least as good as `b` in every objective and better in one.
pub fn dominates(a: &[f64], b: &[f64]) -> bool {
    let mut orders = a.iter().zip(b).map(|(&a, &b)| by_value(a, b));
    let mut better = false;
    orders.all(|order| {
        better |= order.is_lt();
        order.is_le()
    }) && better
}

/// The indices of `points` by fronts: the first has those that none dominates, each next one those that only points of
/// earlier fronts dominate. Ascending within a front; time grows with the square of the number of points.
///
/// ```
/// use cellwright::numerics::pareto::fronts;
///
/// let points = [[2.0, 2.0], [1.0, 3.0], [2.0, 3.0], [3.0, 1.0]];
/// assert_eq!(fronts(&points), [vec![0, 1, 3], vec![2]]);
/// ```
pub fn fronts<P: AsRef<[f64]>>(points: &[P]) -> Vec<Vec<usize>> {
    // By how many points each is dominated, and which it dominates.
    let mut above = vec![0usize; points.len()];
    let mut below = vec![Vec::new(); points.len()];
    for (i, a) in points.iter().enumerate() {
        for (j, b) in points.iter().enumerate() {
            if dominates(a.as_ref(), b.as_ref()) {
                below[i].push(j);
                above[j] += 1;
            }
        }
    }
    let mut fronts = Vec::new();
    let mut front: Vec<usize> = (0..points.len()).filter(|&i| above[i] == 0).collect();
    while !front.is_empty() {
        let mut next = Vec::new();
        for &worse in front.iter().flat_map(|&i| &below[i]) {
            above[worse] -= 1;
            if above[worse] == 0 {
                next.push(worse);
            }
        }
        next.sort_unstable();
        fronts.push(std::mem::replace(&mut front, next));
    }
    fronts
}

/// The indices of `points` that none dominates, ascending: the first of [`fronts`], in time that grows with the number of points times
/// that of those on the front.
///
/// ```
/// use cellwright::numerics::pareto::front;
///
/// assert_eq!(front(&[[2.0, 2.0], [1.0, 3.0], [2.0, 3.0], [3.0, 1.0]]), [0, 1, 3]);
/// ```
pub fn front<P: AsRef<[f64]>>(points: &[P]) -> Vec<usize> {
    let earlier = |a: &P, b: &P| {
        let orders = a.as_ref().iter().zip(b.as_ref()).map(|(&a, &b)| by_value(a, b));
        orders.fold(Ordering::Equal, Ordering::then)
    };
    // What dominates a point is better where they differ first: it comes earlier.
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&a, &b| earlier(&points[a], &points[b]));
    let mut front: Vec<usize> = Vec::new();
    for at in order {
        if !front.iter().any(|&known| dominates(points[known].as_ref(), points[at].as_ref())) {
            front.push(at);
        }
    }
    front.sort_unstable();
    front
}

/// How much room each of `points`, which form a front, has: the sum over objectives of the gap between its neighbours
/// as a share of the front's range. Those at the ends of an objective have infinitely much; of equal ends the first of
/// the least and the last of the greatest. An objective without a finite range above 0 tells none apart.
pub fn crowding<P: AsRef<[f64]>>(points: &[P]) -> Vec<f64> {
    let mut room = vec![0.0; points.len()];
    if points.len() <= 2 {
        return vec![f64::INFINITY; points.len()];
    }
    let objectives = points.iter().map(|point| point.as_ref().len()).min().unwrap_or(0);
    for objective in 0..objectives {
        let value = |i: usize| points[i].as_ref()[objective];
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| by_value(value(a), value(b)));
        let (first, last) = (order[0], order[points.len() - 1]);
        let range = value(last) - value(first);
        if !(range > 0.0 && range.is_finite()) {
            continue;
        }
        room[first] = f64::INFINITY;
        room[last] = f64::INFINITY;
        for three in order.windows(3) {
            room[three[1]] += (value(three[2]) - value(three[0])) / range;
        }
    }
    room
}

/// The indices of `points` in the order in which NSGA-II keeps them: by fronts, in a front by how much room they have,
/// the most first, and by index where that is equal. The first n are the survivors of an environmental selection.
pub fn order<P: AsRef<[f64]>>(points: &[P]) -> Vec<usize> {
    let mut order = Vec::with_capacity(points.len());
    for front in fronts(points) {
        let room = crowding(&front.iter().map(|&i| points[i].as_ref()).collect::<Vec<_>>());
        let mut places: Vec<usize> = (0..front.len()).collect();
        places.sort_by(|&a, &b| room[b].total_cmp(&room[a]));
        order.extend(places.into_iter().map(|place| front[place]));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use proptest::prelude::*;

    #[test]
    fn dominance_needs_one_better_and_none_worse() {
        for (a, b, expected) in [
            (&[1.0, 2.0][..], &[1.0, 3.0][..], true),
            (&[1.0, 3.0], &[1.0, 2.0], false),
            (&[1.0, 2.0], &[1.0, 2.0], false),
            (&[0.0, 3.0], &[1.0, 2.0], false),
            (&[-0.0], &[0.0], false),
            (&[f64::INFINITY], &[f64::NAN], true),
            (&[f64::NAN], &[1.0], false),
            (&[f64::NAN, 1.0], &[f64::NAN, 2.0], true),
            (&[], &[], false),
        ] {
            assert_eq!(dominates(a, b), expected, "{a:?} {b:?}");
        }
    }

    /// pymoo 0.6.2: `NonDominatedSorting`, `calc_crowding_distance` without its division by the number of objectives
    /// (`tests/oracles/pareto.py`).
    #[test]
    fn fronts_and_room_are_those_of_pymoo() {
        let points: Vec<[f64; 3]> = vec![
            [0.854, 0.798, 0.979],
            [0.395, 0.048, 0.936],
            [0.061, 0.421, 0.018],
            [0.851, 0.92, 0.225],
            [0.766, 0.543, 0.556],
            [0.805, 0.291, 0.012],
            [0.969, 0.163, 0.592],
            [0.258, 0.16, 0.298],
            [0.671, 0.281, 0.127],
            [0.209, 0.527, 0.082],
            [0.872, 0.898, 0.161],
            [0.659, 0.393, 0.364],
        ];
        assert_eq!(fronts(&points), [vec![1, 2, 5, 7, 8], vec![6, 9, 11], vec![3, 4, 10], vec![0]]);
        let first: Vec<[f64; 3]> = fronts(&points)[0].iter().map(|&i| points[i]).collect();
        for (found, expected) in crowding(&first).into_iter().zip([
            f64::INFINITY,
            f64::INFINITY,
            f64::INFINITY,
            1.949_130_736_080_489_7,
            1.205_312_006_163_861_1,
        ]) {
            assert_relative_eq!(found, expected, max_relative = 1e-12);
        }
    }

    #[test]
    fn a_front_is_the_first_of_all_also_of_what_is_no_number() {
        let points = [[f64::NAN, 1.0], [f64::NAN, f64::NAN], [-0.0, 2.0], [0.0, 2.0], [0.0, f64::INFINITY], [1.0, 1.0]];
        assert_eq!(front(&points), [2, 3, 5]);
        assert_eq!(front(&points), fronts(&points)[0]);
    }

    #[test]
    fn room_is_a_share_of_the_range() {
        let points = [[0.0, 10.0], [4.0, 0.0], [1.0, 6.0], [3.0, 5.0]];
        let room = crowding(&points);
        assert_eq!(room[..2], [f64::INFINITY; 2]);
        assert_relative_eq!(room[2], 3.0 / 4.0 + 5.0 / 10.0, max_relative = 1e-12);
        assert_relative_eq!(room[3], 3.0 / 4.0 + 6.0 / 10.0, max_relative = 1e-12);
        assert_eq!(order(&points), [0, 1, 3, 2]);
    }

    #[test]
    fn few_and_equal_points_have_room() {
        assert!(crowding::<[f64; 2]>(&[]).is_empty());
        assert_eq!(crowding(&[[1.0], [2.0]]), [f64::INFINITY; 2]);
        assert_eq!(crowding(&[[3.0], [1.0], [2.0]]), [f64::INFINITY, f64::INFINITY, 1.0]);
        assert_eq!(crowding(&[[1.0, 2.0]; 4]), [0.0; 4]);
        assert_eq!(crowding(&[[0.0, f64::INFINITY], [1.0, 2.0], [3.0, 1.0]])[1], 1.0);
        assert_eq!(order(&[[1.0, 2.0]; 3]), [0, 1, 2]);
    }

    proptest! {
        /// On a coarse grid, so that there are equal values: the k-th front are those whose longest chain of dominating
        /// points has k others, which is another way to say it.
        #[test]
        fn fronts_are_lengths_of_chains(
            points in prop::collection::vec(prop::collection::vec((0..4u8).prop_map(f64::from), 3), 0..25),
        ) {
            let found = fronts(&points);
            prop_assert_eq!(front(&points), found.first().cloned().unwrap_or_default());
            let mut rank = vec![0usize; points.len()];
            // Each dominating point has a smaller sum, so that the longest chains are known in this order.
            let mut by_sum: Vec<usize> = (0..points.len()).collect();
            by_sum.sort_by(|&a, &b| points[a].iter().sum::<f64>().total_cmp(&points[b].iter().sum()));
            for &i in &by_sum {
                let under = |j: &usize| (0..3).all(|m| points[*j][m] <= points[i][m]) && points[*j] != points[i];
                rank[i] = (0..points.len()).filter(under).map(|j| rank[j] + 1).max().unwrap_or(0);
            }
            let expected: Vec<Vec<usize>> = (0..=rank.iter().copied().max().unwrap_or(0))
                .map(|front| (0..points.len()).filter(|&i| rank[i] == front).collect())
                .filter(|front: &Vec<usize>| !front.is_empty())
                .collect();
            prop_assert_eq!(found, expected);
        }

        /// Every point is there once, no later one dominates an earlier one, and shifts and scales change nothing.
        #[test]
        fn an_order_is_a_permutation_without_inversions(
            points in prop::collection::vec(prop::collection::vec(0.0..1.0f64, 2), 1..30),
        ) {
            let found = order(&points);
            let mut sorted = found.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, (0..points.len()).collect::<Vec<_>>());
            for (at, &i) in found.iter().enumerate() {
                prop_assert!(found[at..].iter().all(|&j| !dominates(&points[j], &points[i])));
            }
            // By a power of two, so that nothing is rounded.
            let scaled: Vec<Vec<f64>> = points.iter().map(|point| vec![4.0 * point[0], point[1]]).collect();
            prop_assert_eq!(order(&scaled), found);
        }
    }
}
