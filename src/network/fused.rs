//! How a fused cell finds what it learns: candidates of one kind lie behind one another in memory, so that
//! one dispatch computes them.

use super::build::Builder;
use super::forward::window;
use super::{Network, Pass};
use crate::autograd::ops::{self, Bank, Edge, Fan, Filter, FusedCell, Pool, Reduce, Source};
use crate::autograd::{Tape, Var};
use crate::graph::fuse::{self, Form, Separable};
use crate::tensor::Error;
use std::collections::HashMap;

/// First and last of a run of parameters, or of batch norms.
type Run = [usize; 2];

/// A bank's filters, and where its weights and statistics are.
#[derive(Clone, Debug)]
struct BankPlan {
    filters: Vec<Filter>,
    depthwise: Run,
    pointwise: Run,
    norms: Run,
}

#[derive(Clone, Debug)]
struct ReducePlan {
    branches: usize,
    weights: Run,
    norms: Run,
}

#[derive(Clone, Debug)]
struct PoolPlan {
    max: bool,
    window: ops::Window,
    norm: Option<usize>,
}

#[derive(Clone, Debug, Default)]
struct FanPlan {
    stride: usize,
    edges: Vec<Edge>,
    first: Option<BankPlan>,
    second: Option<BankPlan>,
    reduce: Option<ReducePlan>,
    pools: Vec<PoolPlan>,
}

/// A mixed cell's plan.
#[derive(Clone, Debug)]
pub(super) struct CellPlan {
    pub table: String,
    fans: Vec<FanPlan>,
    joined: Vec<usize>,
}

/// Orders in which parameters and statistics lie in memory.
#[derive(Debug, Default)]
pub(super) struct Places {
    pub parameters: Vec<usize>,
    pub norms: Vec<Vec<usize>>,
}

/// Numbers of parameters and batch norms by name.
pub(super) struct Names<'a> {
    parameters: HashMap<&'a str, usize>,
    norms: HashMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    pub fn new(builder: &'a Builder) -> Self {
        Self {
            parameters: builder.specs.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect(),
            norms: builder.norms.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect(),
        }
    }

    fn weight(&self, layer: &str) -> Option<usize> {
        self.parameters.get(format!("{layer}.weight").as_str()).copied()
    }

    fn norm(&self, layer: &str) -> Option<usize> {
        self.norms.get(layer).copied()
    }
}

/// A branch of a bank: an edge, an option, and its convolutions.
struct Branch<'a> {
    edge: usize,
    option: usize,
    stages: &'a [Separable],
}

impl CellPlan {
    /// Plans a cell; `places` grows by what must lie together. None if a name is not known.
    pub fn new(cell: &fuse::MixedCell, names: &Names<'_>, places: &mut Places) -> Option<Self> {
        let fan = |(stride, edges): &(usize, Vec<fuse::MixedEdge>)| FanPlan::new(*stride, edges, names, places);
        let fans = cell.states.iter().map(fan).collect::<Option<_>>()?;
        Some(Self { table: cell.table.clone(), fans, joined: cell.joined.clone() })
    }

    /// Candidates that are kept together for one state, at most.
    pub fn most_candidates(&self) -> usize {
        let bank = |bank: &Option<BankPlan>| bank.as_ref().map_or(0, |b| b.filters.iter().map(|f| f.branches).sum());
        let fan = |f: &FanPlan| {
            bank(&f.first) + bank(&f.second) + f.reduce.as_ref().map_or(0, |r| r.branches) + f.pools.len()
        };
        self.fans.iter().map(fan).max().unwrap_or(0)
    }
}

