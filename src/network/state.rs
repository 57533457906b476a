//! All learned and running values of a network, under their published names.

use super::Network;
use crate::device::Pending;
use crate::names::nearest;
use crate::nn::{Array, ExchangeError, Value};
use std::collections::BTreeMap;

/// What PyTorch calls running mean and variance.
const RUNNING: [&str; 2] = ["running_mean", "running_var"];

impl Network {
    /// Parameters, running statistics and `num_batches_tracked`, named as PyTorch's `state_dict`.
    ///
    /// # Errors
    /// An error of the device.
    pub async fn state(&self) -> Result<BTreeMap<String, Array>, ExchangeError> {
        let wait = async |pending: Pending<Vec<f32>>| pending.await.map_err(crate::tensor::Error::from);
        let values = wait(self.parameters.read(&self.device)).await?;
        let mut arrays: BTreeMap<String, Array> = self
            .parameters
            .split(&values)
            .map(|(name, shape, values)| (name.to_owned(), Array::f32(shape, values.to_vec())))
            .collect();
        let running = wait(self.statistics.running().read(&self.device)).await?;
        for (name, places) in self.statistics.layers() {
            for (part, place) in RUNNING.into_iter().zip(places) {
                let values = running[place].to_vec();
                arrays.insert(format!("{name}.{part}"), Array::f32(&[values.len()], values));
            }
            let tracked = Value::I64(vec![self.statistics.tracked() as i64]);
            arrays.insert(format!("{name}.num_batches_tracked"), Array { shape: Vec::new(), value: tracked });
        }
        Ok(arrays)
    }

    /// Sets parameters and, where they are given, running statistics. Everything is checked before
    /// anything is written.
    ///
    /// # Errors
    /// [`ExchangeError::Missing`], [`ExchangeError::Unknown`] or [`ExchangeError::Shape`] for the first
    /// array that does not fit.
    pub fn load(&mut self, arrays: &BTreeMap<String, Array>) -> Result<(), ExchangeError> {
        let mut known: Vec<String> = Vec::new();
        let mut values = vec![0.0; self.parameters.values().count()];
        for index in 0..self.parameters.len() {
            let name = self.parameters.name(index);
            let given = numbers(arrays, name, self.parameters.value(index).shape())?;
            values[self.parameters.place(index)].copy_from_slice(given);
            known.push(name.to_owned());
        }
        let mut running = vec![0.0; self.statistics.running().count()];
        let mut tracked = None;
        for (name, places) in self.statistics.layers() {
            for ((part, default), place) in RUNNING.into_iter().zip([0.0, 1.0]).zip(places) {
                let full = format!("{name}.{part}");
                if arrays.contains_key(&full) {
                    let given = numbers(arrays, &full, &[place.len()])?;
                    running[place].copy_from_slice(given);
                } else {
                    running[place].fill(default);
                }
                known.push(full);
            }
            let full = format!("{name}.num_batches_tracked");
            if let Some(Array { value: Value::I64(count), .. }) = arrays.get(&full) {
                tracked = count.first().copied();
            }
            known.push(full);
        }
        if let Some(name) = arrays.keys().find(|name| !known.contains(name)) {
            let nearest = (!known.is_empty()).then(|| nearest(name, &known));
            return Err(ExchangeError::Unknown { name: name.clone(), nearest });
        }
        self.parameters.values().write(&self.device, &values)?;
        self.statistics.running().write(&self.device, &running)?;
        self.statistics.set_tracked(tracked.map_or(0, |t| t.max(0) as u64));
        Ok(())
    }
}

/// The values of an array that must be of this shape.
pub(super) fn numbers<'a>(
    arrays: &'a BTreeMap<String, Array>,
    name: &str,
    expected: &[usize],
) -> Result<&'a [f32], ExchangeError> {
    let array = arrays.get(name).ok_or_else(|| ExchangeError::Missing { name: name.to_owned() })?;
    match &array.value {
        // A caller's own array need not fill the shape it claims.
        Value::F32(values) if array.shape == expected && values.len() == expected.iter().product::<usize>() => {
            Ok(values)
        }
        _ => {
            Err(ExchangeError::Shape { name: name.to_owned(), expected: expected.to_vec(), found: array.shape.clone() })
        }
    }
}
