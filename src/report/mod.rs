//! What a person reads afterwards: pictures of architectures, curves of a run, tables.
//!
//! Everything here takes plain data and returns a `String`; whoever calls decides where it goes.
//!
//! - A [`Diagram`] is boxes and arrows. [`cell`] makes one of a DARTS-like cell, [`network`] one of
//!   any [`Graph`](crate::graph::Graph), [`tape`] one of what a tape recorded; [`svg`], [`dot`] and
//!   [`text`] write it down.
//! - [`plot`] draws curves and bars as SVG, [`table`] aligns columns for a terminal.
//!
//! The same data give the same bytes, so that pictures can be compared and kept under version
//! control.

pub mod card;
pub mod cell;
pub mod checklist;
pub mod classes;
pub mod collapse;
mod diagram;
pub mod dot;
pub mod evaluation;
pub mod layout;
pub mod network;
pub mod page;
mod palette;
pub mod plot;
pub mod raster;
pub mod run;
pub mod seeds;
pub mod statistics;
pub mod step;
pub mod strategies;
pub mod study;
pub mod suite;
pub mod supernet;
pub mod svg;
pub mod table;
pub mod tape;
pub mod text;

pub use diagram::{Block, Diagram, Direction, DrawError, Edge, Kind};
pub use palette::Tone;

#[cfg(test)]
mod tests;
