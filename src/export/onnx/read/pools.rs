//! Windows: pools, and the padding that pools and convolutions are given.

use super::importer::Importer;
use super::node::{MOST, Reader};
use super::value::{Value, View};
use crate::export::onnx::OnnxError;
use crate::graph::{Op, Padding, Pool};

/// The padding of a window over a map of the given rows and columns: as given, or as `auto_pad` has it.
pub(super) fn padding(
    reader: &Reader<'_>,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
) -> Result<Padding, OnnxError> {
    let given = reader.integers("pads")?;
    let same = |later: bool| {
        let [rows, columns] = [0, 1].map(|d| {
            // As many positions as the stride allows, whatever the kernel.
            let span = (size[d].div_ceil(stride[d]) - 1) * stride[d] + (kernel[d] - 1) * dilation[d] + 1;
            let all = span.saturating_sub(size[d]);
            let less = all / 2;
            if later { [less, all - less] } else { [all - less, less] }
                .map(|pixels| pixels.min(i32::MAX as usize) as i32)
        });
        Padding { top: rows[0], left: columns[0], bottom: rows[1], right: columns[1] }
    };
    match reader.text("auto_pad")?.unwrap_or(b"NOTSET") {
        b"NOTSET" | b"" => {}
        b"VALID" => return Ok(Padding::same(0)),
        b"SAME_UPPER" => return Ok(same(true)),
        b"SAME_LOWER" => return Ok(same(false)),
        other => return Err(reader.refused(format!("has auto_pad = {}", String::from_utf8_lossy(other)))),
    }
    match given {
        None => Ok(Padding::same(0)),
        Some(pads) => {
            let read: Option<Vec<i32>> =
                pads.iter().map(|&v| i32::try_from(v).ok().filter(|v| (0..=MOST as i32).contains(v))).collect();
            match read.as_deref() {
                Some(&[top, left, bottom, right]) => Ok(Padding { top, left, bottom, right }),
                _ => Err(reader.refused(format!("has pads = {pads:?}; needed are 4 numbers from 0 to {MOST}"))),
            }
        }
    }
}

/// A pool as a file has it.
struct Window {
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    /// Rows below and columns to the right that windows reach beyond the padding (`ceil_mode`).
    beyond: [i32; 2],
    /// Rows and columns of what it reads.
    size: [usize; 2],
}

impl Window {
    fn is_padded(&self) -> bool {
        self.padding != Padding::same(0)
    }
}

/// How far the last of the windows reaches beyond a padded row or column where their number is rounded up; a window that
/// would begin behind the image is none.
fn rounded_up(size: usize, [before, after]: [i32; 2], kernel: usize, stride: usize) -> i32 {
    let image = i64::try_from(size).unwrap_or(i64::MAX).saturating_add(before.into());
    let free = image.saturating_add(after.into()).saturating_sub(kernel as i64);
    let more = stride as i64 - free.rem_euclid(stride as i64);
    let begins = free.saturating_add(more);
    if free < 0 || more == stride as i64 || begins >= image { 0 } else { more as i32 }
}

