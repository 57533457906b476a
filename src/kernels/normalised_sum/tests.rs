//! Mixtures against the plain kernels that they stand for: one batch norm a candidate, and a sum of products.

use super::*;
use crate::device::{Binding, Buffer, Call, Device, Kernel, Recorder, bytemuck, noise};
use crate::kernels::{batch_norm, channels, elementwise};

const SHAPE: [usize; 3] = [3, 4, 70];
const COUNT: usize = 3 * 4 * 70;
const BRANCHES: usize = 3;
/// Where the dense candidate begins, behind the bank.
const DENSE: usize = BRANCHES * COUNT;

fn run<P: bytemuck::Pod>(kernel: &Kernel, params: &P, inputs: &[&[f32]], output: &mut [f32]) {
    let inputs = inputs.iter().map(|input| bytemuck::cast_slice(input)).collect();
    (kernel.twin)(&mut Call::new(bytemuck::bytes_of(params), inputs, vec![bytemuck::cast_slice_mut(output)]));
}

/// As a slice of words that travels as numbers.
fn table(terms: &[Term]) -> Vec<f32> {
    terms.iter().flat_map(Term::words).map(f32::from_bits).collect()
}

/// Two branches of a bank and a dense candidate inside, all normalised, and a skip.
struct Edge {
    terms: Vec<Term>,
    z: Vec<f32>,
    x: Vec<f32>,
    saved: Vec<f32>,
    weights: Vec<f32>,
    dy: Vec<f32>,
}

impl Edge {
    fn new() -> Self {
        let [_, c, pixels] = SHAPE;
        let term = |at: usize, images: usize, slot: u32| Term {
            at: at as u32,
            image: (images * c * pixels) as u32,
            mean: slot * 2 * c as u32,
            inverse: (slot * 2 + 1) * c as u32,
            weight: 3 - slot,
            dy: 0,
            dy_image: (c * pixels) as u32,
            sums: slot * 2 * c as u32,
        };
        let skip = Term { mean: NONE, inverse: NONE, ..term(0, 1, 3) };
        Self {
            terms: vec![term(0, BRANCHES, 0), term(2 * c * pixels, BRANCHES, 1), term(DENSE, 1, 2), skip],
            z: noise(DENSE + COUNT, 1),
            x: noise(COUNT, 2),
            saved: noise(6 * c, 3).iter().map(|v| v + 1.5).collect(),
            weights: noise(4, 4),
            dy: noise(COUNT, 5),
        }
    }

    /// Candidate t of z, made dense.
    fn dense(&self, z: &[f32], t: usize) -> Vec<f32> {
        let [batch, c, pixels] = SHAPE.map(|n| n as u32);
        let mut dense = vec![0.0; COUNT];
        let term = self.terms[t];
        let params = channels::Copy {
            x: term.at,
            batch,
            pixels,
            channels: c,
            x_channels: term.image / pixels,
            y_channels: c,
            ..Default::default()
        };
        run(&channels::COPY, &params, &[z], &mut dense);
        dense
    }

    fn sums(&self) -> Vec<f32> {
        let [batch, channels, pixels] = SHAPE.map(|n| n as u32);
        let mut sums = vec![0.0; 8 * SHAPE[1]];
        let params = Sums { table: 0, terms: 4, inside: 3, batch, channels, pixels };
        run(&SUMS, &params, &[&table(&self.terms), &self.z, &self.x, &self.saved, &self.dy], &mut sums);
        sums
    }
}

fn close(a: &[f32], b: &[f32]) {
    let difference: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let norm: f64 = b.iter().map(|&b| f64::from(b).powi(2)).sum();
    assert!(a.len() == b.len() && difference.sqrt() <= 1e-6 * norm.sqrt(), "{}", (difference / norm).sqrt());
}

#[test]
fn a_mixture_is_the_weighted_sum_of_normalised_candidates() {
    let edge = Edge::new();
    let [batch, channels, pixels] = SHAPE.map(|n| n as u32);
    let mut expected = vec![0.0; COUNT];
    for (t, term) in edge.terms.iter().enumerate() {
        let mut candidate = edge.x.clone();
        if term.mean != NONE {
            let params = batch_norm::Forward { saved: term.mean, batch, channels, pixels, ..Default::default() };
            run(&batch_norm::FORWARD, &params, &[&edge.dense(&edge.z, t), &edge.saved, &[]], &mut candidate);
        }
        let factor = edge.weights[term.weight as usize];
        let params = elementwise::Scale { x: 0, y: 0, count: COUNT as u32, factor, accumulate: 1 };
        run(&elementwise::SCALE, &params, &[&candidate], &mut expected);
    }
    let mut y = vec![0.0; COUNT];
    let params = Forward { table: 0, terms: 4, inside: 3, y: 0, batch, channels, pixels, accumulate: 0 };
    run(&FORWARD, &params, &[&table(&edge.terms), &edge.z, &edge.x, &edge.saved, &edge.weights], &mut y);
    close(&y, &expected);
}

