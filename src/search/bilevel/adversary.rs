//! The worst weights of options within ε of the present ones (SDARTS-ADV; Chen & Hsieh 2020, equation 7).

use super::SearchError;
use super::perturb::{ascend, normalise};
use super::phase::Phase;
use super::weighing::Row;
use crate::device::Recording;
use crate::estimate::Scalars;

/// Moves drawn weights by projected sign ascent on the training loss, which `recording` computes; they come back unmoved
/// if it fell.
pub(super) async fn worsen(
    phase: &Phase,
    recording: &Recording,
    drawn: &mut [Vec<Row>],
    epsilon: f64,
    steps: u32,
) -> Result<(), SearchError> {
    let (Some(relaxed), supernet) = (&phase.relaxed, &phase.supernet) else { return Ok(()) };
    let device = supernet.device();
    let centre = drawn.to_vec();
    // The gradient wanted is that of the weights themselves.
    let mut worst = drawn.to_vec();
    for row in worst.iter_mut().flatten() {
        let options = row.weights.len();
        row.jacobian = (0..options * options).map(|at| f64::from(u8::from(at / options == at % options))).collect();
    }
    let (mut first, mut last) = (0.0, 0.0);
    for step in 0..=steps {
        relaxed.write(supernet, &worst)?;
        device.run(recording)?;
        let gradient = supernet.alphas().gradients().read(device).await?;
        last = supernet.scalars().one(Scalars::INNER_LOSSES).read(device).await?[0];
        if step == 0 {
            first = last;
        }
        if step == steps {
            break;
        }
        let mut at = 0;
        for (row, centre) in worst.iter_mut().flatten().zip(centre.iter().flatten()) {
            let size = 2.0 * epsilon / f64::from(steps.max(1));
            let gradient = &gradient[at..at + row.weights.len()];
            ascend(&mut row.weights, gradient, &centre.weights, size, epsilon);
            normalise(&mut row.weights, centre.weights.iter().sum());
            at += centre.weights.len();
        }
    }
    if last >= first {
        drawn
            .iter_mut()
            .flatten()
            .zip(worst.iter().flatten())
            .for_each(|(to, row)| to.weights.clone_from(&row.weights));
    }
    Ok(())
}
