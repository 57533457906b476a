//! `cellwright check`: whether a device computes what it should.

use super::common::DeviceArg;
use super::output::{print, print_json};
use super::units::{bytes, grouped};
use cellwright::device::{Device, Limits};
use cellwright::kernels;
use cellwright::search::check::{Check, Report, check};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::time::Instant;

/// Differences of one check that are printed, at most; JSON holds all.
const SHOWN: usize = 3;
/// Columns of the list of kernels.
const WIDTH: usize = 88;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Every kernel runs on its own small cases and is held to plain loops in float64; a mixed operation of all\n\
    DARTS primitives to values computed by PyTorch in float64; a search step to the same step on the CPU.\n\
    The exit status is 1 if anything differs. Paste the output into a report about a device."
)]
pub struct Args {
    #[command(flatten)]
    device: DeviceArg,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> super::output::Outcome {
    let start = Instant::now();
    let device = args.device.open()?;
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}") {
        bar.set_style(style);
    }
    let report = pollster::block_on(check(&device, kernels::ALL, |part, done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        bar.set_message(part.to_owned());
    }));
    bar.finish_and_clear();
    let seconds = start.elapsed().as_secs_f64();
    if args.json {
        let limits = device.limits();
        print_json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "adapter": device.info(),
            "limits": {
                "buffer_bytes": limits.buffer_bytes,
                "binding_bytes": limits.binding_bytes,
                "storage_bindings": limits.storage_bindings,
                "workgroups": limits.workgroups,
            },
            "agrees": report.agrees(),
            "seconds": seconds,
            "report": report,
        }))?;
    } else {
        print(&describe(&device, &report, seconds))?;
    }
    verdict(&device, &report)
}

/// An error, and so an exit status of 1, where anything differs.
fn verdict(device: &Device, report: &Report) -> super::output::Outcome {
    if report.agrees() {
        return Ok(());
    }
    let wrong: Vec<&str> = wrong(report).map(|check| check.name.as_str()).collect();
    let lead = format!("{} does not compute what it should: {}", device.name(), wrong.join(", "));
    Err(format!("{lead}; a newer driver may help, `--device cpu` works everywhere").into())
}

fn wrong(report: &Report) -> impl Iterator<Item = &Check> {
    report.all().filter(|check| !check.differences.is_empty())
}

/// One screen, to be pasted into a report.
fn describe(device: &Device, report: &Report, seconds: f64) -> String {
    let (info, Limits { buffer_bytes, binding_bytes, storage_bindings, workgroups, .. }) =
        (device.info(), device.limits());
    let subgroups = match info.subgroups {
        [_, 0] => "unknown".to_owned(),
        [smallest, largest] if smallest == largest => largest.to_string(),
        [smallest, largest] => format!("{smallest} to {largest}"),
    };
    let [buffer, binding] = [buffer_bytes, binding_bytes].map(|&number| bytes(number));
    let mut text =
        format!("cellwright {} on {} {}\n\n", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH);
    let mut line = |name: &str, value: &str| {
        text += format!("{name:<15}{value}").trim_end();
        text += "\n";
    };
    line("adapter", &format!("{} ({})", info.name, info.kind));
    line("driver", if info.driver.is_empty() { "-" } else { &info.driver });
    line("backend", &info.backend);
    line(
        "limits",
        &format!(
            "buffers of {buffer}, {storage_bindings} bindings of {binding}, {} workgroups a side",
            grouped((*workgroups).into())
        ),
    );
    line("subgroups", &subgroups);
    info.lacks.iter().for_each(|lacks| line("lacks", lacks));
    line("", "");
    line("kernels", &summary(&report.kernels, "cases"));
    for family in wrapped(&families(&report.kernels)) {
        line("", &family);
    }
    line("golden values", &summary(&report.golden, "results and gradients"));
    line("search step", &summary(&report.step, "quantities"));
    for check in wrong(report) {
        text += &format!(
            "\n{}: {} of {} differ\n",
            check.name,
            check.differences.len(),
            check.compared.max(check.differences.len())
        );
        for difference in check.differences.iter().take(SHOWN) {
            text += &format!("  {}\n", difference.message);
        }
        if check.differences.len() > SHOWN {
            text += &format!("  and {} more (--json has all)\n", check.differences.len() - SHOWN);
        }
    }
    let verdict = match wrong(report).count() {
        0 => "Everything agrees".to_owned(),
        count => format!("{count} of {} checks differ", report.all().count()),
    };
    text + &format!("\n{verdict}. {seconds:.1} s\n")
}