#[test]
fn gradients_of_candidates_are_those_of_batch_norm_times_the_weight() {
    let edge = Edge::new();
    let [batch, channels, pixels] = SHAPE.map(|n| n as u32);
    let sums = edge.sums();
    let mut dz = edge.z.clone();
    let params = Backward { table: 0, terms: 3, batch, channels, pixels };
    run(&BACKWARD, &params, &[&table(&edge.terms), &edge.saved, &edge.weights, &sums, &edge.dy], &mut dz);
    for (t, term) in edge.terms[..3].iter().enumerate() {
        let candidate = edge.dense(&edge.z, t);
        let mut expected_sums = vec![0.0; 2 * SHAPE[1]];
        let params = batch_norm::Sums { saved: term.mean, batch, channels, pixels, ..Default::default() };
        run(&batch_norm::BACKWARD_SUMS, &params, &[&candidate, &edge.saved, &[], &edge.dy], &mut expected_sums);
        close(&sums[term.sums as usize..][..2 * SHAPE[1]], &expected_sums);
        let mut expected = vec![0.0; COUNT];
        let weights = vec![edge.weights[term.weight as usize]; SHAPE[1]];
        let params = batch_norm::BackwardInput {
            saved: term.mean,
            batch,
            channels,
            pixels,
            affine: 1,
            training: 1,
            ..Default::default()
        };
        let inputs: [&[f32]; 5] = [&candidate, &edge.saved, &weights, &edge.dy, &expected_sums];
        run(&batch_norm::BACKWARD_INPUT, &params, &inputs, &mut expected);
        close(&edge.dense(&dz, t), &expected);
    }
    // The branch between the two that are mixed keeps its values.
    let middle = SHAPE[1] * SHAPE[2]..2 * SHAPE[1] * SHAPE[2];
    assert_eq!(dz[middle.clone()], edge.z[middle]);
}

#[test]
fn gradients_of_weights_are_products_of_dy_and_candidates() {
    let edge = Edge::new();
    let mut dweights = vec![1.0; 5];
    let params = BackwardWeights { table: 0, terms: 4, channels: SHAPE[1] as u32, dweights: 1 };
    run(&BACKWARD_WEIGHTS, &params, &[&table(&edge.terms), &edge.sums()], &mut dweights);
    // The mixture is linear in each weight.
    let [batch, channels, pixels] = SHAPE.map(|n| n as u32);
    let params = Forward { table: 0, terms: 4, inside: 3, y: 0, batch, channels, pixels, accumulate: 0 };
    for (weight, &got) in dweights[1..].iter().enumerate() {
        let mut one = vec![0.0; 4];
        one[weight] = 1.0;
        let mut y = vec![0.0; COUNT];
        run(&FORWARD, &params, &[&table(&edge.terms), &edge.z, &edge.x, &edge.saved, &one], &mut y);
        let expected: f64 = 1.0 + y.iter().zip(&edge.dy).map(|(&y, &dy)| f64::from(y) * f64::from(dy)).sum::<f64>();
        assert!((f64::from(got) - expected).abs() < 1e-4, "weight {weight}: {got} instead of {expected}");
    }
}

#[test]
fn tuned_sums_do_not_depend_on_the_number_of_threads() {
    for case in (SUMS.benches)() {
        let sums = |threads: usize| {
            let mut out = case.outputs[0].clone();
            let inputs = case.inputs.iter().map(Vec::as_slice).collect();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| (SUMS.twin)(&mut Call::new(&case.params, inputs, vec![&mut out])));
            out
        };
        assert_eq!(sums(1), sums(3));
    }
}

#[test]
fn the_table_is_read_as_it_was_written() {
    let term = Term { at: 1, image: 2, mean: 3, inverse: 4, weight: 5, dy: 6, dy_image: 7, sums: 8 };
    assert_eq!(term.words(), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(terms(&[[9; TERM], term.words()].concat(), TERM as u32, 1), [term]);
    assert_eq!(Term::NONE, u32::MAX);
}

#[test]
fn only_what_a_mixture_touches_counts_as_moved() {
    let device = Device::cpu();
    let [table, arena, other] = [64, 100_000, 64].map(|words| device.upload(&vec![0u32; words]).unwrap());
    let whole = |buffer| Binding { buffer, offset: 0, elements: Buffer::words(buffer) };
    let params = Sums { table: 0, terms: 2, inside: 2, batch: 1, channels: 1, pixels: 5 };
    let mut recorder = Recorder::new(&device);
    let inputs = [whole(&table), whole(&arena), whole(&arena), whole(&table), whole(&arena)];
    recorder.dispatch_moving(&SUMS, &params, &inputs, &[whole(&other)], params.bytes()).unwrap();
    assert_eq!(recorder.finish().bytes_moved(), 3 * 5 * 4);
}
