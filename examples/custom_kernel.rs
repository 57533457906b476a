//! A kernel of your own: WGSL and its Rust twin, checked, differentiated, used.
//!
//! The function is swish (Ramachandran, Zoph & Le 2017, found by search): y = x · σ(x). Its derivative
//! is σ(x) · (1 + x · (1 − σ(x))). A kernel is a plain `static`: nothing is registered anywhere. What the library
//! promises of its own kernels (shader and twin agree, whatever the size; gradients are right) is checked
//! here with the same two functions that its own tests call.
//!
//! Run it with `cargo run --release --example custom_kernel -- --device software`.

use cellwright::autograd::{Backward, Gradients, Tape, Var, check_gradients};
use cellwright::device::{Call, Case, Device, Kernel, Launch, Selector, bytemuck, check_kernel, noise};
use cellwright::params;
use cellwright::tensor::{Error, Tensor};
use clap::Parser;

// The parameters: in the shader they are `p`, with the same fields. Tensors share buffers, so every kernel is told where
// its data begin.
params! {
    /// Parameters of [`SWISH`].
    pub struct Swish {
        /// Offset of x.
        pub x: u32,
        /// Offset of y.
        pub y: u32,
        /// Number of elements.
        pub count: u32,
    }
}

params! {
    /// Parameters of [`SWISH_BACKWARD`].
    pub struct SwishBackward {
        /// Offset of x.
        pub x: u32,
        /// Offset of dy.
        pub dy: u32,
        /// Offset of dx.
        pub dx: u32,
        /// Number of elements.
        pub count: u32,
        /// Whether dx is added to (1) or overwritten (0): several readers of x give it a gradient each.
        pub accumulate: u32,
    }
}

// The parameters `p` and the buffers that the kernel declares stand in front of the source. `linear` is the number of
// the workgroup, counted in one line; the last ones may lie beyond the data, hence the check.
const SWISH_WGSL: &str = "
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    let v = x[p.x + i];
    y[p.y + i] = v / (1.0 + exp(-v));
}
";

const SWISH_BACKWARD_WGSL: &str = "
override WORKGROUP: u32 = 64;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
    let i = linear(group, groups) * WORKGROUP + lane;
    if (i >= p.count) { return; }
    let v = x[p.x + i];
    let s = 1.0 / (1.0 + exp(-v));
    let g = dy[p.dy + i] * s * (1.0 + v * (1.0 - s));
    if (p.accumulate != 0u) { dx[p.dx + i] += g; } else { dx[p.dx + i] = g; }
}
";

static SWISH: Kernel = Kernel {
    name: "swish",
    source: SWISH_WGSL,
    params: Swish::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<Swish>(params).count.into(), 64),
    flops: |params| 4 * u64::from(bytemuck::pod_read_unaligned::<Swish>(params).count),
    twin: swish,
    reference: swish_reference,
    cases: || SIZES.into_iter().map(swish_case).collect(),
    benches: || vec![swish_case(1 << 18)],
};

static SWISH_BACKWARD: Kernel = Kernel {
    name: "swish_backward",
    source: SWISH_BACKWARD_WGSL,
    params: SwishBackward::LAYOUT,
    inputs: &["x", "dy"],
    outputs: &["dx"],
    launch: |params, _| Launch::linear(bytemuck::pod_read_unaligned::<SwishBackward>(params).count.into(), 64),
    flops: |params| 8 * u64::from(bytemuck::pod_read_unaligned::<SwishBackward>(params).count),
    twin: swish_backward,
    reference: swish_backward_reference,
    cases: || SIZES.into_iter().flat_map(|n| [0, 1].map(|accumulate| backward_case(n, accumulate))).collect(),
    benches: || vec![backward_case(1 << 18, 0)],
};

/// Sizes that catch what goes wrong: one element, a workgroup less one, a workgroup, many and a few.
const SIZES: [usize; 4] = [1, 63, 64, 1000];

// The twin is the same computation on the CPU: it is what runs where there is no GPU.
fn swish(call: &mut Call<'_>) {
    let p: Swish = call.params();
    let (x, y) = (&call.input(0)[p.x as usize..], &mut call.output(0)[p.y as usize..]);
    for (x, y) in x.iter().zip(y).take(p.count as usize) {
        *y = x / (1.0 + (-x).exp());
    }
}

fn swish_backward(call: &mut Call<'_>) {
    let p: SwishBackward = call.params();
    let (x, dy) = (&call.input(0)[p.x as usize..], &call.input(1)[p.dy as usize..]);
    let dx = &mut call.output(0)[p.dx as usize..];
    for ((x, dy), dx) in x.iter().zip(dy).zip(dx).take(p.count as usize) {
        let s = 1.0 / (1.0 + (-x).exp());
        let gradient = dy * s * (1.0 + x * (1.0 - s));
        *dx = if p.accumulate != 0 { *dx + gradient } else { gradient };
    }
}

