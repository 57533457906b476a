//! What following a run costs it, as a share of the run's own CPU time: `--tui`, `--tensorboard`, `watch` beside it with a page open, and
//! the page at its end, of a search on the digits and of a study of 10,000 trials from a table. `cargo bench --bench following`; parts are
//! chosen by name: `-- turns events watch study`.
//!
//! CPU time is counted where it is spent (by Linux, of a thread or a process), not by a clock on the wall, which other programs move.
//! What a run takes with and without followers is measured by turns, too; that differs by more than what is looked for.

use cellwright::device::Device;
use cellwright::export::tensorboard::{About, Cells, TensorBoard};
use cellwright::report::page::{Document, html};
use cellwright::report::raster;
use cellwright::report::run::cell;
use cellwright::run::trace::Trace;
use cellwright::run::{self, Config, Directory, Observer};
use cellwright::space::nas_bench_201::{CELLS, NasBench201};
use cellwright::space::{Architecture, CellPlan, Space as _};
use serde_json::Value;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Times that runs with and without followers are measured in turn.
const TURNS: usize = 5;
/// Seconds of a tick, by which Linux counts processes.
const TICK: f64 = 0.01;
/// How often a page asks for news.
const ASKS: Duration = Duration::from_secs(2);

/// A search: most of it is steps.
const SEARCH: [&str; 5] =
    ["--device=cpu", "--set=random=0", "--set=baseline=false", "--set=train.epochs=1", "--budget"];

/// CPU seconds of this thread.
fn own() -> Result<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse::<f64>()? / 1e9)
}

/// CPU seconds of a process: of itself, and of those that it has waited for.
fn process(id: &str) -> Result<[f64; 2]> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = text.rsplit_once(')').ok_or("no process")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(4).map(str::parse).collect::<std::result::Result<_, _>>()?;
    Ok([TICK * (ticks[0] + ticks[1]), TICK * (ticks[2] + ticks[3])])
}

/// CPU seconds of the thread that draws, of whichever process below `root` has it.
fn screen(root: u32) -> Option<f64> {
    let children = fs::read_to_string(format!("/proc/{root}/task/{root}/children")).ok()?;
    let below = children.split_whitespace().filter_map(|child| screen(child.parse().ok()?));
    let threads = fs::read_dir(format!("/proc/{root}/task")).ok()?.flatten().map(|entry| entry.path());
    let of_thread = |thread: std::path::PathBuf| {
        let is_it = fs::read_to_string(thread.join("comm")).ok()?.trim() == "screen";
        let text = fs::read_to_string(thread.join("schedstat")).ok().filter(|_| is_it)?;
        Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
    };
    below.chain(threads.filter_map(of_thread)).next()
}

