//! Products of two flat buffers, column by column of the tensors that lie in them: what cosines along dimension 0 are made of.

use crate::device::{Call, Case, Kernel, Launch, noise};
use crate::kernels::cpu::parallel;
use crate::params;
use rayon::prelude::*;

params! {
    /// Parameters of [`COLUMN_PRODUCTS`].
    pub struct ColumnProducts {
        /// Offset of a.
        pub a: u32,
        /// Offset of b.
        pub b: u32,
        /// Offset of the columns, three words each: first element, length, distance from one element to the next.
        pub columns: u32,
        /// Offset of the products, [count, 3].
        pub products: u32,
        /// Number of columns.
        pub count: u32,
    }
}

/// Σab, Σa² and Σb² of each column.
pub static COLUMN_PRODUCTS: Kernel = Kernel {
    name: "column_products",
    source: wgsl!("column_products"),
    params: ColumnProducts::LAYOUT,
    inputs: &["a", "b", "columns: u32"],
    outputs: &["products"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<ColumnProducts>(params).count.into(), 64),
    // Their lengths are not among the parameters.
    flops: |params| 6 * u64::from(bytemuck::pod_read_unaligned::<ColumnProducts>(params).count),
    twin: column_products,
    reference: column_products,
    cases: || vec![case(1, 1), case(7, 3), case(16, 25), case(64, 64), case(5, 130)],
    benches: || vec![case(64, 64 * 64)],
};

fn column_products(call: &mut Call<'_>) {
    let p: ColumnProducts = call.params();
    let count = p.count as usize;
    let (a, b) = (&call.input(0)[p.a as usize..], &call.input(1)[p.b as usize..]);
    let columns = &call.input_words(2)[p.columns as usize..][..3 * count];
    let products = &mut call.output(0)[p.products as usize..][..3 * count];
    let least = parallel::least(64 * count);
    products.par_chunks_mut(3).zip(columns.par_chunks(3)).with_min_len(least).for_each(|(products, column)| {
        let [first, length, distance] = [column[0], column[1], column[2]].map(|word| word as usize);
        let mut sums = [0.0f64; 3];
        for at in (0..length).map(|i| first + i * distance) {
            let (u, v) = (f64::from(a[at]), f64::from(b[at]));
            sums[0] += u * v;
            sums[1] += u * u;
            sums[2] += v * v;
        }
        products.iter_mut().zip(sums).for_each(|(product, sum)| *product = sum as f32);
    });
}

/// Two tensors of so many rows, of `columns` columns and of one.
fn case(rows: usize, columns: usize) -> Case {
    let mut words: Vec<u32> = vec![9];
    for column in 0..columns {
        words.extend([column as u32, rows as u32, columns as u32]);
    }
    words.extend([(rows * columns) as u32, rows as u32, 1]);
    let params = ColumnProducts { a: 1, b: 2, columns: 1, products: 3, count: columns as u32 + 1 };
    let elements = rows * columns + rows;
    Case::new(format!("{rows}×{columns}"), &params)
        .input(&noise(elements + 1, 1))
        .input(&noise(elements + 2, 2))
        .words(&words)
        .result(3 * (columns + 1) + 4)
}
