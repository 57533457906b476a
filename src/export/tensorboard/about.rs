//! What is known of a run besides its logs.

use crate::export::picture::Picture;
use crate::graph::Rows;
use crate::space::Decision;
use serde_json::Value as Json;
use std::fmt;

/// What is known of a run before it begins.
#[derive(Debug, Default)]
pub struct About {
    /// What the space decides, by which answers are named.
    pub decisions: Vec<Decision>,
    /// The configuration: a table of tables. Of a study each trial is a session of its own, and this is none.
    pub config: Option<Json>,
    /// What its architecture weights decide, in words.
    pub rows: Vec<Rows>,
    /// How its architectures are drawn.
    pub cells: Cells,
}

/// Draws the cells of an architecture.
type Draw = dyn Fn(&[usize]) -> Vec<(String, Picture)>;

/// What draws the cells of an architecture; by default nothing does.
#[derive(Default)]
pub struct Cells(Option<Box<Draw>>);

impl Cells {
    /// `draw` gives the cells of an architecture, by the answers to the decisions: name and picture.
    pub fn new(draw: impl Fn(&[usize]) -> Vec<(String, Picture)> + 'static) -> Self {
        Self(Some(Box::new(draw)))
    }

    pub(super) fn draw(&self, answers: &[usize]) -> Vec<(String, Picture)> {
        self.0.as_ref().map(|draw| draw(answers)).unwrap_or_default()
    }
}

impl fmt::Debug for Cells {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Cells(…)" } else { "Cells" })
    }
}
