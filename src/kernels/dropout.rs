//! Dropout and drop-path: y (+)= x/(1 − p) where kept, else 0; the same kernel on dy is the backward pass.
//!
//! Element i follows decision d = i/group: it is kept if u ≥ p, where u is the first uniform number of
//! philox(key, [d, stream, step counter, 1]). group = 1 is dropout; group = channels·pixels is drop-path,
//! one decision an image. Decisions are the same on every device; p = 0 is exactly the identity.

use super::philox::{LANES, side_by_side};
use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::parallel::pieces;
use crate::kernels::launch::by_element;
use crate::params;
use crate::random::{philox, uniform};
use multiversion::multiversion;

/// `Params::probability_at` where the probability is `Params::probability`.
pub const CONSTANT: u32 = u32::MAX;

params! {
    /// Parameters of [`DROPOUT`].
    pub struct Params {
        /// Offset of x.
        pub x: u32,
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
        /// Neighbouring elements that are kept or dropped together, at least 1.
        pub group: u32,
        /// Stream of random numbers: one for each use in a network.
        pub stream: u32,
        /// Lower half of the seed.
        pub seed_low: u32,
        /// Upper half of the seed.
        pub seed_high: u32,
        /// Where in the step buffer the counter of steps lies.
        pub counter: u32,
        /// Where in the step buffer the probability of dropping lies (a float32's bits), or [`CONSTANT`].
        pub probability_at: u32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
        /// Probability of dropping, in [0, 1], if it is not in the step buffer.
        pub probability: f32,
    }
}

/// y (+)= keep ? x/(1 − p) : 0.
pub static DROPOUT: Kernel = Kernel {
    name: "dropout",
    source: wgsl!("include/philox", "dropout"),
    params: Params::LAYOUT,
    inputs: &["x", "step: u32"],
    outputs: &["y"],
    launch: |params, class| by_element(bytemuck::pod_read_unaligned::<Params>(params).count.into(), class),
    flops: |params| {
        let p: Params = bytemuck::pod_read_unaligned(params);
        u64::from(p.count) + 80 * u64::from(p.count / p.group.max(1))
    },
    twin: dropout,
    reference,
    cases,
    benches: || {
        let p = Params { count: 16 * 16 * 32 * 32, probability: 0.2, ..CASE };
        vec![case(Params { group: 1, ..p }), case(Params { group: 16 * 32 * 32, ..p })]
    },
};

fn dropout(call: &mut Call<'_>) {
    let p: Params = call.params();
    let x = &call.input(0)[p.x as usize..][..p.count as usize];
    let step = call.input_words(1);
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    let probability = match p.probability_at {
        CONSTANT => p.probability,
        at => f32::from_bits(step[at as usize]),
    };
    let counter = step[p.counter as usize];
    let scale = 1.0 / (1.0 - probability);
    let key = [p.seed_low, p.seed_high];
    let keep = |decision: u32| uniform(philox(key, [decision, p.stream, counter, 1])[0]) >= probability;
    let group = p.group as usize;
    if group == 1 {
        return pieces(y, |first, y| {
            let counter = [first as u32, p.stream, counter, 1];
            each_alone(key, counter, probability, &x[first..first + y.len()], y, p.accumulate != 0);
        });
    }
    pieces(y, |first, y| {
        let mut at = first;
        let end = first + y.len();
        while at < end {
            let decision = at / group;
            let next = ((decision + 1) * group).min(end);
            let (x, y) = (&x[at..next], &mut y[at - first..next - first]);
            match (keep(decision as u32), p.accumulate != 0) {
                (true, false) => y.iter_mut().zip(x).for_each(|(y, x)| *y = x * scale),
                (true, true) => y.iter_mut().zip(x).for_each(|(y, x)| *y += x * scale),
                (false, false) => y.fill(0.0),
                (false, true) => {}
            }
            at = next;
        }
    });
}

