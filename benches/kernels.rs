//! Times every kernel on every device at hand: `cargo bench --bench kernels -- FILTER`, where the
//! filter is a part of `device/kernel/case`.
//!
//! Devices are the CPU, a software graphics driver and a hardware GPU. Throughput is that of the largest
//! buffer's elements and of all bytes bound.

use cellwright::device::{Bench, Device, Selector};
use cellwright::kernels::ALL;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

/// One recording should take about this long, so that submitting it and waiting for it count little.
const RECORDING: Duration = Duration::from_millis(4);

/// Time of `iterations` dispatches, from as many whole runs as hold them.
fn time(bench: &Bench, iterations: u64) -> Duration {
    let runs = iterations.div_ceil(bench.repeats());
    let total: Duration = (0..runs).map(|_| pollster::block_on(bench.run()).expect("a bench runs")).sum();
    total.mul_f64(iterations as f64 / (runs * bench.repeats()) as f64)
}

fn kernels(criterion: &mut Criterion) {
    for (label, choice) in [("cpu", Selector::Cpu), ("software", Selector::Software), ("gpu", Selector::Gpu)] {
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
                    let bench = bench.get_or_insert_with(|| {
                        let made = Bench::new(&device, kernel, &case, RECORDING);
                        pollster::block_on(made).expect("memory for a bench")
                    });
                    bencher.iter_custom(|iterations| time(bench, iterations));
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
