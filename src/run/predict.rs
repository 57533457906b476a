//! What a trained network says of pictures: files are read, brought to its size and answered in batches.

use super::error::RunError;
use super::evaluate::softmax;
use super::model::Model;
use crate::data::{Format, Reading};
use crate::device::Device;
use crate::estimate::{EstimateError, Inference};
use rayon::prelude::*;
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest picture file that is read, in bytes.
const MOST_BYTES: u64 = 256 << 20;

/// A class and how likely it is held to be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guess {
    /// Name of the class.
    pub class: String,
    /// Its share of the softmax over all classes.
    pub probability: f64,
}

/// What is said of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// What its picture is held to show.
    Classes {
        /// The file.
        file: String,
        /// The most likely classes, the most likely one first.
        top: Vec<Guess>,
    },
    /// Why it could not be read.
    Unread {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: String,
    },
}

/// A trained network that answers pictures.
pub struct Predictor<'a> {
    model: &'a Model,
    inference: Inference,
    reading: Reading,
    /// Whether dark and bright are exchanged.
    invert: bool,
    top: usize,
}

impl<'a> Predictor<'a> {
    /// On a device. Of each picture the `top` most likely classes are given. `invert` exchanges dark and bright, for networks
    /// that have learned from white on black and pictures that are black on white.
    ///
    /// # Errors
    /// As [`Model::inference`].
    pub fn new(model: &'a Model, device: &Device, top: usize, invert: bool) -> Result<Self, RunError> {
        Ok(Self { inference: model.inference(device)?, reading: model.reading(), model, invert, top })
    }

    /// Answers some files in their order. What cannot be read of them is said in its place.
    ///
    /// # Errors
    /// An error of the device.
    pub fn answer(&mut self, files: &[PathBuf]) -> Result<Vec<Answer>, RunError> {
        let [channels, ..] = self.model.shape();
        let read = |file: &PathBuf| picture(file, &self.reading, channels, self.invert);
        let pictures: Vec<Result<Vec<u8>, String>> = files.par_iter().map(read).collect();
        let pixels: Vec<u8> = pictures.iter().flatten().flatten().copied().collect();
        let count = pictures.iter().filter(|picture| picture.is_ok()).count();
        let classes = self.model.classes.len();
        let logits = match count {
            0 => Vec::new(),
            _ => pollster::block_on(self.inference.logits(count, &self.model.normalised(&pixels)))
                .map_err(EstimateError::from)?,
        };
        let mut scores = logits.chunks(classes.max(1));
        let answers = files.iter().zip(pictures).map(|(file, picture)| {
            let file = file.display().to_string();
            match picture {
                Ok(_) => Answer::Classes { file, top: self.top(scores.next().unwrap_or_default()) },
                Err(error) => Answer::Unread { file, error },
            }
        });
        Ok(answers.collect())
    }

    fn top(&self, logits: &[f32]) -> Vec<Guess> {
        let mut guesses: Vec<Guess> = (self.model.classes.iter().zip(softmax(logits)))
            .map(|(class, probability)| Guess { class: class.clone(), probability })
            .collect();
        // Of equal ones the first.
        guesses.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        guesses.truncate(self.top);
        guesses
    }
}

/// Pixels of a picture file, channel by channel.
fn picture(file: &Path, reading: &Reading, channels: usize, invert: bool) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|error| error.to_string())?;
    opened.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("has more than {MOST_BYTES} bytes"));
    }
    let picture = reading.read(&bytes).map_err(|error| error.to_string())?;
    let pixel = |value: u8| if invert { 255 - value } else { value };
    match channels {
        // Luma as of ITU-R 601, in thousandths.
        1 => Ok(picture
            .pixels()
            .map(|p| {
                let [red, green, blue] = p.0.map(u32::from);
                pixel(((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8)
            })
            .collect()),
        3 => Ok((0..3).flat_map(|channel| picture.pixels().map(move |p| p.0[channel])).map(pixel).collect()),
        other => Err(format!("the network takes images of {other} channels, and pictures have 1 or 3")),
    }
}

/// The files that paths name, in their order: a folder names the pictures in it and below, by name.
///
/// # Errors
/// [`RunError::Model`] for a folder that cannot be read, or has no pictures.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, RunError> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = all.len();
            below(path, &mut all)?;
            if all.len() == before {
                let problem = format!("holds no pictures: files that end in {}", Format::endings().join(", "));
                return Err(RunError::Model { path: path.clone(), problem });
            }
        } else {
            all.push(path.clone());
        }
    }
    Ok(all)
}

/// The pictures of a folder. Links to folders are not followed.
fn below(folder: &Path, all: &mut Vec<PathBuf>) -> Result<(), RunError> {
    let wrong = |error: std::io::Error| RunError::Model { path: folder.to_owned(), problem: error.to_string() };
    let mut entries = std::fs::read_dir(folder).map_err(wrong)?.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type().map_err(wrong)?.is_dir() {
            below(&entry.path(), all)?;
        } else if Format::promised_by(&entry.file_name().to_string_lossy()) {
            all.push(entry.path());
        }
    }
    Ok(())
}
