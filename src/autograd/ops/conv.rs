//! Convolution; one operation, computed by the kernel that fits: pointwise, depthwise or general.

use super::*;
use crate::device::{Binding, Kernel, Recorder};
use crate::kernels::{conv, depthwise, pointwise};

/// Geometry of a convolution beside its weight `[outputs, inputs / groups, rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvArgs {
    /// Step in rows and columns.
    pub stride: [usize; 2],
    /// Rows of zeros above, columns to the left, rows below, columns to the right; negative values cut
    /// the image.
    pub padding: [i32; 4],
    /// Distance of the kernel's taps.
    pub dilation: [usize; 2],
    /// Number of groups.
    pub groups: usize,
}

impl Default for ConvArgs {
    fn default() -> Self {
        Self { stride: [1; 2], padding: [0; 4], dilation: [1; 2], groups: 1 }
    }
}

/// y[n, o] = Σ w[o, i] ⋆ x[n, i] + b\[o\] for x `[batch, inputs, height, width]`, weight
/// `[outputs, inputs / groups, rows, columns]`, bias `[outputs]`.
///
/// # Errors
/// [`Error::Shape`] if the shapes do not fit one another.
pub fn conv2d(tape: &mut Tape, x: &Var, weight: &Var, bias: Option<&Var>, args: ConvArgs) -> Result<Var, Error> {
    let geometry = Geometry::new(x, weight, bias, args)?;
    if geometry.form() == Form::Winograd {
        return winograd::conv(tape, x, weight, bias, geometry.input);
    }
    convolution(tape, x, weight, bias, geometry, None)
}

/// As [`conv2d`], with results held within bounds: `[0, ∞]` for ReLU, `[0, 6]` for ReLU6. Where a bound holds, the gradient is 0.
///
/// # Errors
/// As [`conv2d`].
pub fn conv2d_within(
    tape: &mut Tape,
    x: &Var,
    weight: &Var,
    bias: Option<&Var>,
    args: ConvArgs,
    bounds: [f32; 2],
) -> Result<Var, Error> {
    let geometry = Geometry::new(x, weight, bias, args)?;
    let gradients = [Some(x), Some(weight), bias].into_iter().flatten().any(Var::wants_gradient);
    if !gradients && matches!(geometry.form(), Form::Pointwise | Form::Depthwise) {
        return convolution(tape, x, weight, bias, geometry, Some(bounds));
    }
    let destination = tape.destination.take();
    let y = conv2d(tape, x, weight, bias, args)?;
    tape.destination = destination;
    match bounds {
        [0.0, f32::INFINITY] => relu(tape, &y),
        [low, high] => ramp(tape, &y, Ramp { slope: 1.0, shift: 0.0, low, high }),
    }
}

/// By the kernel for the whole of it.
fn convolution(
    tape: &mut Tape,
    x: &Var,
    weight: &Var,
    bias: Option<&Var>,
    geometry: Geometry,
    bounds: Option<[f32; 2]>,
) -> Result<Var, Error> {
    let y = tape.output(&geometry.output)?;
    let used = bias.unwrap_or(weight).tensor();
    let inputs = [x.tensor().binding(), weight.tensor().binding(), used.binding()];
    let places = Places {
        input: x.tensor().at(),
        weight: weight.tensor().at(),
        bias: bias.map(|b| b.tensor().at()),
        output: y.at(),
    };
    geometry.dispatch(Direction::Forward, places, bounds, false, tape.recorder(), &inputs, &y)?;
    let parents: Vec<&Var> = [Some(x), Some(weight), bias].into_iter().flatten().collect();
    Ok(tape.push(geometry.name(), &parents, y, || Undo {
        parents: [x.id(), weight.id(), bias.and_then(Var::id)],
        // The gradient of the weight needs x, that of x the weight: what nobody asks for is not kept.
        x: weight.wants_gradient().then(|| x.tensor().clone()),
        weight: weight.tensor().clone(),
        geometry,
    }))
}

