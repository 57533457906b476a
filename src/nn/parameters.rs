//! Learned values: one flat buffer with named views, and one for their gradients.

use crate::autograd::{Tape, Var};
use crate::device::{Device, Pending};
use crate::random::Random;
use crate::tensor::{Error, Tensor};
use std::ops::Range;

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same value everywhere.
    Constant(f32),
    /// Uniform in (−bound, bound). PyTorch's default for convolutions and linear layers has the
    /// bound 1/√(values that enter one output).
    Uniform(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// A parameter to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Full name, e.g. `stem.0.weight`.
    pub name: String,
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// Initial values.
    pub init: Init,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    offset: usize,
}

/// Named parameters in one flat buffer and their gradients in another.
#[derive(Debug)]
pub struct Parameters {
    entries: Vec<Entry>,
    values: Tensor,
    gradients: Tensor,
}

impl Parameters {
    /// Makes parameters with initial values drawn from `seed`, each from a stream of its own. They lie in
    /// memory in the order of `places`, those that it does not name behind the others.
    ///
    /// # Errors
    /// [`crate::device::Error::OutOfMemory`] or [`crate::device::Error::Limit`].
    pub fn new(device: &Device, specs: &[Spec], places: &[usize], seed: u64) -> Result<Self, Error> {
        let entry = |spec: &Spec| Entry { name: spec.name.clone(), shape: spec.shape.clone(), offset: usize::MAX };
        let mut entries: Vec<Entry> = specs.iter().map(entry).collect();
        let mut values = Vec::new();
        for index in places.iter().copied().chain(0..specs.len()) {
            if entries[index].offset != usize::MAX {
                continue;
            }
            entries[index].offset = values.len();
            let Spec { shape, init, .. } = &specs[index];
            let count: usize = shape.iter().product();
            let mut random = Random::new(seed, index as u64);
            values.extend((0..count).map(|_| match *init {
                Init::Constant(value) => value,
                Init::Uniform(bound) => random.range(-bound, bound),
                Init::Normal(deviation) => deviation * random.normal(),
            }));
        }
        let shape = [values.len()];
        Ok(Self {
            entries,
            values: Tensor::from_values(device, &values, &shape)?,
            gradients: Tensor::zeros(device, &shape)?,
        })
    }

    /// Makes parameters that are zero until they are written, and have no gradients: there is nothing to be trained.
    ///
    /// # Errors
    /// As [`Parameters::new`].
    pub fn fixed(device: &Device, specs: &[Spec]) -> Result<Self, Error> {
        let mut count = 0;
        let entries = specs.iter().map(|spec| {
            let offset = count;
            count += spec.shape.iter().product::<usize>();
            Entry { name: spec.name.clone(), shape: spec.shape.clone(), offset }
        });
        let entries = entries.collect();
        Ok(Self { entries, values: Tensor::zeros(device, &[count])?, gradients: Tensor::zeros(device, &[0])? })
    }

    /// Number of parameters (tensors).
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All values, `[total]`.
    pub fn values(&self) -> &Tensor {
        &self.values
    }

    /// All gradients, `[total]`; of none where they are [fixed](Parameters::fixed).
    pub fn gradients(&self) -> &Tensor {
        &self.gradients
    }

    /// Name of a parameter.
    pub fn name(&self, index: usize) -> &str {
        &self.entries[index].name
    }

    /// Index of the parameter with a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.entries.iter().position(|e| e.name == name)
    }

    /// One parameter's values.
    pub fn value(&self, index: usize) -> Tensor {
        let Entry { shape, offset, .. } = &self.entries[index];
        self.values.view(*offset, shape)
    }

    /// One parameter's gradient.
    pub fn gradient(&self, index: usize) -> Tensor {
        let Entry { shape, offset, .. } = &self.entries[index];
        self.gradients.view(*offset, shape)
    }

    /// A parameter on a tape: with its gradient written to the flat gradients, or as a constant.
    ///
    /// # Errors
    /// None in practice: value and gradient have the same shape.
    pub fn var(&self, tape: &mut Tape, index: usize, gradient: bool) -> Result<Var, Error> {
        if gradient {
            tape.parameter(self.value(index), self.gradient(index))
        } else {
            Ok(Var::constant(self.value(index)))
        }
    }

    /// Several parameters that lie behind one another in memory, from the first to the last, as one on a
    /// tape.
    ///
    /// # Errors
    /// [`Error::Shape`] if they do not fill `shape`.
    pub fn run(
        &self,
        tape: &mut Tape,
        [first, last]: [usize; 2],
        shape: &[usize],
        gradient: bool,
    ) -> Result<Var, Error> {
        let (begin, end) = (self.place(first).start, self.place(last).end);
        if end.checked_sub(begin) != Some(shape.iter().product()) {
            let problem = format!("`{}` to `{}` do not fill {shape:?}", self.name(first), self.name(last));
            return Err(Error::shape("parameters", problem));
        }
        let [values, gradients] = [&self.values, &self.gradients].map(|flat| flat.view(begin, shape));
        if gradient { tape.parameter(values, gradients) } else { Ok(Var::constant(values)) }
    }

    /// Where a parameter lies in the flat values.
    pub fn place(&self, index: usize) -> Range<usize> {
        let Entry { shape, offset, .. } = &self.entries[index];
        *offset..offset + shape.iter().product::<usize>()
    }

    /// Splits flat values (or gradients) by parameter: name, shape, values.
    pub fn split<'a>(&'a self, flat: &'a [f32]) -> impl Iterator<Item = (&'a str, &'a [usize], &'a [f32])> {
        self.entries.iter().map(|e| {
            let count: usize = e.shape.iter().product();
            (e.name.as_str(), e.shape.as_slice(), &flat[e.offset..e.offset + count])
        })
    }

    /// All values, once everything run so far is done.
    pub fn read(&self, device: &Device) -> Pending<Vec<f32>> {
        self.values.read(device)
    }
}
