//! What moves values about: padding, slices, other shapes.

use super::constant::Values;
use super::importer::Importer;
use super::node::{MOST, Reader};
use super::value::{MOST_SIZES, Size, Sizes, Value, View};
use crate::export::onnx::OnnxError;
use crate::graph::{Features, NodeId, Op, Padding};

impl Importer<'_> {
    /// A list of integers that is a constant input, or in older files an attribute.
    fn list(&mut self, reader: &Reader<'_>, input: usize, attribute: &str) -> Result<Option<Vec<i64>>, OnnxError> {
        let given = match reader.integers(attribute)? {
            Some(list) => Some(list.to_vec()),
            None => match self.constant(reader, input)? {
                Some(constant) => Some(constant.integers()?.to_vec()),
                None => None,
            },
        };
        match given {
            Some(list) if list.len() > 2 * MOST_SIZES => {
                Err(reader.refused(format!("has {} numbers as `{attribute}`", list.len())))
            }
            list => Ok(list),
        }
    }

    pub(super) fn pad(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["mode", "pads", "value"])?;
        let mode = reader.text("mode")?.unwrap_or(b"constant");
        if mode != b"constant" {
            let mode = String::from_utf8_lossy(mode);
            return Err(reader.refused(format!("has mode = {mode}; only padding with zeros can be represented")));
        }
        let filled = match self.constant(reader, 2)? {
            Some(constant) => constant.number(),
            None => Some(reader.number("value")?.unwrap_or(0.0)),
        };
        if filled != Some(0.0) {
            return Err(reader.refused("pads with something else than zeros"));
        }
        let pads = self.list(reader, 1, "pads")?.unwrap_or_default();
        let axes = self.list(reader, 3, "axes")?.unwrap_or_else(|| (0..4).collect());
        let mut all = [[0i32; 2]; 4];
        let count = axes.len();
        let wrong = || reader.refused(format!("has pads {pads:?} for dimensions {axes:?}"));
        if pads.len() != 2 * count {
            return Err(wrong());
        }
        for (i, axis) in axes.iter().enumerate() {
            let axis = axis_of(*axis, 4).ok_or_else(wrong)?;
            let size = |v: i64| i32::try_from(v).ok().filter(|v| v.unsigned_abs() as usize <= MOST);
            let [before, after] = [pads[i], pads[count + i]].map(size);
            all[axis] = [before.ok_or_else(wrong)?, after.ok_or_else(wrong)?];
        }
        if all[0] != [0, 0] || all[1] != [0, 0] {
            return Err(reader.refused("pads something else than rows and columns"));
        }
        let padding = Padding { top: all[2][0], left: all[3][0], bottom: all[2][1], right: all[3][1] };
        let view = self.view(reader, 0)?;
        let view = self.more_padding(reader, view, padding)?;
        self.check_view(reader, view)?;
        self.give(reader, Value::Map(view))
    }

    fn check_view(&self, reader: &Reader<'_>, view: View) -> Result<Features, OnnxError> {
        let shape = view.shape(self.graph.shape(view.of));
        let usable = |shape: &Features| shape.height <= 4 * MOST && shape.width <= 4 * MOST;
        shape.filter(usable).ok_or_else(|| reader.refused("leaves nothing of the map, or makes it too large"))
    }

    pub(super) fn slice(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["starts", "ends", "axes"])?;
        let missing = |what: &str| reader.refused(format!("has no {what}"));
        let starts = self.list(reader, 1, "starts")?.ok_or_else(|| missing("starts"))?;
        let ends = self.list(reader, 2, "ends")?.ok_or_else(|| missing("ends"))?;
        let axes = self.list(reader, 3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
        let steps = self.list(reader, 4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
        if [ends.len(), axes.len(), steps.len()] != [starts.len(); 3] {
            return Err(reader.refused("has other numbers of starts, ends, axes and steps"));
        }
        let value = self.value(reader, 0)?;
        if let Value::Sizes(sizes) = &value {
            return self.slice_sizes(reader, sizes, (&starts, &ends, &axes, &steps));
        }
        let (mut view, rank) = match value {
            Value::Map(view) => (view, 4),
            Value::Flat(x) if self.graph.shape(x).count() == self.graph.shape(x).channels => (View::whole(x), 2),
            _ => return Err(reader.refused("takes parts of what is not a map")),
        };
        let mut seen = [false; 4];
        let mut cut = Padding::same(0);
        let mut stride = [1; 2];
        let shape = self.check_view(reader, view)?;
        for (((&start, &end), &axis), &step) in starts.iter().zip(&ends).zip(&axes).zip(&steps) {
            let axis = axis_of(axis, rank).filter(|&axis| !std::mem::replace(&mut seen[axis], true));
            let axis = axis.ok_or_else(|| reader.refused(format!("has axes {axes:?} of {rank}")))?;
            if axis == 0 {
                if start == 0 && end >= i64::from(i32::MAX) && step == 1 {
                    continue;
                }
                return Err(reader.refused("takes a part of the batch"));
            }
            let size = [shape.channels, shape.height, shape.width][axis - 1];
            let [start, end] = [start, end].map(|place| clamped(place, size));
            let step = usize::try_from(step).ok().filter(|step| (1..=MOST).contains(step));
            let step = step.ok_or_else(|| reader.refused(format!("has steps {steps:?}")))?;
            if start >= end {
                return Err(reader.refused(format!("takes nothing of dimension {axis}")));
            }
            let [before, after] = [start, size - end].map(|pixels| -(pixels as i32));
            match axis {
                1 if step > 1 => return Err(reader.refused("leaves out channels between others")),
                1 if (start, end) == (0, size) => {}
                1 => {
                    let op = Op::Channels { first: start, count: end - start };
                    view.of = self.push(reader, reader.proto.name.clone(), op, &[view.of])?;
                }
                2 => (cut.top, cut.bottom, stride[0]) = (before, after, step),
                _ => (cut.left, cut.right, stride[1]) = (before, after, step),
            }
        }
        if rank == 2 {
            return self.give(reader, Value::Flat(view.of));
        }
        if cut != Padding::same(0) || stride != [1; 2] {
            view = self.more_padding(reader, view, cut)?;
            view.stride = stride;
        }
        self.check_view(reader, view)?;
        self.give(reader, Value::Map(view))
    }

    /// Neighbouring channels, one result each.
    pub(super) fn split(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axis", "split", "num_outputs"])?;
        let axis = reader.integer("axis")?.unwrap_or(0);
        let (view, rank) = match self.value(reader, 0)? {
            Value::Map(view) => (view, 4),
            Value::Flat(x) if self.graph.shape(x).count() == self.graph.shape(x).channels => (View::whole(x), 2),
            _ => return Err(reader.refused("takes parts of what is not a map")),
        };
        if axis_of(axis, rank) != Some(1) {
            return Err(reader.refused(format!("splits dimension {axis}; only channels, 1, can be split")));
        }
        let results = reader.proto.output.len();
        let channels = self.graph.shape(view.of).channels;
        let given = match reader.integers("split")? {
            Some(list) => Some(list.to_vec()),
            None => self.constant(reader, 1)?.map(|c| c.integers().map(<[i64]>::to_vec)).transpose()?,
        };
        let parts: Vec<usize> = match given {
            Some(parts) => parts.iter().filter_map(|&part| usize::try_from(part).ok()).collect(),
            None => {
                let part = channels.div_ceil(results.max(1)).max(1);
                (0..results).map(|i| channels.saturating_sub(i * part).min(part)).collect()
            }
        };
        let total = parts.iter().try_fold(0usize, |sum, part| sum.checked_add(*part));
        if parts.len() != results || total != Some(channels) || parts.contains(&0) {
            return Err(reader.refused(format!("splits {channels} channels into {parts:?} for {results} results")));
        }
        let mut first = 0;
        for (name, &count) in reader.proto.output.iter().zip(&parts) {
            if self.uses.contains_key(name.as_str()) {
                let of = self.push(reader, String::new(), Op::Channels { first, count }, &[view.of])?;
                let value = if rank == 2 { Value::Flat(of) } else { Value::Map(View { of, ..view }) };
                self.values.insert(name.clone(), value);
            }
            first += count;
        }
        Ok(())
    }

    pub(super) fn flatten(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axis"])?;
        let axis = reader.integer("axis")?.unwrap_or(1);
        match self.value(reader, 0)? {
            Value::Flat(x) if [1, -1].contains(&axis) => self.give(reader, Value::Flat(x)),
            Value::Map(view) if [1, -3].contains(&axis) => {
                let x = self.seen(view, reader)?;
                self.give(reader, Value::Flat(x))
            }
            _ => Err(reader.refused(format!("flattens from dimension {axis}; only images from 1 on can be"))),
        }
    }

    /// Another shape: flat, the same, that of a map of single pixels, or one of the steps of a shuffle.
    pub(super) fn reshape(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["allowzero"])?;
        let wanted = match self.value(reader, 1)? {
            Value::Constant(constant) => match &constant.values {
                Values::Integers(list) if list.len() <= MOST_SIZES => {
                    list.iter().map(|&v| Size::Fixed(v)).collect::<Vec<Size>>()
                }
                _ => return Err(reader.refused("has a shape that is none")),
            },
            Value::Sizes(sizes) => sizes.sizes,
            _ => return Err(reader.refused("has a shape that depends on the image")),
        };
        // It says what a 0 means, where there is one.
        if wanted.contains(&Size::Fixed(0)) {
            reader.must_be("allowzero", 0)?;
        }
        let value = self.value(reader, 0)?;
        // What is given, without the batch.
        let (of, given): (NodeId, Vec<usize>) = match &value {
            Value::Map(view) => {
                let of = self.seen(*view, reader)?;
                let s = self.graph.shape(of);
                (of, vec![s.channels, s.height, s.width])
            }
            Value::Flat(of) => (*of, vec![self.graph.shape(*of).count()]),
            Value::Groups { of, groups, across, rank } => {
                let s = self.graph.shape(*of);
                let (a, b) = (*groups, s.channels / groups.max(&1));
                let [a, b] = if *across { [b, a] } else { [a, b] };
                (*of, if *rank == 5 { vec![a, b, s.height, s.width] } else { vec![a, b, s.height * s.width] })
            }
            _ => return Err(reader.refused("gives another shape to what is no image")),
        };
        let to = self.resolved(reader, &wanted, &given)?;
        let shape = self.graph.shape(of);
        let (c, h, w) = (shape.channels, shape.height, shape.width);
        let refused = || {
            reader.refused(format!("makes {to:?} of {given:?} for each image: that only moves what nothing here moves"))
        };
        let made = match (&value, &to[..]) {
            (Value::Groups { across: true, groups, .. }, &[tc, th, tw]) if [tc, th, tw] == [c, h, w] => {
                let op = Op::Shuffle { groups: *groups };
                Value::Map(View::whole(self.push(reader, reader.proto.name.clone(), op, &[of])?))
            }
            (Value::Groups { across: true, .. }, _) => return Err(refused()),
            (_, &[count]) if count == shape.count() => Value::Flat(of),
            (_, &[tc, th, tw]) if [tc, th, tw] == [c, h, w] => Value::Map(View::whole(of)),
            (_, &[a, b, pixels]) if a.checked_mul(b) == Some(c) && pixels == h * w => {
                Value::Groups { of, groups: a, across: false, rank: 4 }
            }
            (_, &[a, b, th, tw]) if a.checked_mul(b) == Some(c) && [th, tw] == [h, w] => {
                Value::Groups { of, groups: a, across: false, rank: 5 }
            }
            _ => return Err(refused()),
        };
        self.give(reader, made)
    }

    /// The sizes that are wanted of each image, where `given` are those there are: 0 stands for the same, −1 for the rest.
    fn resolved(&self, reader: &Reader<'_>, wanted: &[Size], given: &[usize]) -> Result<Vec<usize>, OnnxError> {
        let refused = || {
            let problem = format!("makes {wanted:?} of {given:?}: the batch has to stay the first dimension");
            reader.refused(problem)
        };
        let (first, rest) = wanted.split_first().ok_or_else(refused)?;
        let count = given.iter().try_fold(1usize, |n, size| n.checked_mul(*size)).ok_or_else(refused)?;
        let mut to = Vec::with_capacity(rest.len());
        let mut open = None;
        for (i, size) in rest.iter().enumerate() {
            match size {
                Size::Fixed(0) => to.push(*given.get(i).ok_or_else(refused)?),
                Size::Fixed(-1) if open.is_none() => {
                    open = Some(i);
                    to.push(1);
                }
                Size::Fixed(size) => to.push(usize::try_from(*size).ok().filter(|size| *size > 0).ok_or_else(refused)?),
                Size::Batch => return Err(refused()),
            }
        }
        let known = to.iter().try_fold(1usize, |n, size| n.checked_mul(*size)).ok_or_else(refused)?;
        match (first, open) {
            (Size::Batch | Size::Fixed(0), None) if known == count => {}
            (Size::Fixed(1), None) if self.single && known == count => {}
            (Size::Fixed(-1), None) if known == count => {}
            (Size::Batch | Size::Fixed(0), Some(i)) if count.is_multiple_of(known) => to[i] = count / known,
            (Size::Fixed(1), Some(i)) if self.single && count.is_multiple_of(known) => to[i] = count / known,
            _ => return Err(refused()),
        }
        Ok(to)
    }

    pub(super) fn squeeze(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axes"])?;
        let axes = self.list(reader, 1, "axes")?.unwrap_or_default();
        match self.value(reader, 0)? {
            Value::Map(view) => {
                let x = self.seen(view, reader)?;
                let shape = self.graph.shape(x);
                let mut meant: Vec<Option<usize>> = axes.iter().map(|&axis| axis_of(axis, 4)).collect();
                meant.sort_unstable();
                if meant != [Some(2), Some(3)] || (shape.height, shape.width) != (1, 1) {
                    let problem =
                        format!("takes dimensions {axes:?} of {shape} away; only 2 and 3 of single pixels can go");
                    return Err(reader.refused(problem));
                }
                self.give(reader, Value::Flat(x))
            }
            Value::Sizes(Sizes { sizes, of, scalar: false }) if sizes.len() == 1 && matches!(axes[..], [] | [0]) => {
                self.give(reader, Value::Sizes(Sizes { sizes, of, scalar: true }))
            }
            _ => Err(reader.refused("takes dimensions away of what is no image")),
        }
    }

    pub(super) fn unsqueeze(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axes"])?;
        let axes = self.list(reader, 1, "axes")?.unwrap_or_default();
        match self.value(reader, 0)? {
            Value::Flat(x) if self.graph.shape(x).count() == self.graph.shape(x).channels => {
                let mut axes: Vec<Option<usize>> = axes.iter().map(|&axis| axis_of(axis, 4)).collect();
                axes.sort_unstable();
                if axes != [Some(2), Some(3)] {
                    return Err(reader.refused("gives a vector other dimensions than rows and columns"));
                }
                self.give(reader, Value::Map(View::whole(x)))
            }
            Value::Sizes(Sizes { sizes, of, scalar: true }) if axes == [0] => {
                self.give(reader, Value::Sizes(Sizes { sizes, of, scalar: false }))
            }
            Value::Constant(constant) if axes == [0] && constant.shape.is_empty() => {
                let mut constant = (*constant).clone();
                constant.shape = vec![1];
                self.give(reader, Value::Constant(constant.into()))
            }
            _ => Err(reader.refused("gives dimensions to what is no vector of single pixels")),
        }
    }

    /// The second step of a shuffle.
    pub(super) fn transpose(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["perm"])?;
        let order = reader.integers("perm")?.unwrap_or_default();
        match self.value(reader, 0)? {
            Value::Groups { of, groups, across: false, rank } if order == &[0, 2, 1, 3, 4][..rank] => {
                self.give(reader, Value::Groups { of, groups, across: true, rank })
            }
            _ => {
                Err(reader.refused(format!("orders dimensions as {order:?}; only channel shuffles can be represented")))
            }
        }
    }
}

/// The dimension that a number from −`rank` to `rank` − 1 means.
pub(super) fn axis_of(axis: i64, rank: usize) -> Option<usize> {
    let axis = if axis < 0 { axis.checked_add(rank as i64)? } else { axis };
    usize::try_from(axis).ok().filter(|axis| *axis < rank)
}

/// A place in a dimension: negative ones count from the end.
pub(super) fn clamped(place: i64, size: usize) -> usize {
    let from_end = if place < 0 { place.saturating_add(size as i64) } else { place };
    usize::try_from(from_end).unwrap_or(0).min(size)
}
