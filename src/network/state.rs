//! All learned and running values of a network, under their published names.

use super::Network;
use crate::device::Pending;
use crate::nn::{Array, ExchangeError, Value};
use std::collections::BTreeMap;

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
        let mut rest = running.as_slice();
        for (name, channels) in self.statistics.layers() {
            let (mean, after) = rest.split_at(channels);
            let (variance, after) = after.split_at(channels);
            rest = after;
            arrays.insert(format!("{name}.running_mean"), Array::f32(&[channels], mean.to_vec()));
            arrays.insert(format!("{name}.running_var"), Array::f32(&[channels], variance.to_vec()));
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
        let mut values = Vec::with_capacity(self.parameters.values().count());
        for index in 0..self.parameters.len() {
            let name = self.parameters.name(index);
            values.extend_from_slice(numbers(arrays, name, self.parameters.value(index).shape())?);
            known.push(name.to_owned());
        }
        let mut running = Vec::with_capacity(self.statistics.running().count());
        let mut tracked = None;
        for (name, channels) in self.statistics.layers() {
            for (part, default) in [("running_mean", 0.0), ("running_var", 1.0)] {
                let full = format!("{name}.{part}");
                if arrays.contains_key(&full) {
                    running.extend_from_slice(numbers(arrays, &full, &[channels])?);
                } else {
                    running.extend(std::iter::repeat_n(default, channels));
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
            let nearest = known
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)))
                .cloned();
            return Err(ExchangeError::Unknown { name: name.clone(), nearest });
        }
        self.parameters.values().write(&self.device, &values)?;
        self.statistics.running().write(&self.device, &running)?;
        self.statistics.set_tracked(tracked.map_or(0, |t| t.max(0) as u64));
        Ok(())
    }
}

fn numbers<'a>(
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
