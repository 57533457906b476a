//! One step of a DARTS search, first order, against the same step on the CPU's twins, every operation by itself.

use super::comparison::{Check, Failure};
use crate::device::Device;
use crate::estimate::Scalars;
use crate::graph::{Features, Graph};
use crate::search::bench::{StepBench, Workload};
use crate::search::bilevel::Order;
use crate::space::darts::Darts;
use crate::space::{NetworkSettings, Space, SpaceError};
use std::collections::BTreeMap;

/// Largest relative error of each quantity, as of golden search steps.
const ALLOWED: f64 = 2e-5;
/// Images in each half of the step.
const BATCH: usize = 4;
/// Seed of weights, images and labels. With these no ReLU and no maximum tips over where results differ in their last
/// bits; a test holds that.
pub(super) const SEED: u64 = 9;

/// The supernet: three cells, one of them normal.
fn graph() -> Result<Graph, SpaceError> {
    let image = Features::new(3, 8, 8);
    Darts::default().supernet(&NetworkSettings { image, channels: 4, layers: 3, ..NetworkSettings::default() })
}

/// What a step leaves behind, by name.
pub(super) type Left = BTreeMap<String, Vec<f32>>;

/// Takes a step; `change` may change the images before it.
pub(super) async fn step(
    device: &Device,
    fusion: bool,
    seed: u64,
    change: impl Fn(&mut [f32]),
) -> Result<Left, Failure> {
    let graph = graph().map_err(|error| Failure::Search(error.into()))?;
    let mut bench = StepBench::new(device, graph, BATCH, Order::First, seed, fusion)?;
    for batch in [bench.supernet().train(), bench.supernet().valid()] {
        let mut pixels = batch.x.read(device).await?;
        change(&mut pixels);
        batch.x.write(device, &pixels)?;
    }
    bench.step().await?;
    let supernet = bench.supernet();
    let (parameters, alphas) = (supernet.network().parameters(), supernet.alphas());
    let scalars = supernet.scalars().all().read(device).await?;
    let scalar = |name: &str, at: usize| (name.to_owned(), vec![scalars[at]]);
    let mut left = Left::from([
        scalar("training loss", Scalars::TRAIN_LOSS),
        scalar("validation loss", Scalars::VALID_LOSS),
        scalar("norm of the gradient", Scalars::NORM),
    ]);
    // Fused, the weights lie in another order.
    for (what, flat) in [("gradient of the weights", parameters.gradients()), ("weights", parameters.values())] {
        let flat = flat.read(device).await?;
        let by_name: BTreeMap<&str, &[f32]> = parameters.split(&flat).map(|(name, _, values)| (name, values)).collect();
        left.insert(what.to_owned(), by_name.into_values().flatten().copied().collect());
    }
    for (what, flat) in [("gradient of ", alphas.gradients()), ("", alphas.values())] {
        let flat = flat.read(device).await?;
        left.extend(alphas.split(&flat).map(|(name, _, values)| (format!("{what}{name}"), values.to_vec())));
    }
    Ok(left)
}

/// Fused and plain; of the CPU device the fused one only, which is held to the plain one.
pub(super) async fn check(device: &Device) -> Vec<Check> {
    let names = [(true, "search step, fused"), (false, "search step, plain")];
    let names = names.into_iter().filter(|&(fusion, _)| fusion || device.is_gpu());
    let expected = match step(&Device::cpu(), false, SEED, |_| ()).await {
        Ok(expected) => expected,
        Err(failure) => return vec![Check::failed("search step on the CPU", &failure)],
    };
    let mut checks = Vec::new();
    for (fusion, name) in names {
        checks.push(match step(device, fusion, SEED, |_| ()).await {
            Ok(got) => compared(name, &got, &expected),
            Err(failure) => Check::failed(name, &failure),
        });
    }
    checks
}

pub(super) fn compared(name: &str, got: &Left, expected: &Left) -> Check {
    let mut check = Check::new(name);
    for (what, expected) in expected {
        check.close(what, got.get(what).map_or(&[], Vec::as_slice), expected, ALLOWED);
    }
    check
}
