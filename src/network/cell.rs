//! Records a fused cell as it was planned.

use super::forward::{EPSILON, Run};
use super::layer::{BankPlan, CellPlan, DensePlan, PoolPlan};
use crate::autograd::ops::{self, Bank, Dense, Fan, FusedCell, Pool, Reduce};
use crate::autograd::{Tape, Var};
use crate::tensor::Error;

impl Run<'_> {
    /// Records a fused cell.
    pub(super) fn cell(
        &mut self,
        tape: &mut Tape,
        plan: &CellPlan,
        inputs: &[Var],
        weights: &Var,
    ) -> Result<Var, Error> {
        let (pass, parameters) = (self.pass, &self.network.parameters);
        let Some(&[_, channels, ..]) = inputs.first().map(Var::shape) else {
            return Err(Error::shape("fused_cell", "takes images"));
        };
        let statistics = &self.network.statistics;
        let mut fans = Vec::with_capacity(plan.fans.len());
        for fan in &plan.fans {
            let mut bank = |plan: &Option<BankPlan>| -> Result<Option<Bank>, Error> {
                let Some(plan) = plan else { return Ok(None) };
                let taps: usize = plan.filters.iter().map(|f| f.branches * f.kernel * f.kernel).sum();
                let branches: usize = plan.filters.iter().map(|f| f.branches).sum();
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
                        weights: parameters.run(tape, plan.weights, &shape, pass.gradients)?,
                        branches: plan.branches,
                        moments: statistics.between(plan.norms, pass.training),
                    })
                }
                None => None,
            };
            let mut dense = |plan: &DensePlan| -> Result<Dense, Error> {
                let outputs = plan.branches * channels;
                let shape = [outputs, channels, plan.kernel, plan.kernel];
                let biases = plan.biases.map(|run| parameters.run(tape, run, &[outputs], pass.gradients));
                Ok(Dense {
                    branches: plan.branches,
                    weights: parameters.run(tape, plan.weights, &shape, pass.gradients)?,
                    biases: biases.transpose()?,
                    moments: statistics.between(plan.norms, pass.training),
                })
            };
            let dense = fan.dense.iter().map(&mut dense).collect::<Result<_, _>>()?;
            let pool = |p: &PoolPlan| Pool {
                max: p.max,
                window: p.window,
                moments: p.norm.map(|norm| statistics.between([norm, norm], pass.training)),
            };
            let pools = fan.pools.iter().map(pool).collect();
            let (stride, edges, plain) = (fan.stride, fan.edges.clone(), fan.plain.len());
            fans.push(Fan { stride, edges, first, second, reduce, dense, plain, pools });
        }
        let inputs: Vec<&Var> = inputs.iter().collect();
        let cell = FusedCell { fans, joined: plan.joined.clone(), training: pass.training, epsilon: EPSILON };
        ops::fused_cell(tape, &inputs, weights, cell, &mut |tape, [state, index], x, destination| {
            let plain = &plan.fans[state].plain[index];
            let made = self.graph(tape, &plain.graph, &plain.layers, std::slice::from_ref(x), Some(destination))?;
            made.into_iter().next().ok_or_else(|| Error::shape("fused_cell", "a candidate has no output"))
        })
    }
}
