//! The weights of a network that is part of a larger one.

use crate::graph::{Graph, Op};
use crate::nn::{Array, ExchangeError, Value};
use std::collections::BTreeMap;

/// The arrays of `graph`, taken from those of a network that has layers of the same names, as a supernet does: of a layer that
/// is narrower the first channels, of a kernel that is smaller the middle. Scale and shift of batch normalisations that
/// have none there (those that compete do not learn them) are 1 and 0.
///
/// # Errors
/// [`ExchangeError::Missing`] for an array that is not there, [`ExchangeError::Shape`] for one that is smaller or of other
/// dimensions.
pub fn part(graph: &Graph, arrays: &BTreeMap<String, Array>) -> Result<BTreeMap<String, Array>, ExchangeError> {
    let mut own = BTreeMap::new();
    for node in &graph.nodes {
        let full = |part: &str| if node.name.is_empty() { part.to_owned() } else { format!("{}.{part}", node.name) };
        for (part, shape) in node.op.parameters(&graph.input_shapes(node)) {
            let name = full(part);
            let array = match (arrays.get(&name), &node.op) {
                (Some(array), _) => corner(&name, array, &shape)?,
                (None, Op::BatchNorm { .. }) => {
                    let value = if part == "weight" { 1.0 } else { 0.0 };
                    Array::f32(&shape, vec![value; shape.iter().product()])
                }
                (None, _) => return Err(ExchangeError::Missing { name }),
            };
            own.insert(name, array);
        }
        if let Op::BatchNorm { .. } = node.op {
            for name in ["running_mean", "running_var"].map(full) {
                let array = arrays.get(&name).ok_or_else(|| ExchangeError::Missing { name: name.clone() })?;
                let array = corner(&name, array, &[node.shape.channels])?;
                own.insert(name, array);
            }
            let tracked = full("num_batches_tracked");
            if let Some(count) = arrays.get(&tracked) {
                own.insert(tracked, count.clone());
            }
        }
    }
    Ok(own)
}

/// The first values of each dimension; of the last two of four, which are rows and columns of kernels, the middle.
fn corner(name: &str, array: &Array, shape: &[usize]) -> Result<Array, ExchangeError> {
    let wrong = || ExchangeError::Shape { name: name.to_owned(), expected: shape.to_vec(), found: array.shape.clone() };
    let Value::F32(values) = &array.value else { return Err(wrong()) };
    let fits = shape.len() == array.shape.len() && shape.iter().zip(&array.shape).all(|(part, all)| part <= all);
    if !fits || array.shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d)) != Some(values.len()) {
        return Err(wrong());
    }
    let first = |dimension: usize| match (shape.len(), dimension) {
        (4, 2 | 3) => (array.shape[dimension] - shape[dimension]) / 2,
        _ => 0,
    };
    let mut kept = Vec::with_capacity(shape.iter().product());
    let mut at = vec![0; shape.len()];
    for _ in 0..shape.iter().product::<usize>() {
        let place = at.iter().enumerate().fold(0, |place, (d, i)| place * array.shape[d] + first(d) + i);
        kept.push(values[place]);
        for (i, size) in at.iter_mut().zip(shape).rev() {
            *i += 1;
            if *i < *size {
                break;
            }
            *i = 0;
        }
    }
    Ok(Array::f32(shape, kept))
}
