//! The exponentiated gradient: rows of positive numbers that sum to one stay so (Kivinen & Warmuth 1997; for architecture
//! weights GAEA, Li et al. 2021, equation 5). p ← max(p · exp(−η·g), floor), divided by its row's sum.

use super::{NOT_FINITE, any_not_finite, scalars, step_words};
use crate::device::{Call, Case, Kernel, Launch, noise};
use crate::params;

params! {
    /// Parameters of [`EXPONENTIATED_GRADIENT`].
    pub struct ExponentiatedGradient {
        /// Offset of p, [rows, columns].
        pub weight: u32,
        /// Offset of its gradient.
        pub gradient: u32,
        /// Rows.
        pub rows: u32,
        /// Columns: what sums to one.
        pub columns: u32,
        /// Where in the step buffer the learning rate lies.
        pub learning_rate: u32,
        /// First scalar that must be finite.
        pub guard: u32,
        /// Number of scalars that must be finite.
        pub guards: u32,
        /// The least that an entry may be before its row is divided by the sum.
        pub floor: f32,
    }
}

/// One step of the exponentiated gradient.
pub static EXPONENTIATED_GRADIENT: Kernel = Kernel {
    name: "exponentiated_gradient",
    source: wgsl!("include/guards", "exponentiated_gradient"),
    params: ExponentiatedGradient::LAYOUT,
    inputs: &["gradient", "step: u32", "scalars"],
    outputs: &["weight"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<ExponentiatedGradient>(params).rows.into(), 64),
    flops: |params| {
        let p: ExponentiatedGradient = bytemuck::pod_read_unaligned(params);
        9 * u64::from(p.rows) * u64::from(p.columns)
    },
    twin: exponentiated,
    reference: exponentiated,
    cases,
    benches: || vec![case("cell", [14, 8], 1e-5, 1.0)],
};

fn exponentiated(call: &mut Call<'_>) {
    let p: ExponentiatedGradient = call.params();
    let (columns, count) = (p.columns as usize, p.rows as usize * p.columns as usize);
    if count == 0 || any_not_finite(call.input(2), p.guard, p.guards) {
        return;
    }
    let rate = f64::from(f32::from_bits(call.input_words(1)[p.learning_rate as usize]));
    let gradient = &call.input(0)[p.gradient as usize..][..count];
    let weight = &mut call.output(0)[p.weight as usize..][..count];
    for (weight, gradient) in weight.chunks_mut(columns).zip(gradient.chunks(columns)) {
        let moved = |(&w, &g): (&f32, &f32)| {
            // As the shader has it, whose exponential must stay in float32's range.
            let exponent = (-rate * f64::from(g)).clamp(-80.0, 80.0);
            (f64::from(w) * exponent.exp()).max(p.floor.into())
        };
        let sum: f64 = weight.iter().zip(gradient).map(moved).sum();
        for at in 0..weight.len() {
            weight[at] = (moved((&weight[at], &gradient[at])) / sum) as f32;
        }
    }
}

fn case(label: &str, [rows, columns]: [usize; 2], floor: f32, guarded: f32) -> Case {
    let params = ExponentiatedGradient {
        weight: 3,
        gradient: 1,
        rows: rows as u32,
        columns: columns as u32,
        learning_rate: 2,
        guard: 3,
        guards: 1,
        floor,
    };
    let weight: Vec<f32> = noise(rows * columns + 3, 2).iter().map(|v| (v + 1.001) / columns as f32).collect();
    Case::new(format!("{label}, {rows}×{columns}"), &params)
        .noise(rows * columns + 1, 1)
        .words(&step_words())
        .input(&scalars([guarded, 1.0]))
        .output(&weight)
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for size in [[1, 1], [1, 5], [14, 8], [65, 3], [130, 2]] {
        cases.push(case("no floor", size, 0.0, 1.0));
        cases.push(case("floor", size, 0.2, 1.0));
        cases.extend(NOT_FINITE.map(|bad| case("loss not finite", size, 1e-5, bad).exactly()));
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[f32]) -> Vec<u32> {
        bytemuck::cast_slice(values).to_vec()
    }

    /// What becomes of a row.
    fn row(weight: &[f32], gradient: &[f32], rate: f32, floor: f32) -> Vec<f32> {
        let p = ExponentiatedGradient {
            weight: 0,
            gradient: 0,
            rows: 1,
            columns: weight.len() as u32,
            learning_rate: 0,
            guard: 0,
            guards: 0,
            floor,
        };
        let inputs = [words(gradient), words(&[rate]), words(&[0.0])];
        let mut weight = words(weight);
        let inputs = inputs.iter().map(Vec::as_slice).collect();
        exponentiated(&mut Call::new(bytemuck::bytes_of(&p), inputs, vec![weight.as_mut_slice()]));
        bytemuck::cast_slice(&weight).to_vec()
    }

    #[test]
    fn a_step_from_the_uniform_row_is_as_published() {
        let got = row(&[1.0 / 3.0; 3], &[1.0, 2.0, 3.0], 0.1, 1e-5);
        for (got, wanted) in got.iter().zip([0.367_165_401_111, 0.332_224_993_533, 0.300_609_605_356]) {
            assert!((f64::from(*got) - wanted).abs() < 1e-7, "{got} {wanted}");
        }
    }

    #[test]
    fn what_has_next_to_no_weight_can_come_back() {
        let got = row(&[0.0, 1.0], &[0.0, 0.0], 0.1, 1e-5);
        assert!((got[0] - 1e-5).abs() < 1e-9 && row(&[0.0, 1.0], &[0.0, 0.0], 0.1, 0.0)[0] == 0.0);
        // Gradients beyond all measure leave a row that sums to one.
        let got = row(&[0.5, 0.5], &[-1e30, 1e30], 0.1, 1e-5);
        assert!((got.iter().sum::<f32>() - 1.0).abs() < 1e-6 && got.iter().all(|p| p.is_finite()), "{got:?}");
    }
}
