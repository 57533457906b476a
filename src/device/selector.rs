//! How one of the devices is chosen.
//!
//! Where several would do, one without a problem is taken before one that cannot be used, a conformant one before one
//! that is not, a discrete GPU before an integrated one, that before a virtual one, and software last; among equals
//! the first in the list. `auto` takes no driver that is not conformant, however fast: the CPU computes right results.

use super::adapter::AdapterInfo;
use super::options::Options;
use super::{Device, Error, gpu};
use crate::names::nearest;
use std::str::FromStr;

/// What a user may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Selector {
    /// The adapter that [`Options::adapter_name`] names; without one, the best conformant hardware GPU if there is one,
    /// else the CPU.
    #[default]
    Auto,
    /// The kernels' Rust twins, on all cores.
    Cpu,
    /// The best hardware GPU.
    Gpu,
    /// The hardware GPU of this number among them, in their order, from 0: `gpu:1`.
    GpuNumber(usize),
    /// A software graphics driver.
    Software,
    /// An adapter by its number in the list.
    Number(usize),
    /// The best adapter whose name contains this text, in any case; one with just this name before all others.
    Name(String),
}

impl FromStr for Selector {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.trim() {
            "auto" => Self::Auto,
            "cpu" => Self::Cpu,
            "gpu" => Self::Gpu,
            "software" => Self::Software,
            other => match other.strip_prefix("gpu:").and_then(|number| number.parse().ok()) {
                Some(number) => Self::GpuNumber(number),
                None => other.parse().map(Self::Number).unwrap_or_else(|_| Self::Name(other.to_owned())),
            },
        })
    }
}

/// The number that `choice` means in a list that begins with the CPU.
///
/// # Errors
/// [`Error::NoAdapter`] where there is none, [`Error::Driver`] where it is there but cannot be used.
pub fn chosen(choice: &Selector, list: &[AdapterInfo], options: &Options) -> Result<usize, Error> {
    let best = |fits: &dyn Fn(&AdapterInfo) -> bool| {
        list.iter().filter(|a| fits(a)).min_by_key(|a| (a.problem.is_some(), !a.conformant, a.kind, a.number))
    };
    let found = match (choice, &options.adapter_name) {
        (Selector::Auto, Some(name)) => return chosen(&Selector::Name(name.clone()), list, options),
        (Selector::Auto, None) => {
            let gpu = best(&|a| a.kind.is_hardware() && a.conformant && a.problem.is_none());
            return Ok(gpu.map_or(0, |a| a.number));
        }
        (Selector::Cpu, _) => return Ok(0),
        (Selector::Gpu, _) => best(&|a| a.kind.is_hardware()),
        (Selector::GpuNumber(number), _) => list.iter().filter(|a| a.kind.is_hardware()).nth(*number),
        (Selector::Software, _) => best(&|a| a.kind == super::Kind::Software),
        (Selector::Number(number), _) => list.get(*number),
        (Selector::Name(part), _) => {
            let wanted = part.trim().to_lowercase();
            let named = |fits: &dyn Fn(&str) -> bool| best(&|a| a.number > 0 && fits(&a.name.to_lowercase()));
            let part = || named(&|name| !wanted.is_empty() && name.contains(&wanted));
            named(&|name| name == wanted).or_else(part)
        }
    };
    let adapter = found.ok_or_else(|| missing(choice, list))?;
    match &adapter.problem {
        Some(reason) => {
            Err(Error::Driver { adapter: adapter.name.clone(), driver: adapter.driver.clone(), reason: reason.clone() })
        }
        None => Ok(adapter.number),
    }
}

impl Device {
    /// Opens the device that `choice` names.
    ///
    /// # Errors
    /// [`Error::NoAdapter`] where there is none, [`Error::Driver`] where its driver is known to be
    /// wrong, [`Error::Open`] where it would not open; [`Error::WithoutGpu`] where anything but the CPU is asked of a
    /// build without the feature `gpu`.
    pub async fn open(choice: &Selector) -> Result<Self, Error> {
        Self::open_with(choice, &Options::default()).await
    }

