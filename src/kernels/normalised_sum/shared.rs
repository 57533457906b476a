//! Gradients of candidates that several mixtures read as they are.

use super::NONE;
use super::blend::{Source, blend};
use super::params::BackwardShared;
use crate::device::{Call, Case, Class, Kernel, Launch, Output};
use crate::kernels::cpu::parallel;
use crate::kernels::cpu::store::put;
use rayon::prelude::*;

/// target (+)= Σ_e weights\[table\[row\]\[e\]\] · dy_e, for dx (with `skip`) and each of the targets in dz.
pub static BACKWARD_SHARED: Kernel = Kernel {
    name: "normalised_sum_backward_shared",
    source: wgsl!("normalised_sum_backward_shared"),
    params: BackwardShared::LAYOUT,
    inputs: &["table: u32", "weights", "dy0", "dy1", "dy2", "dy3"],
    outputs: &["dx", "dz"],
    launch: |params, class| {
        let p: BackwardShared = bytemuck::pod_read_unaligned(params);
        let (size, blocks) = match class {
            Class::Hardware => (64, 1),
            Class::Software => (8, 2),
        };
        let groups = u64::from(p.count).div_ceil(u64::from(size * blocks * 4));
        Launch { groups, ..Launch::default() }.constant("WORKGROUP", size).constant("BLOCKS", blocks)
    },
    flops: |params| {
        let p: BackwardShared = bytemuck::pod_read_unaligned(params);
        2 * u64::from(p.count) * u64::from(p.edges) * u64::from(p.skip + p.targets)
    },
    twin: backward,
    reference,
    cases: || {
        let kinds = [[1, 1, 0, 0, 0], [4, 1, 2, 1, 0], [3, 0, 3, 0, 1], [2, 1, 1, 0, 0], [4, 1, 4, 1, 1]];
        [1, 63, 260, 5001].into_iter().flat_map(|count| kinds.map(|kind| case(count, kind))).collect()
    },
    benches: || vec![case(16 * 16 * 1024, [4, 1, 2, 0, 0]), case(64 * 4 * 64, [4, 1, 2, 0, 0])],
};

/// Elements that are done at a time: those of four gradients stay in the first-level cache.
const PIECE: usize = 1024;

/// Pieces that a thread takes at a time.
const BATCH: usize = 4;

fn backward(call: &mut Call<'_>) {
    let p: BackwardShared = call.params();
    let (count, targets) = (p.count as usize, p.targets as usize);
    let (table, weights) = (call.input_words(0), call.input(1));
    let offsets = [p.dy0, p.dy1, p.dy2, p.dy3];
    let edges = p.edges as usize;
    let dy: Vec<&[f32]> = (0..edges).map(|e| &call.input(2 + e)[offsets[e] as usize..][..count]).collect();
    // Of each target: its weights.
    let weight = |index: u32| if index == NONE { 0.0 } else { weights[index as usize] };
    let rows: Vec<Vec<f32>> = table[p.table as usize..].as_chunks::<4>().0[..p.skip as usize + targets]
        .iter()
        .map(|row| row[..edges].iter().map(|&index| weight(index)).collect())
        .collect();
    let [dx, dz] = call.outputs().map(Output::floats);
    let dx = if p.skip != 0 { &mut dx[p.dx as usize..][..count] } else { &mut [] };
    let dz = &mut dz[p.dz as usize..][..targets * count];
    // Piece by piece, the parts of all targets.
    let mut pieces: Vec<Vec<(&mut [f32], usize)>> =
        (0..count.div_ceil(PIECE)).map(|_| Vec::with_capacity(rows.len())).collect();
    for (at, dx) in dx.chunks_mut(PIECE).enumerate() {
        pieces[at].push((dx, 0));
    }
    for (t, dz) in dz.chunks_mut(count.max(1)).enumerate() {
        for (at, dz) in dz.chunks_mut(PIECE).enumerate() {
            pieces[at].push((dz, p.skip as usize + t));
        }
    }
    let run = |(at, parts): (usize, Vec<(&mut [f32], usize)>)| {
        let mut sources = Vec::with_capacity(edges);
        for (part, row) in parts {
            sources.clear();
            sources.extend(dy.iter().zip(&rows[row]).map(|(dy, &factor)| Source {
                values: &dy[at * PIECE..][..part.len()],
                mean: 0.0,
                factor,
            }));
            let accumulate = if row < p.skip as usize { p.accumulate_x } else { p.accumulate_z };
            blend(part, &sources, accumulate != 0);
        }
    };
    let least = parallel::least(count * edges * rows.len()).max(BATCH);
    pieces.into_par_iter().enumerate().with_min_len(least).for_each(run);
}

fn reference(call: &mut Call<'_>) {
    let p: BackwardShared = call.params();
    let (table, weights) = (call.input_words(0), call.input(1));
    let offsets = [p.dy0, p.dy1, p.dy2, p.dy3];
    let sum = |row: u32, i: usize| {
        (0..p.edges as usize)
            .map(|e| match table[p.table as usize + 4 * row as usize + e] {
                NONE => 0.0,
                index => f64::from(weights[index as usize]) * f64::from(call.input(2 + e)[offsets[e] as usize + i]),
            })
            .sum::<f64>()
    };
    let dx: Vec<f64> = (0..if p.skip != 0 { p.count as usize } else { 0 }).map(|i| sum(0, i)).collect();
    let dz: Vec<f64> = (0..p.targets)
        .flat_map(|t| (0..p.count as usize).map(move |i| (t, i)))
        .map(|(t, i)| sum(p.skip + t, i))
        .collect();
    let to = call.output(0);
    dx.into_iter().enumerate().for_each(|(i, value)| put(&mut to[p.dx as usize + i], value, p.accumulate_x));
    let to = call.output(1);
    dz.into_iter().enumerate().for_each(|(i, value)| put(&mut to[p.dz as usize + i], value, p.accumulate_z));
}

fn case(count: usize, [edges, skip, targets, accumulate_x, accumulate_z]: [u32; 5]) -> Case {
    let params = BackwardShared {
        table: 3,
        dy0: 1,
        dy1: 0,
        dy2: 3,
        dy3: 2,
        dx: 1,
        dz: 2,
        count: count as u32,
        edges,
        skip,
        targets,
        accumulate_x,
        accumulate_z,
    };
    // Some mixtures do not read some target; behind the last mixture lies what must not be used.
    let mut table = vec![7, 7, 7];
    for row in 0..skip + targets {
        table.extend((0..4).map(|e| if e >= edges || (row + e) % 4 == 3 { NONE } else { 2 + row * 4 + e }));
    }
    let label = format!(
        "{count} elements, {edges} mixtures, skip {skip}, {targets} targets, accumulate {accumulate_x} {accumulate_z}"
    );
    let case = Case::new(label, &params).words(&table).noise(2 + 4 * (skip + targets) as usize, 1);
    let read = |e: u32| if e < edges { count + [1, 0, 3, 2][e as usize] } else { 1 };
    let case = (0..4).fold(case, |case, e| case.noise(read(e), 2 + u64::from(e)));
    case.result(if skip != 0 { count + 2 } else { 1 }).result(2 + targets as usize * count + 1).within(1e-6)
}
