//! Cells that were published, by name: `published.toml` holds them with their papers and sizes.

use super::text::parse;
use super::{CELL_INPUTS, Genotype};
use crate::space::SpaceError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A published pair of cells.
#[derive(Clone, Debug, Serialize)]
pub struct Published {
    /// What it is called here; case, `-` and `_` do not count.
    pub name: String,
    /// Other names that mean it.
    pub aliases: Vec<String>,
    /// First author, title, venue, year.
    pub paper: String,
    /// Number at arXiv.
    pub arxiv: String,
    /// Year of the venue.
    pub year: u32,
    /// Parameters as stated by the authors, in millions, to as many digits as they give.
    pub published_millions: String,
    /// Whether that figure is quoted at second hand: not read in the paper or the authors' code.
    pub second_hand: bool,
    /// The network whose size is stated.
    pub network: PublishedNetwork,
    /// Parameters of that network as built here, without the auxiliary head: [`PublishedNetwork::settings`].
    pub parameters: u64,
    /// What is to be known where the two differ.
    pub note: Option<String>,
    /// The cells.
    pub genotype: Genotype,
}

/// The network that a size is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublishedNetwork {
    /// CIFAR-10's: 36 channels, 20 cells, 10 classes.
    #[default]
    Cifar,
    /// ImageNet's: 48 channels, 14 cells, 1000 classes, three strided convolutions first.
    ImageNet,
}

impl PublishedNetwork {
    /// Its sizes, without auxiliary head.
    pub fn settings(self) -> crate::space::NetworkSettings {
        use crate::space::{NetworkSettings, Stem};
        let own = NetworkSettings::default();
        match self {
            Self::Cifar => NetworkSettings { channels: 36, layers: 20, ..own },
            Self::ImageNet => NetworkSettings { classes: 1000, ..Stem::ImageNet.settings() },
        }
    }
}

impl Published {
    /// Whether the size as built here is the published one, as far as that was stated.
    pub fn agrees(&self) -> bool {
        let digits = self.published_millions.split_once('.').map_or(0, |(_, digits)| digits.len());
        format!("{:.digits$}", self.parameters as f64 / 1e6) == self.published_millions
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    papers: BTreeMap<String, Paper>,
    cells: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    title: String,
    arxiv: String,
    year: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    paper: String,
    published: String,
    #[serde(default)]
    second_hand: bool,
    #[serde(default)]
    network: PublishedNetwork,
    parameters: u64,
    note: Option<String>,
    normal: String,
    reduce: String,
    normal_joins: Option<Vec<usize>>,
    reduce_joins: Option<Vec<usize>>,
}

/// All of them, in the order of the table.
pub fn all() -> &'static [Published] {
    static ALL: LazyLock<Vec<Published>> = LazyLock::new(|| {
        // The table is part of the program, and a test reads it.
        read(include_str!("published.toml")).expect("the table of published cells can be read")
    });
    &ALL
}

/// The one of a name.
///
/// ```
/// use cellwright::space::darts::published;
///
/// let cells = published::find("darts-v2").expect("a published pair of cells");
/// assert_eq!((cells.name.as_str(), cells.year), ("DARTS_V2", 2019));
/// assert_eq!(cells.parameters, 3_349_342);
/// assert!(published::find("DARTS_V9").is_none());
/// ```
pub fn find(name: &str) -> Option<&'static Published> {
    // No name is longer: texts of genotypes need not be looked at whole.
    let plain = |name: &str| -> String {
        name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
    };
    let wanted = (name.len() <= 64).then(|| plain(name)).filter(|name| !name.is_empty())?;
    all().iter().find(|cell| [&cell.name].into_iter().chain(&cell.aliases).any(|known| plain(known) == wanted))
}

fn read(table: &str) -> Result<Vec<Published>, Box<dyn std::error::Error>> {
    let Table { papers, cells } = toml::from_str(table)?;
    let published = |row: Row| -> Result<Published, Box<dyn std::error::Error>> {
        let paper = papers.get(&row.paper).ok_or_else(|| format!("{}: no paper `{}`", row.name, row.paper))?;
        let genotype = genotype(&row)?;
        Ok(Published {
            name: row.name,
            aliases: row.aliases,
            paper: paper.title.clone(),
            arxiv: paper.arxiv.clone(),
            year: paper.year,
            published_millions: row.published,
            second_hand: row.second_hand,
            network: row.network,
            parameters: row.parameters,
            note: row.note,
            genotype,
        })
    };
    cells.into_iter().map(published).collect()
}

/// The cells of a row: `;` between nodes, `,` between the edges of a node, each an operation and the state it reads.
fn genotype(row: &Row) -> Result<Genotype, SpaceError> {
    let nodes = |cell: &str| -> Vec<String> {
        let edge = |edge: &str| match edge.trim().split_once(' ') {
            Some((operation, state)) => format!("('{operation}', {state})"),
            None => String::new(),
        };
        cell.split(';').map(|node| format!("[{}]", node.split(',').map(edge).collect::<Vec<_>>().join(", "))).collect()
    };
    let part = |name: &str, cell: &str, joins: &Option<Vec<usize>>| {
        let nodes = nodes(cell);
        let all = || (CELL_INPUTS..CELL_INPUTS + nodes.len()).collect();
        format!("{name}=[{}], {name}_concat={:?}", nodes.join(", "), joins.clone().unwrap_or_else(all))
    };
    let normal = part("normal", &row.normal, &row.normal_joins);
    let reduce = part("reduce", &row.reduce, &row.reduce_joins);
    Ok(parse(&format!("Genotype({normal}, {reduce})"))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost;
    use crate::space::darts::evaluation_network;

    #[test]
    fn each_has_the_size_that_the_table_says_and_says_so_where_it_is_not_the_published_one() {
        for cell in all() {
            let graph = evaluation_network(&cell.genotype, &cell.network.settings()).unwrap();
            assert_eq!(cost::parameters(&graph).unwrap(), cell.parameters, "{}", cell.name);
            assert_eq!(cell.agrees(), cell.note.is_none(), "{}: {}", cell.name, cell.published_millions);
        }
    }

    #[test]
    fn names_are_found_however_they_are_written_and_mean_one_thing() {
        for (given, name) in [("darts_v2", "DARTS_V2"), ("PDARTS", "P-DARTS"), ("fair_darts_a", "FAIRDARTS-A")] {
            assert_eq!(find(given).unwrap().name, name);
        }
        assert!(find("").is_none() && find("-").is_none() && find("DARTS_V3").is_none());
        for cell in all() {
            for known in [&cell.name].into_iter().chain(&cell.aliases) {
                assert_eq!(find(known).unwrap().name, cell.name, "{known}");
            }
        }
    }
}