    /// As [`Device::open`], looking for adapters as `options` say.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub async fn open_with(choice: &Selector, options: &Options) -> Result<Self, Error> {
        if matches!(choice, Selector::Cpu | Selector::Number(0)) {
            return Ok(Self::cpu());
        }
        let named =
            options.adapter_name.iter().filter(|_| *choice == Selector::Auto).cloned().map(Selector::Name).next();
        let choice = named.as_ref().unwrap_or(choice);
        if *choice != Selector::Auto && !cfg!(feature = "gpu") {
            return Err(Error::WithoutGpu { wanted: wanted(choice) });
        }
        let found = gpu::found(options.backends, options.flags).await;
        let list: Vec<AdapterInfo> =
            std::iter::once(AdapterInfo::cpu()).chain(found.iter().map(|(info, _)| info.clone())).collect();
        match chosen(choice, &list, options)?.checked_sub(1).and_then(|at| found.into_iter().nth(at)) {
            Some((info, adapter)) => Self::on_adapter(&adapter, info).await,
            None => Ok(Self::cpu()),
        }
    }
}

/// What was asked for, in words.
fn wanted(choice: &Selector) -> String {
    match choice {
        Selector::Gpu => "hardware GPU".to_owned(),
        Selector::GpuNumber(number) => format!("hardware GPU number {number} (the first is 0)"),
        Selector::Software => "software graphics driver".to_owned(),
        Selector::Number(number) => format!("adapter number {number}"),
        Selector::Name(name) => format!("device or adapter called `{name}`"),
        Selector::Auto | Selector::Cpu => "device".to_owned(),
    }
}

