//! Which devices there are, and what is known of each before it is opened.

use super::limits::CPU_BUFFER_BYTES;
use super::{Class, Error};
use serde::{Serialize, Serializer};
use std::fmt;
pub use wgpu::{Backends, InstanceFlags};

/// How adapters are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Graphics interfaces that are asked. OpenGL is left out unless wanted: it repeats adapters that the others list,
    /// with fewer compute limits.
    pub backends: Backends,
    /// wgpu's instance flags. With `ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER`, as by default, drivers that claim no
    /// conformance are listed too, with that among what they lack.
    pub flags: InstanceFlags,
    /// The adapter that [`Choice::Auto`](super::Choice::Auto) means, by its name or part of it.
    pub adapter_name: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        let flags = InstanceFlags::default() | InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER;
        Self { backends: Backends::PRIMARY, flags, adapter_name: None }
    }
}

/// Reads names of graphics interfaces, separated by commas, as wgpu writes them.
///
/// # Errors
/// [`Error::Backend`] for a name that there is not, or no name at all.
pub fn backends(text: &str) -> Result<Backends, Error> {
    text.split(',').try_fold(Backends::empty(), |all, name| {
        Ok(all
            | match name.trim().to_lowercase().as_str() {
                "vulkan" | "vk" => Backends::VULKAN,
                "metal" | "mtl" => Backends::METAL,
                "dx12" | "d3d12" => Backends::DX12,
                "gl" | "gles" | "opengl" => Backends::GL,
                _ => return Err(Error::Backend { name: name.trim().to_owned() }),
            })
    })
}

/// What kind of processor an adapter is, the ones that [`Choice::Gpu`](super::Choice::Gpu) prefers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A graphics card with its own memory.
    Discrete,
    /// A GPU that shares the CPU's memory.
    Integrated,
    /// A GPU behind a virtual machine's driver.
    Virtual,
    /// A driver that does not say, hardware as far as one can tell.
    Unknown,
    /// A driver that runs shaders on the CPU.
    Software,
    /// The kernels' twins.
    Cpu,
}

impl Kind {
    fn of(device_type: wgpu::DeviceType) -> Self {
        match device_type {
            wgpu::DeviceType::DiscreteGpu => Self::Discrete,
            wgpu::DeviceType::IntegratedGpu => Self::Integrated,
            wgpu::DeviceType::VirtualGpu => Self::Virtual,
            wgpu::DeviceType::Other => Self::Unknown,
            wgpu::DeviceType::Cpu => Self::Software,
        }
    }

    /// Whether it is a hardware GPU.
    pub fn is_hardware(self) -> bool {
        self < Self::Software
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Discrete => "discrete GPU",
            Self::Integrated => "integrated GPU",
            Self::Virtual => "virtual GPU",
            Self::Unknown => "GPU of unknown kind",
            Self::Software => "software driver",
            Self::Cpu => "CPU",
        })
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is known of a device before it is opened.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterInfo {
    /// Number by which it can be chosen.
    pub number: usize,
    /// Name.
    pub name: String,
    /// What kind of processor it is.
    pub kind: Kind,
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
    /// Whether its driver has passed its interface's conformance tests, as far as it says.
    pub conformant: bool,
    /// What it lacks, in words.
    pub lacks: Vec<String>,
    /// Why it cannot be used, if so.
    pub problem: Option<String>,
}

impl AdapterInfo {
    /// Of the CPU device.
    pub(super) fn cpu() -> Self {
        Self {
            number: 0,
            name: format!("CPU twins on {} threads", rayon::current_num_threads()),
            kind: Kind::Cpu,
            backend: "none".into(),
            driver: String::new(),
            binding_bytes: CPU_BUFFER_BYTES,
            buffer_bytes: CPU_BUFFER_BYTES,
            subgroups: [1, 1],
            timestamps: true,
            f16: false,
            conformant: true,
            lacks: Vec::new(),
            problem: None,
        }
    }

    fn of(number: usize, adapter: &wgpu::Adapter, conformant: bool) -> Self {
        let (info, features, limits) = (adapter.get_info(), adapter.features(), adapter.limits());
        let below = below(&limits);
        let unsure = (!conformant).then(|| {
            "conformance: its driver has not passed Vulkan's tests; see `cellwright check` before you trust its results"
                .to_owned()
        });
        let problem = known_problem(&format!("{} {} {}", info.name, info.driver, info.driver_info));
        let few =
            (!below.is_empty()).then(|| format!("it offers less than every WebGPU device does: {}", below.join(", ")));
        Self {
            number,
            kind: Kind::of(info.device_type),
            backend: format!("{:?}", info.backend),
            driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
            binding_bytes: limits.max_storage_buffer_binding_size,
            buffer_bytes: limits.max_buffer_size,
            subgroups: [info.subgroup_min_size, info.subgroup_max_size],
            timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
            f16: features.contains(wgpu::Features::SHADER_F16),
            conformant,
            lacks: unsure.into_iter().chain(below).collect(),
            problem: problem.or(few),
            name: info.name,
        }
    }
}

