//! The gradient of values that lie in several copies which are to stay the same: each copy gets the sum over all.

use crate::device::{Call, Case, Kernel, Launch, noise};
use crate::params;

params! {
    /// Parameters of [`SUM_COPIES`].
    pub struct SumCopies {
        /// Offset of x, [copies, count].
        pub x: u32,
        /// Number of copies.
        pub copies: u32,
        /// Entries of one.
        pub count: u32,
    }
}

/// x\[l, i\] ← Σ over l of x\[l, i\].
pub static SUM_COPIES: Kernel = Kernel {
    name: "sum_copies",
    source: wgsl!("sum_copies"),
    params: SumCopies::LAYOUT,
    inputs: &[],
    outputs: &["x"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<SumCopies>(params).count.into(), 64),
    flops: |params| {
        let p: SumCopies = bytemuck::pod_read_unaligned(params);
        u64::from(p.copies) * u64::from(p.count)
    },
    twin: sum_copies,
    reference: sum_copies,
    cases: || [[1, 1], [2, 3], [6, 112], [18, 65]].map(case).to_vec(),
    benches: || vec![case([6, 112])],
};

fn sum_copies(call: &mut Call<'_>) {
    let p: SumCopies = call.params();
    let (copies, count) = (p.copies as usize, p.count as usize);
    if count == 0 {
        return;
    }
    let x = &mut call.output(0)[p.x as usize..][..copies * count];
    for at in 0..count {
        let sum: f64 = (0..copies).map(|copy| f64::from(x[copy * count + at])).sum();
        (0..copies).for_each(|copy| x[copy * count + at] = sum as f32);
    }
}

fn case([copies, count]: [usize; 2]) -> Case {
    let params = SumCopies { x: 2, copies: copies as u32, count: count as u32 };
    Case::new(format!("{copies} copies of {count}"), &params).output(&noise(copies * count + 3, 1))
}