fn missing(choice: &Selector, list: &[AdapterInfo]) -> Error {
    let names: Vec<&str> = list.iter().filter(|a| a.number > 0).map(|a| a.name.as_str()).collect();
    let wanted = wanted(choice);
    let mut hint =
        "use `auto`, `cpu`, `gpu`, `software`, or a number or name that `cellwright devices` lists".to_owned();
    if let Selector::Name(name) = choice {
        let known = ["auto", "cpu", "gpu", "software"].into_iter().chain(names.iter().copied());
        hint = format!("did you mean `{}`? Otherwise {hint}", nearest(name, known));
    }
    if !names.is_empty() {
        hint += &format!(" (adapters here: {})", names.join(", "));
    }
    if *choice == Selector::Software {
        hint = "install one, for instance Mesa's lavapipe (Debian and Ubuntu: mesa-vulkan-drivers), or use `--device cpu`, \
                which needs no driver"
            .into();
    } else if matches!(choice, Selector::Gpu | Selector::GpuNumber(_)) {
        hint =
            "use `--device cpu`, or check with `cellwright devices` and the driver's own tools that Vulkan, Metal or \
                DirectX 12 works here"
                .into();
    }
    Error::NoAdapter { wanted, hint }
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    const DOZEN: &str = "Microsoft Direct3D12 (NVIDIA GeForce RTX 3080)";

    fn listed(adapters: &[(&str, Kind)]) -> Vec<AdapterInfo> {
        let info = |(at, &(name, kind)): (usize, &(&str, Kind))| AdapterInfo {
            number: at + 1,
            name: name.into(),
            kind,
            conformant: name != DOZEN,
            problem: name.contains("broken").then(|| "wrong results".into()),
            ..AdapterInfo::cpu()
        };
        std::iter::once(AdapterInfo::cpu()).chain(adapters.iter().enumerate().map(info)).collect()
    }

    fn number(choice: &str, adapters: &[(&str, Kind)]) -> Result<usize, String> {
        chosen(&choice.parse().unwrap(), &listed(adapters), &Options::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn auto_means_the_best_sound_hardware_gpu_else_the_cpu() {
        let software = ("llvmpipe", Kind::Software);
        assert_eq!(number("auto", &[]), Ok(0));
        assert_eq!(number("auto", &[software, ("broken", Kind::Discrete)]), Ok(0));
        let all =
            [software, ("v", Kind::Virtual), ("i", Kind::Integrated), ("d", Kind::Discrete), ("e", Kind::Discrete)];
        for (from, expected) in [(0, 4), (1, 3), (2, 2), (3, 1), (4, 1)] {
            assert_eq!(number("auto", &all[from..]), Ok(expected));
            assert_eq!(number("gpu", &all[from..]), Ok(expected));
        }
        assert_eq!(number("auto", &all[..3]), Ok(3));
        assert_eq!(number("auto", &[("broken", Kind::Discrete), ("v", Kind::Virtual)]), Ok(2));
    }

    #[test]
    fn a_driver_that_is_not_conformant_is_taken_when_asked_for_and_nothing_better_is_there() {
        let wsl = [(DOZEN, Kind::Discrete), ("llvmpipe", Kind::Software)];
        assert_eq!(number("auto", &wsl), Ok(0));
        assert_eq!(number("gpu", &wsl), Ok(1));
        assert_eq!(number("direct3d12", &wsl), Ok(1));
        assert_eq!(number("gpu", &[wsl[0], ("i", Kind::Integrated)]), Ok(2));
        assert_eq!(number("auto", &[wsl[0], ("i", Kind::Integrated)]), Ok(2));
    }

    #[test]
    fn a_broken_driver_that_is_asked_for_is_refused_with_the_reason() {
        for choice in ["gpu", "1", "broken", "Broken Card"] {
            let error = number(choice, &[("broken card", Kind::Discrete)]).unwrap_err();
            assert!(error.contains("broken card") && error.contains("wrong results"), "{error}");
        }
        assert!(number("software", &[("gpu", Kind::Discrete)]).unwrap_err().contains("software graphics driver"));
    }

    #[test]
    fn a_part_of_a_name_means_the_best_adapter_that_has_it_and_a_whole_name_that_one() {
        let cards = [
            ("AMD Radeon 780M", Kind::Integrated),
            ("AMD Radeon RX 7800 broken", Kind::Discrete),
            ("AMD Radeon RX 7800", Kind::Discrete),
            ("AMD Radeon", Kind::Virtual),
        ];
        for (name, expected) in [("radeon", 3), ("780m", 1), ("amd radeon", 4), ("RX 7800", 3), (" 780M ", 1), ("4", 4)]
        {
            assert_eq!(number(name, &cards), Ok(expected), "{name}");
        }
        assert!(number("geforce", &cards).unwrap_err().contains("adapters here: AMD Radeon 780M"));
        assert!(number("9", &cards).unwrap_err().contains("adapter number 9"));
        assert!(number("", &cards).is_err());
    }

    #[test]
    fn hardware_gpus_have_numbers_of_their_own() {
        let cards = [("s", Kind::Software), ("d", Kind::Discrete), ("v", Kind::Software), ("i", Kind::Integrated)];
        assert_eq!((number("gpu:0", &cards), number(" gpu:1", &cards)), (Ok(2), Ok(4)));
        assert!(number("gpu:2", &cards).unwrap_err().contains("hardware GPU number 2"));
        assert!(number("gpu:x", &cards).unwrap_err().contains("called `gpu:x`"));
    }

    #[test]
    fn a_name_from_the_options_is_what_auto_means() {
        let list = listed(&[("card", Kind::Discrete), ("llvmpipe", Kind::Software)]);
        let named = |name: &str| Options { adapter_name: Some(name.into()), ..Options::default() };
        assert_eq!(chosen(&Selector::Auto, &list, &named("LLVM")).unwrap(), 2);
        assert_eq!(chosen(&Selector::Gpu, &list, &named("LLVM")).unwrap(), 1);
        let error = chosen(&Selector::Auto, &list, &named("geforce")).unwrap_err().to_string();
        assert!(error.contains("called `geforce`"), "{error}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_nearest() {
        let list = listed(&[("Fancy 9000", Kind::Discrete)]);
        let text = missing(&Selector::Name("sofware".into()), &list).to_string();
        assert!(text.contains("called `sofware`") && text.contains("did you mean `software`"), "{text}");
        let text = missing(&Selector::Name("fency".into()), &list).to_string();
        assert!(text.contains("did you mean `Fancy 9000`"), "{text}");
    }
}
