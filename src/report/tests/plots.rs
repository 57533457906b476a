use super::*;
use plot::*;

/// What a plot says, in order; fails where it is not well-formed.
fn said(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|n| n.tag_name().name() == "text");
    texts.map(|n| n.text().unwrap_or_default().trim().to_string()).collect()
}

fn count(svg: &str, tag: &str, color: &str) -> usize {
    let document = roxmltree::Document::parse(svg).unwrap();
    let colored = |n: &roxmltree::Node| {
        ["stroke", "fill"].iter().any(|a| n.attribute(*a).is_some_and(|c| c.eq_ignore_ascii_case(color)))
    };
    document.descendants().filter(|n| n.tag_name().name() == tag && colored(n)).count()
}

/// The colour of the first series.
const BLUE: &str = "#0072b2";

#[test]
fn curves_have_axes_and_names() {
    let up = [Series::by_epoch("train", &[50.0, 80.0, 90.0]), Series::by_epoch("validation <1>", &[40.0, 70.0, 80.0])];
    let drawn = training_curves("digits & more", &up, &[Series::by_epoch("train", &[2.0, 1.0, 0.5])]).unwrap();
    let said = said(&drawn);
    for text in ["digits & more", "accuracy (%)", "loss", "epoch", "train", "validation <1>", "80", "0", "1", "2"] {
        assert!(said.iter().any(|s| s == text), "{text} in {said:?}");
    }
    assert!(drawn.contains("font-family"));
    assert_eq!(drawn, training_curves("digits & more", &up, &[Series::by_epoch("train", &[2.0, 1.0, 0.5])]).unwrap());
}

#[test]
fn empty_and_lonely_and_broken_values_are_drawn_as_far_as_they_go() {
    let nan = f64::NAN;
    let panels = |values: &[f64]| training_curves("", &[Series::by_epoch("a", values)], &[]).unwrap();
    assert!(said(&training_curves("", &[], &[]).unwrap()).iter().filter(|s| *s == "no data").count() == 2);
    assert_eq!(said(&panels(&[])).iter().filter(|s| *s == "no data").count(), 2);
    assert_eq!(said(&panels(&[nan, f64::INFINITY, 1e300])).iter().filter(|s| *s == "no data").count(), 2);
    assert_eq!(count(&panels(&[3.0]), "circle", BLUE), 1, "one point is a dot");
    // A line, its leader and the swatch beside its name; a gap makes two lines of one.
    assert_eq!(count(&panels(&[1.0, 2.0, 3.0, 4.0]), "polyline", BLUE), 3);
    assert_eq!(count(&panels(&[1.0, 2.0, nan, 3.0, 4.0]), "polyline", BLUE), 4);
}

#[test]
fn extreme_values_neither_panic_nor_hang() {
    let far = [1e9, 1e9 + 1e-7];
    for values in [&[0.0, 0.0][..], &[5.0, 5.0], &far, &[-1e30, 1e30], &[1e-300, 2e-300], &[-3.0, -3.0, -3.0]] {
        let series = Series::by_epoch("a", values);
        let drawn = lines("", &[Panel { series: vec![series], ..Panel::default() }], 1).unwrap();
        assert!(!drawn.contains("NaN"), "{values:?}");
        let bar = |value| Bar { name: "b".into(), value, deviation: Some(value), emphasis: false };
        assert!(!said(&bars("", "", &values.iter().map(|v| bar(*v)).collect::<Vec<_>>(), 2).unwrap()).is_empty());
    }
    let upside_down =
        Panel { y_range: Some((1.0, 0.0)), series: vec![Series::by_epoch("a", &[1.0])], ..Panel::default() };
    assert!(lines("", &[upside_down], 0).is_ok());
    assert!(lines("", &[], 3).is_ok());
}

fn history() -> AlphaHistory {
    let weights = |epoch: usize| vec![vec![0.5 - 0.1 * epoch as f64, 0.5 + 0.1 * epoch as f64]; 14];
    AlphaHistory {
        operations: vec!["max_pool_3x3".into(), "avg_pool_3x3".into()],
        edges: vec!["c_{k-2} → 0".into()],
        epochs: (0..3).map(weights).collect(),
    }
}

#[test]
fn architecture_weights_have_a_line_an_operation() {
    let drawn = alpha_means("normal", &history()).unwrap();
    let pooling = Kind::Pooling.tone().line;
    assert_eq!(count(&drawn, "polyline", pooling), 3, "the line, its leader and its swatch");
    assert!(said(&drawn).contains(&"avg_pool_3x3".to_string()));
    let drawn = alpha_edges("normal", &history()).unwrap();
    assert_eq!(count(&drawn, "polyline", pooling), 14 + 1, "a line an edge and the legend");
    let said = said(&drawn);
    assert!(said.contains(&"c_{k-2} → 0".into()) && said.contains(&"edge 13".into()), "{said:?}");
}

#[test]
fn weights_that_are_missing_are_left_out() {
    assert!(alpha_means("", &AlphaHistory::default()).is_ok());
    assert!(alpha_edges("", &AlphaHistory::default()).is_ok());
    let mut ragged = history();
    ragged.epochs[1].truncate(3);
    ragged.epochs[2][0][0] = f64::NAN;
    ragged.epochs[0][5].clear();
    assert!(said(&alpha_edges("", &ragged).unwrap()).contains(&"edge 13".to_string()));
    assert!(alpha_means("", &ragged).is_ok());
}

#[test]
fn bars_say_their_values() {
    let bar = |name: &str, value, deviation, emphasis| Bar { name: name.into(), value, deviation, emphasis };
    let all = [
        bar("searched", 97.236, Some(0.09), true),
        bar("random cells", 96.1, None, false),
        bar("diverged", f64::NAN, None, false),
    ];
    let drawn = bars("Test accuracy", "accuracy (%)", &all, 2).unwrap();
    let said = said(&drawn);
    for text in ["searched", "97.24 ± 0.09", "96.10", "NaN", "accuracy (%)"] {
        assert!(said.iter().any(|s| s == text), "{text} in {said:?}");
    }
    let document = roxmltree::Document::parse(&drawn).unwrap();
    let width = |color: &str| {
        let bar = document.descendants().find(|n| {
            n.tag_name().name() == "rect" && n.attribute("fill").is_some_and(|c| c.eq_ignore_ascii_case(color))
        });
        bar.unwrap().attribute("width").unwrap().parse::<f64>().unwrap()
    };
    let ratio = width(BLUE) / width("#a9b8c6");
    assert!((ratio - 97.236 / 96.1).abs() < 1e-3, "lengths are as the values: {ratio}");
    assert!(bars("", "", &[], 2).unwrap().contains("no data"));
}
