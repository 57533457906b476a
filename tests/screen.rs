//! `--tui` in a real terminal, made by `script`: whatever ends a run, the terminal is as it was, and the run goes on later.

#![cfg(unix)]

#[path = "common/mod.rs"]
mod common;

use common::process::{in_words, read};
use std::io::{BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a terminal is told where a program takes all of it, and where it gives it back.
const TAKEN: &str = "\u{1b}[?1049h";
const GIVEN_BACK: &str = "\u{1b}[?1049l";

/// The program within a terminal of its own.
struct Session {
    child: std::process::Child,
    /// What the terminal was told.
    told: PathBuf,
}

impl Session {
    /// Runs the program with arguments in a terminal of 80 × 24. None where nothing makes one.
    fn begin(place: &Path, arguments: &[&str], beside: &str) -> Option<Self> {
        let told = place.join("told");
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let program = assert_cmd::cargo::cargo_bin!("cellwright").to_str().unwrap();
        let words: Vec<String> = std::iter::once(program).chain(arguments.iter().copied()).map(quoted).collect();
        let line = format!(
            "stty rows 24 cols 80; echo \"before $(stty -g)\"; {beside} {}; status=$?; echo; echo \"status $status\"; echo \"after $(stty -g)\"",
            words.join(" ")
        );
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--flush", "--command", &line])
            .arg(&told)
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh");
        let child = script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        match child {
            Ok(child) => Some(Self { child, told }),
            Err(error) => {
                cellwright::device::skipped(&format!("in a terminal: `script` does not run ({error})"));
                None
            }
        }
    }

    fn told(&self) -> String {
        let mut bytes = Vec::new();
        let _ = std::fs::File::open(&self.told).and_then(|mut file| file.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until the terminal was told something.
    fn wait_for(&self, part: &str) {
        let begun = Instant::now();
        while !self.told().contains(part) {
            assert!(begun.elapsed() < Duration::from_secs(120), "`{part}` does not come:\n{}", self.told());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn press(&mut self, keys: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(keys.as_bytes()).and_then(|()| input.flush()).unwrap();
    }

    /// Waits for the end and requires that the terminal is as it was; the exit status, and what is left on it.
    fn end(mut self) -> (i32, String) {
        self.wait_for("after ");
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
        let told = self.told();
        let line = |name: &str| {
            let line = told.lines().find_map(|line| line.trim_end().strip_prefix(name));
            line.unwrap_or_else(|| panic!("no `{name}`:\n{told}")).to_owned()
        };
        assert_eq!(line("before "), line("after "), "the terminal is as it was");
        assert_eq!(told.matches(TAKEN).count(), 1, "{told}");
        let (_, left) = told.split_once(GIVEN_BACK).unwrap_or_else(|| panic!("it is not given back:\n{told}"));
        assert!(!left.contains(GIVEN_BACK) && left.contains("\u{1b}[?25h"), "the cursor is back, once: {left}");
        (line("status ").trim().parse().unwrap(), left.to_owned())
    }
}

/// A search of so many epochs, some thirty a second at best.
fn search(out: &Path, epochs: u32) -> Vec<String> {
    let options = [
        "search",
        "--tui",
        "--space=chain",
        "--device=cpu",
        "--limit-images=200",
        "--set=search.batch=20",
        "--set=supernet.channels=2",
        "--set=network.channels=2",
        "--set=train.epochs=1",
        "--set=random=0",
        "--set=baseline=false",
    ];
    let own = [format!("--budget={epochs}"), format!("--out={}", out.display())];
    options.map(str::to_owned).into_iter().chain(own).collect()
}

/// One that does not come to its end while keys are pressed.
fn begin(place: &Path, beside: &str) -> Option<Session> {
    let arguments = search(&place.join("run"), 3000);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    Session::begin(place, &arguments, beside)
}

#[test]
fn ctrl_c_and_q_save_the_run_and_give_the_terminal_back() {
    for key in ["\u{3}", "q"] {
        let place = tempfile::tempdir().unwrap();
        let Some(mut session) = begin(place.path(), "") else { return };
        session.wait_for("training loss");
        session.press("\t\t");
        session.press(key);
        let (status, left) = session.end();
        assert_eq!(status, 130, "{left}");
        assert!(left.contains("all is saved") && left.contains("--resume"), "{left}");
        // What was said while the screen was up is there.
        assert!(left.contains("digits: 1,438 + 359"), "{left}");
        let run = place.path().join("run");
        assert!(read(&run, "timing.jsonl").contains("ended_by"));
        // It goes on, as far as one lets it.
        let going = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"))
            .args(["search", "--resume", run.to_str().unwrap()])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let mut going = going.unwrap();
        let mut said = std::io::BufReader::new(going.stderr.take().unwrap());
        let mut err = String::new();
        while !err.contains("going on from search") {
            assert!(said.read_line(&mut err).unwrap() > 0, "{err}");
        }
        going.kill().and_then(|()| going.wait()).unwrap();
    }
}

#[test]
fn a_second_one_ends_it_at_once_and_signals_do_as_keys_do() {
    let place = tempfile::tempdir().unwrap();
    let Some(mut session) = begin(place.path(), "") else { return };
    session.wait_for(TAKEN);
    session.press("\u{3}\u{3}");
    assert_eq!(session.end().0, 130);

    let place = tempfile::tempdir().unwrap();
    let pid = place.path().join("pid");
    // The shell becomes the program, so that its number is known.
    let beside = format!("sh -c 'echo $$ > {}; exec \"$@\"' -", pid.display());
    let session = begin(place.path(), &beside).unwrap();
    session.wait_for("training loss");
    let number = std::fs::read_to_string(&pid).unwrap();
    assert!(Command::new("kill").args(["-TERM", number.trim()]).status().unwrap().success());
    let (status, left) = session.end();
    assert_eq!(status, 143, "{left}");
    assert!(left.contains("all is saved"), "{left}");
}

#[test]
fn a_new_size_is_heeded_and_errors_are_read_on_the_terminal_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let go = place.path().join("go");
    let beside = format!("(while ! test -e {}; do sleep 0.05; done; stty rows 12 cols 40 < /dev/tty) &", go.display());
    let Some(mut session) = begin(place.path(), &beside) else { return };
    session.wait_for("training loss");
    assert!(!session.told().contains("next pane"));
    std::fs::write(go, "").unwrap();
    session.wait_for("next pane");
    session.press("q");
    assert!(session.told.is_file());
    session.wait_for("status 130");

    let place = tempfile::tempdir().unwrap();
    let session = Session::begin(
        place.path(),
        &[
            "search",
            "--tui",
            "--data=mnist",
            "--data-dir=/nowhere/at/all",
            "--out",
            place.path().join("run").to_str().unwrap(),
        ],
        "",
    );
    let (status, left) = session.unwrap().end();
    assert_eq!(status, 1);
    assert!(left.contains("error: ") && left.contains("/nowhere/at/all"), "{left}");
}

#[test]
fn an_error_in_the_midst_of_a_run_is_read_on_the_terminal_as_it_was() {
    let place = tempfile::tempdir().unwrap();
    let mut arguments = search(&place.path().join("run"), 3000);
    arguments.push("--set=checkpoint.seconds=0".to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(session) = Session::begin(place.path(), &arguments, "") else { return };
    session.wait_for("training loss");
    // Where it saves there is nothing any more.
    std::fs::rename(place.path().join("run"), place.path().join("elsewhere")).unwrap();
    let (status, left) = session.end();
    assert_eq!(status, 1, "{left}");
    assert!(left.contains("error: ") && left.contains("digits: 1,438 + 359"), "{left}");
}

#[test]
fn a_whole_run_ends_with_its_results_on_the_terminal() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let arguments = search(&out, 2);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(session) = Session::begin(place.path(), &arguments, "") else { return };
    let (status, left) = session.end();
    assert_eq!(status, 0, "{left}");
    assert!(left.contains("Found by darts") && left.contains("Written to"), "{left}");
}

#[test]
fn where_there_is_no_terminal_that_is_said_in_a_line() {
    let place = tempfile::tempdir().unwrap();
    let run = in_words(&place.path().join("run"), "cpu", &["--tui"]);
    assert_eq!(run.status, 0, "{}", run.err);
    assert_eq!(run.err.matches("--tui needs a terminal, and standard error is none: going on with lines\n").count(), 1);
    assert!(!run.err.contains('\u{1b}') && !run.out.contains('\u{1b}'));
}
