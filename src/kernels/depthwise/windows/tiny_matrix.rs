//! Inner loops of tiny maps: dense matrices, whose rows are vectors, with the planes of many images. `together`: four
//! planes of four pixels lie in a vector, and a matrix of four rows holds the four planes' own.

use super::convolve::{Entry, Exit, normal, relu};
use super::register_block::within;
use crate::kernels::cpu::vector::{LANES, fma, vectorised};

/// Images whose sums are held at a time.
pub(in crate::kernels) const HELD: usize = 4;
/// Rows of sums over images that are held at a time.
const ROWS: usize = 8;
/// Pixels of the planes that lie together.
const QUARTER: usize = LANES / 4;

vectorised! {
    /// f of `planes` planes of `pixels` pixels of each image into `to`, without gaps.
    fn enter(entry: Entry<'_>, from: &[f32], distance: usize, pixels: usize, planes: usize, to: &mut [f32]) = enter_body
}

#[inline(always)]
fn enter_body<const FUSED: bool>(
    entry: Entry<'_>,
    from: &[f32],
    distance: usize,
    pixels: usize,
    planes: usize,
    to: &mut [f32],
) {
    for (n, to) in to.chunks_exact_mut(planes * pixels).enumerate() {
        let from = &from[n * distance..][..planes * pixels];
        match entry {
            Entry::Plain => to.copy_from_slice(from),
            Entry::Rectified => to.iter_mut().zip(from).for_each(|(to, &value)| *to = relu(value)),
            Entry::Normalised(norms) => {
                let planes = to.chunks_exact_mut(pixels).zip(from.chunks_exact(pixels)).zip(norms);
                for ((to, from), &norm) in planes {
                    to.iter_mut().zip(from).for_each(|(to, &value)| *to = relu(normal(norm, value)));
                }
            }
        }
    }
}

/// Planes of images times matrices.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Product<'a> {
    /// Pixels of a plane that is read.
    pub rows: usize,
    pub images: usize,
    /// From the first image on.
    pub from: &'a [f32],
    /// From one image to the next.
    pub from_distance: usize,
    /// What is added up: where an image's planes begin, and their matrix, `rows` rows for each vector written.
    pub terms: &'a [(usize, &'a [[f32; LANES]])],
    /// Pixels that are written, of all planes together.
    pub written: usize,
    /// From one image to the next.
    pub to_distance: usize,
    /// Whether results are added to what is there.
    pub add: bool,
    pub exit: Exit<'a>,
    /// Whether the planes lie together.
    pub together: bool,
}

vectorised! {
    /// `to (+)= Σ` of the terms, 0 where the ReLU's argument, of images of x so far apart, is not positive.
    fn multiply(product: &Product<'_>, entry: Entry<'_>, x: &[f32], x_distance: usize, to: &mut [f32]) = multiply_body
}

#[inline(always)]
fn multiply_body<const FUSED: bool>(p: &Product<'_>, entry: Entry<'_>, x: &[f32], x_distance: usize, to: &mut [f32]) {
    // Normalisation, lane by lane.
    let mut norms = [[0.0; LANES]; 3];
    if let Entry::Normalised(planes) = entry {
        let pixels = p.written / planes.len();
        for lane in 0..LANES {
            let norm = planes[(lane / pixels).min(planes.len() - 1)];
            (norms[0][lane], norms[1][lane], norms[2][lane]) = (norm[0], norm[1], norm[2]);
        }
    }
    let planes_written = p.exit.bias.len().max(1);
    for vector in 0..p.written.div_ceil(LANES) {
        let first = vector * LANES;
        let lanes = (p.written - first).min(LANES);
        let start: [f32; LANES] = match *p.exit.bias {
            [] => [0.0; LANES],
            [bias] => [bias; LANES],
            _ => std::array::from_fn(|lane| p.exit.bias((first + lane) / (p.written / planes_written))),
        };
        for n in (0..p.images).step_by(HELD) {
            // Images beyond the last repeat it; their sums are not stored.
            let images: [usize; HELD] = std::array::from_fn(|i| (n + i).min(p.images - 1));
            let mut sums = [start; HELD];
            for &(at, matrix) in p.terms {
                let matrix = &matrix[vector * p.rows..][..p.rows];
                let from = images.map(|n| &p.from[n * p.from_distance + at..]);
                sums = if p.together {
                    quarters::<FUSED>(sums, from, p.written, matrix)
                } else {
                    planes::<FUSED>(sums, from, matrix)
                };
            }
            for (n, mut sums) in (n..p.images).zip(sums) {
                let argument = |x: &[f32]| read(&x[n * x_distance + first..], lanes);
                match entry {
                    Entry::Plain => {}
                    Entry::Rectified => pass(&mut sums, argument(x)),
                    Entry::Normalised(_) => {
                        let x = argument(x);
                        let norm = |lane: usize| normal([norms[0][lane], norms[1][lane], norms[2][lane]], x[lane]);
                        pass(&mut sums, std::array::from_fn(norm));
                    }
                }
                let to = &mut to[n * p.to_distance + first..][..lanes];
                if p.add {
                    sums.iter_mut().zip(&*to).for_each(|(sum, &to)| *sum += to);
                }
                let sums = within(sums, p.exit.bounds);
                match to.first_chunk_mut::<LANES>() {
                    Some(to) => *to = sums,
                    None => to.iter_mut().zip(sums).for_each(|(to, sum)| *to = sum),
                }
            }
        }
    }
}

