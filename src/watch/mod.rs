//! Pages of runs as they go, for a browser on this machine: all runs below a directory, whoever's process works in them.
//!
//! Nothing is written, and what lies elsewhere is not read: `place` finds runs and looks at their files before these are read, and follows no
//! links. `runs` keeps what was read of each run, so that only what has come is read again, and what is shown of it. `door` says whether a request is
//! let in and what it asks for, `answer` gives it, `server` listens on 127.0.0.1. What a request names is looked up among the runs that were
//! found; it is never a path.
//!
//! A page is that of [`report::page`](crate::report::page), with a script that asks for newer documents.

mod answer;
mod door;
mod list;
mod place;
mod progress;
mod row;
mod runs;
mod server;
mod stream;

pub use server::{Server, WatchError};
