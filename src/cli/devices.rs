//! `cellwright devices`: what can run here.

use super::output::{print, print_json};
use super::units::bytes;
use cellwright::device::{AdapterInfo, adapters, automatic};
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

pub fn run(args: &Args) -> super::Outcome {
    let list = pollster::block_on(adapters());
    let auto = automatic(&list);
    if args.json {
        let list: Vec<Listed<'_>> = list.iter().map(|info| Listed { info, auto: info.number == auto }).collect();
        return print_json(&list);
    }
    print(&describe(&list, auto))
}

fn describe(list: &[AdapterInfo], auto: usize) -> String {
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
            info.kind.to_owned(),
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
            if info.number == auto { "← auto".into() } else { String::new() },
        ]);
    }
    let mut text = table.render();
    for info in list {
        if let Some(problem) = &info.problem {
            text += &format!("\n{} ({}) cannot be used: {problem}\n", info.number, info.name);
        }
    }
    text
}