/// The first `count` values, then 0.
#[inline(always)]
fn read(from: &[f32], count: usize) -> [f32; LANES] {
    let mut values = [0.0; LANES];
    match from.first_chunk::<LANES>() {
        // What lies behind meets zeros of matrices or isn't written; but a NaN there would not be 0.
        Some(from) if count == LANES => values = *from,
        _ => values.iter_mut().zip(&from[..count]).for_each(|(value, &from)| *value = from),
    }
    values
}

#[inline(always)]
fn pass(sums: &mut [f32; LANES], argument: [f32; LANES]) {
    for lane in 0..LANES {
        sums[lane] = if argument[lane] > 0.0 { sums[lane] } else { 0.0 };
    }
}

#[inline(always)]
fn scaled<const FUSED: bool>(sum: &mut [f32; LANES], value: f32, row: &[f32; LANES]) {
    for lane in 0..LANES {
        sum[lane] = fma::<FUSED>(value, row[lane], sum[lane]);
    }
}

/// Pixel `row` of each of four planes, in the lanes of its plane.
#[inline(always)]
fn spread(planes: &[f32; LANES], row: usize) -> [f32; LANES] {
    std::array::from_fn(|lane| planes[lane / QUARTER * QUARTER + row])
}

#[inline(always)]
fn multiplied<const FUSED: bool>(sum: &mut [f32; LANES], a: &[f32; LANES], b: &[f32; LANES]) {
    for lane in 0..LANES {
        sum[lane] = fma::<FUSED>(a[lane], b[lane], sum[lane]);
    }
}

/// One plane of each image.
#[inline(always)]
fn planes<const FUSED: bool>(
    [mut a, mut b, mut c, mut d]: [[f32; LANES]; HELD],
    from: [&[f32]; HELD],
    matrix: &[[f32; LANES]],
) -> [[f32; LANES]; HELD] {
    let [w, x, y, z] = from.map(|from| &from[..matrix.len()]);
    for (i, row) in matrix.iter().enumerate() {
        scaled::<FUSED>(&mut a, w[i], row);
        scaled::<FUSED>(&mut b, x[i], row);
        scaled::<FUSED>(&mut c, y[i], row);
        scaled::<FUSED>(&mut d, z[i], row);
    }
    [a, b, c, d]
}

/// Planes that lie together, of each image.
#[inline(always)]
fn quarters<const FUSED: bool>(
    [mut a, mut b, mut c, mut d]: [[f32; LANES]; HELD],
    from: [&[f32]; HELD],
    count: usize,
    matrix: &[[f32; LANES]],
) -> [[f32; LANES]; HELD] {
    let Some(matrix) = matrix.first_chunk::<QUARTER>() else { return [a, b, c, d] };
    let [w, x, y, z] = from.map(|from| read(from, count));
    for (i, row) in matrix.iter().enumerate() {
        multiplied::<FUSED>(&mut a, &spread(&w, i), row);
        multiplied::<FUSED>(&mut b, &spread(&x, i), row);
        multiplied::<FUSED>(&mut c, &spread(&y, i), row);
        multiplied::<FUSED>(&mut d, &spread(&z, i), row);
    }
    [a, b, c, d]
}

/// Images whose outer products are summed, as [`Product`] has them.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernels) struct Outer<'a> {
    pub images: usize,
    pub from: &'a [f32],
    pub from_distance: usize,
    pub gradients: &'a [f32],
    pub gradients_distance: usize,
    /// Pixels of the gradients' planes together, at most one vector.
    pub written: usize,
    pub together: bool,
}

vectorised! {
    /// The gradient of a matrix.
    fn outer(outer: &Outer<'_>, matrix: &mut [[f32; LANES]]) = outer_body
}

#[inline(always)]
fn outer_body<const FUSED: bool>(p: &Outer<'_>, matrix: &mut [[f32; LANES]]) {
    let rows = matrix.len();
    let gradient = |n: usize| read(&p.gradients[n * p.gradients_distance..], p.written);
    if let (true, Some(matrix)) = (p.together, matrix.first_chunk_mut::<QUARTER>()) {
        let [mut a, mut b, mut c, mut d] = [[0.0; LANES]; QUARTER];
        for n in 0..p.images {
            let (x, dy) = (read(&p.from[n * p.from_distance..], p.written), gradient(n));
            multiplied::<FUSED>(&mut a, &spread(&x, 0), &dy);
            multiplied::<FUSED>(&mut b, &spread(&x, 1), &dy);
            multiplied::<FUSED>(&mut c, &spread(&x, 2), &dy);
            multiplied::<FUSED>(&mut d, &spread(&x, 3), &dy);
        }
        *matrix = [a, b, c, d];
        return;
    }
    for (part, matrix) in matrix.chunks_mut(ROWS).enumerate() {
        // Rows beyond the last repeat it; their sums are not stored.
        let at: [usize; ROWS] = std::array::from_fn(|i| (part * ROWS + i).min(rows - 1));
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = [[0.0; LANES]; ROWS];
        for n in 0..p.images {
            let (x, dy) = (&p.from[n * p.from_distance..][..rows], gradient(n));
            scaled::<FUSED>(&mut a, x[at[0]], &dy);
            scaled::<FUSED>(&mut b, x[at[1]], &dy);
            scaled::<FUSED>(&mut c, x[at[2]], &dy);
            scaled::<FUSED>(&mut d, x[at[3]], &dy);
            scaled::<FUSED>(&mut e, x[at[4]], &dy);
            scaled::<FUSED>(&mut f, x[at[5]], &dy);
            scaled::<FUSED>(&mut g, x[at[6]], &dy);
            scaled::<FUSED>(&mut h, x[at[7]], &dy);
        }
        matrix.iter_mut().zip([a, b, c, d, e, f, g, h]).for_each(|(to, sums)| *to = sums);
    }
}
