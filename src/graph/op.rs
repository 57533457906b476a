//! What operations are called, what they consist of, and the shape each one gives.

use super::{Choice, Conv, Features, Graph, Op, Options};

impl Op {
    /// The operation's name, as drawn and as said in errors.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Identity => "identity",
            Self::Zero { .. } => "zero",
            Self::Noise { .. } => "noise",
            Self::Conv(conv) if conv.groups == conv.inputs && conv.groups == conv.outputs && conv.groups > 1 => {
                "depthwise_conv"
            }
            Self::Conv(conv) if conv.kernel == [1, 1] => "pointwise_conv",
            Self::Conv(_) => "conv",
            Self::BatchNorm { .. } => "batch_norm",
            Self::Relu => "relu",
            Self::TrainingRelu => "training_relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Ramp(_) => "ramp",
            Self::MaxPool(_) => "max_pool",
            Self::AvgPool(_) => "avg_pool",
            Self::GlobalAvgPool => "global_avg_pool",
            Self::Linear { .. } => "linear",
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Concat => "concat",
            Self::Channels { .. } => "channels",
            Self::Shuffle { .. } => "shuffle",
            Self::Dropout { .. } => "dropout",
            Self::ScheduledDropout => "scheduled_dropout",
            Self::DropPath => "drop_path",
            Self::Choice(_) => "choice",
            Self::Fused(fused) => fused.pattern.name(),
        }
    }

    /// The graphs that this operation consists of: a choice point's candidates, each with its label, or
    /// what a fused node stands for. Their inputs are the operation's own.
    pub fn inner(&self) -> Vec<(&str, &Graph)> {
        match self {
            Self::Choice(Choice { options: Options::Operations(candidates), .. }) => {
                candidates.iter().map(|c| (c.label.as_str(), &c.graph)).collect()
            }
            Self::Fused(fused) => vec![("", &fused.graph)],
            _ => Vec::new(),
        }
    }

    /// Shape of the result for inputs of the given shapes, or what is wrong with them.
    pub(super) fn infer(&self, inputs: &[Features]) -> Result<Features, String> {
        let one = || match inputs {
            [only] => Ok(*only),
            _ => Err(format!("takes one input, got {}", inputs.len())),
        };
        match self {
            Self::Input => Err("can only be added by Graph::new".into()),
            Self::Identity
            | Self::Relu
            | Self::TrainingRelu
            | Self::Sigmoid
            | Self::Tanh
            | Self::Ramp(_)
            | Self::BatchNorm { .. }
            | Self::Dropout { .. }
            | Self::ScheduledDropout
            | Self::DropPath => one(),
            Self::Channels { first, count } => match one()? {
                x if *count > 0 && first.checked_add(*count).is_some_and(|end| end <= x.channels) => {
                    Ok(Features { channels: *count, ..x })
                }
                x => Err(format!("cannot take channels {first} to {} of {x}", first.saturating_add(*count))),
            },
            Self::Shuffle { groups } => match one()? {
                x if *groups > 0 && x.channels.is_multiple_of(*groups) => Ok(x),
                x => Err(format!("cannot split {x} into {groups} groups")),
            },
            Self::Zero { stride } | Self::Noise { stride } => {
                let x = one()?;
                if *stride == 0 {
                    return Err("needs a stride of at least 1".into());
                }
                Ok(Features::new(x.channels, x.height.div_ceil(*stride), x.width.div_ceil(*stride)))
            }
            Self::Conv(conv) => conv_shape(conv, one()?),
            Self::MaxPool(pool) | Self::AvgPool(pool) => {
                let x = one()?;
                let p = pool.padding as i32;
                if pool.padding * 2 > pool.kernel {
                    return Err(format!("padding {} is more than half of the window {}", pool.padding, pool.kernel));
                }
                let fits = || format!("window {} does not fit into {x} with padding {}", pool.kernel, pool.padding);
                let positions = |size: usize, beyond: i32| {
                    let after = p.checked_add(beyond).filter(|after| *after >= 0).ok_or_else(fits)?;
                    let positions = extent(size, pool.kernel, pool.stride, p, after, 1).ok_or_else(fits)?;
                    // The last window must hold a pixel.
                    let inside = ((positions - 1) * pool.stride) < size + pool.padding;
                    if inside { Ok(positions) } else { Err(format!("a window lies outside of {x}")) }
                };
                if pool.count_padding && pool.beyond != [0; 2] {
                    return Err("counts padding, but not the same on all sides".into());
                }
                let (height, width) = (positions(x.height, pool.beyond[0])?, positions(x.width, pool.beyond[1])?);
                Ok(Features::new(x.channels, height, width))
            }
            Self::GlobalAvgPool => one().map(|x| Features::new(x.channels, 1, 1)),
            Self::Linear { outputs, .. } => {
                let x = one()?;
                if x.checked_count().is_none() {
                    return Err(format!("cannot read {x}: too many values to address"));
                }
                if *outputs == 0 {
                    return Err("needs at least one output".into());
                }
                Ok(Features::new(*outputs, 1, 1))
            }
            Self::Add => match inputs {
                [] => Err("needs an input".into()),
                [first, rest @ ..] => match rest.iter().find(|s| *s != first) {
                    None => Ok(*first),
                    Some(other) => Err(format!("cannot add {first} and {other}")),
                },
            },
            Self::Multiply => match inputs {
                [x, y] if x == y || *y == Features::new(x.channels, 1, 1) => Ok(*x),
                [x, y] => Err(format!("cannot multiply {x} and {y}")),
                _ => Err(format!("takes two inputs, got {}", inputs.len())),
            },
            Self::Concat => match inputs {
                [] => Err("needs an input".into()),
                [first, ..] => match inputs.iter().find(|s| (s.height, s.width) != (first.height, first.width)) {
                    None => match inputs.iter().try_fold(0usize, |sum, s| sum.checked_add(s.channels)) {
                        Some(channels) => Ok(Features::new(channels, first.height, first.width)),
                        None => Err("gives too many channels to address".into()),
                    },
                    Some(other) => Err(format!("cannot join {first} and {other} along the channels")),
                },
            },
            Self::Choice(choice) => choice.infer(inputs),
            Self::Fused(fused) => fused.infer(inputs),
        }
    }
}

