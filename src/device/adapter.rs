//! Which devices there are, and how one is chosen.

use super::{Class, Device, Error};
use serde::Serialize;
use std::str::FromStr;

/// What a user may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Choice {
    /// A hardware GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// The kernels' Rust twins, on all cores.
    Cpu,
    /// A hardware GPU.
    Gpu,
    /// A software graphics driver.
    Software,
    /// An adapter by its number in the list.
    Number(usize),
    /// An adapter whose name contains this text.
    Name(String),
}

impl FromStr for Choice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            "software" => Self::Software,
            other => other.parse().map(Self::Number).unwrap_or_else(|_| Self::Name(other.to_owned())),
        })
    }
}

/// [`AdapterInfo::kind`] of a hardware GPU.
const HARDWARE: &str = "hardware GPU";

/// What is known of a device before it is opened.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterInfo {
    /// Number by which it can be chosen.
    pub number: usize,
    /// Name.
    pub name: String,
    /// `hardware GPU`, `software driver` or `CPU`.
    pub kind: &'static str,
    /// Graphics interface, or `none` for the CPU.
    pub backend: String,
    /// Driver and its version.
    pub driver: String,
    /// Largest binding in bytes.
    pub binding_bytes: u64,
    /// Largest buffer in bytes.
    pub buffer_bytes: u64,
    /// Smallest and largest subgroup.
    pub subgroups: [u32; 2],
    /// Whether kernels can be timed on the device itself.
    pub timestamps: bool,
    /// Whether shaders may use 16-bit floats.
    pub f16: bool,
    /// Why it cannot be used, if so.
    pub problem: Option<String>,
}

pub(super) fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    // OpenGL is left out: it repeats adapters that the others list, with fewer compute limits.
    descriptor.backends = wgpu::Backends::PRIMARY;
    wgpu::Instance::new(descriptor)
}

pub(super) fn class(info: &wgpu::AdapterInfo) -> Class {
    if info.device_type == wgpu::DeviceType::Cpu { Class::Software } else { Class::Hardware }
}

/// Why an adapter's driver must not be used, if so.
pub(super) fn problem(info: &wgpu::AdapterInfo) -> Option<String> {
    known_problem(&format!("{} {} {}", info.name, info.driver, info.driver_info))
}

/// Mesa's llvmpipe before version 23 leaves shader loops after 65,535 iterations, silently.
fn known_problem(driver: &str) -> Option<String> {
    if !driver.contains("llvmpipe") {
        return None;
    }
    let major: u32 = driver.split("Mesa ").nth(1)?.split('.').next()?.parse().ok()?;
    (major < 23).then(|| {
        format!(
            "llvmpipe of Mesa {major} ends shader loops after 65,535 iterations and computes wrong results; \
             install Mesa 23 or newer (25 is what this program is tested with; Debian 12 has it in bookworm-backports)"
        )
    })
}

/// Lists the CPU (number 0) and every adapter wgpu reaches.
pub async fn adapters() -> Vec<AdapterInfo> {
    let mut list = vec![AdapterInfo {
        number: 0,
        name: format!("CPU twins on {} threads", rayon::current_num_threads()),
        kind: "CPU",
        backend: "none".into(),
        driver: String::new(),
        binding_bytes: super::CPU_BUFFER_BYTES,
        buffer_bytes: super::CPU_BUFFER_BYTES,
        subgroups: [1, 1],
        timestamps: true,
        f16: false,
        problem: None,
    }];
    for adapter in instance().enumerate_adapters(wgpu::Backends::all()).await {
        let info = adapter.get_info();
        let (features, limits) = (adapter.features(), adapter.limits());
        list.push(AdapterInfo {
            number: list.len(),
            kind: match class(&info) {
                Class::Hardware => HARDWARE,
                Class::Software => "software driver",
            },
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            binding_bytes: limits.max_storage_buffer_binding_size,
            buffer_bytes: limits.max_buffer_size,
            subgroups: [info.subgroup_min_size, info.subgroup_max_size],
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            f16: features.contains(wgpu::Features::SHADER_F16),
            problem: problem(&info),
            name: info.name,
        });
    }
    list
}

/// The number in `list` that [`Choice::Auto`] means: the first hardware GPU without a problem, else the CPU.
pub fn automatic(list: &[AdapterInfo]) -> usize {
    list.iter().find(|a| a.kind == HARDWARE && a.problem.is_none()).map_or(0, |a| a.number)
}

