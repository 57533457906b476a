//! What a device can do at most, measured: the yardstick that other kernels are held against.

use crate::device::{Bench, Case, Class, Device, Error, Kernel};
use crate::kernels::{elementwise, matmul};
use serde::Serialize;
use std::time::Duration;

/// Elements read, and as many written, to measure bandwidth: 64 MiB each, more than caches hold.
const LARGE: u32 = 16 << 20;

/// Speeds that a device reached.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Peak {
    /// Floating-point operations a second, of a large matrix product.
    pub flops_per_second: f64,
    /// Bytes read plus written a second, of scaling a large buffer.
    pub bytes_per_second: f64,
    /// Seconds that a dispatch takes that computes next to nothing and waits for the one before.
    pub launch_seconds: f64,
}

impl Peak {
    /// Measures a device, for about `budget` a measurement.
    ///
    /// # Errors
    /// As recording and running do; the bandwidth takes 128 MiB of memory.
    pub async fn measure(device: &Device, budget: Duration) -> Result<Self, Error> {
        // A product that keeps a processor busy leaves most of a graphics card idle.
        let sizes: &[u32] = if device.class() == Class::Hardware { &[512, 2048] } else { &[512] };
        let mut flops_per_second: f64 = 0.0;
        for &size in sizes {
            let speed = time(device, &matmul::MATMUL, &product(size), budget).await?;
            flops_per_second = flops_per_second.max(speed.flops_per_second());
        }
        let params = elementwise::Scale { x: 0, y: 0, count: LARGE, factor: 0.5, accumulate: 0 };
        let ones = vec![1.0; LARGE as usize];
        let case = Case::new("bandwidth", &params).input(&ones).output(&ones);
        let bytes_per_second = time(device, &elementwise::SCALE, &case, budget).await?.bytes_per_second();
        let params = elementwise::Scale { x: 0, y: 0, count: 1, factor: 0.5, accumulate: 0 };
        let case = Case::new("launch", &params).input(&[1.0]).output(&[1.0]);
        let launch_seconds = time(device, &elementwise::SCALE, &case, budget).await?.median;
        device.trim();
        Ok(Self { flops_per_second, bytes_per_second, launch_seconds })
    }

    /// The share of the device's peak that so many operations and bytes in so many seconds reach, and
    /// whether computing (true) or memory (false) would be what limits them. Data that stay in caches
    /// can pass 1.
    pub fn share(&self, flops: u64, bytes: u64, seconds: f64) -> (f64, bool) {
        let computing = flops as f64 / self.flops_per_second;
        let moving = bytes as f64 / self.bytes_per_second;
        (computing.max(moving) / seconds, computing > moving)
    }
}

async fn time(
    device: &Device,
    kernel: &'static Kernel,
    case: &Case,
    budget: Duration,
) -> Result<crate::device::Speed, Error> {
    Bench::new(device, kernel, case, budget.min(Duration::from_millis(20))).await?.measure(budget).await
}

fn product(size: u32) -> Case {
    let params = matmul::Params { rows: size, columns: size, inner: size, ..matmul::Params::default() };
    let count = (size * size) as usize;
    Case::new(format!("{size}³"), &params).noise(count, 1).noise(count, 2).noise(1, 3).result(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_limit_decides_the_share() {
        let peak = Peak { flops_per_second: 100.0, bytes_per_second: 10.0, launch_seconds: 1e-6 };
        assert_eq!(peak.share(50, 1, 1.0), (0.5, true));
        assert_eq!(peak.share(50, 8, 1.0), (0.8, false));
        assert_eq!(peak.share(0, 8, 2.0), (0.4, false));
    }

    #[test]
    fn a_device_is_measured() {
        let peak = pollster::block_on(Peak::measure(&Device::cpu(), Duration::from_millis(1))).unwrap();
        assert!(peak.flops_per_second > 1e7 && peak.flops_per_second < 1e15, "{peak:?}");
        assert!(peak.bytes_per_second > 1e7 && peak.bytes_per_second < 1e14, "{peak:?}");
        assert!(peak.launch_seconds > 1e-9 && peak.launch_seconds < 1e-2, "{peak:?}");
    }
}
