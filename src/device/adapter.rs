//! What is known of a device before it is opened.

use super::limits::CPU_BUFFER_BYTES;
use serde::{Serialize, Serializer};
use std::fmt;

/// What kind of processor an adapter is, the ones that [`Selector::Gpu`](super::Selector::Gpu) prefers first.
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
}
