//! How well a trained network does on the test images of a dataset: its own, or another of the same classes.

use super::classes;
use super::config::DataConfig;
use super::directory::Directory;
use super::error::RunError;
use super::files::{self, Request};
use super::images::ImagesConfig;
use super::model::Model;
use super::observer::Observer;
use crate::data::{Dataset, Images};
use crate::device::Device;
use crate::estimate::{Confusion, EstimateError};
use serde::Serialize;
use std::path::PathBuf;

/// Images that are answered at a time.
const BATCH: usize = 64;
/// Bins of the calibration, by confidence.
const BINS: usize = 15;
/// The normal quantile of an interval that covers 95 %.
const QUANTILE: f64 = 1.959_963_984_540_054;

/// How well a network does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evaluated {
    /// What was found of the dataset and how it was read, in one line.
    pub data_source: String,
    /// Test images.
    pub images: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// What it lies between with a confidence of 95 % (Wilson 1927).
    pub interval: [f64; 2],
    /// Mean of the classes' recalls.
    pub balanced_accuracy: f64,
    /// Mean cross-entropy.
    pub loss: f64,
    /// How far confidence and accuracy lie apart.
    pub calibration: Calibration,
    /// How each class fared.
    pub classes: Vec<ClassResult>,
    /// Test images by class and by the class that they were taken for, in the order of `classes`.
    pub confusion: Vec<Vec<u64>>,
}

/// How one class fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassResult {
    /// Its name.
    pub class: String,
    /// Its test images.
    pub images: u64,
    /// Share of them that were recognised; none of none.
    pub recall: Option<f64>,
    /// Share of the images taken for it that are; none of none.
    pub precision: Option<f64>,
}

/// Confidence (the probability of the answer given) against accuracy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean distance of confidence and accuracy over bins of equal width, weighed by their images (Guo et al. 2017, equation 3).
    pub expected_error: f64,
    /// The bins that have images.
    pub bins: Vec<Bin>,
}

/// Answers of about the same confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bin {
    /// Number of images.
    pub images: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Share of right answers.
    pub accuracy: f64,
}

/// Measures a network on the test images of a dataset, which is read as that was which it was trained on.
///
/// # Errors
/// [`RunError::Load`] for a dataset that cannot be read, [`RunError::Model`] if it has other classes or images of another kind.
pub fn evaluate(
    model: &Model,
    device: &Device,
    data: &DataConfig,
    observer: &mut dyn Observer,
) -> Result<Evaluated, RunError> {
    let images = ImagesConfig { limit: 0, ..model.reading_of(&data.name, &data.images) };
    let request = Request { name: &data.name, directory: data.dir.as_deref(), images: &images, room: None };
    let loaded = files::load(&request, observer)?;
    loaded.notes.iter().for_each(|note| observer.warn(note));
    observer.say(&loaded.dataset.source);
    let wrong = |problem: String| RunError::Model { path: PathBuf::from(&data.name), problem };
    let labels = labels(model, &loaded.dataset.test).map_err(wrong)?;
    let Dataset { source, test, .. } = loaded.dataset;
    let test = model.fitting(test).map_err(wrong)?;
    let logits = logits(model, device, test.pixels(), labels.len(), observer)?;
    Ok(measure(model, &source, &labels, &logits))
}

/// The classes of a dataset's test images as the network numbers them.
fn labels(model: &Model, test: &Images) -> Result<Vec<u32>, String> {
    let place = |class: &String| model.classes.iter().position(|own| own == class);
    let places: Vec<Option<usize>> = test.classes().iter().map(place).collect();
    let number = |&label: &u32| {
        let class = &test.classes()[label as usize];
        let known = || model.classes.iter().take(12).cloned().collect::<Vec<_>>().join(", ");
        let missing = || format!("the class `{class}` is none of the network's: {}", known());
        places[label as usize].map(|place| place as u32).ok_or_else(missing)
    };
    test.labels().iter().map(number).collect()
}

fn logits(
    model: &Model,
    device: &Device,
    pixels: &[u8],
    count: usize,
    observer: &mut dyn Observer,
) -> Result<Vec<f32>, RunError> {
    let each = model.shape().iter().product::<usize>();
    let mut inference = model.inference(device)?;
    let mut logits = Vec::with_capacity(count * model.classes.len());
    observer.begin("evaluate", count as u64);
    for batch in pixels.chunks(BATCH * each) {
        let values = model.normalised(batch);
        let answers = pollster::block_on(inference.logits(batch.len() / each, &values));
        logits.extend(answers.map_err(EstimateError::from)?);
        observer.step((logits.len() / model.classes.len()) as u64, None);
    }
    observer.end();
    Ok(logits)
}

