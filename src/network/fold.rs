//! Batch normalisation with running statistics as part of the convolution before it.

use super::forward::EPSILON;
use super::state::numbers;
use crate::graph::{Graph, Op};
use crate::nn::{Array, ExchangeError};
use std::collections::BTreeMap;

/// A graph for evaluation, and what it learned, with each batch normalisation taken into the convolution that it alone reads:
/// y = γ(Wx + b − μ)/√(σ² + ε) + β is a convolution by γW/√(σ² + ε) with a bias. Where there is no such convolution it stays. Graphs
/// within choice points are left as they are.
///
/// Arrays are named as [`Network::state`](super::Network::state) names them; those that are not the graph's stay too.
///
/// # Errors
/// [`ExchangeError::Missing`] or [`ExchangeError::Shape`] for an array of a convolution or normalisation.
pub fn fold(
    graph: &Graph,
    arrays: &BTreeMap<String, Array>,
) -> Result<(Graph, BTreeMap<String, Array>), ExchangeError> {
    let (mut graph, mut arrays) = (graph.clone(), arrays.clone());
    let readers = graph.readers();
    for at in 0..graph.nodes.len() {
        let (Op::BatchNorm { affine }, [before]) = (&graph.nodes[at].op, &graph.nodes[at].inputs[..]) else { continue };
        let (affine, before) = (*affine, *before);
        let Op::Conv(conv) = &graph.nodes[before].op else { continue };
        if readers[before] != 1 {
            continue;
        }
        let (norm, of_conv) = (graph.nodes[at].name.clone(), graph.nodes[before].name.clone());
        let outputs = conv.outputs;
        let [weight_name, bias_name] = ["weight", "bias"].map(|part| named(&of_conv, part));
        let channel = |part: &str| numbers(&arrays, &named(&norm, part), &[outputs]).map(<[f32]>::to_vec);
        let (mean, variance) = (channel("running_mean")?, channel("running_var")?);
        let (gamma, beta) = match affine {
            true => (channel("weight")?, channel("bias")?),
            false => (vec![1.0; outputs], vec![0.0; outputs]),
        };
        let own = match conv.bias {
            true => numbers(&arrays, &bias_name, &[outputs])?.to_vec(),
            false => vec![0.0; outputs],
        };
        let shape = conv.weight_shape();
        let weight = numbers(&arrays, &weight_name, &shape)?;
        let factor: Vec<f64> = gamma
            .iter()
            .zip(&variance)
            .map(|(gamma, variance)| f64::from(*gamma) / (f64::from(*variance) + f64::from(EPSILON)).sqrt())
            .collect();
        let each = weight.len() / outputs.max(1);
        let scaled: Vec<f32> = weight
            .chunks(each.max(1))
            .zip(&factor)
            .flat_map(|(filter, factor)| filter.iter().map(move |value| (f64::from(*value) * factor) as f32))
            .collect();
        let bias: Vec<f32> = (0..outputs)
            .map(|channel| {
                let shift = factor[channel] * (f64::from(own[channel]) - f64::from(mean[channel]));
                (shift + f64::from(beta[channel])) as f32
            })
            .collect();
        for part in ["running_mean", "running_var", "num_batches_tracked", "weight", "bias"] {
            arrays.remove(&named(&norm, part));
        }
        arrays.insert(weight_name, Array::f32(&shape, scaled));
        arrays.insert(bias_name, Array::f32(&[outputs], bias));
        graph.nodes[at].op = Op::Identity;
        if let Op::Conv(conv) = &mut graph.nodes[before].op {
            conv.bias = true;
        }
    }
    Ok((graph, arrays))
}

/// The full name of an array of a layer.
fn named(layer: &str, part: &str) -> String {
    if layer.is_empty() { part.to_owned() } else { format!("{layer}.{part}") }
}
