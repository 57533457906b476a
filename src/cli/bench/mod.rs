//! `cellwright bench`: times kernels, a search or training step, or a mixed edge; holds samplers against one another.

mod edge;
mod inference;
mod kernels;
mod measure;
mod step;
mod strategies;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Time every kernel and hold it against the device's measured peak.
    Kernels(kernels::Args),
    /// Time one search step of a supernet, or one training step of a network, on random images.
    Step(Box<step::Args>),
    /// Time what a network says of a batch of random images.
    Inference(Box<inference::Args>),
    /// Hold samplers against one another on a benchmark's table.
    Strategies(strategies::Args),
    /// Time one mixed edge, forward and backward.
    Edge(edge::Args),
}

pub fn run(args: &Args) -> super::output::Outcome {
    match &args.what {
        What::Kernels(args) => kernels::run(args),
        What::Step(args) => step::run(args),
        What::Inference(args) => inference::run(args),
        What::Strategies(args) => strategies::run(args),
        What::Edge(args) => edge::run(args),
    }
}
