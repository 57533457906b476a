//! Positions across, once the order in each layer is known.

use super::plan::{Plan, What};

/// Moves every item towards its neighbours in the layers beside it, keeping order and distances.
///
/// Each layer's turn is a least-squares problem with order constraints, solved exactly by [`spread`];
/// the layers take turns. Bends pull hardest, so that long arrows run straight.
pub(super) fn across(plan: &Plan) -> Vec<f64> {
    let mut y = vec![0.0; plan.items.len()];
    for layer in &plan.layers {
        let total: f64 = offsets(plan, layer).last().copied().unwrap_or(0.0);
        for (&item, offset) in layer.iter().zip(offsets(plan, layer)) {
            y[item] = offset - total / 2.0;
        }
    }
    // For each item: neighbour, strength of the pull, and where the neighbour wants it.
    let mut pulls: Vec<Vec<(usize, f64, f64)>> = vec![Vec::new(); plan.items.len()];
    for piece in &plan.pieces {
        let is_box = |item: usize| matches!(plan.items[item].what, What::Box(_));
        let weight = match (is_box(piece.from), is_box(piece.to)) {
            (true, true) => 1.0,
            (false, false) => 6.0,
            _ => 2.0,
        };
        pulls[piece.to].push((piece.from, weight, piece.leaves - piece.enters));
        pulls[piece.from].push((piece.to, weight, piece.enters - piece.leaves));
    }
    let rounds = (60_000 / plan.items.len().max(1)).clamp(12, 200);
    let spacing: Vec<Vec<f64>> = plan.layers.iter().map(|layer| offsets(plan, layer)).collect();
    for round in 0..rounds {
        for step in 0..plan.layers.len() {
            let index = if round % 2 == 0 { step } else { plan.layers.len() - 1 - step };
            let layer = &plan.layers[index];
            let wanted: Vec<(f64, f64)> = layer
                .iter()
                .map(|&item| {
                    let weight: f64 = pulls[item].iter().map(|p| p.1).sum();
                    if weight == 0.0 {
                        return (y[item], 0.1);
                    }
                    (pulls[item].iter().map(|&(near, w, shift)| w * (y[near] + shift)).sum::<f64>() / weight, weight)
                })
                .collect();
            for (&item, value) in layer.iter().zip(spread(&wanted, &spacing[index])) {
                y[item] = value;
            }
        }
    }
    y
}

/// Takes needless steps out of long arrows: where there is room, all bends (and the label) between
/// two boxes get one position, that of an end if possible; boxes in a row line up.
pub(super) fn straighten(plan: &Plan, y: &mut [f64]) {
    let spacing: Vec<Vec<f64>> = plan.layers.iter().map(|layer| offsets(plan, layer)).collect();
    let ranks = plan.ranks();
    for _ in 0..3 {
        align(plan, &spacing, &ranks, y);
        for chain in plan.chains.iter().filter(|chain| chain.len() > 1) {
            let (first, last) = (&plan.pieces[chain[0]], &plan.pieces[chain[chain.len() - 1]]);
            let inner: Vec<usize> = chain[1..].iter().map(|&p| plan.pieces[p].from).collect();
            let (start, end) = (y[first.from] + first.leaves, y[last.to] + last.enters);
            let fits = |from: usize, to: usize| room(plan, &spacing, &ranks, y, &inner[from..to]);
            // One level if any is free all the way; else two, changing where that costs least.
            let count = inner.len();
            let mut best: Option<(f64, Vec<f64>)> = None;
            let mean = inner.iter().map(|&item| y[item]).sum::<f64>() / count as f64;
            for turn in 1..=count {
                let (Some(a), Some(b)) = (fits(0, turn), if turn < count { fits(turn, count) } else { fits(0, count) })
                else {
                    continue;
                };
                for (one, two) in [(start, end), (start, start), (end, end), (mean, mean)] {
                    let one = one.clamp(a.0, a.1);
                    let two = if turn < count { two.clamp(b.0, b.1) } else { one };
                    let jumps = [one - start, two - one, end - two];
                    let cost: f64 = jumps.iter().map(|j| j.abs() + if j.abs() > 0.5 { 12.0 } else { 0.0 }).sum();
                    if best.as_ref().is_none_or(|(least, _)| cost < least - 1e-9) {
                        best = Some((cost, (0..count).map(|i| if i < turn { one } else { two }).collect()));
                    }
                }
            }
            if let Some((_, levels)) = best {
                for (&item, level) in inner.iter().zip(levels) {
                    y[item] = level;
                }
            }
        }
    }
}

