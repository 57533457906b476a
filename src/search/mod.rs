//! Search strategies: which architecture, or which step of the architecture weights, comes next.
//!
//! A search is a **stepper**: [`bilevel::Bilevel`], say, does one step and gives what happened, and whoever
//! calls it (a command line, a test, a page) decides when to go on and what to do with the events.

pub mod bench;
pub mod bilevel;
pub mod check;
pub mod collapse;
pub mod controller;
pub mod enas;
mod event;
pub mod one_shot;
pub mod samplers;
mod stepper;
mod strategies;
mod strategy;
pub mod study;

pub use crate::estimate::EstimateError as SearchError;
pub use crate::estimate::{BoxFuture, Progress};
pub use event::{ControllerEpoch, EpochEnd, Event, Origin, Tried};
pub use stepper::{Shared, Stepper};
pub use strategies::{ALL, Gradient, Paths, Sampled, table};
pub use strategy::{About, Bench, Strategy, Task};

use stepper::{check_architectures, check_order, steps_taken};
