//! Holds a kernel to its word: shader, twin and reference must agree on its cases.

use super::{Binding, Buffer, Call, Case, Device, Error, Kernel, Recorder};

/// How a kernel failed its check.
#[derive(Debug, thiserror::Error)]
pub enum Disagreement {
    /// The device failed.
    #[error("kernel `{kernel}`, case `{case}`: {error}")]
    Device {
        /// The kernel.
        kernel: &'static str,
        /// The case's label.
        case: String,
        /// What happened.
        error: Error,
    },
    /// Results differ.
    #[error(
        "kernel `{kernel}`, case `{case}`, output `{output}` on {device}: relative error {error:e}, allowed {allowed:e}; first difference at {at}: {got} instead of {expected}"
    )]
    Differs {
        /// The kernel.
        kernel: &'static str,
        /// The case's label.
        case: String,
        /// Which output.
        output: &'static str,
        /// On which device.
        device: String,
        /// Relative L2 error.
        error: f64,
        /// What is allowed.
        allowed: f64,
        /// Element of the first large difference.
        at: usize,
        /// Value of the device.
        got: f32,
        /// Value of the reference.
        expected: f32,
    },
    /// A kernel without cases proves nothing.
    #[error("kernel `{kernel}` has no cases")]
    NoCases {
        /// The kernel.
        kernel: &'static str,
    },
}

/// Says that a test left something out, on standard error and past the capture of test harnesses: a
/// line that begins with `SKIPPED`.
pub fn skipped(what: &str) {
    use std::io::Write;
    // A test has nobody to tell if even this fails.
    let _ = writeln!(std::io::stderr(), "SKIPPED {what}");
}

/// Runs a case of a kernel on a device and gives the contents of the outputs.
///
/// # Errors
/// As [`Recorder::dispatch`] and [`Device::run`].
pub async fn run_case(device: &Device, kernel: &'static Kernel, case: &Case) -> Result<Vec<Vec<u32>>, Error> {
    let upload = |contents: &Vec<Vec<u32>>| contents.iter().map(|c| device.upload(c)).collect::<Result<Vec<_>, _>>();
    let (inputs, outputs) = (upload(&case.inputs)?, upload(&case.outputs)?);
    let mut recorder = Recorder::new(device);
    fn bind(buffer: &Buffer) -> Binding<'_> {
        Binding { buffer, offset: 0, elements: buffer.words() }
    }
    recorder.dispatch_bytes(
        kernel,
        &case.params,
        &inputs.iter().map(bind).collect::<Vec<_>>(),
        &outputs.iter().map(bind).collect::<Vec<_>>(),
    )?;
    device.run(&recorder.finish())?;
    let mut results = Vec::new();
    for output in &outputs {
        results.push(device.read(output, 0, output.words()).await?);
    }
    Ok(results)
}

/// What came of all cases of a kernel.
#[derive(Debug)]
pub struct Agreement {
    /// The kernel's name.
    pub kernel: &'static str,
    /// Cases that were run.
    pub cases: usize,
    /// The largest error of the cases that agree, as a share of what is allowed.
    pub closest: f64,
    /// The cases that don't.
    pub failures: Vec<Disagreement>,
}

/// Runs every case of `kernel` on `device` and compares with the kernel's reference on the CPU.
///
/// ```
/// use cellwright::device::{Device, check_kernel};
/// use cellwright::kernels;
///
/// let adam = kernels::ALL.iter().find(|kernel| kernel.name.contains("adam")).expect("an optimiser of that name");
/// assert!(!(adam.cases)().is_empty());
/// pollster::block_on(check_kernel(&Device::cpu(), adam))?; // on every case: what the reference computes
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first [`Disagreement`].
pub async fn check_kernel(device: &Device, kernel: &'static Kernel) -> Result<(), Disagreement> {
    for case in cases(kernel)? {
        check_case(device, kernel, &case).await?;
    }
    Ok(())
}

/// As [`check_kernel`], but goes on after a disagreement, unless the device is lost.
pub async fn check_cases(device: &Device, kernel: &'static Kernel) -> Agreement {
    let mut agreement = Agreement { kernel: kernel.name, cases: 0, closest: 0.0, failures: Vec::new() };
    let cases = match cases(kernel) {
        Ok(cases) => cases,
        Err(none) => return Agreement { failures: vec![none], ..agreement },
    };
    for case in cases {
        agreement.cases += 1;
        match check_case(device, kernel, &case).await {
            Ok(share) => agreement.closest = agreement.closest.max(share),
            Err(failure) => {
                let lost = matches!(failure, Disagreement::Device { error: Error::Lost { .. }, .. });
                agreement.failures.push(failure);
                if lost {
                    break;
                }
            }
        }
    }
    agreement
}

fn cases(kernel: &'static Kernel) -> Result<Vec<Case>, Disagreement> {
    Some((kernel.cases)()).filter(|cases| !cases.is_empty()).ok_or(Disagreement::NoCases { kernel: kernel.name })
}

/// Gives the largest error of an output, as a share of what is allowed.
async fn check_case(device: &Device, kernel: &'static Kernel, case: &Case) -> Result<f64, Disagreement> {
    let got = run_case(device, kernel, case).await.map_err(|error| Disagreement::Device {
        kernel: kernel.name,
        case: case.label.clone(),
        error,
    })?;
    let mut expected = case.outputs.clone();
    (kernel.reference)(&mut Call::new(
        &case.params,
        case.inputs.iter().map(Vec::as_slice).collect(),
        expected.iter_mut().map(Vec::as_mut_slice).collect(),
    ));
    let mut largest = 0.0f64;
    for ((got, expected), name) in got.iter().zip(&expected).zip(kernel.buffers().skip(kernel.inputs.len())) {
        largest = largest.max(compare(kernel, case, name, device.name(), got, expected)?);
    }
    Ok(largest)
}

fn compare(
    kernel: &'static Kernel,
    case: &Case,
    output: &'static str,
    device: &str,
    got: &[u32],
    expected: &[u32],
) -> Result<f64, Disagreement> {
    if got == expected {
        return Ok(0.0);
    }
    let values = |words: &[u32]| words.iter().map(|&w| f32::from_bits(w)).collect::<Vec<f32>>();
    let (got, expected) = (values(got), values(expected));
    let (mut difference, mut norm) = (0.0, 0.0);
    let mut worst = (0, 0.0f64);
    for (i, (&g, &e)) in got.iter().zip(&expected).enumerate() {
        // Equal bits (two infinities, say) differ by nothing.
        let d = if g.to_bits() == e.to_bits() { 0.0 } else { f64::from(g) - f64::from(e) };
        if d.abs() > worst.1 || d.is_nan() {
            worst = (i, if d.is_nan() { f64::INFINITY } else { d.abs() });
        }
        difference += d * d;
        norm += f64::from(e) * f64::from(e);
    }
    let error = difference.sqrt() / norm.sqrt().max(1e-30);
    if error <= case.tolerance && case.tolerance > 0.0 {
        return Ok(error / case.tolerance);
    }
    Err(Disagreement::Differs {
        kernel: kernel.name,
        case: case.label.clone(),
        output,
        device: device.to_owned(),
        error,
        allowed: case.tolerance,
        at: worst.0,
        got: got[worst.0],
        expected: expected[worst.0],
    })
}
