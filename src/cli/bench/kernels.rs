//! `cellwright bench kernels`.

use super::super::common::DeviceArg;
use super::super::output::{print, print_json};
use super::super::units::short;
use super::measure::progress;
use cellwright::device::{Bench, Device, Kernel, Speed};
use cellwright::kernels::ALL;
use cellwright::report::table::Table;
use cellwright::search::bench::Peak;
use cellwright::space::SpaceError;
use clap::ValueEnum;
use serde_json::json;
use std::time::Duration;

/// About how long the dispatches of one run take, so that submitting them counts little.
const RUN: Duration = Duration::from_millis(4);

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "GB/s counts the whole buffers that a dispatch binds. The share is that of the nearer limit:\n\
    computing (measured by a matrix product) or memory (measured by scaling a buffer larger than\n\
    caches). Data that stay in caches can pass 100 %.")]
pub struct Args {
    #[command(flatten)]
    device: DeviceArg,
    /// Time this kernel only.
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Seconds for each case, preparation aside.
    #[arg(long, default_value = "0.2", value_name = "S", value_parser = parse_seconds)]
    seconds: Duration,
    /// Order of the table.
    #[arg(long, default_value = "time")]
    sort: Sort,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Longest first.
    Time,
    /// Most floating-point operations a second first.
    Flops,
    /// Most bytes a second first.
    Bytes,
    /// Smallest share of the peak first.
    Share,
    /// By kernel.
    Name,
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if (1e-3..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("give seconds from 0.001 to 3600".into()),
    }
}

/// One case of one kernel, timed.
struct Row {
    kernel: &'static str,
    case: String,
    speed: Speed,
    share: f64,
    computing: bool,
}

pub fn run(args: &Args) -> super::super::output::Outcome {
    let kernels = chosen(args.kernel.as_deref())?;
    let device = args.device.open()?;
    let bar = progress(kernels.len() as u64)?;
    let timed = pollster::block_on(time(args, &device, &kernels, &bar));
    bar.finish_and_clear();
    let (peak, mut rows) = timed?;
    match args.sort {
        Sort::Time => rows.sort_by(|a, b| b.speed.median.total_cmp(&a.speed.median)),
        Sort::Flops => rows.sort_by(|a, b| b.speed.flops_per_second().total_cmp(&a.speed.flops_per_second())),
        Sort::Bytes => rows.sort_by(|a, b| b.speed.bytes_per_second().total_cmp(&a.speed.bytes_per_second())),
        Sort::Share => rows.sort_by(|a, b| a.share.total_cmp(&b.share)),
        Sort::Name => rows.sort_by_key(|row| row.kernel),
    }
    if args.json { print_json(&value(&device, peak, &rows)) } else { print(&describe(&device, peak, &rows)) }
}

fn chosen(name: Option<&str>) -> Result<Vec<&'static Kernel>, SpaceError> {
    let Some(name) = name else { return Ok(ALL.to_vec()) };
    match ALL.iter().find(|kernel| kernel.name == name) {
        Some(kernel) => Ok(vec![kernel]),
        None => Err(SpaceError::unknown("kernel", name, ALL.iter().map(|kernel| kernel.name))),
    }
}

async fn time(
    args: &Args,
    device: &Device,
    kernels: &[&'static Kernel],
    bar: &indicatif::ProgressBar,
) -> Result<(Peak, Vec<Row>), cellwright::device::Error> {
    bar.set_message("the device's peak");
    let peak = Peak::measure(device, args.seconds).await?;
    let mut rows = Vec::new();
    for kernel in kernels {
        bar.set_message(kernel.name);
        for case in (kernel.benches)() {
            let speed = Bench::new(device, kernel, &case, RUN).await?.measure(args.seconds).await?;
            let (share, computing) = peak.share(speed.flops, speed.bytes, speed.median);
            rows.push(Row { kernel: kernel.name, case: case.label, speed, share, computing });
        }
        device.trim();
        bar.inc(1);
    }
    Ok((peak, rows))
}

fn limit(row: &Row) -> &'static str {
    if row.computing { "computing" } else { "memory" }
}

fn value(device: &Device, peak: Peak, rows: &[Row]) -> serde_json::Value {
    let rows = rows.iter().map(|row| {
        json!({
            "kernel": row.kernel,
            "case": row.case,
            "median_ms": row.speed.median * 1e3,
            "min_ms": row.speed.fastest * 1e3,
            "runs": row.speed.runs,
            "repeats": row.speed.repeats,
            "flops": row.speed.flops,
            "bytes": row.speed.bytes,
            "gflops_per_second": row.speed.flops_per_second() / 1e9,
            "gbytes_per_second": row.speed.bytes_per_second() / 1e9,
            "share": row.share,
            "limit": limit(row),
        })
    });
    json!({
        "device": device.name(),
        "peak_gflops_per_second": peak.flops_per_second / 1e9,
        "peak_gbytes_per_second": peak.bytes_per_second / 1e9,
        "kernels": rows.collect::<Vec<_>>(),
    })
}

fn describe(device: &Device, peak: Peak, rows: &[Row]) -> String {
    let mut table = Table::new(&["kernel", "case", "µs", "GFLOP/s", "GB/s", "share", "limit"]);
    for row in rows {
        table.row([
            row.kernel.to_owned(),
            row.case.clone(),
            format!("{:.1}", row.speed.median * 1e6),
            format!("{:.2}", row.speed.flops_per_second() / 1e9),
            format!("{:.2}", row.speed.bytes_per_second() / 1e9),
            format!("{:.1} %", row.share * 100.0),
            limit(row).to_owned(),
        ]);
    }
    let [flops, bytes] = [peak.flops_per_second, peak.bytes_per_second].map(short);
    format!("{}: measured peak {flops}FLOP/s, {bytes}B/s\n\n{}", device.name(), table.render())
}
