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
pub mod document;
mod drawing;
mod html;
mod networks;
mod one;
mod thin;
mod trials;
mod written;

pub use document::Document;
pub use html::{Page, html, live_html};

use crate::run::trace::Trace;

impl Document {
    /// What one run came to, or how several compare.
    pub fn of(traces: &[Trace]) -> Self {
        match traces {
            [trace] => one::document(trace),
            _ => compared::document(traces),
        }
    }
}

#[cfg(test)]
mod tests;
