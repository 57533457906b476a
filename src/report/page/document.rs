//! What a page shows, as plain data: the one thing that the page's static text, its script and a live view have in common.
//!
//! A document is sections of blocks: words, tables, figures, code. Each table and figure has an identifier that stays the same as
//! long as the runs are the same, so that a reader's place in it can be kept when newer data come. Numbers are rounded to six
//! significant digits; what is not finite is nothing.

use serde::{Serialize, Serializer};

/// The form of the document. A reader that knows a smaller one shows what it knows.
pub const FORMAT: u32 = 1;

/// All that a page shows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Document {
    /// [`FORMAT`].
    pub format: u32,
    /// Heading.
    pub title: String,
    /// A line below it.
    pub subtitle: String,
    /// Sections in order.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Unique in the document, of letters and hyphens.
    pub id: &'static str,
    /// Heading.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Words {
        /// It.
        text: String,
    },
    /// A paragraph that should not be overlooked.
    Warning {
        /// It.
        text: String,
    },
    /// Text to be copied.
    Code {
        /// What it is.
        caption: String,
        /// It.
        text: String,
    },
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
}

/// A table that can be sorted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Unique in the document.
    pub id: String,
    /// What it is.
    pub caption: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// The rows to be marked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marked: Vec<usize>,
    /// What each row leads to, from the page's address: nothing where it is empty; none if no row leads anywhere.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// How rows that a reader chooses are opened as one page, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub together: Option<Together>,
}

/// How several rows of a table are opened as one page: its address is `to` and then, with commas between, what the link of each row has
/// behind `from`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Together {
    /// What the links of rows begin with.
    pub from: &'static str,
    /// What the address of several begins with.
    pub to: &'static str,
    /// The most rows.
    pub most: usize,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Column {
    /// Heading.
    pub name: String,
    /// How cells are written.
    pub form: Form,
    /// What cells of the form [`Form::Choice`] count from 0.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// Whether it is shown only when asked for.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// What is better in it, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<Better>,
}

impl Column {
    /// A column that is shown.
    pub fn new(name: impl Into<String>, form: Form) -> Self {
        Self { name: name.into(), form, options: Vec::new(), hidden: false, better: None }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// What is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// More.
    More,
    /// Less.
    Less,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// As it is.
    Text,
    /// A share, in percent.
    Share,
    /// A whole number.
    Whole,
    /// A number with four significant digits.
    Number,
    /// Seconds.
    Seconds,
    /// Seconds, in the units that people count so many by.
    Duration,
    /// Bytes.
    Bytes,
    /// One of the column's options, by its number.
    Choice,
}

/// A cell of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number, or nothing.
    Number(Number),
}

impl Cell {
    /// A number, if there is one.
    pub fn number(value: Option<f64>) -> Self {
        Self::Number(Number(value.unwrap_or(f64::NAN)))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A number as a page has it: six significant digits, whole ones as they are, nothing for what is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = *self;
        if !value.is_finite() {
            serializer.serialize_none()
        } else if value.fract() == 0.0 && value.abs() < 9e15 {
            serializer.serialize_i64(value as i64)
        } else {
            serializer.serialize_f64(format!("{value:.5e}").parse().unwrap_or(value))
        }
    }
}

/// A figure with its caption.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// Unique in the document.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What is to be seen, and how it is to be read.
    pub caption: String,
    /// What is drawn.
    #[serde(flatten)]
    pub plot: Plot,
}

/// An axis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// What it measures.
    pub label: String,
    /// How its numbers are written.
    pub form: Form,
}

impl Axis {
    /// An axis.
    pub fn new(label: &str, form: Form) -> Self {
        Self { label: label.to_owned(), form }
    }
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "plot", rename_all = "snake_case")]
pub enum Plot {
    /// Lines, some with a band about them.
    Lines {
        /// Across.
        x: Axis,
        /// Upwards.
        y: Axis,
        /// The lines.
        series: Vec<Series>,
    },
    /// Values with what they lie between.
    Intervals {
        /// What they measure.
        axis: Axis,
        /// From top to bottom.
        rows: Vec<Interval>,
    },
    /// Every value of some samples as a dot.
    Dots {
        /// What they measure.
        axis: Axis,
        /// From top to bottom.
        rows: Vec<Sample>,
    },
    /// Bars from 0.
    Bars {
        /// What they measure.
        axis: Axis,
        /// Names and values, from top to bottom.
        rows: Vec<(String, Number)>,
    },
    /// Weights of options by row, one step of a slider after the other.
    Heat {
        /// What the slider's steps are called.
        steps: Vec<String>,
        /// Names of the rows.
        rows: Vec<String>,
        /// Names of the columns.
        columns: Vec<String>,
        /// Weights in thousandths, by step, row by row.
        values: Vec<Vec<u16>>,
        /// By step and row, the column that the architecture takes, if it takes one.
        chosen: Vec<Vec<Option<usize>>>,
    },
    /// Pictures of cells, one step of a slider after the other.
    Cells {
        /// What the slider's steps are called.
        steps: Vec<String>,
        /// By step, which of the drawings.
        shown: Vec<usize>,
        /// By step, how many decisions are not those of the step before.
        changed: Vec<usize>,
        /// An architecture's cells.
        drawings: Vec<Vec<Drawing>>,
    },
    /// Rows of a table as points, two of its columns as axes.
    Scatter {
        /// The table's identifier.
        table: String,
        /// The column across, to begin with.
        x: usize,
        /// The column upwards, to begin with.
        y: usize,
    },
    /// Rows of a table as lines through parallel axes.
    Parallel {
        /// The table's identifier.
        table: String,
        /// The columns.
        axes: Vec<usize>,
        /// The column that colours.
        color: usize,
    },
    /// How often a class was taken for another.
    Matrix {
        /// Names of the classes.
        classes: Vec<String>,
        /// Class, what it was taken for, how often.
        counts: Vec<(usize, usize, u64)>,
    },
}

/// A line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// What it is.
    pub name: String,
    /// Where its points are, across.
    pub x: Vec<Number>,
    /// How high they are.
    pub y: Vec<Number>,
    /// The lower edge of its band; none without a band.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub low: Vec<Number>,
    /// The upper edge.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub high: Vec<Number>,
}

/// A value and what it lies between.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Of what.
    pub name: String,
    /// It.
    pub value: Number,
    /// From where.
    pub low: Number,
    /// To where.
    pub high: Number,
    /// Whether it is the one to look at.
    pub emphasis: bool,
}

/// Values of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Of what.
    pub name: String,
    /// Each.
    pub values: Vec<Number>,
    /// Their mean.
    pub mean: Number,
    /// Their standard deviation.
    pub deviation: Number,
    /// Whether others are held against it.
    pub yardstick: bool,
}

/// Boxes and arrows, placed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawing {
    /// Heading.
    pub title: String,
    /// Width and height.
    pub size: [Number; 2],
    /// Boxes.
    pub boxes: Vec<Placed>,
    /// Arrows.
    pub arrows: Vec<Arrow>,
}

/// A box or a label, placed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Placed {
    /// What it stands for, as a class of the style sheet.
    pub tone: &'static str,
    /// Left, top, width, height.
    pub at: [Number; 4],
    /// What is written in it, and a subscript.
    pub text: [String; 2],
}

/// An arrow, placed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrow {
    /// What it stands for, as a class of the style sheet.
    pub tone: &'static str,
    /// Its line as the data of an SVG path.
    pub line: String,
    /// Its head, likewise.
    pub head: String,
    /// What is written on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Placed>,
}
