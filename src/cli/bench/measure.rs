//! Taking turns of a workload, and saying how long they took.

use super::super::units::{bytes, grouped, short};
use cellwright::device::{KernelTotal, Launches, by_kernel};
use cellwright::report::table::Table;
use cellwright::search::bench::Peak;
use cellwright::search::bench::Workload;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::error::Error;
use std::time::{Duration, Instant};

/// Time for each of the three measurements of the device's peak.
const PEAK: Duration = Duration::from_millis(500);

/// Options of everything that is timed turn by turn.
#[derive(Debug, clap::Args)]
pub struct MeasureArgs {
    /// Turns that are timed.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub repeat: u32,
    /// Say where the time goes, by kernel, in one turn more, against the device's measured peak, and what launching it takes.
    #[arg(long)]
    pub profile: bool,
    /// Compute every operation by itself.
    #[arg(long)]
    pub no_fusion: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// What was measured.
pub struct Measured {
    device: String,
    parameters: usize,
    launches: Launches,
    flops: u64,
    bytes_moved: u64,
    peak_bytes: u64,
    /// Milliseconds from nothing to the end of the first turn: recording, compiling, running.
    ready: f64,
    /// Milliseconds of each turn, shortest first.
    times: Vec<f64>,
    profile: Option<(Peak, Vec<KernelTotal>)>,
}

impl MeasureArgs {
    /// Makes a workload and takes turns of it.
    pub fn measure<W: Workload, E: Error + 'static>(
        &self,
        make: impl FnOnce(bool) -> Result<W, E>,
    ) -> Result<Measured, Box<dyn Error>> {
        let start = Instant::now();
        let mut work = make(!self.no_fusion)?;
        let bar = progress(u64::from(self.repeat) + 1)?;
        let measured = pollster::block_on(async {
            bar.set_message("steps");
            // Compiles the shaders and touches the memory for the first time.
            work.step().await?;
            let ready = start.elapsed().as_secs_f64() * 1e3;
            bar.inc(1);
            let mut times = Vec::new();
            for _ in 0..self.repeat {
                times.push(work.step().await?.as_secs_f64() * 1e3);
                bar.inc(1);
            }
            times.sort_by(f64::total_cmp);
            let peak_bytes = work.device().usage().peak();
            let profile = match self.profile {
                true => {
                    let totals = by_kernel(&work.profile().await?);
                    Some((Peak::measure(work.device(), PEAK).await?, totals))
                }
                false => None,
            };
            Ok::<_, Box<dyn Error>>(Measured {
                device: work.device().name().to_owned(),
                parameters: work.parameters(),
                launches: work.launches(),
                flops: work.flops(),
                bytes_moved: work.bytes_moved(),
                peak_bytes,
                ready,
                times,
                profile,
            })
        });
        bar.finish_and_clear();
        measured
    }
}

impl Measured {
    /// Name of the device.
    pub fn device(&self) -> &str {
        &self.device
    }

    fn median(&self) -> f64 {
        let middle = self.times.len() / 2;
        if self.times.len().is_multiple_of(2) {
            (self.times[middle - 1] + self.times[middle]) / 2.0
        } else {
            self.times[middle]
        }
    }

    fn slowest(&self) -> f64 {
        self.times.last().copied().unwrap_or_default()
    }

    /// All figures, beside those of `about`.
    pub fn json(&self, about: Value) -> Value {
        let median = self.median();
        let mut value = json!({
            "median_ms": median,
            "min_ms": self.times[0],
            "max_ms": self.slowest(),
            "ready_ms": self.ready,
            "repeat": self.times.len(),
            "dispatches": self.launches.dispatches,
            "bytes_moved": self.bytes_moved,
            "peak_bytes": self.peak_bytes,
            "flops": self.flops,
            "gflops_per_second": self.flops as f64 / median / 1e6,
            "gbytes_per_second": self.bytes_moved as f64 / median / 1e6,
            "parameters": self.parameters,
            "device": self.device,
        });
        if let (Some(all), Value::Object(about)) = (value.as_object_mut(), about) {
            all.extend(about);
        }
        if let Some((peak, totals)) = &self.profile {
            let all: f64 = totals.iter().map(|t| t.nanoseconds).sum();
            let total = |t: &KernelTotal| {
                json!({
                    "kernel": t.kernel,
                    "calls": t.calls,
                    "ms": t.nanoseconds / 1e6,
                    "share": t.nanoseconds / all,
                    "flops": t.flops,
                    "bytes": t.bytes,
                    "gflops_per_second": rate(t.flops, t.nanoseconds),
                    "gbytes_per_second": rate(t.bytes, t.nanoseconds),
                    "share_of_peak": share(peak, t),
                    "limit": limit(peak, t),
                })
            };
            value["launches"] = json!(self.launches);
            value["launch_us"] = json!(peak.launch_seconds * 1e6);
            value["launches_ms"] = json!(self.launching(peak) * 1e3);
            value["peak_gflops_per_second"] = json!(peak.flops_per_second / 1e9);
            value["peak_gbytes_per_second"] = json!(peak.bytes_per_second / 1e9);
            value["profile"] = totals.iter().map(total).collect();
        }
        value
    }

