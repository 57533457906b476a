//! ReLU, sigmoid and tanh: `y = f(x)`, `dx = dy · f'(x)`, elementwise over any shape.
//!
//! Backward needs only `y`: f' is `[y > 0]`, `y (1 − y)` and `1 − y²`.

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

params! {
    /// Parameters of [`FORWARD`].
    pub struct Forward {
        /// Offset of x.
        pub x: u32,
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
        /// [`RELU`], [`SIGMOID`] or [`TANH`].
        pub function: u32,
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
        /// [`RELU`], [`SIGMOID`] or [`TANH`].
        pub function: u32,
        /// Whether dx is added to (1) or overwritten (0).
        pub accumulate: u32,
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
        _ => each(x, y, f32::tanh),
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
        _ => each_backward(y, dy, dx, accumulate, |v, g| g * (1.0 - v * v)),
    }
}

fn sizes() -> impl Iterator<Item = usize> {
    [1, 63, 64, 1000].into_iter()
}

fn forward_case(function: u32, count: usize) -> Case {
    let params = Forward { x: 3, y: 2, count: count as u32, function };
    Case::new(format!("function {function}, {count} elements"), &params).noise(count + 3, 1).result(count + 4)
}

fn backward_case(function: u32, count: usize, accumulate: u32) -> Case {
    let params = Backward { y: 1, dy: 2, dx: 3, count: count as u32, function, accumulate };
    Case::new(format!("function {function}, {count} elements, accumulate {accumulate}"), &params)
        .noise(count + 1, 1)
        .noise(count + 2, 2)
        .result(count + 5)
}

fn forward_cases(count: usize) -> impl Iterator<Item = Case> {
    [RELU, SIGMOID, TANH].into_iter().map(move |function| forward_case(function, count))
}

fn backward_cases(count: usize) -> impl Iterator<Item = Case> {
    [RELU, SIGMOID, TANH]
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
}
