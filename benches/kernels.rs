//! Times every kernel on every device at hand: `cargo bench --bench kernels -- FILTER`, where the
//! filter is a part of `device/kernel/case`.
//!
//! Devices are the CPU, a software graphics driver and a hardware GPU. Throughput is that of the largest
//! buffer's elements and of all bytes bound.

use cellwright::device::{Binding, Buffer, Case, Choice, Device, Kernel, Recorder, Recording};
use cellwright::kernels::ALL;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::{Duration, Instant};

/// One recording should take about this long, so that submitting it and waiting for it count little.
const RECORDING: Duration = Duration::from_millis(4);

/// A kernel's case made ready to run again and again.
struct Bench {
    device: Device,
    recording: Recording,
    repeats: u64,
    awaited: Buffer,
}

impl Bench {
    fn new(device: &Device, kernel: &'static Kernel, case: &Case) -> Self {
        let once = Self::repeated(device, kernel, case, 1);
        // The first run compiles the shader.
        once.time(1);
        let repeats = RECORDING.as_nanos() / once.time(1).as_nanos().max(1);
        Self::repeated(device, kernel, case, repeats.clamp(1, 512) as u64)
    }

    fn repeated(device: &Device, kernel: &'static Kernel, case: &Case, repeats: u64) -> Self {
        let upload = |contents: &[Vec<u32>]| -> Vec<Buffer> {
            contents.iter().map(|words| device.upload(words).expect("memory for a bench")).collect()
        };
        let (inputs, outputs) = (upload(&case.inputs), upload(&case.outputs));
        fn whole(buffer: &Buffer) -> Binding<'_> {
            Binding { buffer, offset: 0, elements: buffer.words() }
        }
        let inputs: Vec<Binding<'_>> = inputs.iter().map(whole).collect();
        let bound: Vec<Binding<'_>> = outputs.iter().map(whole).collect();
        let mut recorder = Recorder::new(device);
        for _ in 0..repeats {
            recorder.dispatch_bytes(kernel, &case.params, &inputs, &bound).expect("a bench case is valid");
        }
        let awaited = outputs[0].clone();
        Self { device: device.clone(), recording: recorder.finish(), repeats, awaited }
    }

    /// Time of `iterations` dispatches, from as many whole recordings as hold them.
    fn time(&self, iterations: u64) -> Duration {
        let runs = iterations.div_ceil(self.repeats);
        let start = Instant::now();
        for _ in 0..runs {
            self.device.run(&self.recording).expect("a bench runs");
        }
        // Results arrive only when everything before them is done.
        pollster::block_on(self.device.read(&self.awaited, 0, 1)).expect("a bench runs");
        start.elapsed().mul_f64(iterations as f64 / (runs * self.repeats) as f64)
    }
}

fn kernels(criterion: &mut Criterion) {
    for (label, choice) in [("cpu", Choice::Cpu), ("software", Choice::Software), ("gpu", Choice::Gpu)] {
        let device = match pollster::block_on(Device::open(&choice)) {
            Ok(device) => device,
            Err(error) => {
                eprintln!("LEFT OUT: benches on `{label}`: {error}");
                continue;
            }
        };
        for kernel in ALL {
            let mut group = criterion.benchmark_group(format!("{label}/{}", kernel.name));
            for case in (kernel.benches)() {
                let sizes = || case.inputs.iter().chain(&case.outputs).map(|words| words.len() as u64);
                let elements = sizes().max().unwrap_or(0);
                group.throughput(Throughput::ElementsAndBytes { elements, bytes: 4 * sizes().sum::<u64>() });
                // Made on first use: a filter may leave this case out.
                let mut bench = None;
                group.bench_function(&case.label, |bencher| {
                    let bench = bench.get_or_insert_with(|| Bench::new(&device, kernel, &case));
                    bencher.iter_custom(|iterations| bench.time(iterations));
                });
            }
            group.finish();
        }
        device.trim();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = kernels
}
criterion_main!(benches);