#[derive(Debug)]
struct Undo {
    parents: [Option<usize>; 3],
    x: Option<Tensor>,
    weight: Tensor,
    geometry: Geometry,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { parents: [x, weight, bias], x: value, weight: w, geometry: g } = *self;
        if let Some(value) = value {
            gradients.add(weight, w.shape(), |recorder, dw, accumulate| {
                let places = Places { input: value.at(), weight: dw.at(), bias: None, output: dy.at() };
                let inputs = [value.binding(), dy.binding()];
                g.dispatch(Direction::Weight, places, None, accumulate, recorder, &inputs, dw)
            })?;
        }
        let [batch, outputs, height, width] = g.output;
        gradients.add(bias, &[outputs], |recorder, db, accumulate| {
            channel_sum::record(recorder, dy, db, [batch, outputs, height * width], accumulate)
        })?;
        gradients.add(x, &g.input, |recorder, dx, accumulate| {
            let places = Places { input: dx.at(), weight: w.at(), bias: None, output: dy.at() };
            let inputs = [w.binding(), dy.binding()];
            g.dispatch(Direction::Input, places, None, accumulate, recorder, &inputs, dx)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.x.as_ref().map_or(0, bytes)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Winograd,
    Pointwise,
    Depthwise,
    General,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Forward,
    Input,
    Weight,
}

#[derive(Clone, Copy, Debug)]
struct Places {
    input: u32,
    weight: u32,
    bias: Option<u32>,
    output: u32,
}

#[derive(Clone, Copy, Debug)]
struct Geometry {
    input: [usize; 4],
    output: [usize; 4],
    kernel: [usize; 2],
    args: ConvArgs,
}

impl Geometry {
    fn new(x: &Var, weight: &Var, bias: Option<&Var>, args: ConvArgs) -> Result<Self, Error> {
        let input = image("conv", x)?;
        let &[outputs, per_group, rows, columns] = weight.shape() else {
            return Err(Error::shape(
                "conv",
                format!("weight {:?} is not [outputs, inputs, rows, columns]", weight.shape()),
            ));
        };
        let fits = args.groups > 0
            && per_group * args.groups == input[1]
            && outputs % args.groups == 0
            && bias.is_none_or(|b| b.tensor().count() == outputs);
        if !fits {
            let problem = format!("weight {:?} in {} groups does not fit {input:?}", weight.shape(), args.groups);
            return Err(Error::shape("conv", problem));
        }
        let [top, left, bottom, right] = args.padding;
        let extent = |axis: usize, size: usize, before: i32, after: i32, taps: usize| {
            let padded = size as i64 + i64::from(before) + i64::from(after);
            let span = (args.dilation[axis] * (taps - 1) + 1) as i64;
            (taps > 0 && args.stride[axis] > 0 && padded >= span)
                .then(|| ((padded - span) / args.stride[axis] as i64 + 1) as usize)
        };
        let height = extent(0, input[2], top, bottom, rows);
        let width = extent(1, input[3], left, right, columns);
        let (Some(height), Some(width)) = (height, width) else {
            return Err(Error::shape("conv", format!("kernel {rows}x{columns} with {args:?} does not fit {input:?}")));
        };
        Ok(Self { input, output: [input[0], outputs, height, width], kernel: [rows, columns], args })
    }

    fn form(&self) -> Form {
        let a = &self.args;
        let groups = a.groups;
        let keeps_size = ConvArgs { padding: [1; 4], ..ConvArgs::default() };
        if self.kernel == [1, 1] && a.stride == [1, 1] && a.padding == [0; 4] && groups == 1 {
            Form::Pointwise
        } else if groups == self.input[1] && groups == self.output[1] && groups > 1 {
            Form::Depthwise
        } else if self.kernel == [3, 3] && *a == keeps_size && winograd::suits(self.input, self.output[1]) {
            Form::Winograd
        } else {
            Form::General
        }
    }

    fn name(&self) -> &'static str {
        match self.form() {
            Form::Pointwise => "pointwise_conv",
            Form::Depthwise => "depthwise_conv",
            Form::Winograd | Form::General => "conv",
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one call for three kernels of three families")]
    fn dispatch(
        &self,
        direction: Direction,
        at: Places,
        bounds: Option<[f32; 2]>,
        accumulate: bool,
        recorder: &mut Recorder,
        inputs: &[Binding<'_>],
        output: &Tensor,
    ) -> Result<(), Error> {
        let n = |v: usize| v as u32;
        let ([batch, channels, height, width], [_, outputs, out_height, out_width]) = (self.input, self.output);
        let a = &self.args;
        let (bias, has_bias) = (at.bias.unwrap_or(0), at.bias.is_some().into());
        let ([low, high], bounded) = (bounds.unwrap_or_default(), bounds.is_some().into());
        let written = [output.binding()];
        let pick = |kernels: [&'static Kernel; 3]| match direction {
            Direction::Forward => kernels[0],
            Direction::Input => kernels[1],
            Direction::Weight => kernels[2],
        };
        let window = conv::Window {
            height: n(height),
            width: n(width),
            out_height: n(out_height),
            out_width: n(out_width),
            kernel_rows: n(self.kernel[0]),
            kernel_columns: n(self.kernel[1]),
            stride_rows: n(a.stride[0]),
            stride_columns: n(a.stride[1]),
            dilation_rows: n(a.dilation[0]),
            dilation_columns: n(a.dilation[1]),
            pad_top: a.padding[0],
            pad_left: a.padding[1],
        };
        match self.form() {
            Form::Pointwise => {
                let params = pointwise::Params {
                    input: at.input,
                    weight: at.weight,
                    bias,
                    output: at.output,
                    batch: n(batch),
                    inputs: n(channels),
                    outputs: n(outputs),
                    groups: 1,
                    pixels: n(height * width),
                    has_bias,
                    accumulate: accumulate.into(),
                    bounded,
                    low,
                    high,
                };
                let kernel = pick([&pointwise::FORWARD, &pointwise::BACKWARD_INPUT, &pointwise::BACKWARD_WEIGHT]);
                recorder.dispatch(kernel, &params, inputs, &written)?;
            }
            Form::Depthwise => {
                let params = depthwise::Params {
                    input: at.input,
                    weight: at.weight,
                    bias,
                    output: at.output,
                    batch: n(batch),
                    channels: n(channels),
                    window,
                    has_bias,
                    accumulate: accumulate.into(),
                    bounded,
                    low,
                    high,
                };
                let kernel = pick([&depthwise::FORWARD, &depthwise::BACKWARD_INPUT, &depthwise::BACKWARD_WEIGHT]);
                recorder.dispatch(kernel, &params, inputs, &written)?;
            }
            Form::Winograd | Form::General => {
                let params = conv::Params {
                    input: at.input,
                    weight: at.weight,
                    bias,
                    output: at.output,
                    batch: n(batch),
                    inputs: n(channels),
                    outputs: n(outputs),
                    groups: n(a.groups),
                    window,
                    has_bias,
                    accumulate: accumulate.into(),
                };
                let kernel = pick([&conv::FORWARD, &conv::BACKWARD_INPUT, &conv::BACKWARD_WEIGHT]);
                recorder.dispatch(kernel, &params, inputs, &written)?;
            }
        }
        Ok(())
    }
}
