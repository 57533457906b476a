//! Where results go: overwriting what is there, or added to it.
//!
//! Used by the twins and references of most kernels that take `accumulate`.

use super::window_rows;

/// `to (+)= value`, rounded once.
pub(in crate::kernels) fn put(to: &mut f32, value: f64, accumulate: u32) {
    *to = if accumulate != 0 { (f64::from(*to) + value) as f32 } else { value as f32 };
}

/// `to[i] (+)= from[i] + bias`.
#[inline]
pub(in crate::kernels) fn store(to: &mut [f32], from: &[f32], bias: f32, accumulate: bool) {
    if accumulate {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to += from + bias);
    } else if bias == 0.0 {
        window_rows::copy(to, from);
    } else {
        to.iter_mut().zip(from).for_each(|(to, &from)| *to = from + bias);
    }
}
