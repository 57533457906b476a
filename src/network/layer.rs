//! Where each node of a network has what it learns.

use crate::autograd::ops::{self, Edge, Filter};
use crate::graph::Graph;

/// Where a node's parameters and statistics are.
#[derive(Clone, Debug)]
pub(super) enum Layer {
    /// Nothing learned.
    Plain,
    /// Indices of weight and bias.
    Weighted { weight: usize, bias: Option<usize> },
    /// Indices of scale and shift, if affine, and of the statistics.
    Norm { affine: Option<[usize; 2]>, statistics: usize },
    /// The layers of each candidate.
    Choice(Vec<Vec<Layer>>),
    /// A fused cell.
    Cell(Box<CellPlan>),
}

/// First and last of a run of parameters, or of batch norms.
pub(super) type Run = [usize; 2];

/// A bank's filters, and where its weights and statistics are.
#[derive(Clone, Debug)]
pub(super) struct BankPlan {
    pub filters: Vec<Filter>,
    pub depthwise: Run,
    pub pointwise: Run,
    pub norms: Run,
}

#[derive(Clone, Debug)]
pub(super) struct ReducePlan {
    pub branches: usize,
    pub weights: Run,
    pub norms: Run,
}

#[derive(Clone, Debug)]
pub(super) struct PoolPlan {
    pub max: bool,
    pub window: ops::Window,
    pub norm: Option<usize>,
}

/// Convolutions over all channels with windows of one size.
#[derive(Clone, Debug)]
pub(super) struct DensePlan {
    pub kernel: usize,
    pub branches: usize,
    pub weights: Run,
    pub biases: Option<Run>,
    pub norms: Run,
}

/// A candidate that is computed by itself.
#[derive(Clone, Debug)]
pub(super) struct PlainPlan {
    pub graph: Graph,
    pub layers: Vec<Layer>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct FanPlan {
    pub stride: usize,
    pub edges: Vec<Edge>,
    pub first: Option<BankPlan>,
    pub second: Option<BankPlan>,
    pub reduce: Option<ReducePlan>,
    pub dense: Vec<DensePlan>,
    pub plain: Vec<PlainPlan>,
    pub pools: Vec<PoolPlan>,
}

/// A mixed cell's plan.
#[derive(Clone, Debug)]
pub(super) struct CellPlan {
    pub table: String,
    pub fans: Vec<FanPlan>,
    pub joined: Vec<usize>,
}
