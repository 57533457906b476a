//! The forms of candidate that a fused cell knows how to compute.

use crate::graph::{Conv, Graph, NodeId, Op, Padding, Pool};

/// Separable convolution: ReLU, depthwise, pointwise, batch norm without affine parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Separable {
    /// Rows and columns of the depthwise window; it is padded to keep the size at stride 1.
    pub kernel: usize,
    /// Step of the depthwise convolution.
    pub stride: usize,
    /// Distance of its taps.
    pub dilation: usize,
    /// Name of the depthwise convolution.
    pub depthwise: String,
    /// Name of the pointwise convolution.
    pub pointwise: String,
    /// Name of the batch norm.
    pub norm: String,
}

/// Convolution over all channels: ReLU, convolution of stride 1 that keeps the size, batch norm without affine parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dense {
    /// Rows and columns of the window.
    pub kernel: usize,
    /// Name of the convolution.
    pub convolution: String,
    /// Whether it has a bias.
    pub bias: bool,
    /// Name of the batch norm.
    pub norm: String,
}

/// What a candidate computes, with the names of what it learns.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Zeros: takes part in the softmax only.
    Zero,
    /// The input itself.
    Identity,
    /// A pool, and the name of the batch norm behind it.
    Pool {
        /// Whether the largest value counts (true) or the mean.
        max: bool,
        /// The window.
        pool: Pool,
        /// The batch norm.
        norm: Option<String>,
    },
    /// One separable convolution, or two after one another.
    Separable(Vec<Separable>),
    /// Factorised reduction: ReLU, two pointwise convolutions of stride 2, the second shifted by one
    /// row and column, joined, batch norm.
    Reduce {
        /// Names of the convolutions.
        convolutions: [String; 2],
        /// Name of the batch norm.
        norm: String,
    },
    /// A convolution over all channels.
    Dense(Dense),
    /// Anything else: computed by itself, and weighed and added like the others.
    Plain {
        /// How many rows and columns of the input there are for each of its own.
        stride: usize,
        /// What it computes.
        graph: Graph,
    },
}

impl Form {
    /// Recognises a candidate with one input that keeps the number of channels.
    pub fn of(graph: &Graph) -> Option<Self> {
        let [output] = graph.outputs.as_slice() else { return None };
        if graph.input_count() != 1 || graph.shape(0).channels != graph.shape(output.node).channels {
            return None;
        }
        let line = Line { graph };
        line.known(output.node).or_else(|| line.plain(output.node))
    }

    /// Whether a fused cell computes it better than it would be by itself.
    pub fn gains(&self) -> bool {
        !matches!(self, Self::Zero | Self::Identity | Self::Plain { .. })
    }

    /// The first convolutions' step; 1 where there are none that move.
    pub fn stride(&self) -> Option<usize> {
        match self {
            Self::Zero => None,
            Self::Identity | Self::Dense(_) => Some(1),
            Self::Pool { pool, .. } => Some(pool.stride),
            Self::Separable(stages) => stages.first().map(|s| s.stride),
            Self::Reduce { .. } => Some(2),
            Self::Plain { stride, .. } => Some(*stride),
        }
    }
}

/// Walks a candidate's graph from its end.
struct Line<'a> {
    graph: &'a Graph,
}

