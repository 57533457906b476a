//! Signals that ask a run to stop: the first is heeded between two steps, a second ends the program at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Ctrl-C and what other programs send; on Windows Ctrl-Break too.
const ASKING: &[i32] = if cfg!(windows) { &[SIGINT, SIGTERM, 21] } else { &[SIGINT, SIGTERM] };

/// What was asked by signals so far.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// From now on signals are heeded.
    pub fn listen() -> std::io::Result<Self> {
        let (caught, again) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        for &signal in ASKING {
            // In this order: the first signal finds nothing armed.
            flag::register_conditional_shutdown(signal, status(signal as usize).into(), again.clone())?;
            flag::register(signal, again.clone())?;
            flag::register_usize(signal, caught.clone(), signal as usize)?;
        }
        Ok(Self(caught))
    }

    /// The exit status of a program that was asked to stop, if it was.
    pub fn status(&self) -> Option<u8> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(status(signal)),
        }
    }
}

/// What shells say of a program that a signal ended.
fn status(signal: usize) -> u8 {
    128 + (signal & 0x7f) as u8
}
