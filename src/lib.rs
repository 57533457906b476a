//! Neural architecture search from the compute kernels up: handwritten WGSL kernels with Rust twins, an autodiff
//! tape, search spaces, DARTS, ENAS and their kin. No machine-learning framework lies underneath.
//!
//! One [`Graph`](graph::Graph) is the form of every network. A [`Space`](space::Space) decodes an architecture to it,
//! [`network`] runs it, [`cost`] counts it, [`report`] draws it:
//!
//! ```
//! use cellwright::autograd::{Tape, Var};
//! use cellwright::cost::Cost;
//! use cellwright::device::Device;
//! use cellwright::network::{Network, Pass};
//! use cellwright::random::Random;
//! use cellwright::space::{self, NetworkSettings};
//! use cellwright::tensor::Tensor;
//!
//! // One of the 15,625 cells of NAS-Bench-201, and a small network of such cells.
//! let space = space::find("nas-bench-201")?;
//! let architecture = space.random(&mut Random::new(7, 0));
//! let settings = NetworkSettings { channels: 4, layers: 3, ..NetworkSettings::default() };
//! let graph = space.decode(&architecture, &settings)?;
//! println!("{}: {} parameters", space.print(&architecture), Cost::of(&graph, 1)?.parameters);
//!
//! // Work is recorded as plain data, then run. Here: the class scores of two black images.
//! let device = Device::cpu();
//! let network = Network::new(&device, graph, 1)?;
//! let mut tape = Tape::new(&device);
//! let images = Var::constant(Tensor::zeros(&device, &[2, 3, 32, 32])?);
//! let scores = network.forward(&mut tape, &images, &Pass::evaluation())?.remove(0);
//! device.run(&tape.finish())?;
//! let scores = pollster::block_on(scores.tensor().read(&device))?;
//! assert_eq!(scores.len(), 2 * 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Where to begin
//!
//! - **To search**: [`run::search`] with a [`run::Config`] does what the command line does, and writes a
//!   [`run::Directory`]. [`search`] has the strategies as steppers that you drive yourself.
//! - **To know an architecture**: [`run::architecture::read`] takes names, texts and files;
//!   [`space::darts::Genotype`], [`space::nas_bench_201::NasBench201`] and [`space::stages::Stages`] are spaces of their
//!   own; [`space::darts::published`] are the cells of the literature. [`cost::Cost`] counts, [`report::svg`] draws.
//! - **To compute**: [`device::Device`] runs recordings, [`tensor::Tensor`] is a shape and a buffer,
//!   [`autograd::Tape`] goes backwards, [`nn`] and [`optim`] hold and move weights, [`data`] has the images.
//! - **To exchange networks**: [`export::onnx`] writes and reads ONNX, [`nn::to_safetensors`] weights by PyTorch's names.
//! - **To write a kernel**: [`device::Kernel`] is a shader and its twin, [`device::check_kernel`] holds the one against
//!   the other, [`kernels::ALL`] are examples.
//!
//! # Floors
//!
//! Modules are floors: each imports only from those below it. From the top: `watch`, [`report`] and [`export`], [`run`], [`search`],
//! [`estimate`], [`network`], [`space`], [`cost`], [`graph`], [`data`], [`nn`] and [`optim`], [`autograd`], [`tensor`],
//! [`kernels`], [`device`] and [`random`]. Below [`run`] nothing opens files, starts threads or waits for a device:
//! what a device computes arrives as a [`Pending`](device::Pending), a future.
//!
//! # Features
//!
//! All are on by default. `gpu`: kernels run as shaders, by way of wgpu; without it the CPU is the only device.
//! `images`: folders of pictures are datasets. `cli`: the program `cellwright`; `tui`: its option `--tui`. `watch`: pages of
//! runs as they go, served to a browser on this machine. The library alone is `default-features = false`, with those you want.

#![warn(missing_docs)]
#![deny(unsafe_code)]

// Lets the `params!` macro name this crate the same way inside and outside.
extern crate self as cellwright;

pub mod autograd;
pub mod cost;
pub mod data;
pub mod device;
pub mod estimate;
pub mod export;
pub mod graph;
pub mod kernels;
mod names;
pub mod network;
pub mod nn;
mod numbers;
pub mod numerics;
pub mod optim;
pub mod random;
pub mod report;
pub mod run;
pub mod search;
pub mod settings;
pub mod space;
pub mod state;
pub mod tensor;
#[cfg(feature = "watch")]
pub mod watch;

/// The examples of the README, compiled as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
