//! ReLU, sigmoid, tanh and ramps: `y = f(x)`, `dx = dy · f'(x)`, elementwise over any shape.
//!
//! A ramp is slope · x + shift between two bounds: ReLU6, the hard sigmoid, multiples. Backward needs only `y`: f' is
//! `[y > 0]`, `y (1 − y)`, `1 − y²` and `slope · [low < y < high]`.

use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::maps::{each, each_backward};
use crate::kernels::launch::by_element;
use crate::params;

/// `Forward::function` of ReLU.
pub const RELU: u32 = 0;
/// `Forward::function` of the sigmoid.
pub const SIGMOID: u32 = 1;
/// `Forward::function` of the hyperbolic tangent.
pub const TANH: u32 = 2;
/// `Forward::function` of ramps.
pub const RAMP: u32 = 3;

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of x.
        pub x: u32,
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
        /// [`RELU`], [`SIGMOID`], [`TANH`] or [`RAMP`].
        pub function: u32,
        /// Of a ramp: what x is multiplied by.
        pub slope: f32,
        /// Of a ramp: what is added.
        pub shift: f32,
        /// Of a ramp: y is no smaller; −∞ for no bound.
        pub low: f32,
        /// Of a ramp: y is no larger; ∞ for no bound.
        pub high: f32,
    }
}

params! {
    /// Parameters of [`BACKWARD`].
    pub struct Backward {
        /// Offset of y.
        pub y: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of dx.
        pub dx: u32,
        /// Number of elements.
        pub count: u32,
        /// [`RELU`], [`SIGMOID`], [`TANH`] or [`RAMP`].
        pub function: u32,
        /// Whether dx is added to (1) or overwritten (0).
        pub accumulate: u32,
        /// Of a ramp: what x was multiplied by.
        pub slope: f32,
        /// Of a ramp: its lower bound.
        pub low: f32,
        /// Of a ramp: its upper bound.
        pub high: f32,
    }
}

/// y = f(x).
pub static FORWARD: Kernel = Kernel {
    name: "activation_forward",
    source: wgsl!("activation_forward"),
    params: Forward::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| {
        let p: Forward = bytemuck::pod_read_unaligned(params);
        by_element(p.count.into(), class).with("FUNCTION", p.function)
    },
    flops: |params| bytemuck::pod_read_unaligned::<Forward>(params).count.into(),
    twin: forward,
    reference: forward,
    cases: || sizes().flat_map(forward_cases).collect(),
    benches: || vec![forward_case(RELU, 16 * 16 * 32 * 32)],
};

/// dx (+)= dy · f'(x).
pub static BACKWARD: Kernel = Kernel {
    name: "activation_backward",
    source: wgsl!("activation_backward"),
    params: Backward::LAYOUT,
    inputs: &["y", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p: Backward = bytemuck::pod_read_unaligned(params);
        by_element(p.count.into(), class).with("FUNCTION", p.function)
    },
    flops: |params| 2 * u64::from(bytemuck::pod_read_unaligned::<Backward>(params).count),
    twin: backward,
    reference: backward,
    cases: || sizes().flat_map(backward_cases).collect(),
    benches: || vec![backward_case(RELU, 16 * 16 * 32 * 32, 0)],
};

fn forward(call: &mut Call<'_>) {
    let p: Forward = call.params();
    let x = &call.input(0)[p.x as usize..][..p.count as usize];
    let y = &mut call.output(0)[p.y as usize..][..p.count as usize];
    match p.function {
        // Not `max`, which would turn a NaN into 0.
        RELU => each(x, y, |v| if v < 0.0 { 0.0 } else { v }),
        SIGMOID => each(x, y, |v| 1.0 / (1.0 + (-v).exp())),
        TANH => each(x, y, f32::tanh),
        _ => each(x, y, |v| ramp(p.slope * v + p.shift, p.low, p.high)),
    }
}