// The reference is what both are held to: plain, and in float64, so that it says what is right and not what
// is usual. (Where the twin is plain enough, it may be its own reference.)
fn swish_reference(call: &mut Call<'_>) {
    let p: Swish = call.params();
    let (x, y) = (call.input(0), call.output(0));
    for i in 0..p.count as usize {
        let v = f64::from(x[p.x as usize + i]);
        y[p.y as usize + i] = (v / (1.0 + (-v).exp())) as f32;
    }
}

fn swish_backward_reference(call: &mut Call<'_>) {
    let p: SwishBackward = call.params();
    let (x, dy, dx) = (call.input(0), call.input(1), call.output(0));
    for i in 0..p.count as usize {
        let (v, g) = (f64::from(x[p.x as usize + i]), f64::from(dy[p.dy as usize + i]));
        let s = 1.0 / (1.0 + (-v).exp());
        let at = p.dx as usize + i;
        let before = if p.accumulate != 0 { f64::from(dx[at]) } else { 0.0 };
        dx[at] = (before + g * s * (1.0 + v * (1.0 - s))) as f32;
    }
}

// Buffers larger than what is worked on, at offsets of their own: a kernel that writes beside its place is found.
fn swish_case(count: usize) -> Case {
    let params = Swish { x: 3, y: 2, count: count as u32 };
    Case::new(format!("{count} elements"), &params).noise(count + 3, 1).result(count + 4)
}

fn backward_case(count: usize, accumulate: u32) -> Case {
    let params = SwishBackward { x: 1, dy: 2, dx: 3, count: count as u32, accumulate };
    let case = Case::new(format!("{count} elements, accumulate {accumulate}"), &params);
    case.noise(count + 1, 1).noise(count + 2, 2).result(count + 5)
}

/// The operation: forwards a dispatch, and a note on the tape of how to come back.
fn record_swish(tape: &mut Tape, x: &Var) -> Result<Var, Error> {
    let y = tape.output(x.shape())?;
    let params = Swish { x: x.tensor().at(), y: y.at(), count: y.count() as u32 };
    tape.recorder().dispatch(&SWISH, &params, &[x.tensor().binding()], &[y.binding()])?;
    // The closure is called only if x wants a gradient: else nothing is kept alive.
    Ok(tape.push("swish", &[x], y, || Undo { x: x.id(), value: x.tensor().clone() }))
}

#[derive(Debug)]
struct Undo {
    x: Option<usize>,
    value: Tensor,
}

impl Backward for Undo {
    fn backward(self: Box<Self>, dy: &Tensor, gradients: &mut Gradients<'_>) -> Result<(), Error> {
        let Self { x, value } = *self;
        gradients.add(x, value.shape(), |recorder, dx, accumulate| {
            let (x, count) = (value.at(), value.count() as u32);
            let params = SwishBackward { x, dy: dy.at(), dx: dx.at(), count, accumulate: accumulate.into() };
            Ok(recorder.dispatch(&SWISH_BACKWARD, &params, &[value.binding(), dy.binding()], &[dx.binding()])?)
        })
    }

    fn saved_bytes(&self) -> usize {
        self.value.count() * 4
    }
}

#[derive(Parser)]
struct Args {
    /// Which device computes: `auto`, `cpu`, `gpu`, `software`, a number or a name.
    #[arg(long, default_value = "auto")]
    device: String,
    /// Accepted like in the other examples: this one is always quick.
    #[arg(long)]
    quick: bool,
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::open(&args.device.parse::<Selector>()?).await?;
    println!("device: {}", device.name());
    for kernel in [&SWISH, &SWISH_BACKWARD] {
        check_kernel(&device, kernel).await?;
        println!("{}: agrees with its reference on {} cases", kernel.name, (kernel.cases)().len());
    }

    let inputs = [(noise(12, 7), vec![3, 4])];
    check_gradients(&device, &inputs, |tape, x| record_swish(tape, &x[0]), 3e-3).await?;
    // Read twice, x gets two gradients: the second must be added.
    let twice = |tape: &mut Tape, x: &[Var]| {
        let (a, b) = (record_swish(tape, &x[0])?, record_swish(tape, &x[0])?);
        cellwright::autograd::ops::multiply(tape, &a, &b)
    };
    check_gradients(&device, &inputs, twice, 3e-3).await?;
    println!("gradients agree with differences");

    let mut tape = Tape::new(&device);
    let x = tape.leaf(Tensor::from_values(&device, &[-4.0, -1.0, 0.0, 1.0, 4.0], &[5])?);
    let y = record_swish(&mut tape, &x)?;
    let gradients = tape.backward(&y, None)?;
    print!("{tape}");
    device.run(&tape.finish())?;
    println!("x      {:?}", x.tensor().read(&device).await?);
    println!("swish  {:.4?}", y.tensor().read(&device).await?);
    if let Some(slope) = x.id().and_then(|id| gradients[id].as_ref()) {
        println!("slope  {:.4?}", slope.read(&device).await?);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(run(Args::parse()))
}
