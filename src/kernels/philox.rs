//! Random numbers on the device, the same on every device: Philox 4x32-10 blocks of four words, made
//! uniform or normal.
//!
//! The words of block b are philox(key [seed_low, seed_high], counter [b, stream, counter, 0]); element i
//! belongs to block i/4. The last word of the counter keeps these numbers apart from those of
//! [`dropout`](super::dropout) (1), [`gather`](super::gather) (2) and [`noise`](super::noise) (3).

use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::kernels::cpu::parallel::pieces;
use crate::kernels::launch::by_element;
use crate::params;
use crate::random::{philox, uniform};
use multiversion::multiversion;

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

/// y\[i\] = a uniform number in [0, 1): the upper 24 bits of word i mod 4, the same bits on every device.
pub static UNIFORM: Kernel = Kernel {
    name: "philox_uniform",
    source: wgsl!("include/philox", "philox_uniform"),
    params: Params::LAYOUT,
    inputs: &[],
    outputs: &["y"],
    launch,
    flops,
    twin: |call| tuned(call, uniforms),
    reference: |call| plain(call, |words| words.map(uniform)),
    cases: || SIZES.map(|count| case(count).exactly()).into(),
    benches: || vec![case(16 * 16 * 32 * 32)],
};

/// y\[i\] = a standard normal number, by Box and Muller's method: of a block's uniform numbers u, elements
/// 0 and 1 are r·cos θ and r·sin θ with r = √(−2 ln(1 − u₀)), θ = 2π·u₁; elements 2 and 3 likewise from u₂, u₃.
pub static NORMAL: Kernel = Kernel {
    name: "philox_normal",
    source: wgsl!("include/philox", "include/normal", "philox_normal"),
    params: Params::LAYOUT,
    inputs: &[],
    outputs: &["y"],
    launch,
    flops,
    twin: |call| tuned(call, normals),
    reference: |call| plain(call, normal),
    cases: || SIZES.map(|count| case(count).within(1e-6)).into(),
    benches: || vec![case(16 * 16 * 32 * 32)],
};

fn launch(params: &[u8], class: Class) -> Launch {
    let p: Params = bytemuck::pod_read_unaligned(params);
    by_element(p.count.div_ceil(4).into(), class)
}

/// Operations on integers, counted as if they were: a block is 10 rounds of 2 multiplications, 4 exclusive
/// ors and 2 additions.
fn flops(params: &[u8]) -> u64 {
    80 * u64::from(bytemuck::pod_read_unaligned::<Params>(params).count.div_ceil(4))
}

fn plain(call: &mut Call<'_>, f: fn([u32; 4]) -> [f32; 4]) {
    let p: Params = call.params();
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    for (block, y) in y.chunks_mut(4).enumerate() {
        let words = philox([p.seed_low, p.seed_high], [block as u32, p.stream, p.counter, 0]);
        y.copy_from_slice(&f(words)[..y.len()]);
    }
}

fn tuned(call: &mut Call<'_>, f: fn([u32; 2], [u32; 4], &mut [f32])) {
    let p: Params = call.params();
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    pieces(y, |first, y| f([p.seed_low, p.seed_high], [(first / 4) as u32, p.stream, p.counter, 0], y));
}