/// The program with arguments, in a terminal where that is asked for.
fn program(arguments: &[&str], in_terminal: bool) -> Command {
    let own = assert_cmd::cargo::cargo_bin!("cellwright");
    let mut command = match in_terminal {
        true => Command::new("script"),
        false => Command::new(own),
    };
    if in_terminal {
        let line = format!("stty rows 40 cols 120; exec {} {}", own.display(), arguments.join(" "));
        command
            .args(["--quiet", "--command", &line, "/dev/null"])
            .env("TERM", "xterm-256color")
            .env("SHELL", "/bin/sh");
    } else {
        command.args(arguments);
    }
    // A terminal has somebody before it.
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs it to its end: CPU seconds of all, and of the thread that draws.
fn run_it(mut command: Command) -> Result<[f64; 2]> {
    let [_, before] = process("self")?;
    let mut child = command.spawn()?;
    let mut drawing = 0.0;
    let status = loop {
        drawing = screen(child.id()).unwrap_or(drawing);
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    if !status.success() {
        return Err(format!("{command:?} failed").into());
    }
    Ok([process("self")?[1] - before, drawing])
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn told(what: &str, part: f64, whole: f64) {
    println!("| {what} | {part:.4} s | {whole:.2} s | {:.2} % |", 100.0 * part / whole);
}

/// Counts what another observer takes.
struct Counted {
    observer: TensorBoard,
    seconds: f64,
}

impl Counted {
    fn count(&mut self, what: impl FnOnce(&mut TensorBoard)) {
        let begun = own();
        what(&mut self.observer);
        self.seconds += own().and_then(|ended| Ok(ended - begun?)).unwrap_or(f64::NAN);
    }
}

impl Observer for Counted {
    fn begin(&mut self, _: &str, _: u64) {}
    fn step(&mut self, _: u64, _: Option<&str>) {}
    fn end(&mut self) {}
    fn warn(&mut self, _: &str) {}
    fn starts(&mut self) {
        self.count(Observer::starts);
    }
    fn wrote(&mut self, line: &Value) {
        self.count(|observer| observer.wrote(line));
    }
}

/// Event files of a search in this process.
fn tensorboard(place: &Path, epochs: &str) -> Result<()> {
    let epochs = format!("search.epochs={epochs}");
    let config = Config::with(&[epochs.as_str(), "random=0", "baseline=false", "train.epochs=1"])?;
    let directory = Directory::create(&place.join("events"))?;
    let space = config.space.build()?;
    let rows = config.rows(&*space);
    let cells = move |answers: &[usize]| {
        let plans = space.cells(&Architecture { answers: answers.to_vec() });
        let drawn = |plan: CellPlan| Some((plan.name.clone(), raster::draw(&cell(&plan).ok()?).ok()??));
        plans.into_iter().filter_map(drawn).collect()
    };
    let about = About { rows, cells: Cells::new(cells), ..About::default() };
    let observer = TensorBoard::new(directory.path().join("tensorboard"), about);
    let mut counted = Counted { observer, seconds: 0.0 };
    let [before, _] = process("self")?;
    run::search(&Device::cpu(), &config, &directory, &mut counted)?;
    told("event files", counted.seconds, process("self")?[0] - before - counted.seconds);
    Ok(())
}

/// A search with its page open: what `watch` takes beside it.
fn watched(place: &Path, search: &[&str]) -> Result<()> {
    let runs = place.join("watched");
    fs::create_dir(&runs)?;
    let mut watch = Command::new(assert_cmd::cargo::cargo_bin!("cellwright"));
    let mut watch = watch.arg("watch").arg(&runs).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let asked = ask_beside(&mut watch, &runs, search);
    watch.kill().and_then(|()| watch.wait())?;
    let [part, whole] = asked?;
    told("`watch`, with the list and the run's page open", part, whole);
    Ok(())
}

fn ask_beside(watch: &mut Child, runs: &Path, search: &[&str]) -> Result<[f64; 2]> {
    let said = watch.stdout.take().ok_or("no output")?;
    let address = BufReader::new(said).lines().nth(1).ok_or("no address")??;
    let (host, token) = address.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or("no address")?;
    let ask = |path: &str| -> Result<String> {
        let mut stream = TcpStream::connect(host)?;
        write!(stream, "GET /{token}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let out = format!("--out={}", runs.join("run").display());
    let [_, before] = process("self")?;
    let mut child = program(&[search, &[&out]].concat(), false).spawn()?;
    // The list and the run's page, once there is one.
    let both = || -> Result<bool> {
        let answers = [ask("document")?, ask("document/run/run")?];
        Ok(answers.iter().all(|answer| answer.starts_with("HTTP/1.1 200")))
    };
    while child.try_wait()?.is_none() {
        both()?;
        thread::sleep(ASKS);
    }
    if !both()? {
        return Err("the list or the run's page was not answered".into());
    }
    Ok([process(&watch.id().to_string())?[0], process("self")?[1] - before])
}

/// The page of a run that took so long.
fn page(what: &str, run: &Path, whole: f64) -> Result<()> {
    let seconds = (0..TURNS).map(|_| {
        let begun = own()?;
        let page = html(&Document::of(&[Trace::read(run)?]));
        fs::write(run.join("again.html"), page)?;
        Ok(own()? - begun)
    });
    told(&format!("the page of {what}"), median(seconds.collect::<Result<_>>()?), whole);
    Ok(())
}

/// A table that nobody measured, of all cells.
fn table(place: &Path) -> Result<()> {
    let mut text =
        String::from("index,arch,c10_val_12,c10_test_200,c100_val_12,c100_test_200,in16_val_12,in16_test_200,params\n");
    for index in 0..CELLS {
        let cell = NasBench201.print(&NasBench201.architecture_of(index)?);
        let (accuracy, parameters) = (10.0 + (index * 7919 % 8000) as f64 / 100.0, 1000 + index * 104_729 % 50_000);
        writeln!(text, "{index},{cell},{accuracy},{accuracy},50,20,30,40,{parameters}")?;
    }
    fs::create_dir(place)?;
    Ok(fs::write(place.join("nb201_accuracy.csv"), text)?)
}

/// Searches by turns, with nothing that follows them, with a screen and with event files.
fn by_turns(place: &Path, search: &[&str], turns: usize) -> Result<()> {
    let mut number = 0;
    let mut run = |more: &[&str], in_terminal: bool| -> Result<[f64; 2]> {
        number += 1;
        let out = format!("--out={}", place.join(number.to_string()).display());
        run_it(program(&[search, &[&out], more].concat(), in_terminal))
    };
    let (mut plain, mut drawn, mut events, mut drawing) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..turns {
        plain.push(run(&[], false)?[0]);
        let [took, by_thread] = run(&["--tui"], true)?;
        drawn.push(took);
        drawing.push(by_thread);
        events.push(run(&["--tensorboard"], false)?[0]);
    }
    told("the screen, its thread", median(drawing), median(plain.clone()));
    page("that search", &place.join("1"), median(plain.clone()))?;
    for (what, all) in [("as it is", &plain), ("with `--tui`", &drawn), ("with `--tensorboard`", &events)] {
        let each: Vec<String> = all.iter().map(|seconds| format!("{seconds:.2}")).collect();
        println!("| the search {what}, by turns | | {} s | |", each.join(", "));
    }
    Ok(())
}

/// A study from a table, and its page.
fn study(place: &Path, trials: &str) -> Result<()> {
    table(&place.join("table"))?;
    let (run, dir) = (place.join("study"), format!("--table={}", place.join("table").display()));
    let (out, trials) = (format!("--out={}", run.display()), format!("--trials={trials}"));
    let arguments = [
        "search",
        "--device=cpu",
        "--space=nas-bench-201",
        "--strategy=random",
        "--estimator=table",
        "--objective=accuracy,parameters",
        "--set=random=0",
        "--set=baseline=false",
        "--set=train.epochs=1",
        "--set=network.channels=4",
        "--set=network.layers=3",
        &dir,
        &out,
        &trials,
    ];
    let took = run_it(program(&arguments, false))?;
    page("a study from a table", &run, took[0])
}

fn main() -> Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    // `-- --test` only wants to see that it runs.
    let is_brief = std::env::args().any(|argument| argument == "--test");
    if !cfg!(target_os = "linux") {
        println!("CPU time is read where Linux has it");
        return Ok(());
    }
    let place = tempfile::tempdir_in(".")?;
    let place = place.path();
    let (epochs, trials, turns) = if is_brief { ("1", "20", 1) } else { ("15", "10000", TURNS) };
    let search = [&["search"], &SEARCH[..], &[epochs]].concat();
    println!("| what | takes | of | share |\n|---|---|---|---|");
    let parts: [(&str, &dyn Fn() -> Result<()>); 4] = [
        ("turns", &|| by_turns(place, &search, turns)),
        ("events", &|| tensorboard(place, epochs)),
        ("watch", &|| watched(place, &search)),
        ("study", &|| study(place, trials)),
    ];
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|other| other == name);
    parts.iter().filter(|(name, _)| is_wanted(name)).try_for_each(|(_, part)| part())
}
