//! How the classes fared that a network was tested on: the files `classes.csv` and `confusion.csv`, and what is kept where some
//! classes are much rarer than others.

use super::directory::Directory;
use super::error::RunError;
use crate::estimate::{ClassScore, Confusion};
use serde::{Deserialize, Serialize};

/// Classes are imbalanced where the most frequent has more than three images to two of the least frequent one.
const RATIO: [u64; 2] = [3, 2];

/// Most classes that [`Imbalance::worst`] names.
const MOST: usize = 10;

/// How a network does on classes that are not equally frequent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Imbalance {
    /// Training images of the most frequent class and of the least frequent one.
    pub training: [u64; 2],
    /// Test images, likewise.
    pub test: [u64; 2],
    /// Number of classes.
    pub classes: usize,
    /// The classes with the lowest recall, the lowest first; those without test images are left out.
    pub worst: Vec<ClassFacts>,
}

/// How a network does on one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassFacts {
    /// Name of the class.
    pub name: String,
    /// Its test images.
    pub images: u64,
    /// Those of them that were recognised.
    pub right: u64,
    /// Share of its test images that were recognised.
    pub recall: f64,
    /// Share of the images taken for it that are; none if none were.
    pub precision: Option<f64>,
}

impl Imbalance {
    /// That of classes of which so many images train, if they are imbalanced in training or test.
    pub(super) fn of(names: &[String], training: &[u64], confusion: &Confusion) -> Option<Self> {
        let scores = confusion.scores();
        let training = extremes(training.iter().copied());
        let test = extremes(scores.iter().map(|score| score.examples));
        if ![training, test].iter().any(|[most, least]| RATIO[1] * most > RATIO[0] * least) {
            return None;
        }
        let facts = |(name, score): (&String, &ClassScore)| {
            let (name, ClassScore { examples: images, right, .. }) = (name.clone(), *score);
            Some(ClassFacts { name, images, right, recall: score.recall()?, precision: score.precision() })
        };
        let mut worst: Vec<ClassFacts> = names.iter().zip(&scores).filter_map(facts).collect();
        // Of equal ones the first.
        worst.sort_by(|a, b| a.recall.total_cmp(&b.recall));
        worst.truncate(MOST);
        Some(Self { training, test, classes: names.len(), worst })
    }
}

/// The greatest and the smallest.
fn extremes(counts: impl Iterator<Item = u64> + Clone) -> [u64; 2] {
    [counts.clone().max().unwrap_or(0), counts.min().unwrap_or(0)]
}

/// Number of images of each of so many classes.
pub(super) fn frequencies(labels: &[u32], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for &label in labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    counts
}

/// Writes `classes.csv`, a row for each class, and `confusion.csv`, a row for each pair of a class and one that it was taken for.
pub(super) fn write(directory: &Directory, names: &[String], confusion: &Confusion) -> Result<(), RunError> {
    let share = |share: Option<f64>| share.map_or(String::new(), |share| share.to_string());
    let rows = names.iter().zip(confusion.scores()).map(|(name, score)| {
        let ClassScore { examples, right, .. } = score;
        [name.clone(), examples.to_string(), right.to_string(), share(score.recall()), share(score.precision())]
    });
    directory.write("classes.csv", &csv(["class", "images", "right", "recall", "precision"], rows))?;
    let name = |class: u32| names.get(class as usize).cloned().unwrap_or_default();
    let rows = confusion.counts().iter().map(|&(class, answer, count)| [name(class), name(answer), count.to_string()]);
    directory.write("confusion.csv", &csv(["class", "taken for", "images"], rows))
}

fn csv<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(header);
    rows.for_each(|row| _ = writer.write_record(row));
    writer.into_inner().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(classes: usize) -> Vec<String> {
        (0..classes).map(|class| format!("c{class}")).collect()
    }

    /// So many examples of each class, of which one each is taken for the first class.
    fn confusion(examples: &[u32]) -> Confusion {
        let of = |(class, &count): (usize, &u32)| {
            (0..count).map(move |n| (class as u32, if n == 0 { 0 } else { class as u32 }))
        };
        Confusion::new(examples.len(), examples.iter().enumerate().flat_map(of))
    }

    #[test]
    fn classes_are_imbalanced_beyond_three_to_two() {
        let is = |training: &[u64], test: &[u32]| Imbalance::of(&names(2), training, &confusion(test)).is_some();
        assert!(!is(&[30, 20], &[2, 3]) && is(&[31, 20], &[3, 3]) && is(&[20, 20], &[4, 7]));
        assert!(is(&[20, 20], &[4, 0]), "a class without test images");
    }

    #[test]
    fn the_worst_ten_are_named_and_those_without_images_are_not() {
        let tested: Vec<u32> = (0..13).collect();
        let imbalance = Imbalance::of(&names(13), &[9; 13], &confusion(&tested)).unwrap();
        assert_eq!((imbalance.training, imbalance.test, imbalance.classes), ([9, 9], [12, 0], 13));
        let worst: Vec<&str> = imbalance.worst.iter().map(|facts| facts.name.as_str()).collect();
        assert_eq!(worst, ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8", "c9", "c10"]);
        let ClassFacts { images, right, recall, precision, .. } = imbalance.worst[3];
        assert_eq!((images, right, recall, precision), (4, 3, 0.75, Some(1.0)));
        assert_eq!(imbalance.worst[0].precision, None, "nothing was taken for it");
    }

    #[test]
    fn names_are_quoted_in_the_files() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::create(&place.path().join("run")).unwrap();
        let names = ["a, \"b\"".to_owned(), "c\nd".to_owned(), "e".to_owned()];
        write(&directory, &names, &Confusion::new(3, [(0, 0), (0, 1), (1, 1), (1, 1)])).unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        assert_eq!(
            read("classes.csv"),
            "class,images,right,recall,precision\n\"a, \"\"b\"\"\",2,1,0.5,1\n\"c\nd\",2,2,1,0.6666666666666666\ne,0,0,,\n"
        );
        let expected = "class,taken for,images\n\"a, \"\"b\"\"\",\"a, \"\"b\"\"\",1\n\"a, \"\"b\"\"\",\"c\nd\",1\n\"c\nd\",\"c\nd\",2\n";
        assert_eq!(read("confusion.csv"), expected);
    }
}
