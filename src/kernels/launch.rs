//! Launch geometry: how the kernels of several families are cut into workgroups, on hardware and on a software
//! driver. What one family alone does stands with it.

use crate::device::{Class, Launch};

/// Workgroups for `count` elements: one an invocation on hardware; where starting a workgroup is dear,
/// few invocations (as many as a vector register holds) that take many elements each, WORKGROUP apart.
pub(super) fn by_element(count: u64, class: Class) -> Launch {
    let (workgroup, elements) = match class {
        Class::Hardware => (64, 1),
        Class::Software => (8, 128),
    };
    let launch = Launch::linear(count, workgroup).with("ELEMENTS", elements);
    Launch { groups: count.div_ceil(u64::from(workgroup * elements)), ..launch }
}

/// One thread an element, workgroups that never straddle two planes (so what belongs to a channel is
/// loaded once a workgroup).
///
/// The shader includes `include/planes.wgsl`, which declares what the constants mean.
pub(super) fn by_plane(planes: u32, pixels: u32, class: Class) -> Launch {
    // On a software driver a workgroup is a task with a cost of its own: make it long.
    let (size, elements) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (16, 64),
    };
    let chunks = u64::from(pixels).div_ceil(u64::from(size * elements));
    Launch { groups: u64::from(planes) * chunks, ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("ELEMENTS", elements)
}

/// Workgroups that each take a run of one channel's `count` elements, image after image, however small the planes.
///
/// The shader includes `include/walk.wgsl`.
pub(super) fn by_channel(channels: u32, count: u64, class: Class) -> Launch {
    let (size, elements) = match class {
        Class::Hardware => (64, 4),
        Class::Software => (8, 128),
    };
    Launch { groups: u64::from(channels) * count.div_ceil(u64::from(size * elements)), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("ELEMENTS", elements)
}

/// One workgroup for each of `count` long sums; the shader includes `include/tree.wgsl`.
pub(super) fn by_sum(count: u32, class: Class) -> Launch {
    // A software driver pays for every barrier, once for each vector of invocations.
    let size = match class {
        Class::Hardware => 256,
        Class::Software => 16,
    };
    Launch { groups: count.into(), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("LANES", size)
        .constant("BLOCK", 16)
}

/// A few lanes for each of `rows` short sums; the shader includes `include/tree.wgsl`.
pub(super) fn by_row(rows: u32, class: Class) -> Launch {
    let (size, lanes) = match class {
        Class::Hardware => (64, 16),
        Class::Software => (8, 1),
    };
    Launch { groups: u64::from(rows).div_ceil(u64::from(size / lanes)), ..Launch::default() }
        .constant("WORKGROUP", size)
        .constant("LANES", lanes)
}

/// `groups` workgroups that combine their invocations' values through workgroup memory: as few
/// invocations as fill a vector register where that memory and its barriers are simulated.
pub(super) fn by_workgroup(groups: u64, class: Class) -> Launch {
    let lanes = match class {
        Class::Hardware => 256,
        Class::Software => 8,
    };
    Launch { groups, ..Launch::default() }.constant("LANES", lanes)
}
