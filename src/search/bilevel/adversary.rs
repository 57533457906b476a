//! The worst weights of options within ε of the present ones (SDARTS-ADV; Chen & Hsieh 2020, equation 7).

use super::SearchError;
use super::perturb::{ascend, normalise};
use super::phase::Phase;
use super::relaxed::Drawn;
use super::weighing::Row;
use crate::device::Recording;
use crate::estimate::Scalars;

/// Moves drawn weights by projected sign ascent on the training loss, which `recording` computes; they come back unmoved
/// if it fell.
pub(super) async fn worsen(
    phase: &Phase,
    recording: &Recording,
    drawn: &mut Drawn,
    epsilon: f64,
    steps: u32,
) -> Result<(), SearchError> {
    let (Some(relaxed), supernet) = (&phase.relaxed, &phase.supernet) else { return Ok(()) };
    let device = supernet.device();
    let centre = drawn.clone();
    // The gradient wanted is that of the weights themselves.
    let mut worst = drawn.clone();
    worst.rows_mut().for_each(|row| *row = Row::direct(std::mem::take(&mut row.weights)));
    let (mut first, mut last) = (0.0, 0.0);
    for step in 0..=steps {
        relaxed.write_weights(supernet, &worst)?;
        device.run(recording)?;
        let gradient = supernet.alphas().gradients().read(device).await?;
        last = supernet.scalars().one(Scalars::INNER_LOSSES).read(device).await?[0];
        if step == 0 {
            first = last;
        }
        if step == steps {
            break;
        }
        for ((row, centre), gradient) in worst.rows_mut().zip(centre.rows()).zip(relaxed.gather(&gradient)) {
            let size = 2.0 * epsilon / f64::from(steps.max(1));
            ascend(&mut row.weights, &gradient, &centre.weights, size, epsilon);
            normalise(&mut row.weights, centre.weights.iter().sum());
        }
    }
    if last >= first {
        drawn.rows_mut().zip(worst.rows()).for_each(|(to, row)| to.weights.clone_from(&row.weights));
    }
    Ok(())
}
