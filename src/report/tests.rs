
use super::*;
use cell::CellDrawing;

pub(super) fn cell(edges: &[(&str, usize)]) -> CellDrawing {
    CellDrawing {
        edges: edges.iter().enumerate().map(|(i, (op, from))| (*from, i / 2, (*op).into())).collect(),
        nodes: edges.len() / 2,
        concat: (2..2 + edges.len() / 2).collect(),
    }
}

const S3: &str = "sep_conv_3x3";
const SKIP: &str = "skip_connect";
const MAX: &str = "max_pool_3x3";

pub(super) fn darts_v2() -> [CellDrawing; 2] {
    [
        cell(&[(S3, 0), (S3, 1), (S3, 0), (S3, 1), (S3, 1), (SKIP, 0), (SKIP, 0), ("dil_conv_3x3", 2)]),
        cell(&[(MAX, 0), (MAX, 1), (SKIP, 2), (MAX, 1), (MAX, 0), (SKIP, 2), (SKIP, 2), (MAX, 1)]),
    ]
}

#[test]
fn dump() {
    let [n, r] = darts_v2();
    let d = [n.diagram("Normal cell").unwrap(), r.diagram("Reduction cell").unwrap()];
    std::fs::create_dir_all("/tmp/pics").unwrap();
    std::fs::write("/tmp/pics/v2.svg", svg::arrange("DARTS_V2", &d, svg::Arrangement::Stacked).unwrap()).unwrap();
    let v1 = [
        cell(&[(S3, 1), (S3, 0), (SKIP, 0), (S3, 1), (SKIP, 0), (S3, 1), (S3, 0), (SKIP, 2)]),
        cell(&[(MAX, 0), (MAX, 1), (SKIP, 2), (MAX, 0), (MAX, 0), (SKIP, 2), (SKIP, 2), ("avg_pool_3x3", 0)]),
    ].map(|c| c.diagram("cell").unwrap());
    std::fs::write("/tmp/pics/v1.svg", svg::arrange("", &v1, svg::Arrangement::SideBySide).unwrap()).unwrap();
    println!("{}\n{}", dot::write(&d[0]), text::write(&d[0]).unwrap());
}
