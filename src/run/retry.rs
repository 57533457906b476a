//! Going on where the device was lost.

use super::error::RunError;
use super::observer::Observer;

/// Runs something on a device, or several, that `open` opens. Where the device was lost, or its memory ran out, it is opened again, `retries`
/// times at most: what goes by a directory, as [`search`](super::search) and [`train`](super::train) do, then goes on from its
/// last checkpoint.
///
/// # Errors
/// Those of `open` and of `work`, and the loss of the device when there are no retries left.
pub fn with_retries<D, T, E: From<RunError>>(
    retries: u32,
    observer: &mut dyn Observer,
    open: impl Fn() -> Result<D, E>,
    work: impl Fn(&D, &mut dyn Observer) -> Result<T, RunError>,
) -> Result<T, E> {
    for _ in 0..retries {
        let device = open()?;
        match work(&device, observer) {
            Err(error) if error.is_of_lost_device() => {
                observer.end();
                observer.warn(&format!("{error}; the device is opened again, to go on from the last checkpoint"));
            }
            ended => return Ok(ended?),
        }
    }
    let device = open()?;
    Ok(work(&device, observer)?)
}
