//! How a network does on classes that are not equally frequent, for a terminal.

use super::table::Table;
use crate::run::Imbalance;

/// Balanced accuracy beside what makes it worth saying, and the classes with the lowest recall.
pub fn text(balanced_accuracy: Option<f64>, imbalance: &Imbalance) -> String {
    let Imbalance { training, test, classes, worst } = imbalance;
    let range = |[most, least]: [u64; 2]| format!("{least} to {most}");
    let mut text =
        format!("The classes are imbalanced: {} training and {} test images each. ", range(*training), range(*test));
    if let Some(balanced) = balanced_accuracy {
        text += &format!("Balanced accuracy {:.2} %, the mean of the classes' recalls.\n", 100.0 * balanced);
    }
    let mut table = Table::new(&["class", "test images", "recall", "precision"]);
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    for class in worst {
        let precision = class.precision.map_or("–".to_owned(), percent);
        table.row([class.name.clone(), class.images.to_string(), percent(class.recall), precision]);
    }
    let named = match worst.len() {
        all if all == *classes => "By class".to_owned(),
        some => format!("The {some} of {classes} classes with the lowest recall"),
    };
    text + &format!("{named} (all: classes.csv, confusion.csv):\n\n{}\n", table.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::ClassFacts;

    #[test]
    fn names_do_not_reach_the_terminal_as_they_are() {
        let class = |name: &str, right, precision| {
            let name = name.to_owned();
            ClassFacts { name, images: 4, right, recall: right as f64 / 4.0, precision }
        };
        let worst = vec![class("red\u{1b}[31m\nfox", 1, None), class("cat", 3, Some(0.6))];
        let imbalance = Imbalance { training: [30, 10], test: [4, 4], classes: 5, worst };
        assert_eq!(
            text(Some(0.5), &imbalance),
            "The classes are imbalanced: 10 to 30 training and 4 to 4 test images each. Balanced accuracy 50.00 %, the mean of the \
             classes' recalls.\nThe 2 of 5 classes with the lowest recall (all: classes.csv, confusion.csv):\n\n\
             class         test images   recall  precision\n\
             ────────────  ───────────  ───────  ─────────\n\
             red [31m fox            4  25.00 %          –\n\
             cat                     4  75.00 %    60.00 %\n\n"
        );
    }
}
