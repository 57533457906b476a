//! Everything between a diagram and its drawing.

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum What {
    Box(usize),
    Label,
    Bend,
}

/// Something that takes room in a layer.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub what: What,
    pub layer: usize,
    pub along: f64,
    pub across: f64,
}

/// One arrow's piece between neighbouring layers: items, and how far off their centres it meets them.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub from: usize,
    pub to: usize,
    pub leaves: f64,
    pub enters: f64,
}

/// Everything between the diagram and its drawing.
pub(super) struct Plan {
    pub items: Vec<Item>,
    pub pieces: Vec<Piece>,
    /// For each edge, its pieces in order.
    pub chains: Vec<Vec<usize>>,
    /// For each edge, the item that is its label.
    pub labels: Vec<Option<usize>>,
    /// Items of each layer, in order.
    pub layers: Vec<Vec<usize>>,
}