impl FanPlan {
    fn new(stride: usize, edges: &[fuse::MixedEdge], names: &Names<'_>, places: &mut Places) -> Option<Self> {
        let mut plan = Self {
            stride: stride.max(1),
            edges: edges.iter().map(|e| Edge { to: e.to, row: e.row, candidates: Vec::new() }).collect(),
            ..Self::default()
        };
        let options = || {
            let of = |(edge, e): (usize, &'_ fuse::MixedEdge)| (0..e.options.len()).map(move |option| (edge, option));
            edges.iter().enumerate().flat_map(of).map(|(edge, option)| (edge, option, &edges[edge].options[option]))
        };
        let mut branches: Vec<Branch<'_>> = options()
            .filter_map(|(edge, option, form)| match form {
                Form::Separable(stages) => Some(Branch { edge, option, stages }),
                _ => None,
            })
            .collect();
        // The second bank reads the first branches of the first one; like filters stand together.
        branches.sort_by_key(|b| {
            let windows: Vec<[usize; 2]> = b.stages.iter().map(|s| [s.kernel, s.dilation]).collect();
            (std::cmp::Reverse(b.stages.len()), windows)
        });
        for (index, branch) in branches.iter().enumerate() {
            let source = if branch.stages.len() == 1 { Source::First(index) } else { Source::Second(index) };
            plan.edges[branch.edge].candidates.push((branch.option, source));
        }
        for (stage, bank) in [&mut plan.first, &mut plan.second].into_iter().enumerate() {
            let stages: Vec<&Separable> = branches.iter().filter_map(|b| b.stages.get(stage)).collect();
            *bank = if stages.is_empty() { None } else { Some(BankPlan::new(&stages, names, places)?) };
        }
        if let (Some(first), Some(second)) = (&plan.first, &mut plan.second) {
            second.share(first);
        }
        let mut reduced = Vec::new();
        for (edge, option, form) in options() {
            let source = match form {
                Form::Zero | Form::Separable(_) => continue,
                Form::Identity => Source::Identity,
                Form::Reduce { convolutions, norm } => {
                    reduced.push((convolutions, norm));
                    Source::Reduce(reduced.len() - 1)
                }
                Form::Pool { max, pool, norm } => {
                    let window = window(pool);
                    let norm = match norm {
                        Some(name) => Some(names.norm(name)?),
                        None => None,
                    };
                    let like = |p: &PoolPlan| p.max == *max && p.window == window && p.norm.is_some() == norm.is_some();
                    let index = plan.pools.iter().position(like).unwrap_or_else(|| {
                        plan.pools.push(PoolPlan { max: *max, window, norm });
                        plan.pools.len() - 1
                    });
                    // All edges see the same pool: their statistics are the same.
                    if let (Some(first), Some(own)) = (plan.pools[index].norm, norm) {
                        match places.norms.iter_mut().find(|shared| shared[0] == first) {
                            Some(shared) => shared.push(own),
                            None => places.norms.push(vec![own]),
                        }
                    }
                    Source::Pool(index)
                }
            };
            plan.edges[edge].candidates.push((option, source));
        }
        if !reduced.is_empty() {
            let mut weights = Vec::new();
            let mut norms = Vec::new();
            for (convolutions, norm) in &reduced {
                for name in convolutions.iter() {
                    weights.push(names.weight(name)?);
                }
                norms.push(names.norm(norm)?);
            }
            plan.reduce = Some(ReducePlan {
                branches: reduced.len(),
                weights: places.parameters(&weights),
                norms: places.norms(&norms),
            });
        }
        Some(plan)
    }
}

impl BankPlan {
    fn new(stages: &[&Separable], names: &Names<'_>, places: &mut Places) -> Option<Self> {
        let mut filters: Vec<Filter> = Vec::new();
        for stage in stages {
            match filters.last_mut().filter(|f| f.kernel == stage.kernel && f.dilation == stage.dilation) {
                Some(filter) => filter.branches += 1,
                None => filters.push(Filter { kernel: stage.kernel, dilation: stage.dilation, branches: 1 }),
            }
        }
        let weights = |name: fn(&Separable) -> &str| -> Option<Vec<usize>> {
            stages.iter().map(|s| names.weight(name(s))).collect()
        };
        let norms: Vec<usize> = stages.iter().map(|s| names.norm(&s.norm)).collect::<Option<_>>()?;
        Some(Self {
            filters,
            depthwise: places.parameters(&weights(|s| &s.depthwise)?),
            pointwise: places.parameters(&weights(|s| &s.pointwise)?),
            norms: places.norms(&norms),
        })
    }

    /// Takes up the kinds in which a bank goes further, without branches: then both are computed by the
    /// same shaders, where their strides agree.
    fn share(&mut self, longer: &Self) {
        let alike = |(own, other): (&Filter, &Filter)| own.kernel == other.kernel && own.dilation == other.dilation;
        if self.filters.iter().zip(&longer.filters).all(alike) {
            let more = longer.filters.iter().skip(self.filters.len());
            self.filters.extend(more.map(|filter| Filter { branches: 0, ..*filter }));
        }
    }
}

impl Places {
    fn parameters(&mut self, run: &[usize]) -> Run {
        self.parameters.extend_from_slice(run);
        [run[0], run[run.len() - 1]]
    }

    fn norms(&mut self, run: &[usize]) -> Run {
        self.norms.extend(run.iter().map(|&norm| vec![norm]));
        [run[0], run[run.len() - 1]]
    }
}

impl Network {
    /// Records a fused cell.
    pub(super) fn record_cell(
        &self,
        tape: &mut Tape,
        plan: &CellPlan,
        inputs: &[Var],
        weights: &Var,
        pass: &Pass<'_>,
        epsilon: f32,
    ) -> Result<Var, Error> {
        let Some(&[_, channels, ..]) = inputs.first().map(Var::shape) else {
            return Err(Error::shape("fused_cell", "takes images"));
        };
        let statistics = &self.statistics;
        let mut fans = Vec::with_capacity(plan.fans.len());
        for fan in &plan.fans {
            let mut bank = |plan: &Option<BankPlan>| -> Result<Option<Bank>, Error> {
                let Some(plan) = plan else { return Ok(None) };
                let taps: usize = plan.filters.iter().map(|f| f.branches * f.kernel * f.kernel).sum();
                let branches: usize = plan.filters.iter().map(|f| f.branches).sum();
                let parameters = &self.parameters;
                Ok(Some(Bank {
                    filters: plan.filters.clone(),
                    depthwise: parameters.run(tape, plan.depthwise, &[taps * channels], pass.gradients)?,
                    pointwise: parameters.run(tape, plan.pointwise, &[branches, channels, channels], pass.gradients)?,
                    moments: statistics.between(plan.norms, pass.training),
                }))
            };
            let (first, second) = (bank(&fan.first)?, bank(&fan.second)?);
            let reduce = match &fan.reduce {
                Some(plan) => {
                    let shape = [plan.branches, 2, channels / 2, channels];
                    Some(Reduce {
                        weights: self.parameters.run(tape, plan.weights, &shape, pass.gradients)?,
                        branches: plan.branches,
                        moments: statistics.between(plan.norms, pass.training),
                    })
                }
                None => None,
            };
            let pool = |p: &PoolPlan| Pool {
                max: p.max,
                window: p.window,
                moments: p.norm.map(|norm| statistics.between([norm, norm], pass.training)),
            };
            let pools = fan.pools.iter().map(pool).collect();
            fans.push(Fan { stride: fan.stride, edges: fan.edges.clone(), first, second, reduce, pools });
        }
        let inputs: Vec<&Var> = inputs.iter().collect();
        let training = pass.training;
        ops::fused_cell(tape, &inputs, weights, FusedCell { fans, joined: plan.joined.clone(), training, epsilon })
    }
}
