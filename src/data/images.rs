//! Labelled images, and the pair of training and test images that makes a dataset.

use super::{DataError, MAX_BYTES};

/// Labelled images of one shape, as bytes in NCHW order.
///
/// Its parts always agree, since [`Images::new`] checks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    shape: [usize; 3],
    pixels: Vec<u8>,
    labels: Vec<u32>,
    classes: Vec<String>,
}

impl Images {
    /// Images of `shape` (channels, height, width), one a label. `pixels` holds them one after the
    /// other, each channel by channel and row by row; a label is an index into `classes`.
    ///
    /// # Errors
    /// If there are no images or a dimension is zero, the counts disagree, a label has no class, or
    /// the pixels are more than [`MAX_BYTES`].
    pub fn new(shape: [usize; 3], pixels: Vec<u8>, labels: Vec<u32>, classes: Vec<String>) -> Result<Self, DataError> {
        if labels.is_empty() {
            return Err(DataError::Empty);
        }
        if shape.contains(&0) {
            return Err(DataError::Shape { shape });
        }
        let expected =
            shape.iter().try_fold(labels.len() as u128, |n, &d| n.checked_mul(d as u128)).unwrap_or(u128::MAX);
        if expected != pixels.len() as u128 {
            return Err(DataError::PixelCount { labels: labels.len(), expected, found: pixels.len() });
        }
        if expected > u128::from(MAX_BYTES) {
            return Err(DataError::TooLarge { needed: expected, limit: MAX_BYTES });
        }
        if let Some((index, &label)) = labels.iter().enumerate().find(|&(_, &label)| label as usize >= classes.len()) {
            return Err(DataError::Label { index, label, classes: classes.len() });
        }
        Ok(Self { shape, pixels, labels, classes })
    }

    /// Channels, height and width of each image.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Number of images; never zero, and always within `u32`.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// All pixels: count × channels × height × width bytes.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The class of each image, an index into [`Images::classes`].
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The bytes of one image: channels × height × width; `None` beyond the last.
    pub fn image(&self, index: usize) -> Option<&[u8]> {
        self.pixels.chunks_exact(self.shape.iter().product()).nth(index)
    }

    /// Number of images of each class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for &label in &self.labels {
            counts[label as usize] += 1;
        }
        counts
    }

    /// A copy of the images at `indices`, in that order.
    ///
    /// # Errors
    /// If there are no indices or one is beyond the last image.
    pub fn subset(&self, indices: &[u32]) -> Result<Self, DataError> {
        let mut pixels = Vec::with_capacity(indices.len() * self.shape.iter().product::<usize>());
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            let index = index as usize;
            pixels.extend_from_slice(self.image(index).ok_or(DataError::Index { index, count: self.count() })?);
            labels.push(self.labels[index]);
        }
        Self::new(self.shape, pixels, labels, self.classes.clone())
    }

    /// These images followed by `more`, of the same shape and classes.
    ///
    /// # Errors
    /// If shape or classes differ, or all together are more than [`MAX_BYTES`].
    pub fn join(mut self, more: Self) -> Result<Self, DataError> {
        same_kind(&self, &more)?;
        self.pixels.extend_from_slice(&more.pixels);
        self.labels.extend_from_slice(&more.labels);
        Self::new(self.shape, self.pixels, self.labels, self.classes)
    }

    /// The same images with rows and columns exchanged.
    pub fn transposed(mut self) -> Self {
        let [channels, height, width] = self.shape;
        let mut plane = vec![0; height * width];
        for pixels in self.pixels.chunks_exact_mut(height * width) {
            for (row, values) in pixels.chunks_exact(width).enumerate() {
                values.iter().enumerate().for_each(|(column, &value)| plane[column * height + row] = value);
            }
            pixels.copy_from_slice(&plane);
        }
        self.shape = [channels, width, height];
        self
    }

    /// The same images in colour: each plane of grey ones three times.
    ///
    /// # Errors
    /// If they are neither grey nor in colour, or then have more than [`MAX_BYTES`].
    pub fn in_colour(self) -> Result<Self, DataError> {
        match self.shape {
            [1, height, width] => {
                let pixels = self.pixels.chunks(height * width).flat_map(|plane| [plane; 3]).flatten().copied();
                Self::new([3, height, width], pixels.collect(), self.labels, self.classes)
            }
            [3, ..] => Ok(self),
            shape => Err(DataError::Shape { shape }),
        }
    }

    /// Mean and standard deviation of each channel, of pixels scaled to [0, 1]. A channel that
    /// never varies has a deviation of 1, so that normalised it is zero and not a division by zero.
    pub fn mean_std(&self) -> (Vec<f32>, Vec<f32>) {
        let [channels, height, width] = self.shape;
        // Histograms are exact whatever the order and number of pixels.
        let mut histograms = vec![[0u64; 256]; channels];
        for (plane, pixels) in self.pixels.chunks_exact(height * width).enumerate() {
            let histogram = &mut histograms[plane % channels];
            for &pixel in pixels {
                histogram[usize::from(pixel)] += 1;
            }
        }
        let total = (self.count() * height * width) as f64;
        let moment = |histogram: &[u64; 256], of: &dyn Fn(f64) -> f64| {
            histogram.iter().enumerate().map(|(value, &n)| n as f64 * of(value as f64 / 255.0)).sum::<f64>() / total
        };
        histograms
            .iter()
            .map(|histogram| {
                let mean = moment(histogram, &|x| x);
                let varies = histogram.iter().filter(|&&n| n > 0).count() > 1;
                let std = if varies { moment(histogram, &|x| (x - mean).powi(2)).sqrt() } else { 1.0 };
                (mean as f32, std as f32)
            })
            .unzip()
    }
}