    /// Seconds that launching alone takes, by what a dispatch takes that computes nothing.
    fn launching(&self, peak: &Peak) -> f64 {
        self.launches.dispatches as f64 * peak.launch_seconds
    }

    fn launched(&self, peak: &Peak) -> String {
        let Launches { submissions, passes, dispatches, barriers, bind_groups } = self.launches;
        let counts = [
            (submissions, "submission"),
            (passes, "pass"),
            (dispatches, "dispatch"),
            (barriers, "barrier"),
            (bind_groups, "bind group"),
        ];
        let counts = counts.map(|(count, what)| plural(count, what)).join(", ");
        let (seconds, share) = (self.launching(peak), self.launching(peak) / (self.median() / 1e3));
        format!(
            "{counts}: about {:.2} ms, {:.1} % of the median, if launching takes {:.2} µs as one that computes nothing",
            seconds * 1e3,
            share * 100.0,
            peak.launch_seconds * 1e6
        )
    }

    /// The same for people.
    pub fn text(&self) -> String {
        let (median, seconds) = (self.median(), self.median() / 1e3);
        let (flops, moved) = (self.flops as f64, self.bytes_moved);
        let lines = [
            ("median", format!("{median:.1} ms")),
            ("range", format!("{:.1} to {:.1} ms in {} turns", self.times[0], self.slowest(), self.times.len())),
            ("ready after", format!("{:.1} s", self.ready / 1e3)),
            ("dispatches", grouped(self.launches.dispatches as u64)),
            ("computed", format!("{}FLOP, {}FLOP/s", short(flops), short(flops / seconds))),
            ("moved", format!("{}, {}B/s", bytes(moved), short(moved as f64 / seconds))),
            ("peak memory", bytes(self.peak_bytes)),
        ];
        let mut text: String = lines.into_iter().map(|(what, figure)| format!("{what:<12}  {figure}\n")).collect();
        if let Some((peak, totals)) = &self.profile {
            let [flops, bytes] = [peak.flops_per_second, peak.bytes_per_second].map(short);
            text += &format!(
                "\nmeasured peak {flops}FLOP/s, {bytes}B/s\n{}\n\n{}",
                self.launched(peak),
                roofline(peak, totals)
            );
        }
        text
    }
}

/// How many of something.
fn plural(count: usize, what: &str) -> String {
    let ending = match what {
        _ if count == 1 => "",
        what if what.ends_with(['s', 'h']) => "es",
        _ => "s",
    };
    format!("{} {what}{ending}", grouped(count as u64))
}

/// Billions a second; nothing where the device did not time it.
fn rate(count: u64, nanoseconds: f64) -> Option<f64> {
    (nanoseconds > 0.0).then(|| count as f64 / nanoseconds)
}

/// Share of the nearer limit of the device, computing or memory. Data that stay in caches can pass 1.
fn share(peak: &Peak, t: &KernelTotal) -> Option<f64> {
    (t.nanoseconds > 0.0).then(|| peak.share(t.flops, t.bytes, t.nanoseconds / 1e9).0)
}

fn limit(peak: &Peak, t: &KernelTotal) -> &'static str {
    if peak.share(t.flops, t.bytes, 1.0).1 { "computing" } else { "memory" }
}

fn roofline(peak: &Peak, totals: &[KernelTotal]) -> String {
    let all: f64 = totals.iter().map(|t| t.nanoseconds).sum();
    let columns = ["kernel", "calls", "ms", "share", "GFLOP", "GiB", "GFLOP/s", "GB/s", "of peak", "limit"];
    let mut table = Table::new(&columns);
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.2}"));
    for t in totals {
        table.row([
            t.kernel.to_owned(),
            grouped(t.calls as u64),
            format!("{:.2}", t.nanoseconds / 1e6),
            format!("{:.1} %", t.nanoseconds / all * 100.0),
            format!("{:.3}", t.flops as f64 / 1e9),
            format!("{:.3}", t.bytes as f64 / f64::from(1 << 30)),
            number(rate(t.flops, t.nanoseconds)),
            number(rate(t.bytes, t.nanoseconds)),
            share(peak, t).map_or("-".into(), |share| format!("{:.1} %", share * 100.0)),
            limit(peak, t).to_owned(),
        ]);
    }
    let calls: usize = totals.iter().map(|t| t.calls).sum();
    table.row(["all".to_owned(), grouped(calls as u64), format!("{:.2}", all / 1e6)]);
    table.render()
}

/// A bar on standard error, not drawn where that is no terminal.
pub fn progress(length: u64) -> Result<ProgressBar, Box<dyn std::error::Error>> {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}  {eta} left")?;
    Ok(ProgressBar::new(length).with_style(style))
}