/// What answers come to.
fn measure(model: &Model, source: &str, labels: &[u32], logits: &[f32]) -> Evaluated {
    let classes = model.classes.len();
    let (mut loss, mut pairs, mut confident) = (0.0, Vec::new(), Vec::new());
    for (&label, scores) in labels.iter().zip(logits.chunks(classes)) {
        let shares = softmax(scores);
        // Of equal ones the first.
        let answer = (0..classes).fold(0, |best, class| if shares[class] > shares[best] { class } else { best });
        loss -= shares[label as usize].max(f64::MIN_POSITIVE).ln();
        pairs.push((label, answer as u32));
        confident.push((shares[answer], answer as u32 == label));
    }
    let confusion = Confusion::new(classes, pairs);
    let mut counts = vec![vec![0; classes]; classes];
    confusion.counts().iter().for_each(|&(class, answer, count)| counts[class as usize][answer as usize] = count);
    let results = model.classes.iter().zip(confusion.scores()).map(|(class, score)| ClassResult {
        class: class.clone(),
        images: score.examples,
        recall: score.recall(),
        precision: score.precision(),
    });
    let accuracy = confusion.accuracy();
    Evaluated {
        data_source: source.to_owned(),
        images: labels.len(),
        accuracy,
        interval: wilson(accuracy, labels.len()),
        balanced_accuracy: confusion.balanced_accuracy(),
        loss: loss / labels.len().max(1) as f64,
        calibration: Calibration::of(&confident),
        classes: results.collect(),
        confusion: counts,
    }
}

/// Writes `evaluation.json`, `classes.csv` and `confusion.csv`.
///
/// # Errors
/// [`RunError::Write`].
pub fn write(directory: &Directory, evaluated: &Evaluated) -> Result<(), RunError> {
    directory.write_json("evaluation.json", evaluated)?;
    let names: Vec<String> = evaluated.classes.iter().map(|result| result.class.clone()).collect();
    let pairs = evaluated.confusion.iter().enumerate().flat_map(|(class, row)| {
        row.iter().enumerate().flat_map(move |(answer, &count)| (0..count).map(move |_| (class as u32, answer as u32)))
    });
    classes::write(directory, &names, &Confusion::new(names.len(), pairs))
}

/// Shares of classes, by their scores.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The interval that a share lies in with 95 %, as it was found among so many (Wilson 1927).
pub fn wilson(share: f64, count: usize) -> [f64; 2] {
    let (n, z2) = (count.max(1) as f64, QUANTILE * QUANTILE);
    let middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = QUANTILE / (1.0 + z2 / n) * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    [(middle - half).max(0.0), (middle + half).min(1.0)]
}

impl Calibration {
    /// Of answers, each with its confidence and whether it was right.
    fn of(answers: &[(f64, bool)]) -> Self {
        let mut sums = vec![(0usize, 0.0, 0usize); BINS];
        for &(confidence, right) in answers {
            let bin = &mut sums[((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1];
            *bin = (bin.0 + 1, bin.1 + confidence, bin.2 + usize::from(right));
        }
        let bins: Vec<Bin> = (sums.into_iter().filter(|(images, ..)| *images > 0))
            .map(|(images, confidence, right)| Bin {
                images,
                confidence: confidence / images as f64,
                accuracy: right as f64 / images as f64,
            })
            .collect();
        let all = answers.len().max(1) as f64;
        let apart = |bin: &Bin| bin.images as f64 / all * (bin.confidence - bin.accuracy).abs();
        Self { expected_error: bins.iter().map(apart).sum(), bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    /// Wilson's formula, computed apart in double precision.
    #[test]
    fn intervals_are_wilsons() {
        for (right, count, low, high) in [
            (9, 10, 0.595_849_973_204_761_5, 0.982_123_786_904_927_1),
            (0, 20, 0.0, 0.161_125_158_052_819_4),
            (9918, 10_000, 0.989_833_895_803_389_3, 0.993_388_403_399_213_2),
        ] {
            let [a, b] = wilson(f64::from(right) / f64::from(count), count as usize);
            assert_relative_eq!(a, low, epsilon = 1e-9);
            assert_relative_eq!(b, high, epsilon = 1e-9);
        }
    }

    #[test]
    fn calibration_weighs_its_bins() {
        let sure = [(0.95, true), (0.95, false), (0.5, true), (0.5, true)];
        let calibration = Calibration::of(&sure);
        assert_eq!(calibration.bins.iter().map(|bin| bin.images).collect::<Vec<_>>(), [2, 2]);
        assert_relative_eq!(calibration.expected_error, 0.5 * 0.45 + 0.5 * 0.5, epsilon = 1e-12);
        assert_eq!(Calibration::of(&[(0.0, false), (1.0, true)]).expected_error, 0.0);
    }

    #[test]
    fn equal_scores_are_equal_shares() {
        assert_eq!(softmax(&[1e30, 1e30]), [0.5, 0.5]);
        assert_relative_eq!(softmax(&[0.0, 1.0])[1], 0.731_058_578_630_004_9, epsilon = 1e-12);
    }
}