impl Device {
    /// Opens the device that `choice` names.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, [`Error::Driver`] where its driver is known to be
    /// wrong, [`Error::Open`] where it would not open.
    pub async fn open(choice: &Choice) -> Result<Self, Error> {
        if matches!(choice, Choice::Cpu | Choice::Number(0)) {
            return Ok(Self::cpu());
        }
        let all = instance().enumerate_adapters(wgpu::Backends::all()).await;
        let names: Vec<String> = all.iter().map(|a| a.get_info().name).collect();
        let usable = |a: &&wgpu::Adapter, wanted: Class| class(&a.get_info()) == wanted;
        let found = match choice {
            Choice::Auto => {
                let fit = |a: &&wgpu::Adapter| usable(a, Class::Hardware) && problem(&a.get_info()).is_none();
                match all.iter().find(fit) {
                    Some(adapter) => Some(adapter),
                    None => return Ok(Self::cpu()),
                }
            }
            Choice::Gpu => all.iter().find(|a| usable(a, Class::Hardware)),
            Choice::Software => all.iter().find(|a| usable(a, Class::Software)),
            Choice::Number(number) => all.get(number - 1),
            Choice::Name(part) => {
                let wanted = part.to_lowercase();
                all.iter().find(|a| a.get_info().name.to_lowercase().contains(&wanted))
            }
            Choice::Cpu => None,
        };
        let adapter = found.ok_or_else(|| missing(choice, &names))?;
        let info = adapter.get_info();
        if let Some(reason) = problem(&info) {
            let driver = format!("{} {}", info.driver, info.driver_info);
            return Err(Error::Driver { adapter: info.name, driver, reason });
        }
        Self::on_adapter(adapter).await
    }
}

fn missing(choice: &Choice, names: &[String]) -> Error {
    let wanted = match choice {
        Choice::Gpu => "hardware GPU".to_owned(),
        Choice::Software => "software graphics driver".to_owned(),
        Choice::Number(number) => format!("adapter number {number}"),
        Choice::Name(name) => format!("device or adapter called `{name}`"),
        Choice::Auto | Choice::Cpu => "device".to_owned(),
    };
    let mut hint =
        "use `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists".to_owned();
    if let Choice::Name(name) = choice {
        let known = ["auto", "cpu", "gpu", "software"].into_iter().chain(names.iter().map(String::as_str));
        let likeness = |k: &str| strsim::jaro_winkler(&name.to_lowercase(), &k.to_lowercase());
        if let Some(nearest) = known.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
            hint = format!("did you mean `{nearest}`? Otherwise {hint}");
        }
    }
    if !names.is_empty() {
        hint += &format!(" (adapters here: {})", names.join(", "));
    }
    if *choice == Choice::Software {
        hint = "install one, for instance Mesa's lavapipe (Debian and Ubuntu: mesa-vulkan-drivers), or use `--device cpu`, \
                which needs no driver"
            .into();
    } else if *choice == Choice::Gpu {
        hint =
            "use `--device cpu`, or check with `cellwright devices` and the driver's own tools that Vulkan, Metal or \
                DirectX 12 works here"
                .into();
    }
    Error::NoAdapter { wanted, hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(kinds: &[(&'static str, bool)]) -> Vec<AdapterInfo> {
        let info = |(number, &(kind, sound)): (usize, &(&'static str, bool))| AdapterInfo {
            number,
            name: kind.into(),
            kind,
            backend: "Vulkan".into(),
            driver: String::new(),
            binding_bytes: 0,
            buffer_bytes: 0,
            subgroups: [1, 1],
            timestamps: false,
            f16: false,
            problem: (!sound).then(|| "wrong results".into()),
        };
        kinds.iter().enumerate().map(info).collect()
    }

    #[test]
    fn auto_means_the_first_sound_hardware_gpu_else_the_cpu() {
        let (cpu, software) = (("CPU", true), ("software driver", true));
        assert_eq!(automatic(&listed(&[cpu, software])), 0);
        assert_eq!(automatic(&listed(&[cpu, software, (HARDWARE, false)])), 0);
        assert_eq!(automatic(&listed(&[cpu, software, (HARDWARE, false), (HARDWARE, true)])), 3);
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let text = missing(&Choice::Name("sofware".into()), &["Fancy 9000".into()]).to_string();
        assert!(text.contains("called `sofware`") && text.contains("did you mean `software`"), "{text}");
        let text = missing(&Choice::Name("fency".into()), &["Fancy 9000".into()]).to_string();
        assert!(text.contains("did you mean `Fancy 9000`"), "{text}");
    }

    #[test]
    fn drivers_that_end_loops_early_are_known_by_their_version() {
        assert!(known_problem("llvmpipe (LLVM 15.0.6, 256 bits) llvmpipe Mesa 22.3.6 (LLVM 15.0.6)").is_some());
        assert_eq!(
            known_problem("llvmpipe (LLVM 15.0.6, 256 bits) llvmpipe Mesa 25.0.7-2~bpo12+1 (LLVM 15.0.6)"),
            None
        );
        assert_eq!(known_problem("SwiftShader Device (Subzero) SwiftShader driver 5.0.0"), None);
        assert_eq!(known_problem("AMD Radeon RX 6600 (RADV NAVI23) radv Mesa 22.3.6"), None);
    }
}
