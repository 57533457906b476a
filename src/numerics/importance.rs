//! Which decisions matter: a functional analysis of variance by a forest of regression trees (Hutter, Hoos and Leyton-Brown, ICML 2014).
//!
//! A tree predicts a constant on each of its leaves, which are boxes: a set of options for each decision. So the mean of a tree over
//! all decisions but one is a finite sum, and so is the variance of that mean over the options of the one: its main effect. Its share of the
//! tree's whole variance, averaged over trees that were each grown on other draws of the rows, is the decision's importance. What the
//! shares lack of 1 is what decisions do only together.
//!
//! Decisions have options without an order. Of two sets of options the best division is found exactly, by their order of means (Fisher 1958).

use crate::random::Random;

/// Trees of a forest.
const TREES: u64 = 32;
/// The fewest rows of a leaf.
const LEAF: usize = 2;
/// Of the decisions that could divide a node so many in so many are looked at.
const LOOKED_AT: (usize, usize) = (5, 6);

/// The share of the variance of `values` that each decision has by itself. A row holds, for each decision, an option below
/// `options`; `values` belong to the rows. None where there are fewer than two options or values to tell apart, or a row or value is
/// not as it should be.
///
/// ```
/// use cellwright::numerics::importance::importance;
///
/// // All that matters is the first of two decisions.
/// let rows: Vec<Vec<usize>> = (0..60).map(|n| vec![n % 3, n / 3 % 2]).collect();
/// let values: Vec<f64> = rows.iter().map(|row| row[0] as f64).collect();
/// let shares = importance(&[3, 2], &rows, &values, 0).unwrap();
/// assert!(shares[0] > 0.95 && shares[1] < 0.05);
/// ```
pub fn importance(options: &[usize], rows: &[Vec<usize>], values: &[f64], seed: u64) -> Option<Vec<f64>> {
    let fits = |row: &Vec<usize>| row.len() == options.len() && row.iter().zip(options).all(|(option, of)| option < of);
    let is_sound = rows.len() == values.len() && rows.iter().all(fits) && values.iter().all(|value| value.is_finite());
    if !is_sound || values.len() < 2 * LEAF {
        return None;
    }
    // By decision, so that what is counted together lies together.
    let columns: Vec<Vec<usize>> = (0..options.len()).map(|at| rows.iter().map(|row| row[at]).collect()).collect();
    let mut shares = vec![0.0; options.len()];
    let mut trees = 0;
    for tree in 0..TREES {
        let mut random = Random::new(seed, tree);
        let drawn: Vec<usize> = (0..rows.len()).map(|_| random.below(rows.len())).collect();
        let mut moments = Moments::new(options);
        let whole = vec![true; options.iter().sum()];
        Grower { options, columns: &columns, values, random: &mut random, moments: &mut moments }.grow(drawn, whole);
        if let Some(of_tree) = moments.shares() {
            shares.iter_mut().zip(of_tree).for_each(|(share, of_tree)| *share += of_tree);
            trees += 1;
        }
    }
    (trees > 0).then(|| shares.into_iter().map(|share| share / f64::from(trees)).collect())
}

/// What a tree's leaves add up to.
struct Moments {
    mean: f64,
    square: f64,
    /// The mean over all other decisions, by decision and option.
    marginals: Vec<Vec<f64>>,
}

impl Moments {
    fn new(options: &[usize]) -> Self {
        Self { mean: 0.0, square: 0.0, marginals: options.iter().map(|&of| vec![0.0; of]).collect() }
    }

    /// Adds a leaf: what it predicts, and the options that lead there.
    fn add(&mut self, value: f64, leaf: &[bool]) {
        let mut rest = leaf;
        let mut parts = Vec::with_capacity(self.marginals.len());
        for marginal in &self.marginals {
            let (taken, after) = rest.split_at(marginal.len());
            parts.push(taken.iter().filter(|taken| **taken).count() as f64 / taken.len() as f64);
            rest = after;
        }
        let size: f64 = parts.iter().product();
        self.mean += size * value;
        self.square += size * value * value;
        let mut taken = leaf.iter();
        for (marginal, part) in self.marginals.iter_mut().zip(&parts) {
            for (sum, _) in marginal.iter_mut().zip(taken.by_ref()).filter(|(_, taken)| **taken) {
                *sum += size / part * value;
            }
        }
    }

    /// Shares of the whole variance; none where there is none.
    fn shares(&self) -> Option<Vec<f64>> {
        let whole = self.square - self.mean * self.mean;
        let least = 1e-12 * self.square.abs().max(f64::MIN_POSITIVE);
        let share = |marginal: &Vec<f64>| {
            let squares: f64 = marginal.iter().map(|value| (value - self.mean).powi(2)).sum();
            squares / marginal.len() as f64 / whole
        };
        (whole > least).then(|| self.marginals.iter().map(share).collect())
    }
}

struct Grower<'a> {
    options: &'a [usize],
    /// The option of each row, by decision.
    columns: &'a [Vec<usize>],
    values: &'a [f64],
    random: &'a mut Random,
    moments: &'a mut Moments,
}

/// A division of a node.
struct Split {
    decision: usize,
    /// Which of its options go left.
    left: Vec<bool>,
    /// By how much the sum of squares falls.
    gain: f64,
}

