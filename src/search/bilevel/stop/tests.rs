use super::*;
use crate::data::{Augmentation, Images, Resident, Shuffle};
use crate::device::Device;
use crate::graph::Features;
use crate::search::bilevel::phase::Setting;
use crate::search::bilevel::{BilevelConfig, Stage};
use crate::space::NetworkSettings;
use crate::space::chain::Chain;
use std::collections::{BTreeMap, HashSet};

fn watch(values: &[f64]) -> Watch {
    let seen = |(at, &value): (usize, &f64)| (2 * at as u32, value, Architecture { answers: vec![at] });
    Watch { seen: values.iter().enumerate().map(seen).collect(), best: None }
}

const STOP: Stop =
    Stop::Eigenvalue { every: 2, window: 5, back: 4, ratio: 1.3, earliest: 10, growth: 0.0, most_decay: 0.0 };

#[test]
fn growth_of_the_average_ends_the_search_with_what_was_before() {
    let mut values = vec![1.0; 8];
    assert_eq!(watch(&values).verdict(STOP), None);
    values.extend([1.1, 1.3, 2.0]);
    // Means: of the last three 1.47, of the five around the seventh 1.02.
    assert_eq!(watch(&values).verdict(STOP), Some((12, Architecture { answers: vec![6] })));
    assert_eq!(watch(&values[..9]).verdict(STOP), None);
    // An architecture of the first ten epochs is none to end with.
    values.drain(..2);
    assert_eq!(watch(&values).verdict(STOP), None);
}

#[test]
fn nothing_ends_before_its_time() {
    assert_eq!(watch(&[0.1, 0.2, 1.0, 2.0, 9.0]).verdict(STOP), None);
    assert_eq!(watch(&[]).verdict(STOP), None);
    let stop = Stop::Skips { most: 2, earliest: 3 };
    let skips = |epoch, n: usize| watch(&[]).skips(stop, epoch, &Architecture { answers: vec![] }, n);
    assert!(skips(3, 1).is_none() && skips(2, 4).is_none() && skips(3, 2).is_some());
}

/// Two hidden layers, each with a choice of three widths: one α of three a layer.
const UNITS: [usize; 3] = [1, 3, 6];

/// The mean loss of a batch in float64, from the definition: hidden units times the shares of the widths they belong to.
struct Reference {
    weights: BTreeMap<String, Vec<f64>>,
    images: Vec<Vec<f64>>,
    labels: Vec<usize>,
}

impl Reference {
    fn linear(&self, layer: &str, x: &[f64]) -> Vec<f64> {
        let (weight, bias) = (&self.weights[&format!("{layer}.weight")], &self.weights[&format!("{layer}.bias")]);
        let row = |(row, bias): (&[f64], &f64)| bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        weight.chunks_exact(x.len()).zip(bias).map(row).collect()
    }

    fn loss(&self, alpha: &[f64]) -> f64 {
        let one = |(image, &label): (&Vec<f64>, &usize)| {
            let mut x = image.clone();
            for (layer, alpha) in alpha.chunks(UNITS.len()).enumerate() {
                let total: f64 = alpha.iter().map(|a| a.exp()).sum();
                let share = |unit: usize| -> f64 {
                    alpha.iter().zip(UNITS).filter(|(_, units)| unit < *units).map(|(a, _)| a.exp() / total).sum()
                };
                let hidden = self.linear(&format!("layers.{layer}.linear"), &x);
                x = hidden.into_iter().enumerate().map(|(unit, h)| h.max(0.0) * share(unit)).collect();
            }
            let logits = self.linear("classifier", &x);
            logits.iter().map(|l| l.exp()).sum::<f64>().ln() - logits[label]
        };
        self.images.iter().zip(&self.labels).map(one).sum::<f64>() / self.labels.len() as f64
    }

