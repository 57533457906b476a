//! Standard error while a screen has the terminal: what would be printed then is held, and printed when the screen has gone.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is held; none where nothing keeps the terminal.
static HELD: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<Vec<u8>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Standard error, or what holds it.
#[derive(Debug)]
pub struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *held() {
            Some(kept) => kept.write(bytes),
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "tui")]
mod holding {
    use super::{Stderr, held};
    use std::io::{self, Write as _};
    use std::panic;
    use std::sync::Once;

    /// From now on all is held.
    pub fn hold() {
        static HOOK: Once = Once::new();
        // What a panic says, too, wherever it happens: the screen goes only when it has been unwound.
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |panicked| {
                // Not within a `match`, which would keep the lock.
                let is_held = held().is_some();
                if is_held { drop(writeln!(Stderr, "{panicked}")) } else { before(panicked) }
            }));
        });
        held().get_or_insert_default();
    }

    /// Prints what was held, and holds no more.
    pub fn release() {
        if let Some(kept) = held().take() {
            // Where standard error is gone nobody is left to be told.
            let _ = io::stderr().write_all(&kept);
        }
    }
}

#[cfg(feature = "tui")]
pub use holding::{hold, release};

#[cfg(all(test, feature = "tui"))]
mod tests {
    use super::*;

    #[test]
    fn what_a_panic_says_waits_until_the_screen_has_gone() {
        hold();
        writeln!(Stderr, "a line").unwrap();
        let panicked = std::thread::spawn(|| panic!("in the midst of it")).join();
        assert!(panicked.is_err());
        let kept = held().clone().unwrap();
        let text = String::from_utf8_lossy(&kept);
        assert!(text.starts_with("a line\n") && text.contains("in the midst of it"), "{text}");
        release();
        assert!(held().is_none());
    }
}
