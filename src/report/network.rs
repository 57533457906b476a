//! Any [`Graph`] as a diagram; groups of operations collapse into one box each.

use super::{Block, Diagram, Direction, DrawError, Kind};
use crate::graph::fuse::{Form, MixedCell, MixedEdge};
use crate::graph::{Choice, Features, Fused, Graph, Node, Op, Options};

/// How much of a graph to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A box for every operation.
    Operations,
    /// One box for neighbouring operations whose names share so many components: at 2, all of
    /// `cells.3._ops.0.op.1` and the like become `cells.3`. At 0 the whole network is one box.
    Groups(usize),
}

/// Nodes in one box: a run of neighbours in topological order. Runs, not all nodes of a name, because
/// arrows between runs only go forward, whatever the names are.
struct Group {
    label: String,
    nodes: Vec<usize>,
}

/// A graph from top to bottom, with shapes as channels × height × width of one sample. Choice points
/// list their candidates; a group tells how many it holds.
///
/// # Errors
/// None for graphs built by [`Graph::push`]; for others those of [`Diagram::layers`].
pub fn diagram(graph: &Graph, title: &str, detail: Detail) -> Result<Diagram, DrawError> {
    let groups = groups(graph, detail);
    let mut group_of = vec![0; graph.nodes.len()];
    for (index, group) in groups.iter().enumerate() {
        group.nodes.iter().for_each(|&node| group_of[node] = index);
    }
    let mut diagram = Diagram { title: title.into(), direction: Direction::Down, ..Diagram::default() };
    for (index, group) in groups.iter().enumerate() {
        diagram.add(block(graph, group, |node| group_of.get(node) == Some(&index)));
    }
    let mut arrows: Vec<(usize, usize)> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        for &input in &node.inputs {
            // An input that does not exist stays an arrow to nowhere, for `layers` to report.
            let from = group_of.get(input).copied().unwrap_or(usize::MAX);
            if from != group_of[index] {
                arrows.push((from, group_of[index]));
            }
        }
    }
    for output in &graph.outputs {
        let shape = graph.nodes.get(output.node).map(|node| size(node.shape));
        let label = if output.name.is_empty() { "output" } else { &output.name };
        let to = diagram.add(Block { label: label.into(), details: shape.into_iter().collect(), kind: Kind::Output });
        arrows.push((group_of.get(output.node).copied().unwrap_or(usize::MAX), to));
    }
    arrows.sort_unstable();
    arrows.dedup();
    arrows.iter().for_each(|&(from, to)| diagram.join(from, to, "", Kind::Flow));
    diagram.layers()?;
    Ok(diagram)
}

/// Splits the nodes into runs.
fn groups(graph: &Graph, detail: Detail) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, node) in graph.nodes.iter().enumerate() {
        let alone = |label: &str| Group { label: label.into(), nodes: vec![index] };
        let depth = match detail {
            Detail::Operations => {
                groups.push(alone(&node.name));
                continue;
            }
            Detail::Groups(depth) => depth,
        };
        if matches!(node.op, Op::Input) {
            groups.push(alone(""));
            continue;
        }
        let key = if node.name.is_empty() {
            // Without a name of its own, it belongs to what comes next if it reads nothing of what came last.
            let next = graph.nodes[index..].iter().find(|n| !n.name.is_empty()).map(|n| prefix(&n.name, depth));
            let last = groups.last().filter(|last| last.reads_from(node) || next.as_deref() == Some(&last.label));
            last.map(|last| last.label.clone()).or(next).unwrap_or_default()
        } else {
            prefix(&node.name, depth)
        };
        match groups.last_mut() {
            Some(last) if last.label == key && !last.is_input(graph) => last.nodes.push(index),
            // Only a layer whose name says no more than the group's: a cell that begins with a ReLU begins there.
            Some(last)
                if node.name == key && last.reads_from(node) && small(&node.op) && related(&last.label, &key) =>
            {
                // `stem.0` and its batch norm `stem.1` are one layer, `stem`.
                last.label = parent(&key).into();
                last.nodes.push(index);
            }
            _ => groups.push(alone(&key)),
        }
    }
    groups
}

impl Group {
    fn reads_from(&self, node: &Node) -> bool {
        node.inputs.iter().any(|input| self.nodes.contains(input))
    }

    fn is_input(&self, graph: &Graph) -> bool {
        self.nodes.iter().any(|&n| matches!(graph.nodes[n].op, Op::Input))
    }
}

/// The first `depth` components of a name.
fn prefix(name: &str, depth: usize) -> String {
    name.split('.').take(depth).collect::<Vec<_>>().join(".")
}

fn parent(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(parent, _)| parent)
}

/// Whether a small operation called `key` is part of the layer that `label` names.
fn related(label: &str, key: &str) -> bool {
    let layer = parent(key);
    !layer.is_empty() && (label == layer || parent(label) == layer)
}

/// What follows a layer rather than being one.
fn small(op: &Op) -> bool {
    Kind::of_operation(op.name()) == Kind::Elementwise && !matches!(op, Op::Add | Op::Concat)
}