impl Line<'_> {
    /// A form that is computed together with others.
    fn known(&self, end: NodeId) -> Option<Form> {
        let node = &self.graph.nodes[end];
        match &node.op {
            Op::Zero { .. } => self.is_input(node.inputs.first()).then_some(Form::Zero),
            Op::Identity => self.is_input(node.inputs.first()).then_some(Form::Identity),
            Op::Input => Some(Form::Identity),
            Op::MaxPool(_) | Op::AvgPool(_) => self.pool(end, None),
            Op::BatchNorm { affine: false } => {
                let before = self.before(end)?;
                let norm = node.name.clone();
                match &self.graph.nodes[before].op {
                    Op::MaxPool(_) | Op::AvgPool(_) => self.pool(before, Some(norm)),
                    Op::Concat => self.reduce(before, norm),
                    _ => self.dense(before, &norm).or_else(|| self.separable(end)),
                }
            }
            _ => None,
        }
    }

    /// What has no choices of its own, and keeps the size or halves it.
    fn plain(&self, end: NodeId) -> Option<Form> {
        let [from, to] = [0, end].map(|node| self.graph.shape(node));
        let stride = [1, 2].into_iter().find(|&step| {
            [(from.height, to.height), (from.width, to.width)].iter().all(|&(from, to)| from.div_ceil(step) == to)
        })?;
        let nested = self.graph.nodes.iter().any(|node| !node.op.inner().is_empty());
        (!nested).then(|| Form::Plain { stride, graph: self.graph.clone() })
    }

    fn dense(&self, convolution: NodeId, norm: &str) -> Option<Form> {
        let relu = self.before(convolution)?;
        let from_input = self.graph.nodes[relu].op == Op::Relu && self.before(relu) == Some(0);
        let Op::Conv(conv) = &self.graph.nodes[convolution].op else { return None };
        let channels = self.graph.shape(0).channels;
        let kernel = conv.kernel[0];
        let square = Conv { bias: conv.bias, ..Conv::square(channels, channels, kernel, 1) };
        (from_input && kernel % 2 == 1 && *conv == square).then(|| {
            let convolution = self.graph.nodes[convolution].name.clone();
            Form::Dense(Dense { kernel, convolution, bias: conv.bias, norm: norm.to_owned() })
        })
    }

    fn is_input(&self, node: Option<&NodeId>) -> bool {
        node == Some(&0)
    }

    /// The only input of a node.
    fn before(&self, node: NodeId) -> Option<NodeId> {
        match self.graph.nodes[node].inputs.as_slice() {
            [only] => Some(*only),
            _ => None,
        }
    }

    fn pool(&self, node: NodeId, norm: Option<String>) -> Option<Form> {
        if !self.is_input(self.graph.nodes[node].inputs.first()) {
            return None;
        }
        match &self.graph.nodes[node].op {
            Op::MaxPool(pool) => Some(Form::Pool { max: true, pool: *pool, norm }),
            Op::AvgPool(pool) => Some(Form::Pool { max: false, pool: *pool, norm }),
            _ => None,
        }
    }

    fn separable(&self, end: NodeId) -> Option<Form> {
        let mut stages = Vec::new();
        let mut norm = end;
        loop {
            if self.graph.nodes[norm].op != (Op::BatchNorm { affine: false }) {
                return None;
            }
            let pointwise = self.before(norm)?;
            let depthwise = self.before(pointwise)?;
            let relu = self.before(depthwise)?;
            let before = self.before(relu)?;
            let (Op::Conv(p), Op::Conv(d)) = (&self.graph.nodes[pointwise].op, &self.graph.nodes[depthwise].op) else {
                return None;
            };
            let channels = self.graph.shape(0).channels;
            let plain = *p == Conv::square(channels, channels, 1, 1);
            let bank = *d == Conv::depthwise(channels, d.kernel[0], d.stride[0], d.dilation[0]);
            if !plain || !bank || d.kernel[0].is_multiple_of(2) || self.graph.nodes[relu].op != Op::Relu {
                return None;
            }
            let name = |node: NodeId| self.graph.nodes[node].name.clone();
            stages.push(Separable {
                kernel: d.kernel[0],
                stride: d.stride[0],
                dilation: d.dilation[0],
                depthwise: name(depthwise),
                pointwise: name(pointwise),
                norm: name(norm),
            });
            if before == 0 {
                break;
            }
            norm = before;
        }
        stages.reverse();
        (stages.len() <= 2 && stages[1..].iter().all(|s| s.stride == 1)).then_some(Form::Separable(stages))
    }

    fn reduce(&self, concat: NodeId, norm: String) -> Option<Form> {
        let &[first, second] = self.graph.nodes[concat].inputs.as_slice() else { return None };
        let relu = self.before(first)?;
        let from_input = self.graph.nodes[relu].op == Op::Relu && self.before(relu) == Some(0);
        if !from_input || self.before(second) != Some(relu) {
            return None;
        }
        let x = self.graph.shape(0);
        let odd = |size: usize| i32::from(!size.is_multiple_of(2));
        let straight = Conv::square(x.channels, x.channels / 2, 1, 2);
        let shifted = Padding { top: -1, left: -1, bottom: odd(x.height), right: odd(x.width) };
        let fits = self.graph.nodes[first].op == Op::Conv(straight.clone())
            && self.graph.nodes[second].op == Op::Conv(Conv { padding: shifted, ..straight });
        let name = |node: NodeId| self.graph.nodes[node].name.clone();
        fits.then(|| Form::Reduce { convolutions: [name(first), name(second)], norm })
    }
}
