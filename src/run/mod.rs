//! One experiment on disk. The only floor, with `cli` above it, that opens files.

pub mod files;
