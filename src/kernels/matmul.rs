//! Matrix products: c[rows, columns] (+)= op(a)·op(b) + bias[column], where op(a) is a, or its transpose if
//! a is stored [inner, rows], and op(b) is b, or its transpose if b is stored [columns, inner].
//!
//! The twin packs b into panels of 16 columns and a into strips of 6 rows, with `inner` outermost in each,
//! so that its innermost loop reads both in a line and keeps 6 × 16 sums in vector registers. It sums
//! `inner` in blocks of 256, in the same order whatever the number of threads.

use crate::device::{Call, Case, Class, Kernel, Launch};
use crate::kernels::cpu::parallel::pieces_of;
use crate::kernels::cpu::vector::fused;
use crate::params;
use multiversion::multiversion;

params! {
    /// Parameters of [`MATMUL`].
    pub struct Params {
        /// Offset of a, [rows, inner], or [inner, rows] if transposed.
        pub a: u32,
        /// Offset of b, [inner, columns], or [columns, inner] if transposed.
        pub b: u32,
        /// Offset of the bias, \[columns\].
        pub bias: u32,
        /// Offset of c, [rows, columns].
        pub c: u32,
        /// Rows of op(a) and c.
        pub rows: u32,
        /// Columns of op(b) and c.
        pub columns: u32,
        /// Columns of op(a), rows of op(b).
        pub inner: u32,
        /// Whether a is stored transposed.
        pub transpose_a: u32,
        /// Whether b is stored transposed.
        pub transpose_b: u32,
        /// Whether the bias is added; without, any buffer may be bound as it.
        pub has_bias: u32,
        /// Whether c is added to (1) or overwritten (0).
        pub accumulate: u32,
    }
}

/// c (+)= op(a)·op(b) + bias.
pub static MATMUL: Kernel = Kernel {
    name: "matmul",
    source: wgsl!("matmul"),
    params: Params::LAYOUT,
    inputs: &["a", "b", "bias"],
    outputs: &["c"],
    launch: |params, class| {
        let p: Params = bytemuck::pod_read_unaligned(params);
        let (down, across) = match class {
            Class::Hardware => (4, 16),
            Class::Software => (1, 8),
        };
        let blocks = u64::from(p.rows.div_ceil(4 * down)) * u64::from(p.columns.div_ceil(4 * across));
        Launch { groups: blocks, ..Launch::default() }.with("DOWN", down).with("ACROSS", across)
    },
    flops: |params| {
        let p: Params = bytemuck::pod_read_unaligned(params);
        2 * [p.rows, p.columns, p.inner].map(u64::from).iter().product::<u64>()
    },
    twin: matmul,
    reference,
    cases,
    benches: || {
        // A classifier's forward pass and weight gradient, an LSTM's gates, and a large square.
        let of = |rows, columns, inner| Params { rows, columns, inner, ..CASE };
        vec![
            case(Params { transpose_b: 1, has_bias: 1, ..of(16, 10, 256) }),
            case(Params { transpose_a: 1, accumulate: 1, ..of(10, 256, 16) }),
            case(Params { transpose_b: 1, ..of(1, 256, 128) }),
            case(of(256, 256, 256)),
            case(Params { transpose_b: 1, ..of(256, 256, 256) }),
        ]
    },
};

/// Rows of a strip.
const ROWS: usize = 6;
/// Columns of a panel.
const COLUMNS: usize = 16;
/// Terms that are summed before they are added to c: a panel's block of them stays in the first-level cache.
const INNER: usize = 256;
/// Rows of c that one task computes.
const BAND: usize = 16 * ROWS;

/// A matrix whose rows and columns are any distance apart.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    values: &'a [f32],
    row: usize,
    column: usize,
}

impl Matrix<'_> {
    fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.row + column * self.column]
    }

    fn transposed(self) -> Self {
        Self { row: self.column, column: self.row, ..self }
    }
}

/// op(a), op(b), the bias (empty if there is none) and c.
fn operands<'a, 'c>(call: &'c mut Call<'a>) -> (Params, Matrix<'a>, Matrix<'a>, &'a [f32], &'c mut [f32]) {
    let p: Params = call.params();
    let (rows, columns, inner) = (p.rows as usize, p.columns as usize, p.inner as usize);
    let steps = |width, height, transposed: u32| if transposed != 0 { (1, height) } else { (width, 1) };
    let matrix = |values: &'a [f32], offset: u32, size: usize, (row, column)| Matrix {
        values: &values[offset as usize..][..size],
        row,
        column,
    };
    let a = matrix(call.input(0), p.a, rows * inner, steps(inner, rows, p.transpose_a));
    let b = matrix(call.input(1), p.b, inner * columns, steps(columns, inner, p.transpose_b));
    let bias = if p.has_bias != 0 { &call.input(2)[p.bias as usize..][..columns] } else { &[] };
    let c = &mut call.output(0)[p.c as usize..][..rows * columns];
    (p, a, b, bias, c)
}

fn reference(call: &mut Call<'_>) {
    let (p, a, b, bias, c) = operands(call);
    for (at, c) in c.iter_mut().enumerate() {
        let (row, column) = (at / p.columns as usize, at % p.columns as usize);
        let terms = (0..p.inner as usize).map(|k| f64::from(a.at(row, k)) * f64::from(b.at(k, column)));
        let shift = bias.get(column).map_or(0.0, |&v| f64::from(v));
        let old = if p.accumulate != 0 { f64::from(*c) } else { 0.0 };
        *c = (terms.sum::<f64>() + shift + old) as f32;
    }
}

