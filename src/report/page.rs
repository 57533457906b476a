//! Pages: what runs came to, as one HTML file that reaches for nothing outside it.
//!
//! [`Document::of`] makes a [`Document`] of what lies in runs' directories ([`Trace`]), and [`html`] a page of that. The page holds
//! the document twice: as words, tables and captions, which are there without a script, and as JSON, of which `page.js` draws the
//! plots. Its `cellwright.render(document)` may be called again with a newer document of the same runs: it leaves alone what is the
//! same, and keeps a reader's sorting, sliders, choices and focus.
//!
//! All text in a document may come from anywhere. Here it is escaped, and the script writes text only as text.

mod cells;
mod classes;
mod compared;
mod costs;
mod course;
mod curves;
pub mod document;
mod drawing;
mod html;
mod named;
mod networks;
mod one;
mod suite;
mod thin;
mod trials;
mod written;

pub use document::Document;
pub use html::{Page, html, live_html};
pub use suite::RunShown;

use super::suite::Figures;
use crate::run::suite::{Cell, Results};
use crate::run::trace::Trace;
use std::borrow::Borrow;

impl Document {
    /// What one run came to, or how several compare.
    pub fn of<T: Borrow<Trace>>(traces: &[T]) -> Self {
        match traces {
            [trace] => one::document(trace.borrow()),
            _ => Self::side_by_side(&traces.iter().map(T::borrow).collect::<Vec<_>>(), Vec::new()),
        }
    }

    /// How runs compare, however few they are. `links` say what each leads to, from the page's address, if they lead anywhere.
    pub fn side_by_side(traces: &[&Trace], links: Vec<String>) -> Self {
        compared::document(traces, links)
    }

    /// What a suite has come to, of whose results these are the figures. `shown` says of each run what is not in them.
    pub fn of_suite(figures: &Figures, results: &Results, shown: impl Fn(&Cell) -> RunShown) -> Self {
        suite::document(figures, results, &shown)
    }
}

#[cfg(test)]
mod tests;