impl Grower<'_> {
    /// Grows the tree below a node: the rows in it, and the options that lead to it, decision by decision.
    fn grow(&mut self, node: Vec<usize>, within: Vec<bool>) {
        let best = (0..self.options.len())
            .filter_map(|decision| {
                let is_looked_at = self.random.below(LOOKED_AT.1) < LOOKED_AT.0;
                if is_looked_at { self.split(decision, &node) } else { None }
            })
            .reduce(|best, other| if other.gain > best.gain { other } else { best });
        let Some(Split { decision, left, .. }) = best else {
            let mean = node.iter().map(|&row| self.values[row]).sum::<f64>() / node.len() as f64;
            return self.moments.add(mean, &within);
        };
        let (to_left, to_right): (Vec<usize>, Vec<usize>) =
            node.into_iter().partition(|&row| left[self.columns[decision][row]]);
        let first: usize = self.options[..decision].iter().sum();
        let mut other = within.clone();
        let mut own = within;
        for (option, is_left) in (first..).zip(left) {
            own[option] &= is_left;
            other[option] &= !is_left;
        }
        self.grow(to_left, own);
        self.grow(to_right, other);
    }

    /// The best division of a node by a decision, if one leaves enough rows on both sides and tells them apart.
    fn split(&self, decision: usize, node: &[usize]) -> Option<Split> {
        let mut sums = vec![(0.0, 0usize); self.options[decision]];
        let column = &self.columns[decision];
        for &row in node {
            let (sum, count) = &mut sums[column[row]];
            (*sum, *count) = (*sum + self.values[row], *count + 1);
        }
        let mut present: Vec<usize> = (0..sums.len()).filter(|&option| sums[option].1 > 0).collect();
        present.sort_by(|&a, &b| (sums[a].0 / sums[a].1 as f64).total_cmp(&(sums[b].0 / sums[b].1 as f64)));
        let (sum, count) =
            present.iter().fold((0.0, 0), |all, &option| (all.0 + sums[option].0, all.1 + sums[option].1));
        let (mut below, mut best) = ((0.0, 0usize), None::<(usize, f64)>);
        for (at, &option) in present.iter().enumerate() {
            below = (below.0 + sums[option].0, below.1 + sums[option].1);
            let (few, many) = (below.1, count - below.1);
            if few < LEAF || many < LEAF {
                continue;
            }
            let gain =
                below.0 * below.0 / few as f64 + (sum - below.0).powi(2) / many as f64 - sum * sum / count as f64;
            if gain > best.map_or(1e-12 * sum.abs().max(1e-12), |(_, gain)| gain) {
                best = Some((at, gain));
            }
        }
        let (last, gain) = best?;
        // What no row has goes where more rows go.
        let few: usize = present[..=last].iter().map(|&option| sums[option].1).sum();
        let mut left = vec![2 * few > count; sums.len()];
        present.iter().enumerate().for_each(|(at, &option)| left[option] = at <= last);
        Some(Split { decision, left, gain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All combinations of options.
    fn grid(options: &[usize]) -> Vec<Vec<usize>> {
        options.iter().fold(vec![Vec::new()], |rows, &of| {
            let more = |row: &Vec<usize>| -> Vec<Vec<usize>> {
                (0..of).map(|option| row.iter().copied().chain([option]).collect()).collect()
            };
            rows.iter().flat_map(more).collect()
        })
    }

    fn of(options: &[usize], value: impl Fn(&[usize]) -> f64) -> Vec<f64> {
        let rows = grid(options);
        let values: Vec<f64> = rows.iter().map(|row| value(row)).collect();
        importance(options, &rows, &values, 7).unwrap()
    }

    /// Of 3a + b the variances are 9 and 1 times that of an option's number: 0.9 and 0.1 of the whole.
    #[test]
    fn shares_of_a_sum_are_those_of_its_terms() {
        let shares = of(&[5, 5, 3, 2], |row| 3.0 * row[0] as f64 + row[1] as f64);
        for (share, expected) in shares.iter().zip([0.9, 0.1, 0.0, 0.0]) {
            assert!((share - expected).abs() < 0.03, "{shares:?}");
        }
    }

    /// The order of options does not matter: here the middle one stands out.
    #[test]
    fn options_have_no_order() {
        let shares = of(&[3, 4, 4], |row| f64::from(row[0] == 1));
        assert!(shares[0] > 0.97 && shares[1] < 0.01 && shares[2] < 0.01, "{shares:?}");
    }

    /// Of a·b with options −1 and 1 neither has an effect by itself; of a·b + a half of the variance is that of a.
    #[test]
    fn what_decisions_do_together_belongs_to_none() {
        let sign = |option: usize| 2.0 * option as f64 - 1.0;
        let shares = of(&[2, 2, 4, 4], |row| sign(row[0]) * sign(row[1]));
        assert!(shares.iter().all(|share| *share < 0.06), "{shares:?}");
        let shares = of(&[2, 2, 4, 4], |row| sign(row[0]) * sign(row[1]) + sign(row[0]));
        assert!((shares[0] - 0.5).abs() < 0.06 && shares[1] < 0.06, "{shares:?}");
    }

    #[test]
    fn where_nothing_differs_nothing_is_said() {
        let rows = grid(&[3, 3]);
        assert_eq!(importance(&[3, 3], &rows, &[0.5; 9], 0), None);
        assert_eq!(importance(&[3, 3], &rows[..2], &[0.5, 0.7], 0), None);
        assert_eq!(importance(&[3, 2], &rows, &[0.5; 9], 0), None, "an option that there is not");
        let values: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(importance(&[3, 3], &rows, &values, 5), importance(&[3, 3], &rows, &values, 5));
    }
}
