//! What a device can do.

use super::Error;

/// Largest buffer of the CPU device: offsets are 32-bit element counts.
pub(super) const CPU_BUFFER_BYTES: u64 = 4 * (u32::MAX as u64);

/// What a device can do. Lower values can be asked for, to test what happens at the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest buffer in bytes.
    pub buffer_bytes: u64,
    /// Largest storage binding in bytes.
    pub binding_bytes: u64,
    /// Storage buffers of one dispatch.
    pub storage_bindings: u32,
    /// Workgroups in each dimension of a dispatch.
    pub workgroups: u32,
    /// Bytes that may be allocated altogether, if there is a limit.
    pub memory_bytes: Option<u64>,
    /// Dispatches in one submission: long ones would trip the watchdogs of desktop systems.
    pub dispatches: usize,
}

impl Limits {
    pub(super) const CPU: Self = Self {
        buffer_bytes: CPU_BUFFER_BYTES,
        binding_bytes: CPU_BUFFER_BYTES,
        storage_bindings: 8,
        workgroups: 65_535,
        memory_bytes: None,
        dispatches: 512,
    };

    /// Folds a line of workgroups into a box that fits, at least as large.
    pub(super) fn fold(&self, groups: u64) -> Result<[u32; 3], Error> {
        let most = u64::from(self.workgroups);
        if groups > most.saturating_mul(most).saturating_mul(most) {
            return Err(Error::Limit { what: "workgroups of one dispatch", asked: groups, limit: most.pow(3) });
        }
        let x = groups.min(most);
        let y = groups.div_ceil(x).min(most);
        let z = groups.div_ceil(x * y);
        Ok([x as u32, y as u32, z as u32])
    }
}
