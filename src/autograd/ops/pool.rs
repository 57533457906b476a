//! Max, average and global average pooling.

use super::*;
use crate::device::Recorder;
use crate::kernels::pool as kernels;

/// A square pooling window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns.
    pub kernel: usize,
    /// Step.
    pub stride: usize,
    /// Padding on all sides, at most half of the window.
    pub padding: usize,
    /// For averages: whether padding counts in the divisor.
    pub count_padding: bool,
    /// Rows below and columns to the right that windows reach further than the padding; fewer if negative. These never
    /// count.
    pub beyond: [i32; 2],
}

/// Largest value of each window of `[batch, channels, height, width]`; of equal ones the first gets
/// the gradient.
///
/// # Errors
/// [`Error::Shape`] if the window does not fit.
pub fn max_pool(tape: &mut Tape, x: &Var, pool: Window) -> Result<Var, Error> {
    let geometry = Geometry::new("max_pool", x.shape(), pool)?;
    let y = tape.output(&geometry.output)?;
    let indices = Tensor::scratch(tape.recorder(), &geometry.output)?;
    let params = geometry.params(x.tensor().at(), y.at(), indices.at(), false);
    let outputs = [y.binding(), indices.binding()];
    tape.recorder().dispatch(&kernels::MAX_FORWARD, &params, &[x.tensor().binding()], &outputs)?;
    Ok(tape.push("max_pool", &[x], y, || Max { x: x.id(), geometry, indices }))
}

#[derive(Debug)]
struct Max {
    x: Option<usize>,
    geometry: Geometry,
    indices: Tensor,
}

impl Backward for Max {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, geometry, indices } = *self;
        gradients.add(x, &geometry.input, |recorder, dx, accumulate| {
            let params = geometry.params(dx.at(), dy.at(), indices.at(), accumulate);
            let inputs = [indices.binding(), dy.binding()];
            Ok(recorder.dispatch(&kernels::MAX_BACKWARD, &params, &inputs, &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        bytes(&self.indices)
    }
}

/// Mean of each window of `[batch, channels, height, width]`.
///
/// # Errors
/// [`Error::Shape`] if the window does not fit.
pub fn avg_pool(tape: &mut Tape, x: &Var, pool: Window) -> Result<Var, Error> {
    let geometry = Geometry::new("avg_pool", x.shape(), pool)?;
    let y = tape.output(&geometry.output)?;
    let params = geometry.params(x.tensor().at(), y.at(), 0, false);
    tape.recorder().dispatch(&kernels::AVG_FORWARD, &params, &[x.tensor().binding()], &[y.binding()])?;
    Ok(tape.push("avg_pool", &[x], y, || Avg { x: x.id(), geometry }))
}

#[derive(Debug)]
struct Avg {
    x: Option<usize>,
    geometry: Geometry,
}

impl Backward for Avg {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, geometry } = *self;
        gradients.add(x, &geometry.input, |recorder, dx, accumulate| {
            let params = geometry.params(dx.at(), dy.at(), 0, accumulate);
            Ok(recorder.dispatch(&kernels::AVG_BACKWARD, &params, &[dy.binding()], &[dx.binding()])?)
        })
    }
}

/// Mean over rows and columns: `[batch, channels, height, width]` to `[batch, channels, 1, 1]`.
///
/// # Errors
/// [`Error::Shape`] if `x` is not an image tensor.
pub fn global_avg_pool(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    let [batch, channels, height, width] = image("global_avg_pool", x)?;
    let y = tape.output(&[batch, channels, 1, 1])?;
    let params = kernels::Global {
        input: x.tensor().at(),
        output: y.at(),
        planes: (batch * channels) as u32,
        pixels: (height * width) as u32,
        accumulate: 0,
    };
    tape.recorder().dispatch(&kernels::GLOBAL_FORWARD, &params, &[x.tensor().binding()], &[y.binding()])?;
    Ok(tape.push("global_avg_pool", &[x], y, || Global { x: x.id(), shape: [batch, channels, height, width] }))
}

#[derive(Debug)]
struct Global {
    x: Option<usize>,
    shape: [usize; 4],
}

impl Backward for Global {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let [batch, channels, height, width] = self.shape;
        gradients.add(self.x, &self.shape, |recorder, dx, accumulate| {
            record_global_backward(recorder, dy, dx, batch * channels, height * width, accumulate)
        })
    }
}

/// Records `dx (+)= dy / pixels`, plane by plane.
pub(super) fn record_global_backward(
    recorder: &mut Recorder,
    dy: &Tensor,
    dx: &Tensor,
    planes: usize,
    pixels: usize,
    accumulate: bool,
) -> Result<(), Error> {
    let params = kernels::Global {
        input: dx.at(),
        output: dy.at(),
        planes: planes as u32,
        pixels: pixels as u32,
        accumulate: accumulate.into(),
    };
    Ok(recorder.dispatch(&kernels::GLOBAL_BACKWARD, &params, &[dy.binding()], &[dx.binding()])?)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    input: [usize; 4],
    output: [usize; 4],
    pool: Window,
}

impl Geometry {
    pub(super) fn new(operation: &'static str, input: &[usize], pool: Window) -> Result<Self, Error> {
        let input = image_shape(operation, input)?;
        // The last window must hold a pixel.
        let extent = |size: usize, beyond: i32| {
            let padded = (size + 2 * pool.padding).checked_add_signed(beyond as isize)?;
            let positions = padded.checked_sub(pool.kernel)?.checked_div(pool.stride)? + 1;
            let inside = (positions - 1) * pool.stride < size + pool.padding;
            let counts = pool.count_padding && pool.beyond != [0; 2];
            (pool.kernel > 0 && 2 * pool.padding <= pool.kernel && inside && !counts).then_some(positions)
        };
        match (extent(input[2], pool.beyond[0]), extent(input[3], pool.beyond[1])) {
            (Some(height), Some(width)) => Ok(Self { input, output: [input[0], input[1], height, width], pool }),
            _ => Err(Error::shape(operation, format!("window {pool:?} does not fit {input:?}"))),
        }
    }

    pub(super) fn params(&self, input: u32, output: u32, indices: u32, accumulate: bool) -> kernels::Params {
        kernels::Params {
            input,
            output,
            indices,
            planes: (self.input[0] * self.input[1]) as u32,
            height: self.input[2] as u32,
            width: self.input[3] as u32,
            out_height: self.output[2] as u32,
            out_width: self.output[3] as u32,
            kernel: self.pool.kernel as u32,
            stride: self.pool.stride as u32,
            padding: self.pool.padding as u32,
            count_padding: self.pool.count_padding.into(),
            accumulate: accumulate.into(),
        }
    }
}
