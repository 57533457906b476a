//! Sums, products and multiples, elementwise over any shape.

use crate::device::{Call, Case, Kernel};
use crate::kernels::cpu::maps::{each_accumulating, each_backward};
use crate::kernels::launch::by_element;
use crate::params;

params! {
    /// Parameters of [`ADD`].
    pub struct Add {
        /// Offset of a.
        pub a: u32,
        /// Offset of b.
        pub b: u32,
        /// Offset of z.
        pub z: u32,
        /// Number of elements.
        pub count: u32,
    }
}

params! {
    /// Parameters of [`MULTIPLY`].
    pub struct Multiply {
        /// Offset of a.
        pub a: u32,
        /// Offset of b.
        pub b: u32,
        /// Offset of z.
        pub z: u32,
        /// Number of elements.
        pub count: u32,
        /// Whether z is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

params! {
    /// Parameters of [`SCALE`].
    pub struct Scale {
        /// Offset of x.
        pub x: u32,
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
        /// What x is multiplied by.
        pub factor: f32,
        /// Whether y is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// z = a + b.
pub static ADD: Kernel = Kernel {
    name: "add",
    source: wgsl!("add"),
    params: Add::LAYOUT,
    inputs: &["a", "b"],
    outputs: &["z"],
    launch: |params, class| by_element(bytemuck::pod_read_unaligned::<Add>(params).count.into(), class),
    flops: |params| bytemuck::pod_read_unaligned::<Add>(params).count.into(),
    twin: add,
    reference: add,
    cases: || SIZES.map(add_case).into(),
    benches: || vec![add_case(16 * 16 * 32 * 32)],
};

/// z (+)= a · b.
pub static MULTIPLY: Kernel = Kernel {
    name: "multiply",
    source: wgsl!("multiply"),
    params: Multiply::LAYOUT,
    inputs: &["a", "b"],
    outputs: &["z"],
    launch: |params, class| by_element(bytemuck::pod_read_unaligned::<Multiply>(params).count.into(), class),
    flops: |params| {
        let p: Multiply = bytemuck::pod_read_unaligned(params);
        u64::from(p.count) * u64::from(1 + p.accumulate)
    },
    twin: multiply,
    reference: multiply,
    cases: || SIZES.into_iter().flat_map(|count| [0, 1].map(|accumulate| multiply_case(count, accumulate))).collect(),
    benches: || vec![multiply_case(16 * 16 * 32 * 32, 0)],
};

/// y (+)= factor · x.
pub static SCALE: Kernel = Kernel {
    name: "scale",
    source: wgsl!("scale"),
    params: Scale::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, class| by_element(bytemuck::pod_read_unaligned::<Scale>(params).count.into(), class),
    flops: |params| {
        let p: Scale = bytemuck::pod_read_unaligned(params);
        u64::from(p.count) * u64::from(1 + p.accumulate)
    },
    twin: scale,
    reference: scale,
    cases: || SIZES.into_iter().flat_map(|count| [0, 1].map(|accumulate| scale_case(count, accumulate))).collect(),
    benches: || vec![scale_case(16 * 16 * 32 * 32, 1)],
};

fn add(call: &mut Call<'_>) {
    let p: Add = call.params();
    let count = p.count as usize;
    let a = &call.input(0)[p.a as usize..][..count];
    let b = &call.input(1)[p.b as usize..][..count];
    each_backward(a, b, &mut call.output(0)[p.z as usize..][..count], false, |a, b| a + b);
}

fn multiply(call: &mut Call<'_>) {
    let p: Multiply = call.params();
    let count = p.count as usize;
    let a = &call.input(0)[p.a as usize..][..count];
    let b = &call.input(1)[p.b as usize..][..count];
    each_backward(a, b, &mut call.output(0)[p.z as usize..][..count], p.accumulate != 0, |a, b| a * b);
}

fn scale(call: &mut Call<'_>) {
    let p: Scale = call.params();
    let count = p.count as usize;
    let x = &call.input(0)[p.x as usize..][..count];
    let y = &mut call.output(0)[p.y as usize..][..count];
    each_accumulating(x, y, p.accumulate != 0, |x| p.factor * x);
}

/// One element, a workgroup but one, a workgroup, and sizes that no block divides.
const SIZES: [usize; 5] = [1, 63, 64, 1000, 20_011];

fn add_case(count: usize) -> Case {
    let params = Add { a: 1, b: 2, z: 3, count: count as u32 };
    Case::new(format!("{count} elements"), &params).noise(count + 2, 1).noise(count + 5, 2).result(count + 7).exactly()
}

fn multiply_case(count: usize, accumulate: u32) -> Case {
    let params = Multiply { a: 3, b: 1, z: 2, count: count as u32, accumulate };
    let case = Case::new(format!("{count} elements, accumulate {accumulate}"), &params);
    case.noise(count + 3, 1).noise(count + 2, 2).result(count + 5).within(1e-7)
}

fn scale_case(count: usize, accumulate: u32) -> Case {
    let params = Scale { x: 3, y: 2, count: count as u32, factor: -1.7, accumulate };
    let case = Case::new(format!("{count} elements, accumulate {accumulate}"), &params);
    case.noise(count + 4, 1).result(count + 5).within(1e-7)
}
