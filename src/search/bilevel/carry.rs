//! What a stage takes over from the one before: weights and architecture weights, as far as both have them.

use super::SearchError;
use super::phase::DROPPED;
use crate::device::Device;
use crate::estimate::Supernet;
use crate::nn::Parameters;

/// Writes the old supernet's weights into the new one. Where the shapes differ (wider partial channels), the common part
/// is taken over and the rest stays as it was drawn (DrNAS, section 3.3).
pub(super) async fn carry(device: &Device, old: &Supernet, new: &Supernet) -> Result<(), SearchError> {
    merge(device, old.network().parameters(), new.network().parameters(), false).await?;
    merge(device, old.alphas(), new.alphas(), true).await
}

async fn merge(device: &Device, old: &Parameters, new: &Parameters, alphas: bool) -> Result<(), SearchError> {
    let (from, mut to) = (old.read(device).await?, new.read(device).await?);
    let known: Vec<(&str, &[usize], &[f32])> = old.split(&from).collect();
    let places: Vec<_> = (0..new.len()).map(|index| (new.name(index).to_owned(), new.place(index))).collect();
    let shapes: Vec<Vec<usize>> = (0..new.len()).map(|index| new.value(index).shape().to_vec()).collect();
    for ((name, place), shape) in places.into_iter().zip(shapes) {
        let Some((_, old_shape, values)) = known.iter().find(|(known, ..)| *known == name) else { continue };
        if old_shape.len() == shape.len() {
            copy_common(values, old_shape, &mut to[place], &shape, alphas);
        }
    }
    Ok(new.values().write(device, &to)?)
}

/// Copies the elements that both arrays have at the same indices. What has been dropped stays so.
fn copy_common(from: &[f32], from_shape: &[usize], to: &mut [f32], to_shape: &[usize], keep_dropped: bool) {
    let strides =
        |shape: &[usize]| -> Vec<usize> { (0..shape.len()).map(|axis| shape[axis + 1..].iter().product()).collect() };
    let (from_strides, to_strides) = (strides(from_shape), strides(to_shape));
    for (at, value) in to.iter_mut().enumerate() {
        let index = |axis: usize| at / to_strides[axis] % to_shape[axis];
        if (0..to_shape.len()).all(|axis| index(axis) < from_shape[axis]) && !(keep_dropped && *value == DROPPED) {
            *value = from[(0..to_shape.len()).map(|axis| index(axis) * from_strides[axis]).sum::<usize>()];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_part_is_taken_over() {
        let from = [1.0, 2.0, 3.0, 4.0];
        let mut wider = [0.0; 9];
        copy_common(&from, &[2, 2], &mut wider, &[3, 3], false);
        assert_eq!(wider, [1.0, 2.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
        let mut narrower = [0.0; 2];
        copy_common(&from, &[2, 2], &mut narrower, &[1, 2], false);
        assert_eq!(narrower, [1.0, 2.0]);
        let mut alphas = [0.5, DROPPED, 0.5, 0.5];
        copy_common(&from, &[2, 2], &mut alphas, &[2, 2], true);
        assert_eq!(alphas, [1.0, DROPPED, 3.0, 4.0]);
    }
}