/// Every element with a decision of its own.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
fn each_alone(key: [u32; 2], counter: [u32; 4], probability: f32, x: &[f32], y: &mut [f32], accumulate: bool) {
    let scale = 1.0 / (1.0 - probability);
    let [first, stream, step, purpose] = counter;
    for (i, (x, y)) in x.chunks(LANES).zip(y.chunks_mut(LANES)).enumerate() {
        let [words, ..] = side_by_side(key, [first.wrapping_add((i * LANES) as u32), stream, step, purpose]);
        for ((x, y), word) in x.iter().zip(y).zip(words) {
            let value = if uniform(word) >= probability { x * scale } else { 0.0 };
            *y = if accumulate { *y + value } else { value };
        }
    }
}

fn reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let x = &call.input(0)[p.x as usize..][..p.count as usize];
    let step = call.input_words(1);
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    let probability = match p.probability_at {
        CONSTANT => p.probability,
        at => f32::from_bits(step[at as usize]),
    };
    for (i, (x, y)) in x.iter().zip(y).enumerate() {
        let counter = [i as u32 / p.group, p.stream, step[p.counter as usize], 1];
        let keep = uniform(philox([p.seed_low, p.seed_high], counter)[0]) >= probability;
        let value = if keep { x / (1.0 - probability) } else { 0.0 };
        *y = if p.accumulate != 0 { *y + value } else { value };
    }
}

const CASE: Params = Params {
    x: 3,
    y: 2,
    count: 0,
    group: 1,
    stream: 9,
    seed_low: 0xDEAD_BEEF,
    seed_high: 0x0123_4567,
    counter: 1,
    probability_at: CONSTANT,
    accumulate: 0,
    probability: 0.3,
};

fn case(p: Params) -> Case {
    let place = if p.probability_at == CONSTANT { "parameters" } else { "step buffer" };
    let label = format!(
        "{} elements in groups of {}, p {} in the {place}, accumulate {}",
        p.count, p.group, p.probability, p.accumulate
    );
    Case::new(label, &p)
        .noise(p.count as usize + 4, 1)
        .words(&[0, 12_345, p.probability.to_bits()])
        .result(p.count as usize + 5)
        .within(1e-6)
}

fn cases() -> Vec<Case> {
    let sizes = [(1, 1), (1000, 1), (20_001, 1), (15, 3), (35 * 6, 35), (64 * 5 - 3, 64), (9000, 4500)];
    let mut cases = Vec::new();
    for (count, group) in sizes {
        for accumulate in [0, 1] {
            let p = Params { count, group, accumulate, ..CASE };
            cases.push(case(p));
            cases.push(case(Params { probability_at: 2, probability: 0.6, ..p }));
            cases.push(case(Params { probability: 0.0, ..p }).exactly());
            // Everything is dropped: 0, though the scale is infinite.
            cases.push(case(Params { probability: 1.0, ..p }).exactly());
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(p: Params, x: &[f32]) -> Vec<f32> {
        let step = [0u32, 12_345];
        let mut y = vec![0u32; x.len()];
        let p = Params { x: 0, y: 0, count: x.len() as u32, ..p };
        let inputs = vec![bytemuck::cast_slice(x), &step[..]];
        (DROPOUT.twin)(&mut Call::new(bytemuck::bytes_of(&p), inputs, vec![y.as_mut_slice()]));
        bytemuck::cast_slice(&y).to_vec()
    }

    #[test]
    fn the_mean_stays_and_groups_stay_together() {
        let ones = vec![1.0; 50_000];
        let y = dropped(CASE, &ones);
        assert!((y.iter().sum::<f32>() / 50_000.0 - 1.0).abs() < 0.02);
        let grouped = dropped(Params { group: 50, ..CASE }, &ones);
        assert!(grouped.chunks(50).all(|g| g.iter().all(|v| *v == g[0])));
        assert!(grouped.contains(&0.0) && grouped.iter().any(|v| *v > 1.0));
    }

    #[test]
    fn nothing_dropped_is_the_identity() {
        let x = crate::device::noise(999, 1);
        assert_eq!(dropped(Params { probability: 0.0, ..CASE }, &x), x);
    }
}
