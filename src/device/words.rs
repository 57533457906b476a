//! Memory of the CPU device.

use bytemuck::{Pod, Zeroable};
use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// From this size on memory is mapped by itself, so that the system can back it with huge pages.
const MAPPED: usize = 2 << 20;

/// A line of the processors' caches.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line([u32; 16]);

/// Zeroed words that begin at a cache line, in huge pages where they are large and the system has such pages.
///
/// Vectors that straddle lines cost twice, and a network's planes lie in more ordinary pages than the
/// processor keeps track of: without the one and the other a search step takes about a twentieth longer.
#[derive(Debug)]
pub(super) enum Words {
    Mapped(MmapMut),
    Lines(Vec<Line>),
}

impl Words {
    /// `bytes` bytes, rounded up to whole lines; none if there is no memory for them.
    pub fn new(bytes: usize) -> Option<Self> {
        if bytes >= MAPPED {
            let map = MmapMut::map_anon(bytes.next_multiple_of(size_of::<Line>())).ok()?;
            // Advice only: without huge pages the memory is the same.
            #[cfg(target_os = "linux")]
            let _ = map.advise(memmap2::Advice::HugePage);
            return Some(Self::Mapped(map));
        }
        let count = bytes.div_ceil(size_of::<Line>());
        let mut lines = Vec::new();
        lines.try_reserve_exact(count).ok()?;
        lines.resize(count, Line::zeroed());
        Some(Self::Lines(lines))
    }
}

impl Deref for Words {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match self {
            Self::Mapped(map) => bytemuck::cast_slice(map),
            Self::Lines(lines) => bytemuck::cast_slice(lines),
        }
    }
}

impl DerefMut for Words {
    fn deref_mut(&mut self) -> &mut [u32] {
        match self {
            Self::Mapped(map) => bytemuck::cast_slice_mut(map),
            Self::Lines(lines) => bytemuck::cast_slice_mut(lines),
        }
    }
}
