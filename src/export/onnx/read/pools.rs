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
    /// Rows and columns of what it reads.
    size: [usize; 2],
}

impl Window {
    fn is_padded(&self) -> bool {
        self.padding != Padding::same(0)
    }
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
        let whole = [(p.top, p.bottom), (p.left, p.right)].iter().enumerate().all(|(d, (before, after))| {
            let padded = size[d] as i64 + i64::from(*before) + i64::from(*after);
            (padded - kernel[d] as i64).rem_euclid(stride[d] as i64) == 0
        });
        if reader.integer("ceil_mode")?.unwrap_or(0) != 0 && !whole {
            let problem = "has windows that reach beyond the padded image (ceil_mode), which no pool here does";
            return Err(reader.refused(problem));
        }
        Ok((view, Window { kernel, stride, padding, size }))
    }

    /// The pool, where window, step and padding are the same in all directions.
    fn square(&self, reader: &Reader<'_>, window: &Window, count_padding: bool) -> Result<Pool, OnnxError> {
        let Window { kernel: [rows, columns], stride: [down, right], padding: p, .. } = *window;
        let padding = usize::try_from(p.top).unwrap_or(0);
        if rows != columns || down != right || Padding::same(p.top) != p {
            let problem = format!(
                "has windows of {rows} × {columns}, steps of {down} × {right}, padding {} above, {} left, {} below, {} \
                 right: only pools that are the same in all directions can be represented",
                p.top, p.left, p.bottom, p.right
            );
            return Err(reader.refused(problem));
        }
        Ok(Pool { kernel: rows, stride: down, padding, count_padding })
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
