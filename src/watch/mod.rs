//! Pages of runs as they go, for a browser on this machine: all runs below a directory, whoever's process works in them.
//!
//! Nothing is written, and what lies elsewhere is not read: `place` finds runs and looks at their files before these are read, and follows no
//! links. `known` is what was read of a run, so that only what has come is read again, and what is shown of it; `runs` has all of them, and what is shown of
//! several; `suite` looks at the directory of a suite. `door` says whether a request is let in and what it asks for, `answer` gives it, `server` listens on 127.0.0.1. What a request names is looked up among the runs that were
//! found; it is never a path.
//!
//! A page is that of [`report::page`](crate::report::page), with a script that asks for newer documents.

mod answer;
mod door;
mod known;
mod list;
mod place;
mod progress;
mod row;
mod runs;
mod server;
mod stream;
mod suite;

pub use server::{Server, WatchError};
