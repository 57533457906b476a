//! Mixtures to check and to time the kernels on.

use super::{Backward, BackwardWeights, Forward, NONE, Sums, Term};
use crate::device::{Case, noise};

/// A mixture of candidates in a bank, dense ones and ones outside.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    label: String,
    shape: [usize; 3],
    terms: Vec<Term>,
    inside: usize,
    /// Elements of z, of x, of saved, of dy.
    z: usize,
    x: usize,
    saved: usize,
    dy: usize,
}

/// Words in front of the table.
const TABLE: usize = 3;

/// How a candidate is taken: with or without statistics, with or without a weight.
#[derive(Clone, Copy, Debug)]
enum Taken {
    Plain,
    Weighted,
    Normal,
    Both,
}
use Taken::{Both, Normal, Plain, Weighted};

/// Where candidates lie.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Branches of a bank. Unless it is tight, it has one more, in front of these, and images further apart.
    Bank(&'static [Taken]),
    /// Dense, one after the other.
    Dense(&'static [Taken]),
}
use Place::{Bank, Dense};

impl Sample {
    fn new(shape: [usize; 3], z: &[Place], x: &[Place], mixtures: usize, tight: bool) -> Self {
        let [batch, channels, pixels] = shape;
        let plane = channels * pixels;
        let spare = usize::from(!tight);
        let mut sample = Self {
            label: format!("{batch}×{channels}×{pixels}, {z:?} {x:?}, {mixtures} dy"),
            shape,
            terms: Vec::new(),
            inside: 0,
            z: 3,
            x: 2,
            saved: 1,
            dy: 4,
        };
        for (outside, places) in [z, x].into_iter().enumerate() {
            let mut at = if outside == 0 { sample.z } else { sample.x };
            for place in places {
                let (taken, first, image, step) = match place {
                    Bank(taken) => (taken, at + spare * plane, (taken.len() + spare) * plane + spare, plane),
                    Dense(taken) => (taken, at + spare, plane, batch * plane + spare),
                };
                for (k, &taken) in taken.iter().enumerate() {
                    let start = first + k * step;
                    sample.add(start as u32, image as u32, taken);
                    at = at.max(start + (batch - 1) * image + plane);
                }
            }
            if outside == 0 {
                (sample.z, sample.inside) = (at, sample.terms.len());
            } else {
                sample.x = at;
            }
        }
        // Each mixture has a gradient of its own, which may be part of something larger.
        let image = plane + 2 * spare;
        let each = sample.terms.len().div_ceil(mixtures).max(1);
        for (t, term) in sample.terms.iter_mut().enumerate() {
            term.dy = (sample.dy + t / each * batch * image) as u32;
            term.dy_image = image as u32;
        }
        sample.dy += mixtures * batch * image;
        sample
    }

    fn add(&mut self, at: u32, image: u32, taken: Taken) {
        let (t, channels) = (self.terms.len() as u32, self.shape[1]);
        let (mut mean, mut inverse, mut weight) = (NONE, NONE, NONE);
        if matches!(taken, Normal | Both) {
            (mean, inverse) = (self.saved as u32, (self.saved + channels + 1) as u32);
            self.saved += 2 * channels + 1;
        }
        if matches!(taken, Weighted | Both) {
            // Not in the order of the terms.
            weight = 1 + (t ^ 1);
        }
        let sums = 2 + t * (2 * channels as u32 + 1);
        self.terms.push(Term { at, image, mean, inverse, weight, dy: 0, dy_image: 0, sums });
    }

    fn case<P: bytemuck::Pod>(&self, extra: &str, params: &P) -> Case {
        let table: Vec<u32> = [9; TABLE].into_iter().chain(self.terms.iter().flat_map(Term::words)).collect();
        Case::new(format!("{}{extra}", self.label), params).words(&table)
    }

    /// Means and inverse deviations, away from zero.
    fn saved(&self) -> Vec<f32> {
        noise(self.saved, 3).iter().map(|v| v + 1.5).collect()
    }

    fn weights(&self) -> usize {
        self.terms.len() + 2
    }

    fn all_sums(&self) -> usize {
        3 + self.terms.len() * (2 * self.shape[1] + 1)
    }

    pub(super) fn forward(&self, accumulate: u32) -> Case {
        let [batch, channels, pixels] = self.shape.map(|n| n as u32);
        let (terms, inside) = (self.terms.len() as u32, self.inside as u32);
        let params = Forward { table: TABLE as u32, terms, inside, y: 3, batch, channels, pixels, accumulate };
        self.case(&format!(", accumulate {accumulate}"), &params)
            .noise(self.z, 1)
            .noise(self.x, 2)
            .input(&self.saved())
            .noise(self.weights(), 4)
            .result(self.shape.iter().product::<usize>() + 4)
            .within(1e-6)
    }

    pub(super) fn sums(&self) -> Case {
        let [batch, channels, pixels] = self.shape.map(|n| n as u32);
        let (terms, inside) = (self.terms.len() as u32, self.inside as u32);
        self.case("", &Sums { table: TABLE as u32, terms, inside, batch, channels, pixels })
            .noise(self.z, 1)
            .noise(self.x, 2)
            .input(&self.saved())
            .noise(self.dy, 5)
            .result(self.all_sums())
            .within(2e-6)
    }

    /// None if no term lies inside.
    pub(super) fn backward(&self) -> Option<Case> {
        let [batch, channels, pixels] = self.shape.map(|n| n as u32);
        let params = Backward { table: TABLE as u32, terms: self.inside as u32, batch, channels, pixels };
        let elements = (batch * pixels) as f32;
        let sums: Vec<f32> = noise(self.all_sums(), 6).iter().map(|v| v * elements).collect();
        let case = self
            .case("", &params)
            .input(&self.saved())
            .noise(self.weights(), 4)
            .input(&sums)
            .noise(self.dy, 5)
            .result(self.z + 1)
            .within(1e-6);
        (self.inside > 0).then_some(case)
    }

    pub(super) fn backward_weights(&self) -> Case {
        let params = BackwardWeights {
            table: TABLE as u32,
            terms: self.terms.len() as u32,
            channels: self.shape[1] as u32,
            dweights: 2,
        };
        self.case("", &params).noise(self.all_sums(), 6).result(self.weights() + 3).within(2e-6)
    }
}

/// What an edge of the DARTS supernet mixes: four branches of a bank and two pools, all normalised; a skip.
const EDGE: [&[Place]; 2] = [&[Bank(&[Both, Both, Both, Both]), Dense(&[Both, Both])], &[Dense(&[Weighted])]];

pub(super) fn samples() -> Vec<Sample> {
    let shapes = [[1, 1, 1], [5, 3, 1], [2, 3, 49], [3, 2, 64], [1, 2, 1030], [17, 3, 5], [3, 2, 100], [9, 1, 33]];
    let mut samples: Vec<Sample> = shapes.iter().map(|&shape| Sample::new(shape, EDGE[0], EDGE[1], 1, false)).collect();
    for shape in [[2, 3, 49], [3, 2, 130]] {
        samples.extend([
            Sample::new(shape, &[Dense(&[Normal])], &[], 1, false),
            Sample::new(shape, &[], &[Bank(&[Plain, Weighted])], 1, true),
            Sample::new(shape, &[Bank(&[Plain, Both, Weighted])], &[Bank(&[Both, Normal])], 2, false),
            Sample::new(shape, &[Bank(&[Both; 5]), Bank(&[Normal, Weighted])], &[Dense(&[Both; 6])], 3, false),
        ]);
    }
    // Longer than one piece of a tuned sum.
    for shape in [[1, 1, 20_011], [17, 1, 1030]] {
        samples.push(Sample::new(shape, &[Bank(&[Both, Weighted])], &[Dense(&[Both])], 1, false));
    }
    samples
}

/// Shapes of the DARTS supernet at batch 16, and of one for small images.
pub(super) fn benches() -> Vec<Sample> {
    [[16, 16, 1024], [16, 32, 256], [16, 64, 64], [64, 4, 64]]
        .iter()
        .map(|&shape| {
            let mut sample = Sample::new(shape, EDGE[0], EDGE[1], 1, true);
            sample.label = format!("{}×{}×{}", shape[0], shape[1], shape[2]);
            sample
        })
        .collect()
}
