//! `cellwright bench step`.

use super::super::common::DeviceArg;
use super::super::network::{NetworkArgs, Subject};
use super::super::output::{print, print_json};
use super::super::units::{bytes, grouped, short};
use super::progress;
use cellwright::device::{Device, KernelTotal, by_kernel};
use cellwright::report::table::Table;
use cellwright::search::SearchError;
use cellwright::search::bench::StepBench;
use cellwright::search::darts::Order;
use indicatif::ProgressBar;
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A step is the step of the architecture weights, then that of the weights, until the losses have\n\
    arrived. One step goes before those that are timed."
)]
pub struct Args {
    #[command(flatten)]
    network: NetworkArgs,
    /// Images in each half of a step.
    #[arg(long, default_value_t = 16, value_name = "B", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// 1 or 2: how the gradient of the architecture weights is computed.
    #[arg(long, default_value = "1", value_parser = parse_order)]
    order: Order,
    #[command(flatten)]
    device: DeviceArg,
    /// Steps that are timed.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    repeat: u32,
    /// Seed of weights, images and labels.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Say where the time goes, by kernel, in one step more.
    #[arg(long)]
    profile: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

fn parse_order(text: &str) -> Result<Order, String> {
    let order: u8 = text.parse().map_err(|_| "give 1 (first order) or 2 (second order)")?;
    Order::try_from(order)
}

/// What was measured.
struct Measured {
    /// Milliseconds of each step, shortest first.
    times: Vec<f64>,
    peak_bytes: u64,
    profile: Option<Vec<KernelTotal>>,
}

impl Measured {
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
}

pub fn run(args: &Args) -> super::super::Outcome {
    let subject = args.network.network(None, false)?;
    let device = args.device.open()?;
    let mut bench = StepBench::new(&device, subject.graph.clone(), args.batch as usize, args.order, args.seed)?;
    let bar = progress(u64::from(args.repeat) + 1)?;
    let measured = pollster::block_on(measure(args, &device, &mut bench, &bar));
    bar.finish_and_clear();
    let measured = measured?;
    if args.json {
        print_json(&value(args, &subject, &bench, &measured))
    } else {
        print(&describe(args, &subject, &bench, &measured))
    }
}

async fn measure(
    args: &Args,
    device: &Device,
    bench: &mut StepBench,
    bar: &ProgressBar,
) -> Result<Measured, SearchError> {
    bar.set_message("steps");
    // Compiles the shaders and touches the memory for the first time.
    bench.step().await?;
    bar.inc(1);
    let mut times = Vec::new();
    for _ in 0..args.repeat {
        times.push(bench.step().await?.as_secs_f64() * 1e3);
        bar.inc(1);
    }
    times.sort_by(f64::total_cmp);
    let peak_bytes = device.usage().peak();
    let profile = if args.profile { Some(by_kernel(&bench.profile().await?)) } else { None };
    Ok(Measured { times, peak_bytes, profile })
}

fn value(args: &Args, subject: &Subject, bench: &StepBench, measured: &Measured) -> serde_json::Value {
    let (settings, median) = (&subject.settings, measured.median());
    let mut value = json!({
        "median_ms": median,
        "min_ms": measured.times[0],
        "max_ms": measured.slowest(),
        "dispatches": bench.dispatches(),
        "bytes_moved": bench.bytes_moved(),
        "peak_bytes": measured.peak_bytes,
        "flops": bench.flops(),
        "gflops_per_second": bench.flops() as f64 / median / 1e6,
        "gbytes_per_second": bench.bytes_moved() as f64 / median / 1e6,
        "parameters": bench.supernet().network().parameters().values().count(),
        "device": bench.supernet().device().name(),
        "space": subject.space.name(),
        "channels": settings.channels,
        "layers": settings.layers,
        "classes": settings.classes,
        "image": settings.image.to_string(),
        "batch": args.batch,
        "order": u8::from(args.order),
        "repeat": args.repeat,
        "seed": args.seed,
    });
    if let Some(totals) = &measured.profile {
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
            })
        };
        value["profile"] = totals.iter().map(total).collect();
    }
    value
}

/// Billions a second; nothing where the device did not time it.
fn rate(count: u64, nanoseconds: f64) -> Option<f64> {
    (nanoseconds > 0.0).then(|| count as f64 / nanoseconds)
}

fn describe(args: &Args, subject: &Subject, bench: &StepBench, measured: &Measured) -> String {
    let (median, seconds) = (measured.median(), measured.median() / 1e3);
    let order = if args.order == Order::First { "first" } else { "second" };
    let mut text = format!(
        "{}, batch {}, {order} order, on {}\n\n",
        subject.title(),
        args.batch,
        bench.supernet().device().name()
    );
    let (flops, moved) = (bench.flops() as f64, bench.bytes_moved());
    let lines = [
        ("median", format!("{median:.1} ms")),
        ("range", format!("{:.1} to {:.1} ms in {} steps", measured.times[0], measured.slowest(), args.repeat)),
        ("dispatches", grouped(bench.dispatches() as u64)),
        ("computed", format!("{}FLOP, {}FLOP/s", short(flops), short(flops / seconds))),
        ("moved", format!("{}, {}B/s", bytes(moved), short(moved as f64 / seconds))),
        ("peak memory", bytes(measured.peak_bytes)),
    ];
    for (what, figure) in lines {
        text += &format!("{what:<12}  {figure}\n");
    }
    if let Some(totals) = &measured.profile {
        text += &format!("\n{}", profile_table(totals));
    }
    text
}

fn profile_table(totals: &[KernelTotal]) -> String {
    let all: f64 = totals.iter().map(|t| t.nanoseconds).sum();
    let mut table = Table::new(&["kernel", "calls", "ms", "share", "GFLOP/s", "GB/s"]);
    let rate = |count, nanoseconds| rate(count, nanoseconds).map_or("-".into(), |rate| format!("{rate:.2}"));
    for t in totals {
        table.row([
            t.kernel.to_owned(),
            grouped(t.calls as u64),
            format!("{:.2}", t.nanoseconds / 1e6),
            format!("{:.1} %", t.nanoseconds / all * 100.0),
            rate(t.flops, t.nanoseconds),
            rate(t.bytes, t.nanoseconds),
        ]);
    }
    let calls: usize = totals.iter().map(|t| t.calls).sum();
    table.row(["all".to_owned(), grouped(calls as u64), format!("{:.2}", all / 1e6)]);
    table.render()
}
