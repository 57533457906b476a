//! Rows of images that a window reads: shifted, strided, zero outside the image.
//!
//! Used by the dense convolution (its columns) and by the windows of depthwise convolutions.

use std::ops::Range;

/// Which of `count` positions `first + j · stride` lie in `0..size`.
#[inline]
pub(in crate::kernels) fn inside(first: i64, stride: usize, size: usize, count: usize) -> Range<usize> {
    let (stride, size) = (stride as i64, size as i64);
    let begin = if first < 0 { (-first + stride - 1) / stride } else { 0 };
    let end = if first < size { (size - 1 - first) / stride + 1 } else { 0 };
    let begin = begin.min(count as i64);
    begin as usize..end.clamp(begin, count as i64) as usize
}

/// Copies a row. Calling the library's copy takes longer than copying the rows of small maps.
#[inline(always)]
pub(in crate::kernels) fn copy(to: &mut [f32], from: &[f32]) {
    #[inline(always)]
    fn exactly<const N: usize>(to: &mut [f32], from: &[f32]) {
        if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
            *to = *from;
        }
    }
    match to.len() {
        4 => exactly::<4>(to, from),
        8 => exactly::<8>(to, from),
        16 => exactly::<16>(to, from),
        32 => exactly::<32>(to, from),
        length => to.copy_from_slice(&from[..length]),
    }
}

/// to[j] = from[j · stride].
#[inline(always)]
pub(in crate::kernels) fn pick(to: &mut [f32], from: &[f32], stride: usize) {
    match stride {
        1 => copy(to, from),
        2 => {
            // The last one may be the row's last value.
            let pairs = from.as_chunks::<2>().0;
            let paired = pairs.len().min(to.len());
            to.iter_mut().zip(pairs).for_each(|(to, pair)| *to = pair[0]);
            if let (Some(to), Some(&value)) = (to.get_mut(paired), from.get(2 * paired)) {
                *to = value;
            }
        }
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &value)| *to = value),
    }
}

/// to[j] = row[first + j · stride], zero outside the row.
#[inline]
pub(in crate::kernels) fn fill(to: &mut [f32], row: &[f32], first: i64, stride: usize) {
    let valid = inside(first, stride, row.len(), to.len());
    to[..valid.start].fill(0.0);
    to[valid.end..].fill(0.0);
    if valid.is_empty() {
        return;
    }
    let row = &row[(first + (valid.start * stride) as i64) as usize..];
    pick(&mut to[valid], row, stride);
}

/// row[first + j · stride] += values[j] where that lies in the row.
#[inline]
pub(in crate::kernels) fn scatter(values: &[f32], row: &mut [f32], first: i64, stride: usize) {
    let valid = inside(first, stride, row.len(), values.len());
    if valid.is_empty() {
        return;
    }
    let row = &mut row[(first + (valid.start * stride) as i64) as usize..];
    let values = &values[valid];
    if stride == 1 {
        row.iter_mut().zip(values).for_each(|(to, &value)| *to += value);
    } else {
        row.iter_mut().step_by(stride).zip(values).for_each(|(to, &value)| *to += value);
    }
}