/// Four normal numbers of a block, in float64.
pub(super) fn normal(words: [u32; 4]) -> [f32; 4] {
    let u = words.map(|word| f64::from(uniform(word)));
    let pair = |u: f64, v: f64| {
        let r = (-2.0 * (1.0 - u).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
        [(r * cos) as f32, (r * sin) as f32]
    };
    let ([a, b], [c, d]) = (pair(u[0], u[1]), pair(u[2], u[3]));
    [a, b, c, d]
}

/// Blocks computed side by side, in vector registers.
pub(super) const LANES: usize = 16;

/// [`philox`] for `LANES` counters of which the first word counts up: words[w][l] is word w of lane l.
#[inline(always)]
pub(super) fn side_by_side(key: [u32; 2], counter: [u32; 4]) -> [[u32; LANES]; 4] {
    let [first, rest @ ..] = counter;
    let [mut c1, mut c2, mut c3] = rest.map(|word| [word; LANES]);
    let mut c0: [u32; LANES] = std::array::from_fn(|lane| first.wrapping_add(lane as u32));
    let [mut k0, mut k1] = key;
    for _ in 0..10 {
        for lane in 0..LANES {
            let a = u64::from(c0[lane]) * 0xD251_1F53;
            let b = u64::from(c2[lane]) * 0xCD9E_8D57;
            c0[lane] = (b >> 32) as u32 ^ c1[lane] ^ k0;
            c1[lane] = b as u32;
            c2[lane] = (a >> 32) as u32 ^ c3[lane] ^ k1;
            c3[lane] = a as u32;
        }
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [c0, c1, c2, c3]
}

/// Writes numbers made of the blocks from `counter` on: f gives four for the words of each lane.
#[inline(always)]
fn fill(key: [u32; 2], counter: [u32; 4], y: &mut [f32], f: impl Fn([[u32; LANES]; 4]) -> [[f32; LANES]; 4]) {
    for (i, y) in y.chunks_mut(4 * LANES).enumerate() {
        let [block, stream, step, purpose] = counter;
        let numbers = f(side_by_side(key, [block.wrapping_add((i * LANES) as u32), stream, step, purpose]));
        let mut line = [0.0; 4 * LANES];
        for (lane, four) in line.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *four = [numbers[0][lane], numbers[1][lane], numbers[2][lane], numbers[3][lane]];
        }
        y.copy_from_slice(&line[..y.len()]);
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
fn uniforms(key: [u32; 2], counter: [u32; 4], y: &mut [f32]) {
    fill(key, counter, y, |words| words.map(|w| w.map(uniform)));
}

/// Normal numbers made of the blocks from `counter` on.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx2+fma", "x86_64+avx2+fma"))]
pub(super) fn normals(key: [u32; 2], counter: [u32; 4], y: &mut [f32]) {
    fill(key, counter, y, |[w0, w1, w2, w3]| {
        let mut out = [[0.0; LANES]; 4];
        for lane in 0..LANES {
            [out[0][lane], out[1][lane]] = pair(w0[lane], w1[lane]);
            [out[2][lane], out[3][lane]] = pair(w2[lane], w3[lane]);
        }
        out
    });
}

/// Two normal numbers, computed as the shader does.
#[inline(always)]
fn pair(a: u32, b: u32) -> [f32; 2] {
    let r = (-2.0 * logarithm(0x100_0000 - (a >> 8))).sqrt();
    let [cos, sin] = circle(b >> 8);
    [r * cos, r * sin]
}

/// ln(m/2^24) for 1 ≤ m ≤ 2^24: the exponent, and 2·artanh((f − 1)/(f + 1)) of the fraction f in [√½, √2).
#[inline(always)]
fn logarithm(m: u32) -> f32 {
    let bits = (m as f32).to_bits();
    let fraction = f32::from_bits(bits & 0x7f_ffff | 0x3f80_0000);
    let large = fraction > std::f32::consts::SQRT_2;
    let f = if large { 0.5 * fraction } else { fraction };
    let exponent = (bits >> 23) as i32 - 151 + i32::from(large);
    let s = (f - 1.0) / (f + 1.0);
    let q = s * s;
    let series = s * (2.0 + q * (2.0 / 3.0 + q * (2.0 / 5.0 + q * (2.0 / 7.0 + q * (2.0 / 9.0)))));
    exponent as f32 * std::f32::consts::LN_2 + series
}

/// [cos, sin] of 2π·m/2^24 for m < 2^24: of the angle to the nearest quarter turn, then turned by quarters.
#[inline(always)]
fn circle(m: u32) -> [f32; 2] {
    let quarter = (m + 0x20_0000) >> 22;
    let t = (m as i32 - (quarter << 22) as i32) as f32 * (std::f32::consts::TAU / 16_777_216.0);
    let q = t * t;
    let s = t * (1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q * (1.0 / 362_880.0)))));
    let c = 1.0 + q * (-0.5 + q * (1.0 / 24.0 + q * (-1.0 / 720.0 + q * (1.0 / 40_320.0))));
    let (cos, sin) = if quarter & 1 == 0 { (c, s) } else { (s, c) };
    // The signs of the quadrants, as bits: cosine's in the second and third, sine's in the third and fourth.
    let cos_sign = ((quarter + 1) & 2) << 30;
    let sin_sign = (quarter & 2) << 30;
    [f32::from_bits(cos.to_bits() ^ cos_sign), f32::from_bits(sin.to_bits() ^ sin_sign)]
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
