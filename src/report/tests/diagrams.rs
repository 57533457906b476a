use super::*;
use crate::report::layout::{Placement, Rect, Route, place};
use proptest::prelude::*;

fn placed(diagram: &Diagram) -> Placement {
    place(diagram, &svg::sizes(diagram)).unwrap()
}

/// Points along a route, dense enough to find what it crosses.
fn points(route: &Route) -> Vec<[f64; 2]> {
    let mut from = route.start;
    let mut found = vec![from];
    for [a, b, to] in &route.curves {
        for step in 1..=40 {
            let t = f64::from(step) / 40.0;
            let (s, at) = (1.0 - t, |k: usize| [from[k], a[k], b[k], to[k]]);
            found.push([0, 1].map(|k| {
                let [p0, p1, p2, p3] = at(k);
                s * s * s * p0 + 3.0 * s * s * t * p1 + 3.0 * s * t * t * p2 + t * t * t * p3
            }));
        }
        from = *to;
    }
    found.push(route.tip);
    found
}

fn inside([x, y]: [f64; 2], rect: &Rect) -> bool {
    let air = 0.01;
    x > rect.x + air && x < rect.x + rect.width - air && y > rect.y + air && y < rect.y + rect.height - air
}

fn touches([x, y]: [f64; 2], rect: &Rect) -> bool {
    let air = 0.01;
    x >= rect.x - air && x <= rect.x + rect.width + air && y >= rect.y - air && y <= rect.y + rect.height + air
}

fn check(name: &str, diagram: &Diagram) {
    let placement = placed(diagram);
    assert_eq!(placement.boxes.len(), diagram.boxes.len(), "{name}");
    assert_eq!(placement.edges.len(), diagram.edges.len(), "{name}");
    let labels = || placement.edges.iter().filter_map(|route| route.label);
    let solid: Vec<Rect> = placement.boxes.iter().copied().chain(labels()).collect();
    for (index, rect) in solid.iter().enumerate() {
        assert!(solid[..index].iter().all(|other| !rect.overlaps(other)), "{name}: {rect:?} lies on another");
        let [width, height] = placement.size;
        assert!(rect.x >= -0.01 && rect.y >= -0.01, "{name}: {rect:?}");
        assert!(rect.x + rect.width <= width + 0.01 && rect.y + rect.height <= height + 0.01, "{name}: {rect:?}");
    }
    for (edge, route) in diagram.edges.iter().zip(&placement.edges) {
        assert_eq!(route.label.is_some(), !edge.label.is_empty(), "{name}");
        assert!(touches(route.start, &placement.boxes[edge.from]), "{name}: {edge:?} leaves its box");
        assert!(touches(route.tip, &placement.boxes[edge.to]), "{name}: {edge:?} enters its box");
        for point in points(route) {
            let crossed = solid.iter().find(|&rect| Some(*rect) != route.label && inside(point, rect));
            assert_eq!(crossed, None, "{name}: {edge:?} runs through something at {point:?}");
        }
    }
}

#[test]
fn nothing_lies_on_anything_and_arrows_join_their_boxes() {
    gallery().iter().for_each(|(name, diagram)| check(name, diagram));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn nothing_collides_in_any_diagram(
        count in 2_usize..14,
        pairs in prop::collection::vec((0_usize..14, 0_usize..14, 0_usize..3), 0..30),
        down in any::<bool>(),
    ) {
        let direction = if down { Direction::Down } else { Direction::Right };
        let mut diagram = Diagram { direction, ..Diagram::default() };
        for index in 0..count {
            diagram.add(Block::new("x".repeat(index % 5), Kind::State));
        }
        for (a, b, label) in pairs {
            let (from, to) = ((a % count).min(b % count), (a % count).max(b % count));
            if from < to {
                diagram.join(from, to, ["", SKIP, "none"][label], Kind::Skip);
            }
        }
        check("random", &diagram);
        prop_assert_eq!(svg::draw(&diagram), svg::draw(&diagram));
    }
}

#[test]
fn svg_is_well_formed_and_has_every_box_edge_and_label() {
    for (name, diagram) in gallery() {
        let drawn = svg::draw(&diagram).unwrap();
        let document = roxmltree::Document::parse(&drawn).unwrap_or_else(|error| panic!("{name}: {error}"));
        let root = document.root_element();
        let view = format!("0 0 {} {}", root.attribute("width").unwrap(), root.attribute("height").unwrap());
        assert_eq!(root.attribute("viewBox"), Some(view.as_str()), "{name}");
        let count = |tag: &str| {
            document.descendants().filter(|n| n.has_tag_name((root.tag_name().namespace().unwrap(), tag))).count()
        };
        let labels = diagram.edges.iter().filter(|e| !e.label.is_empty()).count();
        assert_eq!(count("rect"), 1 + diagram.boxes.len() + labels, "{name}: the paper, boxes and labels");
        assert_eq!(count("path"), 2 * diagram.edges.len(), "{name}: a line and a head for each edge");
        let said: Vec<&str> = document.descendants().filter(|n| n.is_text()).filter_map(|n| n.text()).collect();
        for edge in diagram.edges.iter().filter(|e| !e.label.is_empty()) {
            assert!(said.contains(&edge.label.as_str()), "{name}: {}", edge.label);
        }
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{name}");
    }
}

