//! The benchmark's own numbers of its cells.
//!
//! The benchmark listed all cells in the order of their operations (the last edge changes fastest), shuffled
//! the list with Python's generator seeded by 88, and numbered the cells by their places. So the numbers need
//! no table: they are that permutation.

use super::mersenne::MersenneTwister;
use super::{CELLS, EDGES, Operation};
use std::sync::OnceLock;

const SEED: u32 = 88;

struct Numbering {
    /// For each index, the cell's place before the shuffle.
    place_of: Vec<u16>,
    /// For each place before the shuffle, the cell's index.
    index_at: Vec<u16>,
}

fn numbering() -> &'static Numbering {
    static NUMBERING: OnceLock<Numbering> = OnceLock::new();
    NUMBERING.get_or_init(|| {
        let mut place_of: Vec<u16> = (0..CELLS as u16).collect();
        MersenneTwister::new(&[SEED]).shuffle(&mut place_of);
        let mut index_at = vec![0; CELLS];
        for (index, &place) in (0u16..).zip(&place_of) {
            index_at[usize::from(place)] = index;
        }
        Numbering { place_of, index_at }
    })
}

/// The index of a cell, from 0.
pub(super) fn index_of(cell: &[Operation; EDGES]) -> usize {
    let place = cell.iter().fold(0, |place, &operation| place * Operation::ALL.len() + operation as usize);
    usize::from(numbering().index_at[place])
}

/// The operations of the cell of an index, as indices into [`Operation::ALL`]; none beyond the last.
pub(super) fn answers_of(index: usize) -> Option<[usize; EDGES]> {
    let mut place = usize::from(*numbering().place_of.get(index)?);
    let mut answers = [0; EDGES];
    for answer in answers.iter_mut().rev() {
        *answer = place % Operation::ALL.len();
        place /= Operation::ALL.len();
    }
    Some(answers)
}
