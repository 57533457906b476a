//! Shapes that a file computes, as far as exporters do: the batch's size, taken from a value and put into a new shape.

use super::constant::{Constant, Values};
use super::importer::Importer;
use super::node::Reader;
use super::shapes::{axis_of, clamped};
use super::value::{MOST_SIZES, Size, Sizes, Value, View};
use crate::export::onnx::OnnxError;
use crate::graph::Op;

impl Importer<'_> {
    pub(super) fn shape(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["start", "end"])?;
        let (of, rest) = match self.value(reader, 0)? {
            Value::Map(view) => {
                let shape =
                    view.shape(self.graph.shape(view.of)).ok_or_else(|| reader.refused("reads an empty map"))?;
                (view, vec![shape.channels, shape.height, shape.width])
            }
            Value::Flat(x) => (View::whole(x), vec![self.graph.shape(x).count()]),
            _ => return Err(reader.refused("asks for the shape of what is no image")),
        };
        let mut sizes = vec![Size::Batch];
        sizes.extend(rest.into_iter().map(|size| Size::Fixed(size as i64)));
        let start = clamped(reader.integer("start")?.unwrap_or(0), sizes.len());
        let end = clamped(reader.integer("end")?.unwrap_or(i64::MAX), sizes.len());
        let sizes = sizes.get(start..end).unwrap_or_default().to_vec();
        self.give(reader, Value::Sizes(Sizes { sizes, scalar: false, of }))
    }

    pub(super) fn gather(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axis"])?;
        reader.must_be("axis", 0)?;
        let Value::Sizes(given) = self.value(reader, 0)? else {
            return Err(reader.refused("picks from what is no shape"));
        };
        let picked = self.constant(reader, 1)?.ok_or_else(|| reader.refused("picks nothing"))?;
        let places = picked.integers()?;
        if places.len() > MOST_SIZES || picked.shape.len() > 1 {
            return Err(reader.refused("picks more sizes than a shape has"));
        }
        let size = |&place: &i64| axis_of(place, given.sizes.len()).map(|place| given.sizes[place]);
        let sizes: Option<Vec<Size>> = places.iter().map(size).collect();
        let sizes = sizes.ok_or_else(|| reader.refused("picks a size that the shape does not have"))?;
        self.give(reader, Value::Sizes(Sizes { sizes, scalar: picked.shape.is_empty(), of: given.of }))
    }

    /// Sizes that are not the batch's, each computed with a number: a shuffle divides channels by its groups so.
    pub(super) fn computed_sizes(
        &mut self,
        reader: &Reader<'_>,
        given: &Sizes,
        constant: &Constant,
        compute: fn(i64, i64) -> Option<i64>,
    ) -> Result<(), OnnxError> {
        let [number] = constant.integers()? else {
            return Err(reader.refused("computes a shape with more than one number"));
        };
        let size = |size: &Size| match size {
            Size::Fixed(size) => compute(*size, *number).map(Size::Fixed),
            Size::Batch => None,
        };
        let sizes: Option<Vec<Size>> = given.sizes.iter().map(size).collect();
        let sizes = sizes.ok_or_else(|| reader.refused("computes a size that depends on the batch"))?;
        self.give(reader, Value::Sizes(Sizes { sizes, ..given.clone() }))
    }

    /// Sizes one after the other.
    pub(super) fn concat_sizes(&mut self, reader: &Reader<'_>, axis: i64, values: &[Value]) -> Result<(), OnnxError> {
        let mut joined: Option<Sizes> = None;
        let mut sizes = Vec::new();
        for value in values {
            match value {
                Value::Sizes(part) if !part.scalar => {
                    sizes.extend_from_slice(&part.sizes);
                    joined.get_or_insert_with(|| part.clone());
                }
                Value::Constant(constant) if constant.shape.len() == 1 => match &constant.values {
                    Values::Integers(list) if list.len() <= MOST_SIZES => {
                        sizes.extend(list.iter().map(|&size| Size::Fixed(size)));
                    }
                    _ => return Err(reader.refused("joins a shape and something else")),
                },
                _ => return Err(reader.refused("joins a shape and something else")),
            }
            if sizes.len() > MOST_SIZES {
                return Err(reader.refused("makes a shape of too many dimensions"));
            }
        }
        match joined {
            Some(first) if axis == 0 => self.give(reader, Value::Sizes(Sizes { sizes, scalar: false, of: first.of })),
            _ => Err(reader.refused(format!("joins shapes along dimension {axis}"))),
        }
    }

    pub(super) fn slice_sizes(
        &mut self,
        reader: &Reader<'_>,
        given: &Sizes,
        (starts, ends, axes, steps): (&[i64], &[i64], &[i64], &[i64]),
    ) -> Result<(), OnnxError> {
        let ([start], [end], [0], [1]) = (starts, ends, axes, steps) else {
            return Err(reader.refused("takes parts of a shape that are not neighbours"));
        };
        let [start, end] = [*start, *end].map(|place| clamped(place, given.sizes.len()));
        let sizes = given.sizes.get(start..end).unwrap_or_default().to_vec();
        self.give(reader, Value::Sizes(Sizes { sizes, scalar: false, of: given.of }))
    }

    /// Zeros of the shape of a map.
    pub(super) fn constant_of_shape(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["value"])?;
        let filled = match reader.tensor("value")? {
            Some(tensor) => Constant::read(tensor)?.number(),
            None => Some(0.0),
        };
        if filled != Some(0.0) {
            return Err(reader.refused("is filled with something else than zeros"));
        }
        let Value::Sizes(Sizes { sizes, of: view, scalar: false }) = self.value(reader, 0)? else {
            return Err(reader.refused("is of a shape that is not that of a map"));
        };
        let shape = view.shape(self.graph.shape(view.of)).ok_or_else(|| reader.refused("reads an empty map"))?;
        let whole = [shape.channels, shape.height, shape.width].map(|size| Size::Fixed(size as i64));
        if sizes.len() != 4 || sizes[0] != Size::Batch || sizes[1..] != whole {
            return Err(reader.refused("is of a shape that is not that of a map"));
        }
        let (stride, x) = self.strided_view(reader, view)?;
        self.make(reader, Op::Zero { stride }, &[x])
    }
}