#[test]
fn two_diagrams_share_a_picture() {
    let [normal, reduction] = darts_v2().map(|cell| cell.diagram("cell").unwrap());
    let size = |svg: &str| {
        let document = roxmltree::Document::parse(svg).unwrap();
        ["width", "height"].map(|side| document.root_element().attribute(side).unwrap().parse::<f64>().unwrap())
    };
    let single = [size(&svg::draw(&normal).unwrap()), size(&svg::draw(&reduction).unwrap())];
    let both = [normal, reduction];
    let [width, height] = size(&svg::arrange("", &both, svg::Arrangement::SideBySide).unwrap());
    assert!(width > single[0][0] + single[1][0] - 49.0 && height == single[0][1].max(single[1][1]));
    let [width, height] = size(&svg::arrange("", &both, svg::Arrangement::Stacked).unwrap());
    assert!(height > single[0][1] + single[1][1] - 49.0 && width == single[0][0].max(single[1][0]));
}

#[test]
fn labels_are_escaped() {
    let nasty = "<b> & \"quotes\" 'too' \u{1}\n";
    let mut diagram = Diagram { title: nasty.into(), ..Diagram::default() };
    let a = diagram.add(Block { label: nasty.into(), details: vec![nasty.into()], kind: Kind::Input });
    let b = diagram.add(Block::new("back\\slash", Kind::Output));
    diagram.join(a, b, nasty, Kind::Skip);
    let drawn = svg::draw(&diagram).unwrap();
    let document = roxmltree::Document::parse(&drawn).unwrap();
    let shown = "<b> & \"quotes\" 'too' \u{fffd} ";
    let times = document.descendants().filter(|n| n.is_text() && n.text() == Some(shown)).count();
    assert_eq!(times, 5, "the document's title, the heading, the box, its detail and the arrow");
    let dot = dot::write(&diagram);
    assert!(dot.contains(r#"label="<b> & \"quotes\" 'too'"#), "{dot}");
    assert!(dot.contains(r#"label="back\\slash""#), "{dot}");
    assert!(!text::write(&diagram).unwrap().contains('\u{1}'));
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let mut diagram = Diagram::default();
    let start = diagram.add(Block::new("start", Kind::Input));
    let [a, b] = ["a", "b"].map(|label| diagram.add(Block::new(label, Kind::State)));
    let behind = diagram.add(Block::new("behind", Kind::Output));
    for (from, to) in [(start, a), (a, b), (b, a), (b, behind)] {
        diagram.join(from, to, "", Kind::Flow);
    }
    let error = svg::draw(&diagram).unwrap_err();
    assert!(matches!(&error, DrawError::Cycle { index, .. } if *index == a || *index == b), "{error}");
    diagram.edges[2].from = 9;
    let error = text::write(&diagram).unwrap_err().to_string();
    assert_eq!(error, "edge 2 joins boxes 9 and 1, but there are only 4 boxes, numbered from 0");
}

#[test]
fn a_planar_network_is_drawn_without_crossings() {
    let diagram = network::diagram(&network(8, true), "", network::Detail::Groups(2)).unwrap();
    let routes: Vec<Vec<[f64; 2]>> = placed(&diagram).edges.iter().map(points).collect();
    let side = |a: [f64; 2], b: [f64; 2], c: [f64; 2]| (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
    let mut crossings = 0;
    for (index, one) in routes.iter().enumerate() {
        for two in &routes[..index] {
            for (p, q) in one.windows(2).flat_map(|p| two.windows(2).map(move |q| (p, q))) {
                let apart = side(p[0], p[1], q[0]) * side(p[0], p[1], q[1]) < -1e-9;
                crossings += usize::from(apart && side(q[0], q[1], p[0]) * side(q[0], q[1], p[1]) < -1e-9);
            }
        }
    }
    assert_eq!(crossings, 0);
}

#[test]
fn text_on_its_tint_is_readable() {
    use Kind::*;
    let luminance = |hex: &str| {
        let part = |at: usize| {
            let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    };
    let all = [Input, Output, State, Flow, Convolution, Separable, Dilated, Pooling, Skip];
    for kind in all.into_iter().chain([None, Linear, Elementwise, Group, Reduction, Choice]) {
        let tone = kind.tone();
        let contrast = (luminance(tone.fill) + 0.05) / (luminance(tone.text) + 0.05);
        assert!(contrast >= 4.5, "{kind:?}: {contrast}");
    }
}

#[test]
fn the_same_data_give_the_same_bytes() {
    for ((name, one), (_, two)) in gallery().iter().zip(gallery()) {
        assert_eq!(svg::draw(one), svg::draw(&two), "{name}");
    }
}
