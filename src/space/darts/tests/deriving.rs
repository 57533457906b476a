use super::*;

/// Tables with the given weights as (edge, primitive, weight), the rest has little.
fn tables(normal: &[(usize, Primitive, f32)]) -> Vec<TableWeights> {
    let table = |name: &str, entries: &[(usize, Primitive, f32)]| {
        let mut values = vec![1e-3; 14 * 8];
        for (edge, primitive, weight) in entries {
            values[edge * 8 + Primitive::DARTS.iter().position(|p| p == primitive).unwrap()] = *weight;
        }
        TableWeights { name: name.into(), rows: 14, options: 8, values }
    };
    vec![table("alphas_normal", normal), table("alphas_reduce", &[])]
}

fn derived(normal: &[(usize, Primitive, f32)]) -> Vec<(&'static str, usize)> {
    let space = Darts::default();
    let genotype = space.genotype(&space.derive(&tables(normal)).unwrap()).unwrap();
    genotype.normal.edges().map(|e| (e.primitive.name(), e.input)).collect()
}

#[test]
fn a_node_keeps_its_two_strongest_edges_the_stronger_first() {
    // The second node has edges 2, 3 and 4, from states 0, 1 and 2.
    let cell =
        derived(&[(2, Primitive::DilConv3x3, 0.2), (3, Primitive::SkipConnect, 0.3), (4, Primitive::SepConv5x5, 0.4)]);
    assert_eq!(cell[2..4], [("sep_conv_5x5", 2), ("skip_connect", 1)]);
}

#[test]
fn an_edge_keeps_its_strongest_operation() {
    let cell = derived(&[(1, Primitive::AvgPool3x3, 0.3), (1, Primitive::DilConv5x5, 0.35)]);
    assert_eq!(cell[0], ("dil_conv_5x5", 1));
}

#[test]
fn none_makes_an_edge_neither_strong_nor_is_it_chosen() {
    let cell =
        derived(&[(0, Primitive::None, 0.9), (0, Primitive::SkipConnect, 0.05), (1, Primitive::SepConv3x3, 0.1)]);
    assert_eq!(cell[..2], [("sep_conv_3x3", 1), ("skip_connect", 0)]);
}

#[test]
fn equal_weights_go_to_the_lower_index() {
    let cell = derived(&[]);
    assert_eq!(cell, [("max_pool_3x3", 0), ("max_pool_3x3", 1)].repeat(4));
    let cell =
        derived(&[(5, Primitive::SepConv3x3, 0.2), (7, Primitive::SepConv3x3, 0.3), (8, Primitive::SepConv3x3, 0.3)]);
    assert_eq!(cell[4..6], [("sep_conv_3x3", 2), ("sep_conv_3x3", 3)]);
}

#[test]
fn the_published_second_order_cell_comes_back_from_weights_that_say_it() {
    let space = Darts::default();
    let genotype = published("DARTS_V2");
    let table = |name: &str, cell: &CellGenotype| {
        let mut values = vec![0.1; 14 * 8];
        for (i, edge) in cell.edges().enumerate() {
            let first_edge = [0, 2, 5, 9][i / 2];
            let option = Primitive::DARTS.iter().position(|p| *p == edge.primitive).unwrap();
            values[(first_edge + edge.input) * 8 + option] = if i % 2 == 0 { 0.3 } else { 0.2 };
        }
        TableWeights { name: name.into(), rows: 14, options: 8, values }
    };
    let weights = [table("alphas_reduce", &genotype.reduce), table("alphas_normal", &genotype.normal)];
    assert_eq!(space.genotype(&space.derive(&weights).unwrap()).unwrap(), genotype);
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let space = Darts::default();
    let wrong = |change: fn(&mut Vec<TableWeights>)| {
        let mut weights = tables(&[]);
        change(&mut weights);
        space.derive(&weights).unwrap_err().to_string()
    };
    assert!(wrong(|w| drop(w.remove(1))).contains("`alphas_reduce`: is missing"));
    assert!(wrong(|w| w[0].rows = 13).contains("the space has 14 rows of 8"));
    assert!(wrong(|w| w[0].values.truncate(111)).contains("has 111 values"));
    assert!(wrong(|w| w[0].values[9] = f32::NAN).contains("row 1, option 1 is NaN"));
}
