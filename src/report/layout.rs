//! Where boxes and arrows of a diagram go: a layered drawing.
//!
//! In the manner of Sugiyama: boxes go to layers by the longest way to them; an arrow over several
//! layers gets a bend in each it passes; a few sweeps order each layer so that few arrows cross;
//! then every item moves towards its neighbours as far as the order and the distances allow.
//!
//! A label is an item of its own layer, as a box is. So labels keep their distance from boxes, from
//! each other and from every arrow but their own, and nothing has to be repaired afterwards.
//!
//! Inside a layer arrows run straight; they bend only in the gaps between layers, where nothing else
//! is. Internally, *along* is the direction of the arrows and *across* is the other one.

mod order;
mod plan;
mod position;

use super::{Diagram, Direction, DrawError};

pub(super) use position::spread;

use plan::{Item, Piece, Plan, What};

/// A point or a size: x and y (width and height), in pixels, y downwards.
pub type Point = [f64; 2];

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Its centre.
    pub fn center(&self) -> Point {
        [self.x + self.width / 2.0, self.y + self.height / 2.0]
    }

    /// Whether the two share more than an edge.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// The way of an arrow.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// Where it leaves its box.
    pub start: Point,
    /// Cubic Bézier curves, each by two control points and its end; the last ends [`TIP`] before the box.
    pub curves: Vec<[Point; 3]>,
    /// The tip of the arrow head, at the edge of the box it enters.
    pub tip: Point,
    /// Where its label goes.
    pub label: Option<Rect>,
}

/// Where everything goes; the upper left corner is 0, 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// Width and height of the whole.
    pub size: Point,
    /// One rectangle for each box.
    pub boxes: Vec<Rect>,
    /// One route for each edge.
    pub edges: Vec<Route>,
}

/// How large things are, in pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct Sizes {
    /// Width and height of each box. Boxes that many arrows enter are made larger.
    pub boxes: Vec<Point>,
    /// Width and height of each edge's label, if it has one.
    pub labels: Vec<Option<Point>>,
}

/// Length of an arrow head.
pub const TIP: f64 = 9.0;

/// Lays a diagram out.
///
/// Sizes missing from `sizes` count as nothing.
///
/// # Errors
/// [`DrawError::NoSuchBox`] and [`DrawError::Cycle`].
pub fn place(diagram: &Diagram, sizes: &Sizes) -> Result<Placement, DrawError> {
    let mut plan = Plan::new(diagram, sizes)?;
    order::reduce_crossings(&mut plan);
    plan.spread_ports();
    let mut across = position::across(&plan);
    position::straighten(&plan, &mut across);
    Ok(plan.draw(&across, diagram.direction))
}

