//! `cellwright devices`: what can run here.

use super::common::device_options;
use super::output::{print, print_json};
use super::units::bytes;
use cellwright::device::{AdapterInfo, Error, Selector, adapters, chosen};
use cellwright::report::table::Table;
use serde::Serialize;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// An adapter, and whether `auto` means it.
#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    info: &'a AdapterInfo,
    auto: bool,
}

pub fn run(args: &Args) -> super::output::Outcome {
    let options = device_options()?;
    let list = pollster::block_on(adapters(&options));
    // Nothing where the environment names an adapter that is not there, or not fit.
    let auto = chosen(&Selector::Auto, &list, &options);
    let auto = auto.as_ref();
    if args.json {
        let list: Vec<Listed<'_>> =
            list.iter().map(|info| Listed { info, auto: auto.is_ok_and(|&auto| info.number == auto) }).collect();
        return print_json(&list);
    }
    print(&describe(&list, auto))
}

fn describe(list: &[AdapterInfo], auto: Result<&usize, &Error>) -> String {
    let mut table = Table::new(&[
        "number",
        "name",
        "kind",
        "backend",
        "driver",
        "largest buffer",
        "largest binding",
        "subgroups",
        "timestamps",
        "f16",
        "",
    ]);
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let filled = |text: &str| if text.is_empty() { "-" } else { text }.to_owned();
    for info in list {
        table.row([
            info.number.to_string(),
            info.name.clone(),
            info.kind.to_string(),
            filled(&info.backend),
            filled(&info.driver),
            bytes(info.buffer_bytes),
            bytes(info.binding_bytes),
            match info.subgroups {
                [_, 0] => "-".into(),
                [smallest, largest] if smallest == largest => largest.to_string(),
                [smallest, largest] => format!("{smallest} to {largest}"),
            },
            yes(info.timestamps),
            yes(info.f16),
            if auto.is_ok_and(|&auto| info.number == auto) { "← auto".into() } else { String::new() },
        ]);
    }
    let mut text = table.render();
    for info in list {
        let name = format!("{} ({})", info.number, info.name);
        match &info.problem {
            Some(problem) => text += &format!("\n{name} cannot be used: {problem}\n"),
            None if !info.lacks.is_empty() => text += &format!("\n{name} lacks {}\n", info.lacks.join("; ")),
            None => {}
        }
    }
    if let Err(error) = auto {
        text += &format!("\nWGPU_ADAPTER_NAME: {error}\n");
    }
    text
}
