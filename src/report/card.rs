//! A model card: what a trained network is, what it was trained on, what it is worth and how it was found, for whoever is handed it
//! (Mitchell et al. 2019, "Model cards for model reporting").

use crate::run::{Config, NetworkFacts, Summary};
use std::fmt::Write as _;
use std::path::Path;

/// What is known of the licences of datasets.
const LICENCES: [(&str, &str); 5] = [
    ("digits", "CC BY 4.0 (Alpaydin and Kaynak, UCI Machine Learning Repository)"),
    ("mnist", "usually given as CC BY-SA 3.0 (LeCun, Cortes and Burges)"),
    ("fashion-mnist", "MIT (Zalando SE)"),
    ("kmnist", "CC BY-SA 4.0 (CODH)"),
    ("cifar10", "none is stated by its authors (Krizhevsky 2009)"),
];

/// What is known of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Card<'a> {
    /// Names of the classes.
    pub classes: &'a [String],
    /// `[channels, rows, columns]` of an image.
    pub image: [usize; 3],
    /// Search space.
    pub space: &'a str,
    /// The architecture in one line, if it was decided.
    pub genotype: Option<&'a str>,
    /// The dataset, and what was found of it in one line.
    pub data: [&'a str; 2],
    /// The network, and others that were trained alike.
    pub networks: &'a [NetworkFacts],
    /// How it came about, in a sentence or two.
    pub origin: String,
    /// Version of the program.
    pub version: Option<&'a str>,
    /// The command that makes it again.
    pub command: &'a str,
    /// Where the dataset's files lie, if it was read from files.
    pub directory: Option<&'a Path>,
}

impl<'a> Card<'a> {
    /// That of a search's run.
    pub fn of_search(summary: &'a Summary, config: &'a Config, classes: &'a [String], image: [usize; 3]) -> Self {
        let Summary { strategy, seed, device, search_seconds, total_seconds, .. } = summary;
        let mut origin = format!(
            "By `{strategy}` with seed {seed} in {search_seconds:.1} s on {}; everything in {total_seconds:.1} s.",
            inline(device)
        );
        if !summary.warnings.is_empty() {
            let warnings: Vec<String> = summary.warnings.iter().map(|warning| inline(warning)).collect();
            origin += &format!(" Warnings: {}.", warnings.join("; "));
        }
        Self {
            classes,
            image,
            space: &summary.space,
            genotype: Some(&summary.genotype),
            data: [&summary.data, &summary.data_source],
            networks: &summary.networks,
            origin,
            version: summary.version.as_deref(),
            command: "cellwright search config.toml",
            directory: config.data.dir.as_deref(),
        }
    }

    /// As Markdown.
    pub fn render(&self) -> String {
        let [channels, height, width] = self.image;
        let plural = if channels == 1 { "" } else { "s" };
        let mut text = String::from("# Model card\n\n## What it is\n\n");
        let size = self.networks.first().map_or(String::new(), |network| {
            format!(" with {} parameters and {} multiply-adds an image", network.parameters, network.multiply_adds)
        });
        let _ = writeln!(
            text,
            "An image classifier{size}. It takes images of {height}×{width} pixels with {channels} channel{plural} and tells {} classes \
             apart: {}.\n",
            self.classes.len(),
            listed(self.classes),
        );
        if let Some(genotype) = self.genotype {
            let _ = writeln!(text, "Its architecture, of the space `{}`:\n\n```text\n{genotype}\n```\n", self.space);
        }
        let [data, source] = self.data;
        let licence = LICENCES.iter().find(|(name, _)| *name == data).map(|(_, licence)| *licence);
        let licence = licence.unwrap_or("not known to this program");
        let _ = writeln!(text, "## What it was trained on\n\n{}\n\nLicence of the data: {licence}.\n", inline(source));
        let _ = writeln!(
            text,
            "## What it is worth\n\n| network | test accuracy | balanced | parameters |\n|---|---|---|---|"
        );
        for NetworkFacts { name, test_accuracy, balanced_accuracy, parameters, .. } in self.networks {
            let balanced = balanced_accuracy.map_or("–".to_owned(), |share| format!("{:.2} %", 100.0 * share));
            let _ = writeln!(text, "| {} | {:.2} % | {balanced} | {parameters} |", inline(name), 100.0 * test_accuracy);
        }
        let _ = writeln!(
            text,
            "\nBalanced is the mean of the classes' recalls (`classes.csv`). The test images took part in neither search nor training. \
             Nothing is known of pictures of another kind; of one that shows none of its classes the network names one all the same.\n"
        );
        let _ = writeln!(text, "## How it came about\n\n{}\n", self.origin);
        let program = self.version.map_or("cellwright".to_owned(), |version| format!("cellwright {version}"));
        let command = self.command;
        let _ = writeln!(
            text,
            "The same again ({program}, with `config.toml`, which lies beside this page):\n\n```sh\n{command}"
        );
        if let Some(directory) = self.directory {
            let path = directory.display().to_string().replace(char::is_control, " ");
            let _ = writeln!(text, "# needs the dataset's files at {path}");
        }
        text + "```\n"
    }
}

/// Names of classes in words: the first of many.
fn listed(classes: &[String]) -> String {
    let named: Vec<String> = classes.iter().take(20).map(|class| inline(class)).collect();
    let rest = classes.len() - named.len();
    named.join(", ") + &if rest > 0 { format!(" and {rest} more") } else { String::new() }
}

/// Text from outside within a paragraph: nothing in it is taken for Markdown or HTML.
fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' => {
                out.push('\\');
                out.push(character);
            }
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_says_what_there_is_to_be_said() {
        let network = NetworkFacts {
            name: "searched".into(),
            genotype: Some("g".into()),
            parameters: 1234,
            multiply_adds: 99,
            test_accuracy: 0.9712,
            balanced_accuracy: Some(0.5),
            train_seconds: 1.0,
        };
        let card = Card {
            classes: &["cat".to_owned(), "<dog>".to_owned()],
            image: [1, 8, 9],
            space: "darts",
            genotype: Some("g"),
            data: ["mnist", "mnist: 2 + 1 pictures"],
            networks: &[network],
            origin: "By hand.".into(),
            version: Some("0.1.0"),
            command: "cellwright search config.toml",
            directory: Some(Path::new("some/where")),
        };
        let text = card.render();
        for wanted in [
            "1234 parameters and 99 multiply-adds",
            "8×9 pixels with 1 channel and tells 2 classes apart: cat, \\<dog\\>.",
            "space `darts`",
            "usually given as CC BY-SA 3.0",
            "| searched | 97.12 % | 50.00 % | 1234 |",
            "By hand.",
            "cellwright 0.1.0",
            "some/where",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }

    #[test]
    fn text_from_outside_stays_text() {
        assert_eq!(inline("a|b <script> *x*\n# y"), "a\\|b \\<script\\> \\*x\\* \\# y");
        let classes: Vec<String> = (0..23).map(|class| class.to_string()).collect();
        assert!(listed(&classes).ends_with("19 and 3 more"));
    }
}
