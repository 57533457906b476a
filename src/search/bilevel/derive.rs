//! From weights of options to an architecture, and to the options that a later stage keeps.

use super::SearchError;
use crate::graph::EdgeWeights;
use crate::space::{Architecture, Space, TableWeights};
use std::cmp::Ordering;

/// What a search of fewer options drops: of each row all but the `keep` heaviest that still have weight (the first of equal
/// ones). Rows of edge weights keep all.
pub(super) fn weakest(weights: &[TableWeights], keep: usize, edges: &[EdgeWeights]) -> Vec<(String, usize, usize)> {
    let mut dropped = Vec::new();
    for table in weights.iter().filter(|t| edges.iter().all(|e| e.table != t.name)) {
        for row in 0..table.rows {
            let values = table.row(row);
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|&a, &b| values[b].partial_cmp(&values[a]).unwrap_or(Ordering::Equal));
            dropped.extend(order.into_iter().skip(keep).map(|k| (table.name.clone(), row, k)));
        }
    }
    dropped
}

/// Takes their weight from options that weigh less than `threshold`, but for tables in which all do. Edges keep theirs.
pub(super) fn drop_light(weights: &mut [TableWeights], threshold: f32, edges: &[EdgeWeights]) {
    let of_options = |table: &&mut TableWeights| edges.iter().all(|e| e.table != table.name);
    let some_stay = |table: &&mut TableWeights| table.values.iter().any(|&weight| weight >= threshold);
    for table in weights.iter_mut().filter(of_options).filter(some_stay) {
        table.values.iter_mut().filter(|weight| **weight < threshold).for_each(|weight| *weight = 0.0);
    }
}

/// The architecture that weights stand for, with at most `most` skip connections among the operations that the space
/// repeats most (its normal cell's); 0 sets no limit. The weakest skip loses its weight and the rest is derived again
/// (P-DARTS, section 3.3). `is_skip` knows the options of each row of the first table.
pub(super) fn with_few_skips(
    space: &dyn Space,
    is_skip: &dyn Fn(usize, usize) -> bool,
    mut weights: Vec<TableWeights>,
    most: usize,
) -> Result<Architecture, SearchError> {
    loop {
        let architecture = space.derive(&weights)?;
        let skips = space.operations(&architecture).iter().filter(|o| o.starts_with("skip")).count();
        if most == 0 || skips <= most {
            return Ok(architecture);
        }
        let settled = space.settle(&architecture)?;
        let (Some(table), Some(used)) = (weights.first_mut(), settled.first()) else { return Ok(architecture) };
        let all = (0..table.rows).flat_map(|row| (0..table.options).map(move |option| (row, option)));
        let weakest = all
            .filter(|&(row, option)| is_skip(row, option))
            .filter(|&(row, option)| used.row(row)[option] > 0.0 && table.row(row)[option] > 0.0)
            .min_by(|&(a, k), &(b, l)| table.row(a)[k].partial_cmp(&table.row(b)[l]).unwrap_or(Ordering::Equal));
        match weakest {
            Some((row, option)) => table.values[row * table.options + option] = 0.0,
            None => return Ok(architecture),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::space::{NetworkSettings, darts::Darts};

    #[test]
    fn the_heaviest_options_stay_and_edges_too() {
        let table = |name: &str, values: &[f32]| TableWeights {
            name: name.into(),
            rows: values.len() / 4,
            options: 4,
            values: values.to_vec(),
        };
        let edges = [EdgeWeights { table: "beta".into(), edges: Vec::new() }];
        let weights = [table("a", &[0.1, 0.4, 0.2, 0.3, 0.25, 0.25, 0.25, 0.25]), table("beta", &[0.7, 0.1, 0.1, 0.1])];
        let dropped: Vec<(usize, usize)> = weakest(&weights, 2, &edges).into_iter().map(|(_, r, k)| (r, k)).collect();
        assert_eq!(dropped, [(0, 2), (0, 0), (1, 2), (1, 3)]);
    }

    #[test]
    fn fair_darts_leaves_out_edges_whose_options_weigh_little() {
        let primitives = ["skip_connect", "sep_conv_3x3"].map(|p| p.parse().unwrap()).to_vec();
        let space = Darts::new(2, primitives).unwrap();
        // σ of each option of the edges 0 → 2, 1 → 2, 0 → 3, 1 → 3, 2 → 3.
        let normal = [0.9, 0.2, 0.5, 0.84, 0.1, 0.86, 0.95, 0.99, 0.3, 0.2];
        let reduce = [0.5; 10];
        let table = |name: &str, values: [f32; 10]| TableWeights {
            name: name.into(),
            rows: 5,
            options: 2,
            values: values.to_vec(),
        };
        let tables = space.supernet(&NetworkSettings { channels: 2, ..Default::default() }).unwrap().tables().unwrap();
        let mut weights = vec![table(&tables[0].name, normal), table(&tables[1].name, reduce)];
        drop_light(&mut weights, 0.85, &[]);
        let found = space.derive(&weights).unwrap();
        let edges: Vec<(String, usize)> =
            space.genotype(&found).unwrap().normal.edges().map(|e| (e.primitive.to_string(), e.input)).collect();
        let wanted = [("skip_connect", 0), ("none", 1), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0)];
        assert_eq!(edges, wanted.map(|(name, input)| (name.to_owned(), input)));
        // Nothing of the reduction cell weighs enough: it is derived as ever.
        assert_eq!(space.cells(&found)[1].edges.len(), 4);
        assert_eq!(space.cells(&found)[0].edges.len(), 3);
        assert_eq!(space.parse(&space.print(&found)).unwrap(), found);
        let settled = space.settle(&found).unwrap();
        assert_eq!(settled[0].row(1), [0.0, 0.0]);
        let settings = NetworkSettings { channels: 2, layers: 3, ..Default::default() };
        let network = space.decode(&found, &settings).unwrap();
        assert!(!network.nodes.iter().any(|node| matches!(node.op, crate::graph::Op::Zero { .. })));
    }

    #[test]
    fn skips_beyond_the_limit_are_replaced_beginning_with_the_weakest() {
        let space = Darts::default();
        let tables = space.supernet(&NetworkSettings { channels: 2, ..Default::default() }).unwrap().tables().unwrap();
        let mut random = Random::new(2, 0);
        let skip = tables[0].options.iter().position(|o| o == "skip_connect").unwrap();
        let weights: Vec<TableWeights> = tables
            .iter()
            .map(|t| {
                let (rows, options) = (t.rows, t.options.len());
                let mut values: Vec<f32> = (0..rows * options).map(|_| random.range(0.0, 0.1)).collect();
                (0..rows).for_each(|row| values[row * options + skip] = 0.5 + 0.01 * row as f32);
                TableWeights { name: t.name.clone(), rows, options, values }
            })
            .collect();
        let skips = |most: usize| {
            let found = with_few_skips(&space, &|_, option| option == skip, weights.clone(), most).unwrap();
            space.operations(&found).iter().filter(|o| *o == "skip_connect").count()
        };
        assert_eq!([skips(0), skips(5), skips(2)], [8, 5, 2]);
    }
}
