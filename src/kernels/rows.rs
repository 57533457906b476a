//! Rows of images that a window reads: shifted, strided, zero outside the image.

use std::ops::Range;

/// Which of `count` positions `first + j · stride` lie in `0..size`.
#[inline]
pub(super) fn inside(first: i64, stride: usize, size: usize, count: usize) -> Range<usize> {
    let (stride, size) = (stride as i64, size as i64);
    let begin = if first < 0 { (-first + stride - 1) / stride } else { 0 };
    let end = if first < size { (size - 1 - first) / stride + 1 } else { 0 };
    let begin = begin.min(count as i64);
    begin as usize..end.clamp(begin, count as i64) as usize
}

/// to[j] = row[first + j · stride], zero outside the row.
#[inline]
pub(super) fn fill(to: &mut [f32], row: &[f32], first: i64, stride: usize) {
    let valid = inside(first, stride, row.len(), to.len());
    to[..valid.start].fill(0.0);
    to[valid.end..].fill(0.0);
    if valid.is_empty() {
        return;
    }
    let row = &row[(first + (valid.start * stride) as i64) as usize..];
    let to = &mut to[valid];
    if stride == 1 {
        to.copy_from_slice(&row[..to.len()]);
    } else {
        to.iter_mut().zip(row.iter().step_by(stride)).for_each(|(to, &value)| *to = value);
    }
}

/// row[first + j · stride] += values[j] where that lies in the row.
#[inline]
pub(super) fn scatter(values: &[f32], row: &mut [f32], first: i64, stride: usize) {
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
