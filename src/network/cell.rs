//! Records a fused cell as it was planned.

use super::fused::{BankPlan, CellPlan, PoolPlan};
use super::{Network, Pass};
use crate::autograd::ops::{self, Bank, Fan, FusedCell, Pool, Reduce};
use crate::autograd::{Tape, Var};
use crate::tensor::Error;

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
