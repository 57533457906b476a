//! `--tui`: a run on the whole terminal, drawn by a thread of its own from what the run tells, so that keys and a new size are heeded
//! in the midst of a long step.

mod draw;
mod shown;

use super::held;
use super::output::one_line;
use super::signals::Signals;
use cellwright::run::Observer;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use serde_json::Value;
use shown::Shown;
use std::io::{self, BufWriter, IsTerminal as _, Stderr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two pictures.
const FRAME: Duration = Duration::from_millis(250);
/// How long keys are waited for.
const PATIENCE: Duration = Duration::from_millis(50);

/// A run on the whole terminal. The terminal is given back when it is closed or dropped.
#[derive(Debug)]
pub struct Screen {
    shown: Arc<Mutex<Shown>>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    signals: Signals,
}

impl Screen {
    /// Takes the terminal that standard error is.
    ///
    /// # Errors
    /// A line that says why it cannot be had.
    pub fn open(title: &str) -> Result<Self, String> {
        // Pictures go to standard error: standard output is for results.
        if !io::stderr().is_terminal() {
            return Err("--tui needs a terminal, and standard error is none: going on with lines".to_owned());
        }
        if std::env::var_os("TERM").is_some_and(|kind| kind == "dumb") {
            return Err("--tui needs a terminal that can draw, and TERM is `dumb`: going on with lines".to_owned());
        }
        let failed = |error: io::Error| format!("--tui: the terminal cannot be had ({error}): going on with lines");
        let signals = Signals::listen_for_screen().map_err(failed)?;
        let given = Given::take().map_err(failed)?;
        let shown = Arc::new(Mutex::new(Shown { title: one_line(title), ..Shown::default() }));
        let is_over = Arc::new(AtomicBool::new(false));
        let (of_thread, over, asked) = (shown.clone(), is_over.clone(), signals.clone());
        let drawing = thread::Builder::new().name("screen".to_owned());
        let thread = drawing.spawn(move || show(given, &of_thread, &over, &asked)).map_err(failed)?;
        Ok(Self { shown, is_over, thread: Some(thread), signals })
    }

    /// The signals that it heeds.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// Gives the terminal back and prints what was said meanwhile.
    pub fn close(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // What it may have panicked with was held.
            let _ = thread.join();
            self.signals.end_at_once();
        }
    }

    fn tell(&self, what: impl FnOnce(&mut Shown)) {
        what(&mut lock(&self.shown));
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

impl Observer for Screen {
    fn begin(&mut self, stage: &str, steps: u64) {
        self.tell(|shown| shown.begin(stage, steps));
    }

    fn step(&mut self, taken: u64, state: Option<&str>) {
        self.tell(|shown| shown.step(taken, state, Instant::now()));
    }

    fn stops(&mut self) -> bool {
        self.signals.status().is_some()
    }

    fn end(&mut self) {}

    fn starts(&mut self) {
        self.tell(Shown::starts);
    }

    fn found(&mut self, line: &Value) {
        self.tell(|shown| shown.take(line));
    }

    fn wrote(&mut self, line: &Value) {
        self.tell(|shown| shown.take(line));
    }

    fn say(&mut self, message: &str) {
        use io::Write as _;
        self.tell(|shown| shown.say(message));
        // Of what was said nothing is lost with the screen.
        let _ = writeln!(held::Stderr, "{message}");
    }

    fn warn(&mut self, message: &str) {
        self.say(&format!("warning: {message}"));
    }
}

/// The terminal while it is drawn on.
struct Given(Terminal<CrosstermBackend<BufWriter<Stderr>>>);

impl Given {
    fn take() -> io::Result<Self> {
        enable_raw_mode()?;
        held::hold();
        let terminal = execute!(io::stderr(), EnterAlternateScreen, cursor::Hide)
            .and_then(|()| Terminal::new(CrosstermBackend::new(BufWriter::new(io::stderr()))));
        terminal.map(Self).inspect_err(|_| give_back())
    }
}

impl Drop for Given {
    fn drop(&mut self) {
        give_back();
    }
}

/// Leaves the terminal as it was. There is nobody to be told where that fails.
fn give_back() {
    let _ = execute!(io::stderr(), LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
    held::release();
}

/// Draws until it is over. Whatever ends it, a panic too, gives the terminal back.
fn show(mut given: Given, shown: &Mutex<Shown>, is_over: &AtomicBool, signals: &Signals) {
    let (mut pane, mut drawn, mut is_asked) = (0, None::<Instant>, false);
    while !is_over.load(Ordering::Relaxed) {
        if drawn.is_none_or(|last| last.elapsed() >= FRAME) {
            let mut state = lock(shown);
            state.stops = is_asked;
            // A picture that could not be drawn is followed by another.
            let _ = given.0.draw(|frame| draw::draw(frame, &state, pane, Instant::now()));
            drawn = Some(Instant::now());
        }
        let asked = match event::poll(PATIENCE) {
            Ok(true) => match event::read() {
                Ok(Event::Key(KeyEvent { kind: KeyEventKind::Release, .. })) => false,
                Ok(Event::Key(key)) => {
                    drawn = None;
                    pane += usize::from(key.code == KeyCode::Tab);
                    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
                    key.code == KeyCode::Char('q') || (is_control && key.code == KeyCode::Char('c'))
                }
                Ok(Event::Resize(..)) => {
                    drawn = None;
                    false
                }
                _ => false,
            },
            Ok(false) => false,
            // A terminal that is gone is not asked without end.
            Err(_) => {
                thread::sleep(PATIENCE);
                false
            }
        };
        if asked {
            signals.ask();
        }
        if asked || signals.came_again() {
            // As without a screen: the second ends it at once.
            if let Some(status) = signals.status().filter(|_| is_asked) {
                drop(given);
                std::process::exit(status.into());
            }
            is_asked = true;
            drawn = None;
        }
    }
}

fn lock(shown: &Mutex<Shown>) -> std::sync::MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
