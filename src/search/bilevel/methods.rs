//! The published gradient methods: what each changes of DARTS. `brief` settings are for searches of a few epochs: what
//! counts epochs of the published fifty is left out or shortened, what a method *is* stays.

use super::{BilevelConfig, Order, Penalty, Perturbation, Selection, Stage, Stop, Weighing};
use crate::optim::{AdamConfig, Schedule};

/// Second-order DARTS.
pub fn darts_second(config: &mut BilevelConfig, _: bool) {
    config.order = Order::Second;
}

/// GDAS (Dong & Yang 2019): one option of each choice point, drawn by the hard Gumbel-softmax.
pub fn gdas(config: &mut BilevelConfig, _: bool) {
    config.weighing = Weighing::GumbelPath { temperature: Schedule::Linear { from: 10.0, to: 0.1 }, others: false };
}

/// SNAS (Xie et al. 2019): all options, weighed by the Gumbel-softmax; the temperature falls as GDAS's from 1.
pub fn snas(config: &mut BilevelConfig, _: bool) {
    config.weighing = Weighing::Gumbel { temperature: Schedule::Linear { from: 1.0, to: 0.03 } };
}

/// PC-DARTS (Xu et al. 2020): a quarter of the channels, edge weights, α frozen at first.
pub fn pc_darts(config: &mut BilevelConfig, brief: bool) {
    config.parts = 4;
    config.warmup = config.epochs * 15 / 50;
    if !brief {
        config.batch = 256;
        config.rate = Schedule::Cosine { from: 0.1, to: 0.0 };
        config.alpha_rate = 6e-4;
    }
}

/// P-DARTS (Chen et al. 2019): three stages, ever deeper and with ever fewer options; dropout on skip connections.
pub fn p_darts(config: &mut BilevelConfig, brief: bool) {
    let deeper = if brief { 1 } else { 6 };
    config.epochs = if brief { (config.epochs / 3).max(1) } else { 25 };
    // 5, 11 and 17 cells are the published ones; the first stage's are those configured.
    let stage = |number: usize, options: usize, dropout: f32| Stage {
        deeper: number * deeper,
        options,
        dropout,
        ..Stage::default()
    };
    config.stages = vec![stage(0, 0, 0.1), stage(1, 5, 0.4), stage(2, 3, 0.7)];
    config.warmup = config.epochs * 10 / 25;
    config.most_skips = 2;
    config.alpha_rate = if brief { config.alpha_rate } else { 6e-4 };
}

/// DrNAS (Chen et al. 2021): weights are samples of a Dirichlet distribution; two stages of partial channels.
pub fn dr_nas(config: &mut BilevelConfig, brief: bool) {
    config.weighing = Weighing::Dirichlet;
    config.penalty = Penalty::Anchor { weight: 1e-3 };
    config.adam = AdamConfig { weight_decay: 0.0, ..config.adam };
    config.epochs = (config.epochs / 2).max(1);
    let stage = |options: usize, parts: usize, goes_on: bool| Stage { options, parts, goes_on, ..Stage::default() };
    // Narrow cells cannot be divided by six.
    let parts = if brief { [4, 2] } else { [6, 4] };
    config.stages = vec![stage(0, parts[0], false), stage(4, parts[1], true)];
    config.warmup = config.epochs * 10 / 25;
    if !brief {
        config.rate = Schedule::Cosine { from: 0.1, to: 0.0 };
        config.alpha_rate = 6e-4;
    }
}

/// FairDARTS (Chu et al. 2020): each option by itself, driven to 0 or 1.
pub fn fair_darts(config: &mut BilevelConfig, brief: bool) {
    config.weighing = Weighing::Sigmoid;
    config.penalty = Penalty::ZeroOne { weight: 10.0 };
    config.adam = AdamConfig { beta1: 0.9, ..config.adam };
    config.alpha_rate = if brief { config.alpha_rate } else { 3e-3 };
}

/// SDARTS with random perturbations (Chen & Hsieh 2020).
pub fn sdarts_rs(config: &mut BilevelConfig, _: bool) {
    config.perturbation = Perturbation::Random { epsilon: Schedule::Linear { from: 0.03, to: 0.3 } };
}

/// SDARTS with adversarial perturbations.
pub fn sdarts_adv(config: &mut BilevelConfig, _: bool) {
    config.perturbation = Perturbation::Adversarial { epsilon: Schedule::Linear { from: 0.03, to: 0.3 }, steps: 7 };
}

/// RobustDARTS' early stopping (Zela et al. 2020).
pub fn robust_darts(config: &mut BilevelConfig, brief: bool) {
    let (every, earliest) = if brief { (1, config.epochs / 5) } else { (2, 10) };
    config.stop = Stop::Eigenvalue { every, window: 5, back: 4, ratio: 1.3, earliest };
}

/// DARTS+ (Liang et al. 2019).
pub fn darts_plus(config: &mut BilevelConfig, brief: bool) {
    config.stop = Stop::Skips { most: 2, earliest: if brief { config.epochs / 5 } else { 10 } };
}

/// DARTS-PT (Wang et al. 2021).
pub fn darts_pt(config: &mut BilevelConfig, brief: bool) {
    config.selection = Selection::Masking { tune: if brief { 1 } else { 5 }, divisor: 10.0 };
}
