//! The order of items in each layer, so that few arrows cross.

use super::plan::Plan;

/// Sweeps down and up; each sorts a layer by the mean place of its neighbours.
const SWEEPS: usize = 12;
/// Above so many items, exchanging neighbours one by one would take too long.
const SMALL: usize = 400;
/// Shuffled orders to start from.
const SHUFFLES: usize = 10;

/// Orders the layers of a plan by barycentres and by exchanging neighbours: from its own order, from
/// the reverse, and from a few shuffled ones, since each may end in a different local minimum. Keeps what
/// crosses least, of equals the first. The shuffles are always the same: so is the result.
pub(super) fn reduce_crossings(plan: &mut Plan) {
    let count = plan.items.len();
    let (mut before, mut after) = (vec![Vec::new(); count], vec![Vec::new(); count]);
    for piece in &plan.pieces {
        before[piece.to].push(piece.from);
        after[piece.from].push(piece.to);
    }
    let start = plan.layers.clone();
    let mut best = (crossings(plan, &after), start.clone());
    let starts = if count <= SMALL { 2 + SHUFFLES } else { 2 };
    for attempt in 0..starts {
        plan.layers = start.clone();
        match attempt {
            0 => {}
            1 => plan.layers.iter_mut().for_each(|layer| layer.reverse()),
            _ => plan.layers.iter_mut().for_each(|layer| shuffle(layer, attempt as u64)),
        }
        for sweep in 0..SWEEPS {
            if best.0 == 0 {
                break;
            }
            let down = sweep % 2 == 0;
            let mut ranks = plan.ranks();
            for step in 0..plan.layers.len() {
                let layer = if down { step } else { plan.layers.len() - 1 - step };
                let neighbours = if down { &before } else { &after };
                sort(&mut plan.layers[layer], neighbours, &mut ranks);
            }
            if count <= SMALL {
                exchange(plan, &before, &after);
            }
            let found = crossings(plan, &after);
            if found < best.0 {
                best = (found, plan.layers.clone());
            }
        }
    }
    plan.layers = best.1;
}

/// Puts a layer into an arbitrary order that depends on `seed` alone.
fn shuffle(layer: &mut [usize], seed: u64) {
    // The multiplier of a well-known hash (the golden ratio in 64 bits): any mixing will do here.
    layer.sort_by_key(|&item| (item as u64 + 1).wrapping_mul(seed * 2 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20);
}

/// Sorts one layer by the mean rank of neighbours; items without any stay where they are.
fn sort(layer: &mut [usize], neighbours: &[Vec<usize>], ranks: &mut [usize]) {
    let mean = |item: usize| {
        let near = &neighbours[item];
        near.iter().map(|&n| ranks[n] as f64).sum::<f64>() / near.len() as f64
    };
    let movable: Vec<usize> = (0..layer.len()).filter(|&i| !neighbours[layer[i]].is_empty()).collect();
    let mut keyed: Vec<(f64, usize)> = movable.iter().map(|&i| (mean(layer[i]), layer[i])).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (&place, (_, item)) in movable.iter().zip(keyed) {
        layer[place] = item;
    }
    for (rank, &item) in layer.iter().enumerate() {
        ranks[item] = rank;
    }
}

/// Exchanges neighbours in a layer as long as that removes crossings.
fn exchange(plan: &mut Plan, before: &[Vec<usize>], after: &[Vec<usize>]) {
    let mut ranks = plan.ranks();
    for _ in 0..8 {
        let mut improved = false;
        for layer in &mut plan.layers {
            for place in 1..layer.len() {
                let (a, b) = (layer[place - 1], layer[place]);
                let now = pairs(&before[a], &before[b], &ranks) + pairs(&after[a], &after[b], &ranks);
                let then = pairs(&before[b], &before[a], &ranks) + pairs(&after[b], &after[a], &ranks);
                if then < now {
                    layer.swap(place - 1, place);
                    ranks.swap(a, b);
                    improved = true;
                }
            }
        }
        if !improved {
            break;
        }
    }
}

/// Crossings between the arrows of two items where the first lies before the second.
fn pairs(first: &[usize], second: &[usize], ranks: &[usize]) -> usize {
    first.iter().map(|&f| second.iter().filter(|&&s| ranks[s] < ranks[f]).count()).sum()
}

/// Number of crossings, by counting inversions with a Fenwick tree: O(E log V).
fn crossings(plan: &Plan, after: &[Vec<usize>]) -> usize {
    let ranks = plan.ranks();
    let mut total = 0;
    for window in plan.layers.windows(2) {
        let size = window[1].len();
        let mut tree = vec![0_usize; size + 1];
        let mut seen = 0;
        for &item in &window[0] {
            let mut ends: Vec<usize> = after[item].iter().map(|&n| ranks[n]).collect();
            ends.sort_unstable();
            for &end in &ends {
                let (mut at, mut not_beyond) = (end + 1, 0);
                while at > 0 {
                    not_beyond += tree[at];
                    at &= at - 1;
                }
                total += seen - not_beyond;
            }
            for &end in &ends {
                let mut at = end + 1;
                while at <= size {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                seen += 1;
            }
        }
    }
    total
}
