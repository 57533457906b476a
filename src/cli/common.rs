//! What several verbs share.

use cellwright::device::{Device, Options, Selector, backends};
use cellwright::graph::Features;
use cellwright::search::bilevel::Order;
use cellwright::space::{self, SpaceConfig};
use std::convert::Infallible;
use std::io::Read;
use std::path::Path;

/// More than the description of any space takes: a larger file was named by mistake.
const LONGEST_TEXT: u64 = 1 << 20;

/// How the environment wants adapters to be looked for: `WGPU_BACKEND`, `WGPU_ADAPTER_NAME` (what `--device auto` means),
/// and wgpu's instance flags (`WGPU_DEBUG`, `WGPU_VALIDATION`, …). What is set to nothing counts as not set.
///
/// # Errors
/// For graphics interfaces that there are not.
pub fn device_options() -> Result<Options, String> {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.trim().is_empty());
    let defaults = Options::default();
    let chosen = set("WGPU_BACKEND").map(|text| backends(&text)).transpose();
    Ok(Options {
        backends: chosen.map_err(|error| format!("WGPU_BACKEND: {error}"))?.unwrap_or(defaults.backends),
        flags: defaults.flags.with_env(),
        adapter_name: set("WGPU_ADAPTER_NAME"),
    })
}

/// Options of every verb that computes.
#[derive(Debug, clap::Args)]
pub struct DeviceArg {
    /// `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists.
    #[arg(long, default_value = "auto", value_parser = parse_choice)]
    pub device: Selector,
}

impl DeviceArg {
    /// Opens the device. The CPU device gets no more memory than this machine has left: systems that
    /// promise more would end the program rather than refuse.
    pub fn open(&self) -> Result<Device, Box<dyn std::error::Error>> {
        open(&self.device)
    }
}

/// Opens the device of a name, as [`DeviceArg::open`] does.
pub fn open_device(name: &str) -> Result<Device, Box<dyn std::error::Error>> {
    open(&name.parse()?)
}

/// Opens the device of a name, or those of a list of names separated by commas. (There are names with commas.)
pub fn open_devices(names: &str) -> Result<Vec<Device>, Box<dyn std::error::Error>> {
    match open_device(names) {
        Err(_) if names.contains(',') => names.split(',').map(open_device).collect(),
        one => Ok(vec![one?]),
    }
}

fn open(selector: &Selector) -> Result<Device, Box<dyn std::error::Error>> {
    let options = device_options()?;
    pollster::block_on(async {
        let device = Device::open_with(selector, &options).await?;
        if device.is_gpu() {
            return Ok(device);
        }
        let refresh = sysinfo::MemoryRefreshKind::nothing().with_ram();
        let system = sysinfo::System::new_with_specifics(sysinfo::RefreshKind::nothing().with_memory(refresh));
        // 0 where the system does not say.
        let container = system.cgroup_limits().map_or(u64::MAX, |limits| limits.free_memory);
        let left = Some(system.available_memory().min(container)).filter(|&bytes| bytes > 0);
        Ok(device.with_limits(|limits| limits.memory_bytes = left).await?)
    })
}

fn parse_choice(text: &str) -> Result<Selector, Infallible> {
    text.parse()
}

/// What `--space` takes, for help.
pub fn space_help(otherwise: &str) -> String {
    let names: Vec<&str> = space::names().collect();
    format!("Search space: {}, or a TOML file that describes stages{otherwise}", names.join(", "))
}

/// Reads `3x32x32`.
pub fn parse_image(text: &str) -> Result<Features, String> {
    text.parse()
}

/// What a file holds, if it is no longer than any text that is meant to be read.
pub fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LONGEST_TEXT + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST_TEXT {
        return Err(format!("is longer than {LONGEST_TEXT} bytes"));
    }
    Ok(text)
}

/// The space that is meant by a name or by a file that describes it. A name that is not known stays as it is.
///
/// # Errors
/// What is wrong with the file, or with the description in it.
pub fn space_of(given: &str) -> Result<SpaceConfig, String> {
    let path = Path::new(given);
    let is_file = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) || path.is_file();
    if space::entry(given).is_some() || !is_file {
        return Ok(SpaceConfig::of(given));
    }
    let wrong = |problem: String| format!("space file {given}: {problem}");
    if path.is_dir() {
        return Err(wrong("is a directory; give a file that describes a space in TOML".into()));
    }
    let text = read_text(path).map_err(&wrong)?;
    let config = SpaceConfig::described(&text).map_err(|error| wrong(error.to_string()))?;
    if space::entry(&config.name).is_some() {
        return Err(wrong(format!("the name `{}` is that of a built-in space: choose another", config.name)));
    }
    Ok(config)
}

/// How the gradient of the architecture weights is computed.
pub fn parse_order(text: &str) -> Result<Order, String> {
    let order: u8 = text.parse().map_err(|_| "give 1 (first order) or 2 (second order)")?;
    Order::try_from(order)
}
