//! Signals that ask a run to stop: the first is heeded between two steps, a second ends the program at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Ctrl-C and what other programs send; on Windows Ctrl-Break too.
const ASKING: &[i32] = if cfg!(windows) { &[SIGINT, SIGTERM, 21] } else { &[SIGINT, SIGTERM] };

/// What was asked by signals so far.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    /// The signal that came last.
    caught: Arc<AtomicUsize>,
    /// Whether the next one ends the program within its handler.
    at_once: Arc<AtomicBool>,
    /// Signals since it was asked, where a screen has to go first.
    #[cfg(feature = "tui")]
    news: Arc<AtomicBool>,
}

impl Signals {
    /// From now on signals are heeded.
    pub fn listen() -> std::io::Result<Self> {
        let signals = Self::default();
        for &signal in ASKING {
            signals.register(signal, &signals.at_once)?;
        }
        Ok(signals)
    }

    /// Likewise, but a second one is for a screen to heed, by [`Signals::came_again`]: it has to give the terminal back.
    #[cfg(feature = "tui")]
    pub fn listen_for_screen() -> std::io::Result<Self> {
        let signals = Self::default();
        for &signal in ASKING {
            signals.register(signal, &signals.news)?;
        }
        Ok(signals)
    }

    /// Has a signal set a flag, and be remembered.
    fn register(&self, signal: i32, sets: &Arc<AtomicBool>) -> std::io::Result<()> {
        // In this order: the first signal finds nothing armed.
        flag::register_conditional_shutdown(signal, status(signal as usize).into(), self.at_once.clone())?;
        flag::register(signal, sets.clone())?;
        flag::register_usize(signal, self.caught.clone(), signal as usize)?;
        Ok(())
    }

    /// The exit status of a program that was asked to stop, if it was.
    pub fn status(&self) -> Option<u8> {
        match self.caught.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(status(signal)),
        }
    }
}

#[cfg(feature = "tui")]
impl Signals {
    /// Asks as Ctrl-C does: where a terminal hands its keys on, it sends no signal.
    pub fn ask(&self) {
        self.caught.store(SIGINT as usize, Ordering::Relaxed);
    }

    /// Whether a signal came since this was asked last.
    pub fn came_again(&self) -> bool {
        self.news.swap(false, Ordering::Relaxed)
    }

    /// The screen is gone: what comes now ends the program at once.
    pub fn end_at_once(&self) {
        self.at_once.store(true, Ordering::Relaxed);
    }
}

/// What shells say of a program that a signal ended.
fn status(signal: usize) -> u8 {
    128 + (signal & 0x7f) as u8
}
