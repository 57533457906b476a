//! `cellwright bench edge`.

use super::super::common::{DeviceArg, parse_image};
use super::super::output::{print, print_json};
use super::measure::MeasureArgs;
use cellwright::graph::Features;
use cellwright::search::bench::EdgeBench;
use cellwright::space::darts::{Darts, Primitive};
use serde_json::json;

/// Arguments.
#[derive(Debug, clap::Args)]
#[command(after_help = "One turn is the mixed operation forward, and backward to its input, all its weights and the\n\
    architecture weights. One turn goes before those that are timed.")]
pub struct Args {
    /// Shape of what enters the edge: channels x rows x columns.
    #[arg(long, default_value = "16x32x32", value_parser = parse_image, value_name = "CxHxW")]
    image: Features,
    /// Step of the edge.
    #[arg(long, default_value_t = 1, value_name = "S", value_parser = clap::value_parser!(u8).range(1..=2))]
    stride: u8,
    /// Images.
    #[arg(long, default_value_t = 16, value_name = "B", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Primitives that are mixed [default: the published eight].
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    primitives: Option<Vec<Primitive>>,
    #[command(flatten)]
    device: DeviceArg,
    #[command(flatten)]
    measure: MeasureArgs,
}

pub fn run(args: &Args) -> super::super::output::Outcome {
    let space = match &args.primitives {
        Some(primitives) => Darts::new(Darts::default().nodes(), primitives.clone())?,
        None => Darts::default(),
    };
    let device = args.device.open()?;
    let (stride, batch) = (usize::from(args.stride), args.batch as usize);
    let measured = args.measure.measure(|fusion| EdgeBench::new(&device, &space, args.image, stride, batch, fusion))?;
    let names: Vec<&str> = space.primitives().iter().map(|p| p.name()).collect();
    if args.measure.json {
        return print_json(&measured.json(json!({
            "image": args.image.to_string(),
            "stride": args.stride,
            "batch": args.batch,
            "primitives": names,
            "fusion": !args.measure.no_fusion,
        })));
    }
    let count = names.len();
    let device = measured.device();
    let what = format!("mixed edge of {count} primitives, step {stride}, {} images of {}", args.batch, args.image);
    print(&format!("{what}, on {device}\n\n{}", measured.text()))
}