fn block(graph: &Graph, group: &Group, inside: impl Fn(usize) -> bool) -> Block {
    let nodes = || group.nodes.iter().map(|&n| &graph.nodes[n]);
    if let [only] = group.nodes[..] {
        return single(&graph.nodes[only]);
    }
    let Some(last) = nodes().next_back() else { return Block::new(group.label.clone(), Kind::Group) };
    let entering = nodes().flat_map(|n| &n.inputs).filter(|&&input| !inside(input)).filter_map(|&i| graph.nodes.get(i));
    let area = |shape: Features| shape.height * shape.width;
    // The cell after a reduction reads a larger image too, from two cells back, but does not reduce.
    let smaller = entering.map(|n| area(n.shape)).min().is_some_and(|smallest| area(last.shape) < smallest);
    let mut details = vec![size(last.shape), format!("{} operations", group.nodes.len())];
    let choices: Vec<&Choice> =
        nodes().filter_map(|n| if let Op::Choice(choice) = &n.op { Some(choice) } else { None }).collect();
    if let Some(first) = choices.first() {
        let most = choices.iter().map(|c| c.options.len()).max().unwrap_or_default();
        let points = if choices.len() == 1 { "choice point" } else { "choice points" };
        if choices.iter().all(|c| c.options.labels() == first.options.labels()) {
            details.push(format!("{} {points}, each of:", choices.len()));
            details.extend(wrap(&first.options.labels(), 30));
        } else {
            details.push(format!("{} {points} of up to {most} options", choices.len()));
        }
    }
    let label = if group.label.is_empty() { "network".into() } else { group.label.clone() };
    let kind = match (choices.is_empty(), smaller) {
        (false, _) => Kind::Choice,
        (true, true) => Kind::Reduction,
        (true, false) => Kind::Group,
    };
    Block { label, details, kind }
}

/// One operation.
fn single(node: &Node) -> Block {
    let kind = match &node.op {
        Op::Input => Kind::Input,
        Op::Conv(conv) if conv.dilation != [1, 1] => Kind::Dilated,
        Op::Fused(_) => Kind::Choice,
        op => Kind::of_operation(op.name()),
    };
    let mut details = Vec::new();
    if !node.name.is_empty() {
        details.push(node.name.clone());
    }
    details.push(size(node.shape));
    if let Op::Choice(choice) = &node.op {
        let labels = choice.options.labels();
        match choice.options {
            Options::Operations(_) => details.extend(wrap(&labels, 30)),
            Options::Widths(_) => details.push(format!("width {}", labels.join(", "))),
        }
    }
    if let Op::Fused(fused) = &node.op {
        details.extend(inside(fused));
    }
    Block { label: describe(&node.op), details, kind }
}

/// What a fused node computes together.
fn inside(fused: &Fused) -> Vec<String> {
    let Some(cell) = MixedCell::of(&fused.graph) else { return Vec::new() };
    let edges: Vec<&MixedEdge> = cell.states.iter().flat_map(|(_, edges)| edges).collect();
    let mut details = vec![format!("{} states, {} edges", cell.states.len(), edges.len())];
    for (state, (stride, edges)) in cell.states.iter().enumerate() {
        let count = |of: fn(&Form) -> bool| edges.iter().flat_map(|e| &e.options).filter(|f| of(f)).count();
        let first = count(|f| matches!(f, Form::Separable(_)));
        let second = count(|f| matches!(f, Form::Separable(stages) if stages.len() == 2));
        let reductions = count(|f| matches!(f, Form::Reduce { .. }));
        let dense = count(|f| matches!(f, Form::Dense(_)));
        let plain = count(|f| matches!(f, Form::Plain { .. }));
        if first + reductions + dense + plain > 0 {
            let step = if *stride > 1 { format!(" /{stride}") } else { String::new() };
            let parts = [
                (first, "filters"),
                (second, "second filters"),
                (reductions, "reductions"),
                (dense, "convolutions"),
                (plain, "by themselves"),
            ];
            let parts = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}"));
            details.push(format!("state {state}{step}: {}", parts.collect::<Vec<_>>().join(", ")));
        }
    }
    details
}

/// An operation with what tells it from others of its name, e.g. `conv 3×3 /2`.
fn describe(op: &Op) -> String {
    let name = op.name();
    let stride = |step: usize| if step == 1 { String::new() } else { format!(" /{step}") };
    match op {
        Op::Conv(conv) => {
            let dilation =
                if conv.dilation == [1, 1] { String::new() } else { format!(" dilation {}", conv.dilation[0]) };
            let step = conv.stride[0].max(conv.stride[1]);
            format!("{name} {}×{}{dilation}{}", conv.kernel[0], conv.kernel[1], stride(step))
        }
        Op::MaxPool(pool) | Op::AvgPool(pool) => format!("{name} {0}×{0}{1}", pool.kernel, stride(pool.stride)),
        Op::Zero { stride: step } | Op::Noise { stride: step } => format!("{name}{}", stride(*step)),
        Op::Dropout { probability } => format!("{name} {probability}"),
        Op::Choice(choice) => format!("choice {} [{}]", choice.table, choice.row),
        _ => name.into(),
    }
}

/// `16×32×32`.
fn size(shape: Features) -> String {
    format!("{}×{}×{}", shape.channels, shape.height, shape.width)
}

/// Words separated by commas, in lines of about so many characters.
fn wrap(words: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let comma = if index + 1 < words.len() { "," } else { "" };
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
                line.push_str(comma);
            }
            _ => lines.push(format!("{word}{comma}")),
        }
    }
    lines
}
