//! Normal noise that differs from step to step: y\[i\] of N(0, 1), of nothing but seed, stream, step and place.
//!
//! The words of block b are philox(key, [b, stream, step counter, 3]); element i belongs to block i/4, and its four
//! numbers are made as those of [`philox::NORMAL`](super::philox::NORMAL). What tells the two apart is where the counter
//! comes from: here a recording that is replayed reads it from the step buffer.

use super::philox::{normal, normals};
use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::parallel::pieces;
use crate::kernels::launch::by_element;
use crate::params;
use crate::random::philox;

params! {
    /// Parameters of [`NOISE`].
    pub struct Params {
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
        /// Stream of random numbers: one for each use in a network.
        pub stream: u32,
        /// Lower half of the seed.
        pub seed_low: u32,
        /// Upper half of the seed.
        pub seed_high: u32,
        /// Where in the step buffer the counter of steps lies.
        pub counter: u32,
    }
}

/// y = standard normal numbers.
pub static NOISE: Kernel = Kernel {
    name: "noise",
    source: wgsl!("include/philox", "include/normal", "noise"),
    params: Params::LAYOUT,
    inputs: &["step: u32"],
    outputs: &["y"],
    launch: |params, class| by_element(bytemuck::pod_read_unaligned::<Params>(params).count.div_ceil(4).into(), class),
    flops: |params| 80 * u64::from(bytemuck::pod_read_unaligned::<Params>(params).count.div_ceil(4)),
    twin,
    reference,
    cases: || SIZES.map(|count| case(count).within(1e-6)).into(),
    benches: || vec![case(16 * 16 * 32 * 32)],
};

/// What the blocks of a call are made of: key, and the counter of the first one.
fn blocks(call: &Call<'_>, p: &Params) -> ([u32; 2], [u32; 4]) {
    let counter = call.input_words(0)[p.counter as usize];
    ([p.seed_low, p.seed_high], [0, p.stream, counter, 3])
}

fn twin(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (key, [_, rest @ ..]) = blocks(call, &p);
    let [stream, counter, purpose] = rest;
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    pieces(y, |first, y| normals(key, [(first / 4) as u32, stream, counter, purpose], y));
}

fn reference(call: &mut Call<'_>) {
    let p: Params = call.params();
    let (key, [_, stream, counter, purpose]) = blocks(call, &p);
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    for (block, y) in y.chunks_mut(4).enumerate() {
        y.copy_from_slice(&normal(philox(key, [block as u32, stream, counter, purpose]))[..y.len()]);
    }
}

/// Parts of a block, a workgroup's blocks, and sizes that no block divides.
const SIZES: [u32; 7] = [1, 2, 3, 4, 256, 1001, 20_003];

fn case(count: u32) -> Case {
    let p = Params { y: 3, count, stream: 9, seed_low: 0xDEAD_BEEF, seed_high: 0x0123_4567, counter: 1 };
    Case::new(format!("{count} elements"), &p).words(&[0, 12_345]).result(count as usize + 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(p: Params, step: &[u32]) -> Vec<f32> {
        let mut y = vec![0u32; p.count as usize];
        (NOISE.twin)(&mut Call::new(bytemuck::bytes_of(&p), vec![step], vec![y.as_mut_slice()]));
        bytemuck::cast_slice(&y).to_vec()
    }

    #[test]
    fn it_is_normal_and_new_in_each_step_and_stream() {
        let p = Params { count: 50_000, ..Params::default() };
        let y = drawn(p, &[7]);
        let moment = |power: i32| y.iter().map(|&v| f64::from(v).powi(power)).sum::<f64>() / 50_000.0;
        assert!(moment(1).abs() < 0.02 && (moment(2) - 1.0).abs() < 0.03, "{} {}", moment(1), moment(2));
        let other = drawn(p, &[8]);
        let products: f64 = y.iter().zip(&other).map(|(a, b)| f64::from(a * b)).sum();
        assert!((products / 50_000.0).abs() < 0.02, "two steps are independent");
        assert_eq!(y, drawn(p, &[7]));
        assert_ne!(y, drawn(Params { stream: 1, ..p }, &[7]));
        assert_ne!(y, drawn(Params { seed_high: 1, ..p }, &[7]));
        assert_eq!(y, drawn(Params { counter: 1, ..p }, &[9, 7]));
    }
}
