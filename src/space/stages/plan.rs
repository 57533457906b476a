//! What each stage leaves open: everything before a search, nothing in an architecture.
//!
//! Decisions, supernet and decoded network are all read off one plan, so they cannot disagree.

use super::{Operation, Stages};
use crate::space::chain::Width;
use crate::space::{Architecture, Decision};

/// The options left in a stage.
#[derive(Clone, Debug)]
pub(super) struct StagePlan {
    /// Numbers of channels.
    pub(super) channels: Vec<Width>,
    /// Numbers of blocks, ascending.
    pub(super) depths: Vec<usize>,
    /// Operations of each block, as many as the largest depth.
    pub(super) blocks: Vec<Vec<Operation>>,
}

pub(super) fn width_decision(stage: usize) -> String {
    format!("stage{stage}_width")
}

pub(super) fn depth_decision(stage: usize) -> String {
    format!("stage{stage}_depth")
}

pub(super) fn operation_decision(stage: usize, block: usize) -> String {
    format!("stage{stage}_block{block}_operation")
}

impl Stages {
    /// The plan in which all is open.
    pub(super) fn open(&self) -> Vec<StagePlan> {
        let mut before = std::slice::from_ref(&self.stem.channels);
        let mut plans = Vec::with_capacity(self.stages.len());
        for stage in &self.stages {
            let mut blocks = vec![stage.operations.clone(); stage.most_blocks()];
            blocks[0] = stage.first_operations(before);
            plans.push(StagePlan { channels: stage.channels.clone(), depths: stage.depths.clone(), blocks });
            before = &stage.channels;
        }
        plans
    }

    /// The plan of an architecture, which must be one of this space.
    pub(super) fn closed(&self, architecture: &Architecture) -> Vec<StagePlan> {
        let mut answers = architecture.answers.iter().copied();
        let mut plans = self.open();
        for plan in &mut plans {
            narrow(&mut plan.channels, &mut answers);
            narrow(&mut plan.depths, &mut answers);
            plan.blocks.iter_mut().for_each(|operations| narrow(operations, &mut answers));
        }
        plans
    }
}

/// Leaves the answered option of several. Goes through the options as [`decisions`] does.
fn narrow<T>(options: &mut Vec<T>, answers: &mut impl Iterator<Item = usize>) {
    if options.len() > 1
        && let Some(answer) = answers.next()
    {
        options.swap(0, answer);
        options.truncate(1);
    }
}

/// The decisions that plans leave open.
pub(super) fn decisions(plans: &[StagePlan]) -> Vec<Decision> {
    fn ask<T: ToString>(into: &mut Vec<Decision>, name: String, options: &[T]) {
        if options.len() > 1 {
            into.push(Decision { name, options: options.iter().map(ToString::to_string).collect() });
        }
    }
    let mut all = Vec::new();
    for (i, plan) in plans.iter().enumerate() {
        ask(&mut all, width_decision(i), &plan.channels);
        ask(&mut all, depth_decision(i), &plan.depths);
        for (j, operations) in plan.blocks.iter().enumerate() {
            ask(&mut all, operation_decision(i, j), operations);
        }
    }
    all
}