impl Plan {
    fn new(diagram: &Diagram, sizes: &Sizes) -> Result<Self, DrawError> {
        let layers = diagram.layers()?;
        let turn = |size: Point| match diagram.direction {
            Direction::Right => size,
            Direction::Down => [size[1], size[0]],
        };
        let label_size = |edge: usize| sizes.labels.get(edge).copied().flatten().map(turn);
        // Labels live in layers of their own between those of the boxes.
        let step = if (0..diagram.edges.len()).any(|e| label_size(e).is_some()) { 2 } else { 1 };
        let mut entering = vec![0_usize; diagram.boxes.len()];
        for edge in &diagram.edges {
            entering[edge.to] += 1;
        }
        let mut items: Vec<Item> = (0..diagram.boxes.len())
            .map(|index| {
                let [along, across] = turn(sizes.boxes.get(index).copied().unwrap_or_default());
                let across = across.max(entering[index] as f64 * 9.0 + 8.0);
                Item { what: What::Box(index), layer: layers[index] * step, along, across }
            })
            .collect();

        // A label goes where least room is taken, near the arrow's head if that leaves a choice.
        let mut load = vec![0.0_f64; layers.iter().max().map_or(0, |last| last * step + 1)];
        let label_layers: Vec<Option<usize>> = (0..diagram.edges.len())
            .map(|index| {
                let size = label_size(index)?;
                let between = layers[diagram.edges[index].from] * step + 1..layers[diagram.edges[index].to] * step;
                let emptiest = between.step_by(2).min_by(|&a, &b| load[a].total_cmp(&load[b]).then(b.cmp(&a)));
                emptiest.inspect(|&layer| load[layer] += size[1])
            })
            .collect();
        let empty = |layer: usize| step == 2 && layer % 2 == 1 && load[layer] == 0.0;

        let (mut pieces, mut chains, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for (index, edge) in diagram.edges.iter().enumerate() {
            let (first, last) = (layers[edge.from] * step, layers[edge.to] * step);
            let (size, label_layer) = (label_size(index), label_layers[index]);
            let (mut chain, mut previous, mut label) = (Vec::new(), edge.from, None);
            for layer in (first + 1..=last).filter(|&layer| !empty(layer)) {
                let item = if layer == last {
                    edge.to
                } else if let (true, Some([along, across])) = (Some(layer) == label_layer, size) {
                    label = Some(items.len());
                    items.push(Item { what: What::Label, layer, along, across });
                    items.len() - 1
                } else {
                    items.push(Item { what: What::Bend, layer, along: 0.0, across: 2.0 });
                    items.len() - 1
                };
                chain.push(pieces.len());
                pieces.push(Piece { from: previous, to: item, leaves: 0.0, enters: 0.0 });
                previous = item;
            }
            chains.push(chain);
            labels.push(label);
        }
        let kept: Vec<usize> = (0..load.len()).filter(|&layer| !empty(layer)).collect();
        let mut by_layer = vec![Vec::new(); kept.len()];
        for (index, item) in items.iter_mut().enumerate() {
            item.layer = kept.partition_point(|&layer| layer < item.layer);
            by_layer[item.layer].push(index);
        }
        Ok(Self { items, pieces, chains, labels, layers: by_layer })
    }

    /// Place of each item in its layer.
    fn ranks(&self) -> Vec<usize> {
        let mut ranks = vec![0; self.items.len()];
        for layer in &self.layers {
            for (rank, &item) in layer.iter().enumerate() {
                ranks[item] = rank;
            }
        }
        ranks
    }

    /// Lets arrows meet a box side by side, in the order in which they come, rather than in one point.
    fn spread_ports(&mut self) {
        let ranks = self.ranks();
        let (mut leaving, mut entering) = (vec![Vec::new(); self.items.len()], vec![Vec::new(); self.items.len()]);
        for (index, piece) in self.pieces.iter().enumerate() {
            leaving[piece.from].push(index);
            entering[piece.to].push(index);
        }
        for (index, item) in self.items.iter().enumerate().filter(|(_, item)| matches!(item.what, What::Box(_))) {
            leaving[index].sort_by_key(|&p| ranks[self.pieces[p].to]);
            entering[index].sort_by_key(|&p| ranks[self.pieces[p].from]);
            let offset = |place: usize, count: usize| {
                let step = ((item.across - 14.0).max(0.0) / (count.max(2) - 1) as f64).min(14.0);
                (place as f64 - (count as f64 - 1.0) / 2.0) * step
            };
            for (place, &piece) in leaving[index].iter().enumerate() {
                self.pieces[piece].leaves = offset(place, leaving[index].len());
            }
            for (place, &piece) in entering[index].iter().enumerate() {
                self.pieces[piece].enters = offset(place, entering[index].len());
            }
        }
    }

    /// Turns positions across into rectangles and curves.
    fn draw(&self, across: &[f64], direction: Direction) -> Placement {
        let columns = self.columns(across);
        let low = self.extreme(across, |y, half| y - half, f64::min);
        let high = self.extreme(across, |y, half| y + half, f64::max);
        let point = |along: f64, y: f64| match direction {
            Direction::Right => [along, y - low],
            Direction::Down => [y - low, along],
        };
        let rect = |item: usize| {
            let Item { layer, along, across: extent, .. } = self.items[item];
            let [x, y] = point((columns[layer].0 + columns[layer].1 - along) / 2.0, across[item] - extent / 2.0);
            let [width, height] = match direction {
                Direction::Right => [along, extent],
                Direction::Down => [extent, along],
            };
            Rect { x, y, width, height }
        };
        let boxes = (0..self.items.len()).filter(|&i| matches!(self.items[i].what, What::Box(_))).map(rect).collect();
        let edges = self
            .chains
            .iter()
            .zip(&self.labels)
            .map(|(chain, label)| {
                let mut path: Vec<Point> = Vec::new();
                let (mut start, mut tip, mut curves) = ([0.0; 2], [0.0; 2], Vec::new());
                for &index in chain {
                    let Piece { from, to, leaves, enters } = self.pieces[index];
                    let (source, target) = (&self.items[from], &self.items[to]);
                    let (y0, y1) = (across[from] + leaves, across[to] + enters);
                    let (left, mut right) = (columns[source.layer].1, columns[target.layer].0);
                    if path.is_empty() {
                        start = point((columns[source.layer].0 + left + source.along) / 2.0, y0);
                        path.push(start);
                    }
                    curves.push(straight(*path.last().unwrap_or(&start), point(left, y0)));
                    if let What::Box(_) = target.what {
                        let edge = (columns[target.layer].0 + columns[target.layer].1 - target.along) / 2.0;
                        tip = point(edge, y1);
                        right = right.min(edge - TIP);
                    }
                    let middle = (left + right) / 2.0;
                    curves.push([point(middle, y0), point(middle, y1), point(right, y1)]);
                    path.push(point(right, y1));
                }
                if let (Some(last), Some(end)) = (path.last().copied(), chain.last()) {
                    let Piece { to, enters, .. } = self.pieces[*end];
                    let base = match direction {
                        Direction::Right => point(tip[0] - TIP, across[to] + enters),
                        Direction::Down => point(tip[1] - TIP, across[to] + enters),
                    };
                    curves.push(straight(last, base));
                }
                let mut at = start;
                curves.retain(|curve| {
                    let moves = (curve[2][0] - at[0]).hypot(curve[2][1] - at[1]) > 1e-6;
                    at = curve[2];
                    moves
                });
                Route { start, curves, tip, label: label.map(rect) }
            })
            .collect();
        let size = match (columns.last(), self.items.is_empty()) {
            (Some(&(_, end)), false) => match direction {
                Direction::Right => [end, high - low],
                Direction::Down => [high - low, end],
            },
            _ => [0.0, 0.0],
        };
        Placement { size, boxes, edges }
    }

    fn extreme(&self, across: &[f64], side: impl Fn(f64, f64) -> f64, pick: impl Fn(f64, f64) -> f64) -> f64 {
        self.items.iter().zip(across).map(|(item, &y)| side(y, item.across / 2.0)).reduce(pick).unwrap_or(0.0)
    }

    /// Where each layer begins and ends along; gaps are wider where arrows climb more.
    fn columns(&self, across: &[f64]) -> Vec<(f64, f64)> {
        let mut climb = vec![0.0_f64; self.layers.len()];
        let mut into_box = vec![false; self.layers.len()];
        for piece in &self.pieces {
            let layer = self.items[piece.from].layer;
            let rise = (across[piece.to] + piece.enters - across[piece.from] - piece.leaves).abs();
            climb[layer] = climb[layer].max(rise);
            into_box[layer] |= matches!(self.items[piece.to].what, What::Box(_));
        }
        let mut begin = 0.0;
        self.layers
            .iter()
            .enumerate()
            .map(|(index, layer)| {
                let width = layer.iter().map(|&i| self.items[i].along).fold(0.0, f64::max);
                let column = (begin, begin + width);
                let head = if into_box[index] { TIP + 4.0 } else { 0.0 };
                begin = column.1 + head + (16.0 + climb[index] * 0.28).min(76.0);
                column
            })
            .collect()
    }
}

/// A straight line as a Bézier curve.
fn straight(from: Point, to: Point) -> [Point; 3] {
    let part = |t: f64| [from[0] + (to[0] - from[0]) * t, from[1] + (to[1] - from[1]) * t];
    [part(1.0 / 3.0), part(2.0 / 3.0), to]
}