/// Fails unless the two could be parts of one dataset.
fn same_kind(train: &Images, test: &Images) -> Result<(), DataError> {
    if train.shape != test.shape {
        return Err(DataError::ShapesDiffer { train: train.shape, test: test.shape });
    }
    if train.classes != test.classes {
        return Err(DataError::ClassesDiffer { train: train.classes.clone(), test: test.classes.clone() });
    }
    Ok(())
}

/// Training and test images, and how to normalise both.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Its name: `digits`, `mnist`, …
    pub name: String,
    /// Where the images come from, for the reader of a report.
    pub source: String,
    /// What may be learnt from: search splits it again.
    pub train: Images,
    /// What neither search nor training sees.
    pub test: Images,
    /// Mean of each channel of the training images, of pixels scaled to [0, 1].
    pub mean: Vec<f32>,
    /// Standard deviation of each channel of the training images, likewise; never zero.
    pub std: Vec<f32>,
}

impl Dataset {
    /// A dataset of the given parts; mean and deviation are those of the training images.
    ///
    /// # Errors
    /// If shapes or classes of the two parts differ.
    pub fn new(name: &str, source: &str, train: Images, test: Images) -> Result<Self, DataError> {
        same_kind(&train, &test)?;
        let (mean, std) = train.mean_std();
        Ok(Self { name: name.into(), source: source.into(), train, test, mean, std })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(n: usize) -> Vec<String> {
        (0..n).map(|c| format!("c{c}")).collect()
    }

    fn two() -> Images {
        Images::new([2, 1, 2], vec![0, 255, 7, 7, 255, 0, 7, 7], vec![1, 0], classes(2)).unwrap()
    }

    #[test]
    fn the_first_label_without_a_class_is_named() {
        let error = Images::new([1, 1, 1], vec![0; 4], vec![0, 2, 9, 3], classes(3)).unwrap_err();
        assert_eq!(error.to_string(), "image 2 has label 9, but there are only 3 classes (labels 0 to 2)");
    }

    #[test]
    fn parts_that_disagree_are_refused() {
        let new = |shape, pixels, labels| Images::new(shape, vec![0; pixels], vec![0; labels], classes(1));
        assert!(new([1, 2, 2], 8, 2).is_ok());
        assert!(matches!(new([1, 2, 2], 9, 2), Err(DataError::PixelCount { labels: 2, expected: 8, found: 9 })));
        assert!(matches!(new([1, 2, 2], 0, 0), Err(DataError::Empty)));
        assert!(matches!(new([1, 0, 2], 0, 2), Err(DataError::Shape { .. })));
        assert!(matches!(new([usize::MAX; 3], 8, 2), Err(DataError::PixelCount { .. })));
        assert!(Images::new([1, 1, 1], vec![0], vec![0], vec![]).is_err());
    }

    #[test]
    fn mean_and_deviation_are_per_channel_and_never_divide_by_zero() {
        let (mean, std) = two().mean_std();
        assert_eq!(mean, [0.5, 7.0 / 255.0]);
        assert_eq!(std, [0.5, 1.0], "the second channel is constant");
    }

    #[test]
    fn transposed_images_have_columns_for_rows() {
        let wide = Images::new([2, 1, 3], vec![1, 2, 3, 4, 5, 6], vec![0], classes(1)).unwrap();
        assert_eq!(
            (wide.clone().transposed().shape(), wide.transposed().pixels()),
            ([2, 3, 1], &[1, 2, 3, 4, 5, 6][..])
        );
        let square = Images::new([1, 2, 3], vec![1, 2, 3, 4, 5, 6], vec![0], classes(1)).unwrap();
        assert_eq!(square.clone().transposed().pixels(), [1, 4, 2, 5, 3, 6]);
        assert_eq!(square.clone().transposed().transposed(), square);
    }

    #[test]
    fn a_subset_keeps_order_and_labels() {
        let subset = two().subset(&[1, 0, 1]).unwrap();
        assert_eq!(subset.labels(), [0, 1, 0]);
        assert_eq!(subset.image(0), Some(&[255, 0, 7, 7][..]));
        assert_eq!(subset.image(3), None);
        assert_eq!(subset.class_counts(), [2, 1]);
        assert!(matches!(two().subset(&[0, 2]), Err(DataError::Index { index: 2, count: 2 })));
        assert!(matches!(two().subset(&[]), Err(DataError::Empty)));
    }

    #[test]
    fn training_and_test_images_must_match() {
        let wide = Images::new([1, 1, 4], vec![0; 4], vec![0], classes(2)).unwrap();
        let other = Images::new([2, 1, 2], vec![0; 4], vec![0], classes(3)).unwrap();
        assert!(matches!(Dataset::new("x", "", two(), wide), Err(DataError::ShapesDiffer { .. })));
        assert!(matches!(Dataset::new("x", "", two(), other), Err(DataError::ClassesDiffer { .. })));
        let both = two().join(two()).unwrap();
        assert_eq!((both.count(), both.labels()), (4, &[1, 0, 1, 0][..]));
    }
}
