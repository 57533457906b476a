//! Random numbers on the device, the same on every device: Philox 4x32-10 blocks of four words, made
//! uniform or normal.
//!
//! The words of block b are philox(key [seed_low, seed_high], counter [b, stream, counter, 0]); element i
//! belongs to block i/4. The last word of the counter keeps these numbers apart from those of
//! [`dropout`](super::dropout) (1) and [`gather`](super::gather) (2).

use super::parallel::{PIECE, pieces_of};
use crate::device::{Call, Case, Kernel, Launch};
use crate::params;
use crate::random::{philox, uniform};

params! {
    /// Parameters of [`UNIFORM`] and [`NORMAL`].
    pub struct Params {
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
        /// Lower half of the seed.
        pub seed_low: u32,
        /// Upper half of the seed.
        pub seed_high: u32,
        /// Stream: numbers of different streams are independent.
        pub stream: u32,
        /// Counter, say of steps: numbers of different counters are independent.
        pub counter: u32,
    }
}

/// y[i] = a uniform number in [0, 1): the upper 24 bits of word i mod 4, the same bits on every device.
pub static UNIFORM: Kernel = Kernel {
    name: "philox_uniform",
    source: concat!(
        include_str!("../../shaders/include/philox.wgsl"),
        include_str!("../../shaders/philox_uniform.wgsl")
    ),
    params: Params::LAYOUT,
    inputs: &[],
    outputs: &["y"],
    launch,
    flops,
    twin: |call| generate(call, |words| words.map(uniform)),
    reference: |call| generate(call, |words| words.map(uniform)),
    cases: || SIZES.map(|count| case(count).exactly()).into(),
    benches: || vec![case(16 * 16 * 32 * 32)],
};

/// y[i] = a standard normal number, by Box and Muller's method: of a block's uniform numbers u, elements
/// 0 and 1 are r·cos θ and r·sin θ with r = √(−2 ln(1 − u₀)), θ = 2π·u₁; elements 2 and 3 likewise from u₂, u₃.
pub static NORMAL: Kernel = Kernel {
    name: "philox_normal",
    source: concat!(
        include_str!("../../shaders/include/philox.wgsl"),
        include_str!("../../shaders/philox_normal.wgsl")
    ),
    params: Params::LAYOUT,
    inputs: &[],
    outputs: &["y"],
    launch,
    flops,
    twin: |call| generate(call, normal),
    reference: |call| generate(call, normal),
    cases: || SIZES.map(|count| case(count).within(1e-6)).into(),
    benches: || vec![case(16 * 16 * 32 * 32)],
};

fn launch(params: &[u8], _: crate::device::Class) -> Launch {
    let p: Params = bytemuck::pod_read_unaligned(params);
    Launch::linear(p.count.div_ceil(4).into(), 64)
}

/// Operations on integers, counted as if they were: a block is 10 rounds of 2 multiplications, 4 exclusive
/// ors and 2 additions.
fn flops(params: &[u8]) -> u64 {
    80 * u64::from(bytemuck::pod_read_unaligned::<Params>(params).count.div_ceil(4))
}

fn generate(call: &mut Call<'_>, f: fn([u32; 4]) -> [f32; 4]) {
    let p: Params = call.params();
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    pieces_of(PIECE, 8 * p.count as usize, y, |first, y| {
        for (i, y) in y.chunks_mut(4).enumerate() {
            let words = philox([p.seed_low, p.seed_high], [(first / 4 + i) as u32, p.stream, p.counter, 0]);
            y.copy_from_slice(&f(words)[..y.len()]);
        }
    });
}

fn normal(words: [u32; 4]) -> [f32; 4] {
    let u = words.map(|word| f64::from(uniform(word)));
    let pair = |u: f64, v: f64| {
        let r = (-2.0 * (1.0 - u).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
        [(r * cos) as f32, (r * sin) as f32]
    };
    let ([a, b], [c, d]) = (pair(u[0], u[1]), pair(u[2], u[3]));
    [a, b, c, d]
}

/// Parts of a block, a workgroup's blocks, and sizes that no block divides.
const SIZES: [u32; 7] = [1, 2, 3, 4, 256, 1001, 20_003];

fn case(count: u32) -> Case {
    let params =
        Params { y: 3, count, seed_low: 0xDEAD_BEEF, seed_high: 0x0123_4567, stream: 0xFFFF_FFFE, counter: 77 };
    Case::new(format!("{count} elements"), &params).result(count as usize + 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(kernel: &Kernel, params: Params) -> Vec<f32> {
        let mut words = vec![0u32; (params.y + params.count) as usize];
        (kernel.twin)(&mut Call::new(bytemuck::bytes_of(&params), vec![], vec![words.as_mut_slice()]));
        bytemuck::cast_slice(&words[params.y as usize..]).to_vec()
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let params = Params { count: 100_000, seed_low: 5, ..Default::default() };
        for (kernel, mean, variance) in [(&UNIFORM, 0.5, 1.0 / 12.0), (&NORMAL, 0.0, 1.0)] {
            let values = drawn(kernel, params);
            let m = values.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e5;
            let v = values.iter().map(|&v| (f64::from(v) - m).powi(2)).sum::<f64>() / 1e5;
            assert!((m - mean).abs() < 0.01, "{}: mean {m}", kernel.name);
            assert!((v / variance - 1.0).abs() < 0.02, "{}: variance {v}", kernel.name);
            assert!(values.iter().all(|v| v.is_finite()));
        }
    }

    #[test]
    fn streams_and_counters_give_other_numbers_and_lengths_the_same() {
        let params = Params { count: 10, ..Default::default() };
        let values = drawn(&UNIFORM, params);
        assert_ne!(values, drawn(&UNIFORM, Params { stream: 1, ..params }));
        assert_ne!(values, drawn(&UNIFORM, Params { counter: 1, ..params }));
        assert_ne!(values, drawn(&UNIFORM, Params { seed_high: 1, ..params }));
        assert_eq!(values[..7], drawn(&UNIFORM, Params { count: 7, ..params }));
    }
}