    /// ∇²α by central differences.
    fn hessian(&self, alpha: &[f64]) -> Vec<Vec<f64>> {
        let moved = |changes: &[(usize, f64)]| {
            let mut alpha = alpha.to_vec();
            changes.iter().for_each(|&(at, by)| alpha[at] += by);
            self.loss(&alpha)
        };
        let h = 1e-3;
        let second = |i: usize, j: usize| {
            let both = |a: f64, b: f64| moved(&[(i, a * h), (j, b * h)]);
            (both(1.0, 1.0) - both(1.0, -1.0) - both(-1.0, 1.0) + both(-1.0, -1.0)) / (4.0 * h * h)
        };
        (0..alpha.len()).map(|i| (0..alpha.len()).map(|j| second(i, j)).collect()).collect()
    }
}

#[test]
fn the_eigenvalue_is_that_of_the_loss_in_float64() {
    let device = Device::cpu();
    let mut random = Random::new(2, 0);
    let labels: Vec<u32> = (0..32).map(|image| image % 4).collect();
    // Each class is bright at a pixel of its own.
    let bright = |at: usize, random: &mut Random| {
        (random.below(120) + if labels[at / 4] as usize == at % 4 { 130 } else { 0 }) as u8
    };
    let pixels = (0..32 * 4).map(|at| bright(at, &mut random)).collect();
    let classes = ["a", "b", "c", "d"].map(String::from).to_vec();
    let images = Images::new([1, 2, 2], pixels, labels.clone(), classes).unwrap();
    let data = Resident::new(&device, &images, &[0.3], &[0.02]).unwrap();
    let space = Chain::mlp(2, &UNITS).unwrap();
    let settings = NetworkSettings { image: Features::new(1, 2, 2), classes: 4, ..Default::default() };
    let config = BilevelConfig { batch: 16, augmentation: Augmentation::default(), ..Default::default() };
    let setting =
        Setting { device: &device, space: &space, settings: &settings, data: &data, config: &config, seed: 1 };
    let phase = pollster::block_on(Phase::new(setting, &Stage::default(), 0, &HashSet::new(), vec![0, 1])).unwrap();
    let supernet = &phase.supernet;
    let alphas: Vec<f32> = (0..6).map(|_| random.normal()).collect();
    supernet.alphas().values().write(&device, &alphas).unwrap();
    let valid = Fresh::new((0..32).collect(), 16, Shuffle { seed: 1, stream: 2 }, 0).unwrap();

    let found = pollster::block_on(curvature(&phase, &valid, 4, 7)).unwrap();

    assert_eq!(pollster::block_on(supernet.alphas().read(&device)).unwrap(), alphas, "α is as it was");
    let widen = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
    let parameters = supernet.network().parameters();
    let flat = pollster::block_on(parameters.read(&device)).unwrap();
    let pixels = pollster::block_on(supernet.valid().x.read(&device)).unwrap();
    let reference = Reference {
        weights: parameters.split(&flat).map(|(name, _, values)| (name.to_owned(), widen(values))).collect(),
        images: widen(&pixels).chunks(4).map(<[f64]>::to_vec).collect(),
        labels: valid.at(4).iter().map(|&image| labels[image as usize] as usize).collect(),
    };
    // Shifted by more than the smallest eigenvalue is below zero, the largest one is what many products grow towards.
    const SHIFT: f64 = 2.0;
    let hessian = reference.hessian(&widen(&alphas));
    let (mut v, mut wanted) = (vec![1.0, -0.3, 0.2, 0.5, -0.9, 0.1], 0.0);
    for _ in 0..10_000 {
        let product = hessian.iter().map(|row| row.iter().zip(&v).map(|(h, v)| h * v).sum::<f64>());
        let moved: Vec<f64> = product.zip(&v).map(|(product, v)| product + SHIFT * v).collect();
        let norm = moved.iter().map(|m| m * m).sum::<f64>().sqrt();
        wanted = norm - SHIFT;
        v = moved.iter().map(|m| m / norm).collect();
    }
    wanted += 1e-3;
    assert!(wanted > 0.04, "{wanted} says little");
    assert!((found - wanted).abs() < 0.005 * wanted, "{found}, in float64 {wanted}");
}
