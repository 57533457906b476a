//! How a fused cell finds what it learns: candidates of one kind lie behind one another in memory, so that
//! one dispatch computes them.

use super::layer::{BankPlan, CellPlan, DensePlan, FanPlan, Layer, PlainPlan, PoolPlan, ReducePlan, Run};
use crate::autograd::ops::{self, Edge, Filter, Source};
use crate::graph::fuse::{self, Dense, Form, Separable};
use crate::graph::{Graph, Node, Op, Pool};
use crate::nn::Spec;
use std::collections::HashMap;

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
    pub fn new(parameters: &'a [Spec], norms: &'a [(String, usize)]) -> Self {
        Self {
            parameters: parameters.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect(),
            norms: norms.iter().enumerate().map(|(i, (name, _))| (name.as_str(), i)).collect(),
        }
    }

    fn weight(&self, layer: &str) -> Option<usize> {
        self.parameters.get(format!("{layer}.weight").as_str()).copied()
    }

    fn bias(&self, layer: &str) -> Option<usize> {
        self.parameters.get(format!("{layer}.bias").as_str()).copied()
    }

    fn norm(&self, layer: &str) -> Option<usize> {
        self.norms.get(layer).copied()
    }

    /// The layers of a graph without choices.
    fn layers(&self, graph: &Graph) -> Option<Vec<Layer>> {
        let layer = |node: &Node| match &node.op {
            Op::BatchNorm { affine } => {
                let affine = if *affine { Some([self.weight(&node.name)?, self.bias(&node.name)?]) } else { None };
                Some(Layer::Norm { affine, statistics: self.norm(&node.name)? })
            }
            op if op.parameters(&graph.input_shapes(node)).is_empty() => Some(Layer::Plain),
            _ => Some(Layer::Weighted { weight: self.weight(&node.name)?, bias: self.bias(&node.name) }),
        };
        graph.nodes.iter().map(layer).collect()
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
            let dense: usize = f.dense.iter().map(|d| d.branches).sum();
            let reduced = f.reduce.as_ref().map_or(0, |r| r.branches);
            bank(&f.first) + bank(&f.second) + reduced + dense + f.plain.len() + f.pools.len()
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
        let mut dense: Vec<Vec<&Dense>> = Vec::new();
        let alike = |a: &Dense, b: &Dense| a.kernel == b.kernel && a.bias == b.bias;
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
                Form::Dense(form) => {
                    let bank = dense.iter().position(|bank: &Vec<&Dense>| alike(bank[0], form));
                    let bank = bank.unwrap_or_else(|| {
                        dense.push(Vec::new());
                        dense.len() - 1
                    });
                    dense[bank].push(form);
                    Source::Dense { bank, branch: dense[bank].len() - 1 }
                }
                Form::Plain { graph, .. } => {
                    plan.plain.push(PlainPlan { graph: graph.clone(), layers: names.layers(graph)? });
                    Source::Plain(plan.plain.len() - 1)
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
        plan.dense = dense.iter().map(|bank| DensePlan::new(bank, names, places)).collect::<Option<_>>()?;
        Some(plan)
    }
}

impl DensePlan {
    fn new(branches: &[&Dense], names: &Names<'_>, places: &mut Places) -> Option<Self> {
        let all = |number: &dyn Fn(&Dense) -> Option<usize>| -> Option<Vec<usize>> {
            branches.iter().map(|branch| number(branch)).collect()
        };
        let weights = all(&|d| names.weight(&d.convolution))?;
        let biases = if branches[0].bias { Some(all(&|d| names.bias(&d.convolution))?) } else { None };
        Some(Self {
            kernel: branches[0].kernel,
            branches: branches.len(),
            weights: places.parameters(&weights),
            biases: biases.map(|biases| places.parameters(&biases)),
            norms: places.norms(&all(&|d| names.norm(&d.norm))?),
        })
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

/// A pool's window, as the tape has it.
pub(super) fn window(pool: &Pool) -> ops::Window {
    let Pool { kernel, stride, padding, count_padding, beyond } = *pool;
    ops::Window { kernel, stride, padding, count_padding, beyond }
}
