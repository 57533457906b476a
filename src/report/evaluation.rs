//! What a trained network comes to on a dataset, for a terminal and as pictures.

use super::DrawError;
use super::plot::{Panel, Series, lines, matrix};
use super::table::Table;
use crate::run::evaluate::Evaluated;

/// Classes that are named in words.
const ROWS: usize = 20;

/// Accuracy with its interval, and the classes with the lowest recall.
pub fn text(evaluated: &Evaluated) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let Evaluated { images, accuracy, interval: [low, high], balanced_accuracy, loss, calibration, classes, .. } =
        evaluated;
    let mut text = format!(
        "{} of {images} test images ({} to {} with 95 % confidence), balanced accuracy {}, loss {loss:.4}.\n\
         Confidence and accuracy lie {} apart on average.\n\n",
        percent(*accuracy),
        percent(*low),
        percent(*high),
        percent(*balanced_accuracy),
        percent(calibration.expected_error),
    );
    let mut order: Vec<usize> = (0..classes.len()).collect();
    if classes.len() > ROWS {
        order.sort_by(|&a, &b| classes[a].recall.unwrap_or(2.0).total_cmp(&classes[b].recall.unwrap_or(2.0)));
        order.truncate(ROWS);
        text += &format!("The {ROWS} of {} classes with the lowest recall:\n\n", classes.len());
    }
    let mut table = Table::new(&["class", "images", "recall", "precision", "most often taken for"]);
    let share = |share: Option<f64>| share.map_or("–".to_owned(), percent);
    for at in order {
        let (class, row) = (&classes[at], &evaluated.confusion[at]);
        let other = (0..row.len()).filter(|&other| other != at && row[other] > 0).max_by_key(|&other| row[other]);
        let other = other.map_or(String::new(), |other| format!("{} ({})", classes[other].class, row[other]));
        table.row([class.class.clone(), class.images.to_string(), share(class.recall), share(class.precision), other]);
    }
    text + &table.render()
}

/// Pictures with their files' names: which classes were taken for which, and confidence against accuracy.
///
/// # Errors
/// If one cannot be drawn.
pub fn pictures(evaluated: &Evaluated) -> Result<Vec<(&'static str, String)>, DrawError> {
    let names: Vec<String> = evaluated.classes.iter().map(|result| result.class.clone()).collect();
    let confusion = matrix("Test images", ["class", "taken for"], &names, &evaluated.confusion)?;
    let points = evaluated.calibration.bins.iter().map(|bin| (100.0 * bin.confidence, 100.0 * bin.accuracy)).collect();
    let series = |name: &str, points| Series { name: name.to_owned(), points, color: None };
    let panel = Panel {
        title: "accuracy, %".into(),
        x_label: "confidence, %".into(),
        series: vec![series("this network", points), series("calibrated", vec![(0.0, 0.0), (100.0, 100.0)])],
        y_range: None,
    };
    Ok(vec![("confusion.svg", confusion), ("calibration.svg", lines("Calibration", &[panel], 1)?)])
}
