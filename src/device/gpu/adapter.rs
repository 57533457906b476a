//! The adapters that wgpu reaches, and what is known of each before it is opened.

use super::super::adapter::{AdapterInfo, Kind};
use super::super::{Class, Error};
pub use wgpu::{Backends, InstanceFlags};

/// Which graphics interfaces are asked and how, unless told otherwise.
pub(in crate::device) fn defaults() -> (Backends, InstanceFlags) {
    (Backends::PRIMARY, InstanceFlags::default() | InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER)
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
                _ => return Err(Error::Backend { name: name.trim().to_owned() }),
            })
    })
}

fn kind(device_type: wgpu::DeviceType) -> Kind {
    match device_type {
        wgpu::DeviceType::DiscreteGpu => Kind::Discrete,
        wgpu::DeviceType::IntegratedGpu => Kind::Integrated,
        wgpu::DeviceType::VirtualGpu => Kind::Virtual,
        wgpu::DeviceType::Other => Kind::Unknown,
        wgpu::DeviceType::Cpu => Kind::Software,
    }
}

fn info(number: usize, adapter: &wgpu::Adapter, conformant: bool) -> AdapterInfo {
    let (info, features, limits) = (adapter.get_info(), adapter.features(), adapter.limits());
    let below = below(&limits);
    let unsure = (!conformant).then(|| {
        "conformance: its driver has not passed Vulkan's tests; see `cellwright check` before you trust its results"
            .to_owned()
    });
    let problem = known_problem(&format!("{} {} {}", info.name, info.driver, info.driver_info));
    let few =
        (!below.is_empty()).then(|| format!("it offers less than every WebGPU device does: {}", below.join(", ")));
    AdapterInfo {
        number,
        kind: kind(info.device_type),
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
    if kind(info.device_type).is_hardware() { Class::Hardware } else { Class::Software }
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
pub(in crate::device) async fn found(backends: Backends, flags: InstanceFlags) -> Vec<(AdapterInfo, wgpu::Adapter)> {
    let all = enumerate(backends, flags).await;
    let infos: Vec<wgpu::AdapterInfo> = all.iter().map(wgpu::Adapter::get_info).collect();
    let (vulkan, mut sure): (Vec<_>, Vec<_>) =
        infos.iter().cloned().partition(|info| info.backend == wgpu::Backend::Vulkan);
    let strict = flags - InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER;
    if vulkan.is_empty() || strict == flags {
        sure.extend(vulkan);
    } else {
        sure.extend(enumerate(Backends::VULKAN, strict).await.iter().map(wgpu::Adapter::get_info));
    }
    let numbered = (1..).zip(all).zip(told_apart(&infos, sure));
    numbered.map(|((number, adapter), conformant)| (self::info(number, &adapter, conformant), adapter)).collect()
}

/// Whether each of `all` is among the `sure` ones, each of which stands for one.
fn told_apart<T: PartialEq>(all: &[T], mut sure: Vec<T>) -> Vec<bool> {
    let take = |wanted: &T| sure.iter().position(|s| s == wanted).map(|at| sure.swap_remove(at)).is_some();
    all.iter().map(take).collect()
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
        assert_eq!(backends(" VK, mtl,d3d12").unwrap(), Backends::VULKAN | Backends::METAL | Backends::DX12);
        for wrong in ["", "vulcan", "vulkan,", "vulkan;metal", "gl"] {
            let error = backends(wrong).unwrap_err().to_string();
            assert!(error.contains("vulkan, metal or dx12"), "{error}");
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