impl Importer<'_> {
    fn window(&mut self, reader: &Reader<'_>) -> Result<(View, Window), OnnxError> {
        let view = self.view(reader, 0)?;
        let shape = view.shape(self.graph.shape(view.of)).ok_or_else(|| reader.refused("reads an empty map"))?;
        if reader.integers("kernel_shape")?.is_none() {
            return Err(reader.refused("has no kernel_shape"));
        }
        let [kernel, stride] = [reader.sizes("kernel_shape", [1; 2])?, reader.sizes("strides", [1; 2])?];
        if reader.sizes("dilations", [1; 2])? != [1; 2] {
            return Err(reader.refused("is dilated"));
        }
        let size = [shape.height, shape.width];
        let padding = padding(reader, size, kernel, stride, [1; 2])?;
        let p = padding;
        let beyond = match reader.integer("ceil_mode")?.unwrap_or(0) {
            0 => [0; 2],
            _ => [
                rounded_up(size[0], [p.top, p.bottom], kernel[0], stride[0]),
                rounded_up(size[1], [p.left, p.right], kernel[1], stride[1]),
            ],
        };
        Ok((view, Window { kernel, stride, padding, beyond, size }))
    }

    /// The pool, where window, step and padding in front are the same in both directions.
    fn square(&self, reader: &Reader<'_>, window: &Window, count_padding: bool) -> Result<Pool, OnnxError> {
        let Window { kernel: [rows, columns], stride: [down, right], padding: p, beyond, .. } = *window;
        let padding = usize::try_from(p.top).unwrap_or(0);
        if rows != columns || down != right || p.top != p.left {
            let problem = format!(
                "has windows of {rows} × {columns}, steps of {down} × {right}, padding {} above, {} left: only pools that \
                 are the same for rows and columns can be represented",
                p.top, p.left
            );
            return Err(reader.refused(problem));
        }
        let beyond = [p.bottom - p.top + beyond[0], p.right - p.left + beyond[1]];
        if count_padding && beyond != [0; 2] {
            return Err(reader.refused("counts padding and has windows that reach beyond it (ceil_mode)"));
        }
        Ok(Pool { count_padding, beyond, ..Pool::new(rows, down, padding) })
    }

    pub(super) fn max_pool(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"])?;
        self.only_first(reader)?;
        let (view, window) = self.window(reader)?;
        let pool = self.square(reader, &window, false)?;
        let x = self.seen(view, reader)?;
        self.make(reader, Op::MaxPool(pool), &[x])
    }

    pub(super) fn average_pool(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[
            "auto_pad",
            "ceil_mode",
            "count_include_pad",
            "dilations",
            "kernel_shape",
            "pads",
            "strides",
        ])?;
        let counts = match reader.integer("count_include_pad")?.unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(reader.refused(format!("has count_include_pad = {other}"))),
        };
        let (mut view, mut window) = self.window(reader)?;
        if window.kernel == window.size && !window.is_padded() {
            let x = self.seen(view, reader)?;
            return self.make(reader, Op::GlobalAvgPool, &[x]);
        }
        let p = window.padding;
        if counts && (Padding::same(p.top) != p || p.top as usize * 2 > window.kernel[0]) {
            // Padding that counts is as good as zeros that are there.
            view = self.more_padding(reader, view, p)?;
            window.padding = Padding::same(0);
        }
        let pool = self.square(reader, &window, counts)?;
        let x = self.seen(view, reader)?;
        self.make(reader, Op::AvgPool(pool), &[x])
    }

    /// The largest value of each channel, of images that are as wide as they are high.
    pub(super) fn global_max_pool(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&[])?;
        let x = self.map(reader, 0)?;
        let shape = self.graph.shape(x);
        if shape.height != shape.width {
            return Err(reader.refused(format!("is over all of {shape}: only of squares is that a pool here")));
        }
        self.make(reader, Op::MaxPool(Pool::new(shape.height, 1, 0)), &[x])
    }

    /// The mean over rows and columns.
    pub(super) fn reduce_mean(&mut self, reader: &Reader<'_>) -> Result<(), OnnxError> {
        reader.knows(&["axes", "keepdims", "noop_with_empty_axes"])?;
        let given = match self.constant(reader, 1)? {
            Some(axes) => axes.integers()?.to_vec(),
            None => reader.integers("axes")?.unwrap_or_default().to_vec(),
        };
        let mut axes: Vec<i64> =
            given.iter().map(|&axis| if axis < 0 { axis.saturating_add(4) } else { axis }).collect();
        axes.sort_unstable();
        if axes != [2, 3] {
            return Err(reader.refused(format!(
                "is the mean over dimensions {given:?}; only that over rows and columns is possible"
            )));
        }
        let x = self.map(reader, 0)?;
        match reader.integer("keepdims")?.unwrap_or(1) {
            0 => {
                let made = self.push(reader, reader.proto.name.clone(), Op::GlobalAvgPool, &[x])?;
                self.give(reader, Value::Flat(made))
            }
            1 => self.make(reader, Op::GlobalAvgPool, &[x]),
            other => Err(reader.refused(format!("has keepdims = {other}"))),
        }
    }
}