/// The value between both bounds; a NaN stays one.
fn ramp(value: f32, low: f32, high: f32) -> f32 {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}

fn backward(call: &mut Call<'_>) {
    let p: Backward = call.params();
    let y = &call.input(0)[p.y as usize..][..p.count as usize];
    let dy = &call.input(1)[p.dy as usize..][..p.count as usize];
    let dx = &mut call.output(0)[p.dx as usize..][..p.count as usize];
    let accumulate = p.accumulate != 0;
    match p.function {
        RELU => each_backward(y, dy, dx, accumulate, |v, g| if v > 0.0 { g } else { 0.0 }),
        SIGMOID => each_backward(y, dy, dx, accumulate, |v, g| g * (v * (1.0 - v))),
        TANH => each_backward(y, dy, dx, accumulate, |v, g| g * (1.0 - v * v)),
        _ => each_backward(y, dy, dx, accumulate, |v, g| if v > p.low && v < p.high { g * p.slope } else { 0.0 }),
    }
}

fn sizes() -> impl Iterator<Item = usize> {
    [1, 63, 64, 1000].into_iter()
}

fn forward_case(function: u32, count: usize) -> Case {
    let ramp = Forward { slope: -0.7, shift: 0.2, low: -0.3, high: 0.5, ..Forward::default() };
    let params = Forward { x: 3, y: 2, count: count as u32, function, ..ramp };
    Case::new(format!("function {function}, {count} elements"), &params).noise(count + 3, 1).result(count + 4)
}

fn backward_case(function: u32, count: usize, accumulate: u32) -> Case {
    let ramp = Backward { slope: -0.7, low: -0.3, high: 0.5, ..Backward::default() };
    let params = Backward { y: 1, dy: 2, dx: 3, count: count as u32, function, accumulate, ..ramp };
    Case::new(format!("function {function}, {count} elements, accumulate {accumulate}"), &params)
        .noise(count + 1, 1)
        .noise(count + 2, 2)
        .result(count + 5)
}

fn forward_cases(count: usize) -> impl Iterator<Item = Case> {
    [RELU, SIGMOID, TANH, RAMP].into_iter().map(move |function| forward_case(function, count))
}

fn backward_cases(count: usize) -> impl Iterator<Item = Case> {
    [RELU, SIGMOID, TANH, RAMP]
        .into_iter()
        .flat_map(move |function| [0, 1].map(|accumulate| backward_case(function, count, accumulate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relu_passes_a_nan_on() {
        let params = Forward { count: 3, ..Forward::default() };
        let (x, mut y) = ([f32::NAN, -1.0, 2.0].map(f32::to_bits), [9; 3]);
        forward(&mut Call::new(bytemuck::bytes_of(&params), vec![&x], vec![&mut y]));
        assert!(f32::from_bits(y[0]).is_nan());
        assert_eq!(y[1..], [0.0, 2.0].map(f32::to_bits));
    }

    #[test]
    fn a_ramp_keeps_to_its_bounds_and_passes_a_nan_on() {
        let bounded =
            Forward { count: 4, function: RAMP, slope: 2.0, shift: 1.0, low: 0.0, high: 6.0, ..Forward::default() };
        let (x, mut y) = ([f32::NAN, -1.0, 2.0, 9.0].map(f32::to_bits), [9; 4]);
        forward(&mut Call::new(bytemuck::bytes_of(&bounded), vec![&x], vec![&mut y]));
        assert!(f32::from_bits(y[0]).is_nan());
        assert_eq!(y[1..], [0.0, 5.0, 6.0].map(f32::to_bits));
        let free = Forward { low: f32::NEG_INFINITY, high: f32::INFINITY, ..bounded };
        forward(&mut Call::new(bytemuck::bytes_of(&free), vec![&x], vec![&mut y]));
        assert_eq!(y[1..], [-1.0, 5.0, 19.0].map(f32::to_bits));
    }
}
