//! `--tui`: a run on the whole terminal, drawn by a thread of its own from what the run tells, so that keys and a new size are heeded
//! in the midst of a long step.

mod draw;
mod shown;

use super::held;
use super::output::one_line;
use super::signals::Signals;
use cellwright::graph::Rows;
use cellwright::run::Observer;
use cellwright::search::study::Objective;
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
    /// Takes the terminal that standard error is, for a run that writes to `title`.
    ///
    /// # Errors
    /// A line that says why it cannot be had.
    pub fn open(title: &str, names: Vec<Rows>, objectives: Vec<Objective>) -> Result<Self, String> {
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
        let shown = Arc::new(Mutex::new(Shown { title: one_line(title), names, objectives, ..Shown::default() }));
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// Where the panic is to be: a search cannot be made to have one.
    const WHERE: &str = "CELLWRIGHT_TEST_PANIC";

    /// Within the terminal that the other test makes; by itself there is nothing to do.
    #[test]
    fn panics_where_it_is_told_to() {
        let Ok(place) = std::env::var(WHERE) else { return };
        let mut screen = Screen::open("runs/digits", Vec::new(), Vec::new()).unwrap();
        screen.begin("search", 40);
        screen.say("a line before it");
        // Until it is drawn.
        thread::sleep(2 * FRAME);
        match place.as_str() {
            "run" => panic!("in the midst of the run"),
            "thread" => drop(thread::spawn(|| panic!("in a thread of the run")).join()),
            // What is told to the screen while it is drawn is a lock away.
            _ => screen.tell(|_| panic!("while the screen is told")),
        }
    }

    #[test]
    fn after_a_panic_the_terminal_is_as_it_was_and_has_what_was_said() {
        let own = std::env::current_exe().unwrap();
        for (place, said) in [
            ("run", "in the midst of the run"),
            ("thread", "in a thread of the run"),
            ("screen", "while the screen is told"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let told = folder.path().join("told");
            let test = format!("{}::panics_where_it_is_told_to", module_path!().split_once("::").unwrap().1);
            let line = format!(
                "stty rows 24 cols 80; echo \"before $(stty -g)\"; '{}' --exact {test} --nocapture; echo; echo \"after $(stty -g)\"",
                own.display()
            );
            let mut script = Command::new("script");
            script.args(["--quiet", "--flush", "--command", &line]).arg(&told);
            script.env(WHERE, place).env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
            // A terminal has somebody before it: what is at its end at once is no keyboard.
            let child = script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            let mut child = match child {
                Ok(child) => child,
                Err(error) => {
                    return cellwright::device::skipped(&format!("in a terminal: `script` does not run ({error})"));
                }
            };
            let read = || String::from_utf8_lossy(&std::fs::read(&told).unwrap_or_default()).into_owned();
            let begun = Instant::now();
            while !read().contains("after ") && child.try_wait().unwrap().is_none() {
                assert!(begun.elapsed() < Duration::from_secs(60), "it does not come to its end:\n{}", read());
                thread::sleep(PATIENCE);
            }
            drop(child.stdin.take());
            child.wait().unwrap();
            let told = read();
            let line = |name: &str| told.lines().find_map(|line| Some(line.trim_end().strip_prefix(name)?.to_owned()));
            assert!(
                line("before ").is_some() && line("before ") == line("after "),
                "{place}: the terminal is as it was:\n{told}"
            );
            assert_eq!(told.matches("\u{1b}[?1049h").count(), 1, "{place}:\n{told}");
            let (_, left) =
                told.split_once("\u{1b}[?1049l").unwrap_or_else(|| panic!("{place}: it is not given back:\n{told}"));
            for part in ["\u{1b}[?25h", "a line before it", said] {
                assert!(left.contains(part), "{place}: `{part}`:\n{left}");
            }
            assert!(!left.contains("\u{1b}[?1049"), "{place}: {left}");
        }
    }
}