fn matmul(call: &mut Call<'_>) {
    let (p, a, b, bias, c) = operands(call);
    let (rows, columns, inner) = (p.rows as usize, p.columns as usize, p.inner as usize);
    if rows == 0 || columns == 0 {
        return;
    }
    let multiply = if fused() { multiply::<true> } else { multiply::<false> };
    let work = rows * columns * inner / ROWS;
    let mut panels = vec![[0.0; COLUMNS]; columns.div_ceil(COLUMNS) * inner];
    if inner > 0 {
        pieces_of(inner, inner * columns, &mut panels, |first, panel| {
            let column = first / inner * COLUMNS;
            pack(b.transposed(), column, columns, panel);
        });
    }
    // Few rows are cut finer, so that there is work for all.
    let band = (rows.div_ceil(8).next_multiple_of(ROWS)).min(BAND);
    pieces_of(band * columns, work, c, |first, c| {
        let first = first / columns;
        let count = c.len() / columns;
        for row in c.chunks_exact_mut(columns) {
            match (p.accumulate != 0, bias.is_empty()) {
                (false, true) => row.fill(0.0),
                (false, false) => row.copy_from_slice(bias),
                (true, true) => {}
                (true, false) => row.iter_mut().zip(bias).for_each(|(c, b)| *c += b),
            }
        }
        let mut strips = vec![[0.0; ROWS]; count.div_ceil(ROWS) * inner];
        for (i, strip) in strips.chunks_exact_mut(inner.max(1)).enumerate() {
            pack(a, first + i * ROWS, first + count, strip);
        }
        for k in (0..inner).step_by(INNER) {
            multiply(&strips, &panels, inner, k..(k + INNER).min(inner), c, columns);
        }
    });
}

/// Writes rows `first` … of a matrix side by side: packed[k][j] = matrix[first + j, k], 0 from row `end` on.
fn pack<const N: usize>(matrix: Matrix<'_>, first: usize, end: usize, packed: &mut [[f32; N]]) {
    let rows = N.min(end - first);
    if matrix.row == 1 {
        // The rows' elements are neighbours in memory: whole runs of them.
        for (k, packed) in packed.iter_mut().enumerate() {
            packed[..rows].copy_from_slice(&matrix.values[first + k * matrix.column..][..rows]);
        }
    } else {
        for j in 0..rows {
            let row = &matrix.values[(first + j) * matrix.row..];
            for (packed, value) in packed.iter_mut().zip(row.iter().step_by(matrix.column)) {
                packed[j] = *value;
            }
        }
    }
}

/// c += the product of all strips and panels over a range of `inner`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn multiply<const FUSED: bool>(
    strips: &[[f32; ROWS]],
    panels: &[[f32; COLUMNS]],
    inner: usize,
    range: std::ops::Range<usize>,
    c: &mut [f32],
    columns: usize,
) {
    for (panel, j) in panels.chunks_exact(inner).zip((0..columns).step_by(COLUMNS)) {
        for (strip, c) in strips.chunks_exact(inner).zip(c.chunks_mut(ROWS * columns)) {
            let sums = block::<FUSED>(&strip[range.clone()], &panel[range.clone()]);
            let width = COLUMNS.min(columns - j);
            for (c, sums) in c.chunks_exact_mut(columns).zip(&sums) {
                for (c, sum) in c[j..j + width].iter_mut().zip(sums) {
                    *c += sum;
                }
            }
        }
    }
}

#[inline(always)]
fn block<const FUSED: bool>(strip: &[[f32; ROWS]], panel: &[[f32; COLUMNS]]) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = [[0.0f32; COLUMNS]; ROWS];
    for (a, b) in strip.iter().zip(panel) {
        for r in 0..ROWS {
            for s in 0..COLUMNS {
                sums[r][s] = if FUSED { a[r].mul_add(b[s], sums[r][s]) } else { sums[r][s] + a[r] * b[s] };
            }
        }
    }
    sums
}

const CASE: Params = Params {
    a: 3,
    b: 2,
    bias: 1,
    c: 5,
    rows: 0,
    columns: 0,
    inner: 0,
    transpose_a: 0,
    transpose_b: 0,
    has_bias: 0,
    accumulate: 0,
};

fn case(p: Params) -> Case {
    let transposed = |t: u32| if t != 0 { "ᵀ" } else { "" };
    let label = format!(
        "{}×{}×{}, a{}·b{}, bias {}, accumulate {}",
        p.rows,
        p.inner,
        p.columns,
        transposed(p.transpose_a),
        transposed(p.transpose_b),
        p.has_bias,
        p.accumulate
    );
    Case::new(label, &p)
        .noise((p.a + p.rows * p.inner + 2) as usize, 1)
        .noise((p.b + p.inner * p.columns + 1) as usize, 2)
        .noise((p.bias + p.columns) as usize, 3)
        .result((p.c + p.rows * p.columns + 3) as usize)
}

fn cases() -> Vec<Case> {
    let shapes =
        [(1, 1, 1), (1, 33, 20), (5, 1, 7), (7, 17, 3), (16, 10, 256), (64, 64, 16), (37, 50, 300), (100, 19, 29)];
    let mut cases = Vec::new();
    for (rows, columns, inner) in shapes {
        for form in 0..4 {
            let (transpose_a, transpose_b) = (form & 1, form >> 1);
            let p = Params { rows, columns, inner, transpose_a, transpose_b, ..CASE };
            cases.push(case(Params { has_bias: transpose_b, accumulate: transpose_a, ..p }));
            cases.push(case(Params { has_bias: 1 - transpose_b, accumulate: 1 - transpose_a, ..p }));
        }
    }
    // A sum of nothing is the bias.
    cases.push(case(Params { rows: 3, columns: 5, has_bias: 1, ..CASE }));
    cases
}
