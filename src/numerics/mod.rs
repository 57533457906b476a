//! Numbers behind strategies and predictors: pure functions and small structs on slices of `f64`, which know nothing of
//! architectures, devices or files.
//!
//! - [`GaussianProcess`](gaussian_process::GaussianProcess) is a surrogate on distances,
//!   [`Cholesky`](cholesky::Cholesky) what it rests on; [`parzen`] and [`kernel_density`] are the densities of TPE and
//!   of BOHB.
//! - [`pareto`] and [`hypervolume`] are for several objectives, all of them minimised.
//! - [`halving`] counts trials and budgets, [`curves`] judges unfinished trainings by way of [`least_squares`].
//! - [`importance`] says what share of a quantity's variance each of several decisions has.
//!
//! Whatever is random draws from a [`Random`](crate::random::Random) that the caller owns.

pub mod cholesky;
pub mod curves;
pub mod gaussian_process;
pub mod halving;
pub mod hypervolume;
pub mod importance;
pub mod kernel_density;
pub mod least_squares;
mod normal;
pub mod pareto;
pub mod parzen;
