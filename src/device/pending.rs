//! Values that arrive from a device.

use super::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

type Source<T> = Box<dyn FnMut() -> Option<Result<T, Error>> + Send>;

/// A value on its way back from a device: a future that polls the device.
///
/// It can be awaited by any executor. On native targets each poll of a GPU waits in the driver
/// for a moment rather than spinning; nothing else blocks.
#[must_use = "a pending value does nothing until it is awaited"]
pub struct Pending<T> {
    source: Source<T>,
}

impl<T: Send + 'static> Pending<T> {
    /// A value that is already here.
    pub fn ready(value: Result<T, Error>) -> Self {
        let mut value = Some(value);
        Self { source: Box::new(move || value.take()) }
    }

    pub(super) fn new(source: impl FnMut() -> Option<Result<T, Error>> + Send + 'static) -> Self {
        Self { source: Box::new(source) }
    }

    /// The value, changed by `f` when it arrives.
    pub fn map<U: Send + 'static>(mut self, f: impl FnOnce(T) -> U + Send + 'static) -> Pending<U> {
        let mut f = Some(f);
        Pending::new(move || {
            let value = (self.source)()?;
            f.take().map(|f| value.map(f))
        })
    }
}

impl<T> Future for Pending<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match (self.source)() {
            Some(value) => Poll::Ready(value),
            None => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}