/// What is asked of every adapter: WebGPU's defaults, but as much memory as it has.
pub(super) fn required(has: &wgpu::Limits) -> wgpu::Limits {
    wgpu::Limits {
        max_storage_buffer_binding_size: has.max_storage_buffer_binding_size,
        max_buffer_size: has.max_buffer_size,
        ..wgpu::Limits::default()
    }
}

/// The limits of which an adapter has less than is asked.
fn below(has: &wgpu::Limits) -> Vec<String> {
    let mut below = Vec::new();
    required(has).check_limits_with_fail_fn(has, false, |name, asked, has| {
        below.push(format!("{name} is {has}, {asked} is asked"));
    });
    below
}

pub(super) fn class(info: &wgpu::AdapterInfo) -> Class {
    if Kind::of(info.device_type).is_hardware() { Class::Hardware } else { Class::Software }
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

async fn enumerate(backends: Backends, flags: InstanceFlags) -> Vec<wgpu::Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends;
    descriptor.flags = flags;
    wgpu::Instance::new(descriptor).enumerate_adapters(backends).await
}

/// The adapters that wgpu reaches, numbered from 1.
///
/// wgpu does not say which of Vulkan's drivers are conformant, but it hides those that are not, unless told otherwise:
/// so it is asked both ways.
pub(super) async fn found(options: &Options) -> Vec<(AdapterInfo, wgpu::Adapter)> {
    let all = enumerate(options.backends, options.flags).await;
    let infos: Vec<wgpu::AdapterInfo> = all.iter().map(wgpu::Adapter::get_info).collect();
    let (vulkan, mut sure): (Vec<_>, Vec<_>) =
        infos.iter().cloned().partition(|info| info.backend == wgpu::Backend::Vulkan);
    let strict = options.flags - InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER;
    if vulkan.is_empty() || strict == options.flags {
        sure.extend(vulkan);
    } else {
        sure.extend(enumerate(Backends::VULKAN, strict).await.iter().map(wgpu::Adapter::get_info));
    }
    let numbered = (1..).zip(all).zip(told_apart(&infos, sure));
    numbered.map(|((number, adapter), conformant)| (AdapterInfo::of(number, &adapter, conformant), adapter)).collect()
}

/// Whether each of `all` is among the `sure` ones, each of which stands for one.
fn told_apart<T: PartialEq>(all: &[T], mut sure: Vec<T>) -> Vec<bool> {
    let take = |wanted: &T| sure.iter().position(|s| s == wanted).map(|at| sure.swap_remove(at)).is_some();
    all.iter().map(take).collect()
}

/// Lists the CPU (number 0) and every adapter wgpu reaches.
pub async fn adapters(options: &Options) -> Vec<AdapterInfo> {
    let others = found(options).await.into_iter().map(|(info, _)| info);
    std::iter::once(AdapterInfo::cpu()).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn an_adapter_that_is_hidden_by_default_is_not_conformant() {
        assert_eq!(told_apart(&["radv", "dozen", "llvmpipe"], vec!["radv", "llvmpipe"]), [true, false, true]);
        assert_eq!(told_apart(&["card", "card", "card"], vec!["card", "card"]), [true, true, false]);
    }

    #[test]
    fn names_of_interfaces_are_wgpus_in_any_case() {
        assert_eq!(backends("vulkan").unwrap(), Backends::VULKAN);
        assert_eq!(backends(" VK, gl,d3d12").unwrap(), Backends::VULKAN | Backends::GL | Backends::DX12);
        for wrong in ["", "vulcan", "vulkan,", "vulkan;gl"] {
            let error = backends(wrong).unwrap_err().to_string();
            assert!(error.contains("vulkan, metal, dx12 or gl"), "{error}");
        }
    }

    #[test]
    fn a_limit_below_what_is_asked_is_named_with_both_values() {
        let few =
            wgpu::Limits { max_storage_buffers_per_shader_stage: 4, max_buffer_size: 1 << 20, ..Default::default() };
        assert_eq!(below(&few), ["max_storage_buffers_per_shader_stage is 4, 8 is asked"]);
        assert!(below(&wgpu::Limits::default()).is_empty());
    }
}