fn conv_shape(conv: &Conv, x: Features) -> Result<Features, String> {
    if conv.inputs != x.channels {
        return Err(format!("expects {} channels, got {x}", conv.inputs));
    }
    if conv.groups == 0
        || !conv.inputs.is_multiple_of(conv.groups)
        || !conv.outputs.is_multiple_of(conv.groups)
        || conv.outputs == 0
    {
        return Err(format!("cannot split {} to {} channels into {} groups", conv.inputs, conv.outputs, conv.groups));
    }
    let p = conv.padding;
    let too_small = || {
        format!("kernel {}x{} (dilation {}) does not fit into {x}", conv.kernel[0], conv.kernel[1], conv.dilation[0])
    };
    let height =
        extent(x.height, conv.kernel[0], conv.stride[0], p.top, p.bottom, conv.dilation[0]).ok_or_else(too_small)?;
    let width =
        extent(x.width, conv.kernel[1], conv.stride[1], p.left, p.right, conv.dilation[1]).ok_or_else(too_small)?;
    Ok(Features::new(conv.outputs, height, width))
}

/// Number of positions of a window, or `None` where it does not fit even once.
fn extent(size: usize, kernel: usize, stride: usize, before: i32, after: i32, dilation: usize) -> Option<usize> {
    let padded = size as i64 + i64::from(before) + i64::from(after);
    let span = dilation as i64 * (kernel as i64 - 1) + 1;
    (kernel > 0 && stride > 0 && dilation > 0 && padded >= span).then(|| ((padded - span) / stride as i64 + 1) as usize)
}