/// The span in which all the items can have one position while the others stay where they are.
fn room(plan: &Plan, spacing: &[Vec<f64>], ranks: &[usize], y: &[f64], items: &[usize]) -> Option<(f64, f64)> {
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for &item in items {
        let (layer, place) = (plan.items[item].layer, ranks[item]);
        let (order, offsets) = (&plan.layers[layer], &spacing[layer]);
        if place > 0 {
            low = low.max(y[order[place - 1]] + offsets[place] - offsets[place - 1]);
        }
        if place + 1 < order.len() {
            high = high.min(y[order[place + 1]] - offsets[place + 1] + offsets[place]);
        }
    }
    (low <= high).then_some((low, high))
}

/// Puts boxes that follow one another, each the only one after the other, in one line where there is room.
fn align(plan: &Plan, spacing: &[Vec<f64>], ranks: &[usize], y: &mut [f64]) {
    let (mut only_before, mut only_after) = (vec![Vec::new(); plan.items.len()], vec![Vec::new(); plan.items.len()]);
    for piece in &plan.pieces {
        only_before[piece.to].push(piece.from);
        only_after[piece.from].push(piece.to);
    }
    let next = |item: usize| match only_after[item][..] {
        [next] if only_before[next].len() == 1 => Some(next),
        _ => None,
    };
    let begins = |item: usize| only_before[item].len() != 1 || next(only_before[item][0]).is_none();
    for first in (0..plan.items.len()).filter(|&item| begins(item)) {
        let run: Vec<usize> = std::iter::successors(Some(first), |&item| next(item)).collect();
        if run.len() > 1
            && let Some((low, high)) = room(plan, spacing, ranks, y, &run)
        {
            let mean = run.iter().map(|&item| y[item]).sum::<f64>() / run.len() as f64;
            run.iter().for_each(|&item| y[item] = mean.clamp(low, high));
        }
    }
}

/// Least distance of each item of a layer from the first one, centre to centre.
fn offsets(plan: &Plan, layer: &[usize]) -> Vec<f64> {
    let mut at = 0.0;
    let mut previous: Option<usize> = None;
    layer
        .iter()
        .map(|&item| {
            if let Some(last) = previous {
                let (a, b) = (&plan.items[last], &plan.items[item]);
                let gap = match (a.what, b.what) {
                    (What::Box(_), What::Box(_)) => 22.0,
                    (What::Box(_), _) | (_, What::Box(_)) => 16.0,
                    _ => 9.0,
                };
                at += (a.across + b.across) / 2.0 + gap;
            }
            previous = Some(item);
            at
        })
        .collect()
}

/// The positions nearest to the wanted ones (value and weight, least squares) that keep the order and
/// lie at least as far apart as `offsets` do.
///
/// With the offsets taken away this is isotonic regression: pools of adjacent violators take their
/// weighted mean.
pub(in crate::report) fn spread(wanted: &[(f64, f64)], offsets: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (&(value, weight), offset) in wanted.iter().zip(offsets) {
        let mut pool = (value - offset, weight, 1);
        while let Some(&(mean, mass, count)) = pools.last()
            && mean > pool.0
        {
            let total = mass + pool.1;
            pool = ((mean * mass + pool.0 * pool.1) / total, total, count + pool.2);
            pools.pop();
        }
        pools.push(pool);
    }
    let means = pools.iter().flat_map(|&(mean, _, count)| std::iter::repeat_n(mean, count));
    means.zip(offsets).map(|(mean, offset)| mean + offset).collect()
}
