//! A shape and a place in a buffer on a device.

use crate::device::{self, Binding, Buffer, Device, Pending, Recorder};

/// What can go wrong with tensors and everything built of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The device failed.
    #[error(transparent)]
    Device(#[from] device::Error),
    /// Shapes do not fit an operation.
    #[error("{operation}: {problem}")]
    Shape {
        /// The operation.
        operation: &'static str,
        /// What does not fit, with the shapes.
        problem: String,
    },
}

impl Error {
    /// A shape error of `operation`.
    pub fn shape(operation: &'static str, problem: impl Into<String>) -> Self {
        Self::Shape { operation, problem: problem.into() }
    }
}

/// Contiguous 32-bit elements in a buffer: float32, or words for labels and indices.
///
/// Several tensors may share one buffer; clones share the contents. Images are
/// `[batch, channels, height, width]`.
///
/// ```
/// use cellwright::device::Device;
/// use cellwright::tensor::Tensor;
///
/// let device = Device::cpu();
/// let images = Tensor::from_values(&device, &[1.0, 2.0, 3.0, 4.0], &[2, 1, 1, 2])?;
/// let second = images.view(2, &[1, 1, 1, 2]); // the same memory
/// second.write(&device, &[5.0, 6.0])?;
/// assert_eq!(pollster::block_on(images.read(&device))?, [1.0, 2.0, 5.0, 6.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tensor {
    buffer: Buffer,
    offset: usize,
    shape: Vec<usize>,
}

impl Tensor {
    /// A tensor of zeros.
    ///
    /// # Errors
    /// [`device::Error::OutOfMemory`] or [`device::Error::Limit`].
    pub fn zeros(device: &Device, shape: &[usize]) -> Result<Self, Error> {
        let buffer = device.zeros(shape.iter().product())?;
        Ok(Self { buffer, offset: 0, shape: shape.to_vec() })
    }

    /// A tensor that holds `values`.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many values as the shape has elements; else as
    /// [`Tensor::zeros`].
    pub fn from_values(device: &Device, values: &[f32], shape: &[usize]) -> Result<Self, Error> {
        Self::from_words(device, bytemuck::cast_slice(values), shape)
    }

    /// A tensor of words (labels, indices, packed bytes).
    ///
    /// # Errors
    /// As [`Tensor::from_values`].
    pub fn from_words(device: &Device, words: &[u32], shape: &[usize]) -> Result<Self, Error> {
        if words.len() != shape.iter().product::<usize>() {
            return Err(Error::shape("tensor", format!("{} values do not fill the shape {shape:?}", words.len())));
        }
        Ok(Self { buffer: device.upload(words)?, offset: 0, shape: shape.to_vec() })
    }

    /// Scratch memory of a recorder, undefined until written.
    ///
    /// # Errors
    /// As [`Tensor::zeros`].
    pub fn scratch(recorder: &Recorder, shape: &[usize]) -> Result<Self, Error> {
        let buffer = recorder.allocate(shape.iter().product())?;
        Ok(Self { buffer, offset: 0, shape: shape.to_vec() })
    }

    /// Its shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Number of elements.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// First element in the buffer, as kernels take it.
    pub fn at(&self) -> u32 {
        // Buffers hold fewer than 2³² elements: the device's limits see to it.
        self.offset as u32
    }

    /// The buffer it lies in.
    pub fn buffer(&self) -> &Buffer {
        &self.buffer
    }

    /// What a dispatch binds to work on it.
    pub fn binding(&self) -> Binding<'_> {
        Binding { buffer: &self.buffer, offset: self.offset, elements: self.count() }
    }

    /// The elements from `first` on, in another shape.
    ///
    /// # Panics
    /// If they lie outside this tensor: a mistake in the calling code.
    pub fn view(&self, first: usize, shape: &[usize]) -> Self {
        let count: usize = shape.iter().product();
        assert!(first + count <= self.count(), "a view of {shape:?} at {first} lies outside {:?}", self.shape);
        Self { buffer: self.buffer.clone(), offset: self.offset + first, shape: shape.to_vec() }
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    /// [`Error::Shape`] if the number of elements differs.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self, Error> {
        if shape.iter().product::<usize>() != self.count() {
            return Err(Error::shape("reshape", format!("{:?} cannot become {shape:?}", self.shape)));
        }
        Ok(self.view(0, shape))
    }

    /// Writes values, in order with what has been run.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many values as elements; an earlier error of the device.
    pub fn write(&self, device: &Device, values: &[f32]) -> Result<(), Error> {
        self.write_words(device, bytemuck::cast_slice(values))
    }

    /// Writes words, in order with what has been run.
    ///
    /// # Errors
    /// As [`Tensor::write`].
    pub fn write_words(&self, device: &Device, words: &[u32]) -> Result<(), Error> {
        if words.len() != self.count() {
            return Err(Error::shape(
                "write",
                format!("{} values do not fill the shape {:?}", words.len(), self.shape),
            ));
        }
        Ok(device.write(&self.buffer, self.offset, words)?)
    }

    /// Its values once everything run so far is done.
    pub fn read(&self, device: &Device) -> Pending<Vec<f32>> {
        self.read_words(device).map(|words| bytemuck::cast_slice(&words).to_vec())
    }

    /// Its words once everything run so far is done.
    pub fn read_words(&self, device: &Device) -> Pending<Vec<u32>> {
        device.read(&self.buffer, self.offset, self.count())
    }
}