/// `80 of 82 agree, 1,402 cases; closest to its limit: conv_forward (31 % of what is allowed)`.
fn summary(checks: &[Check], what: &str) -> String {
    let agree = checks.iter().filter(|check| check.differences.is_empty()).count();
    let compared: usize = checks.iter().map(|check| check.compared).sum();
    let lead = format!("{agree} of {} agree, {} {what}", checks.len(), grouped(compared as u64));
    match checks.iter().max_by(|a, b| a.closest.total_cmp(&b.closest)) {
        Some(check) if check.closest > 0.0 => {
            format!("{lead}; largest error: {:.0} % of what is allowed ({})", 100.0 * check.closest, check.name)
        }
        _ => lead,
    }
}

/// Each family of kernels with how many of it agree; just how many there are where all do.
fn families(checks: &[Check]) -> Vec<String> {
    let mut families: Vec<(&str, usize, usize)> = Vec::new();
    for check in checks {
        let end = check.name.find("_forward").or_else(|| check.name.find("_backward")).unwrap_or(check.name.len());
        let (name, agrees) = (&check.name[..end], usize::from(check.differences.is_empty()));
        match families.iter_mut().find(|(family, ..)| *family == name) {
            Some((_, agreeing, all)) => (*agreeing, *all) = (*agreeing + agrees, *all + 1),
            None => families.push((name, agrees, 1)),
        }
    }
    let text = |(name, agree, all): (&str, usize, usize)| match agree == all {
        true => format!("{name} {all}"),
        false => format!("{} {agree} OF {all}", name.to_uppercase()),
    };
    families.into_iter().map(text).collect()
}

/// Words separated by commas, in lines.
fn wrapped(words: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let word = if at + 1 < words.len() { format!("{word},") } else { word.clone() };
        match lines.last_mut() {
            Some(line) if line.len() + word.len() < WIDTH => *line += &format!(" {word}"),
            _ => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use cellwright::search::check::Difference;

    fn kernel(name: &str, differences: usize) -> Check {
        let difference = |at| Difference { message: format!("case {at}"), error: Some(0.5), allowed: Some(1e-5) };
        Check { name: name.into(), compared: 5, closest: 0.25, differences: (0..differences).map(difference).collect() }
    }

    #[test]
    fn what_differs_is_shown_in_detail_and_counted_by_family() {
        let kernels = vec![kernel("conv_forward", 0), kernel("conv_backward_input", 5), kernel("scale", 0)];
        let report = Report { kernels, golden: vec![kernel("golden", 0)], step: vec![kernel("step", 1)] };
        let text = describe(&Device::cpu(), &report, 1.5);
        for part in [
            "CPU twins on",
            "2 of 3 agree, 15 cases; largest error: 25 % of what is allowed",
            "CONV 1 OF 2, scale 1",
            "conv_backward_input: 5 of 5 differ\n  case 0\n  case 1\n  case 2\n  and 2 more",
            "step: 1 of 5 differ",
            "2 of 5 checks differ. 1.5 s",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let error = verdict(&Device::cpu(), &report).unwrap_err().to_string();
        assert!(error.contains("cpu does not compute") && error.contains("conv_backward_input, step"), "{error}");
        let report = Report { kernels: vec![kernel("scale", 0)], golden: Vec::new(), step: Vec::new() };
        assert!(describe(&Device::cpu(), &report, 0.1).ends_with("Everything agrees. 0.1 s\n"));
        assert!(verdict(&Device::cpu(), &report).is_ok());
    }
}
