//! The CPU device's own machinery: what the twins of several families compute with. What belongs to one family stands
//! with it (the windows of depthwise convolutions in `depthwise/windows/`).
//!
//! - Work and memory: [`parallel`] cuts work into pieces for the cores, [`scratch`] lends each thread memory,
//!   [`vector`] reaches the vector units, [`store`] writes or adds results.
//! - Elements: [`maps`] (y = f(x) on all cores), [`contiguous`] (hot loops over runs).
//! - Sums: [`accurate_sums`] (long ones, at the speed of memory), [`channel_sums`] (those of each channel).
//! - Matrix products: [`gemm`] (a panel of columns), [`row_products`] (rows with rows), [`pixel_panel`] (pixels of
//!   images as columns), [`window_rows`] (what a window reads of an image's row), [`transpose`] (channels side by side).

pub(super) mod accurate_sums;
pub(super) mod channel_sums;
pub(super) mod contiguous;
pub(super) mod gemm;
pub(super) mod maps;
pub(super) mod parallel;
pub(super) mod pixel_panel;
pub(super) mod row_products;
pub(super) mod scratch;
pub(super) mod store;
pub(super) mod transpose;
pub(super) mod vector;
pub(super) mod window_rows;
