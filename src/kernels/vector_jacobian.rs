//! The way back from weights of options to architecture weights, where the host has computed how the one changes
//! with the other: `dx[r, j] (+)= Σ_i jacobian[r, i, j] dy[r, i]` for each row.

use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::kernels::cpu::store::put;
use crate::params;

params! {
    /// Parameters of [`PRODUCT`].
    pub struct Product {
        /// Offset of the Jacobians, [rows, columns, columns]: ∂y\[i\]/∂x\[j\] at i · columns + j.
        pub jacobian: u32,
        /// Offset of dy, [rows, columns].
        pub dy: u32,
        /// Offset of dx, [rows, columns].
        pub dx: u32,
        /// Rows.
        pub rows: u32,
        /// Columns.
        pub columns: u32,
        /// Whether dx is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// dx (+)= Jᵀ dy of each row. Rows are short and few: an invocation for each element, one thread on the CPU.
pub static PRODUCT: Kernel = Kernel {
    name: "vector_jacobian_product",
    source: wgsl!("vector_jacobian_product"),
    params: Product::LAYOUT,
    inputs: &["jacobian", "dy"],
    outputs: &["dx"],
    launch: |params, class| {
        let p: Product = bytemuck::pod_read_unaligned(params);
        let workgroup = if class == Class::Hardware { 64 } else { 8 };
        let groups = (u64::from(p.rows) * u64::from(p.columns)).div_ceil(u64::from(workgroup));
        Launch { groups, ..Launch::default() }.with("WORKGROUP", workgroup)
    },
    flops: |params| {
        let p: Product = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.rows) * u64::from(p.columns) * u64::from(p.columns)
    },
    twin: backward,
    reference: backward,
    cases: || [[1, 1], [3, 8], [14, 8], [5, 17]].into_iter().flat_map(|s| [0, 1].map(|add| case(s, add))).collect(),
    benches: || vec![case([14, 8], 0)],
};

fn backward(call: &mut Call<'_>) {
    let p: Product = call.params();
    let (rows, columns) = (p.rows as usize, p.columns as usize);
    let jacobian = &call.input(0)[p.jacobian as usize..][..rows * columns * columns];
    let dy = &call.input(1)[p.dy as usize..][..rows * columns];
    let dx = &mut call.output(0)[p.dx as usize..][..rows * columns];
    for row in 0..rows {
        for j in 0..columns {
            let product =
                |i: usize| f64::from(jacobian[(row * columns + i) * columns + j]) * f64::from(dy[row * columns + i]);
            put(&mut dx[row * columns + j], (0..columns).map(product).sum(), p.accumulate);
        }
    }
}

fn case([rows, columns]: [u32; 2], accumulate: u32) -> Case {
    let params = Product { jacobian: 2, dy: 3, dx: 1, rows, columns, accumulate };
    let count = (rows * columns) as usize;
    Case::new(format!("{rows}×{columns}, accumulate {accumulate}"), &params)
        .noise(count * columns as usize + 2, 1)
        .noise(count + 3, 2)
        .result(count + 4)
}
