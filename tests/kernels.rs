//! What must hold for every kernel, written once: the registry and `shaders/` list the same names,
//! each shader translates for every back end and uses the buffers that the Rust side declares, and device, twin
//! and reference agree.
//!
//! The device is `CELLWRIGHT_DEVICE` (default: the CPU, and a software driver where there is one).

mod common;

use cellwright::device::{Call, Case, Class, Kernel, Launch, bytemuck, check_kernel};
use cellwright::kernels::{ALL, conv, depthwise, filter_bank, pool};
use common::devices;
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, GlobalUse, ValidationFlags, Validator};
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn the_registry_lists_what_shaders_holds() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        // `include/` holds text shared by several shaders.
        .filter(|path| path.is_file())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<String> = ALL.iter().map(|k| k.name.to_owned()).collect();
    assert_eq!(listed.len(), ALL.len(), "a name is listed twice");
    assert_eq!(files, listed);
}

#[test]
fn every_kernel_has_cases_and_a_bench() {
    for kernel in ALL {
        assert!(!(kernel.cases)().is_empty(), "{} has no cases", kernel.name);
        assert!(!(kernel.benches)().is_empty(), "{} has no bench", kernel.name);
        for case in (kernel.cases)().iter().chain(&(kernel.benches)()) {
            assert_eq!(case.inputs.len(), kernel.inputs.len(), "{}: {}", kernel.name, case.label);
            assert_eq!(case.outputs.len(), kernel.outputs.len(), "{}: {}", kernel.name, case.label);
            assert_eq!(case.params.len(), kernel.params.size, "{}: {}", kernel.name, case.label);
        }
    }
}

#[test]
fn twins_write_what_they_should_and_nothing_else_is_a_stub() {
    for kernel in ALL {
        let changes = (kernel.cases)().iter().any(|case| {
            let mut outputs = case.outputs.clone();
            (kernel.twin)(&mut cellwright::device::Call::new(
                &case.params,
                case.inputs.iter().map(Vec::as_slice).collect(),
                outputs.iter_mut().map(Vec::as_mut_slice).collect(),
            ));
            outputs != case.outputs
        });
        assert!(changes, "the twin of {} writes nothing in any case", kernel.name);
    }
}

#[test]
fn shader_twin_and_reference_agree() {
    for device in devices() {
        let failures: Vec<String> = ALL
            .iter()
            .filter_map(|kernel| pollster::block_on(check_kernel(&device, kernel)).err())
            .map(|failure| failure.to_string())
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

#[test]
fn cases_hold_with_a_tiny_workgroup_limit() {
    for device in devices() {
        let small = pollster::block_on(device.with_limits(|l| l.workgroups = 10)).unwrap();
        let failures: Vec<String> = ALL
            .iter()
            .filter_map(|kernel| pollster::block_on(check_kernel(&small, kernel)).err())
            .map(|failure| failure.to_string())
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

/// Parameters and buffers are declared in front of a shader's source, from what the kernel says: what can be wrong is the
/// layout (WGSL's against Rust's) and what the source does with the buffers.
#[test]
fn shaders_lay_out_parameters_as_rust_does_and_use_the_buffers_declared() {
    for kernel in ALL {
        let (module, info) = parsed(kernel, &launches(kernel, Class::Hardware)[0]);
        let entry = info.get_entry_point(0);
        for (handle, variable) in module.global_variables.iter() {
            let Some(binding) = &variable.binding else { continue };
            if binding.binding == 0 {
                check_layout(kernel, &module, variable);
                continue;
            }
            let name = kernel.buffers().nth(binding.binding as usize - 1).unwrap();
            assert_eq!(variable.name.as_deref(), Some(name), "{}", kernel.name);
            let expected =
                if binding.binding as usize > kernel.inputs.len() { GlobalUse::WRITE } else { GlobalUse::READ };
            assert!(entry[handle].contains(expected), "{}: `{name}` is not used: {:?}", kernel.name, entry[handle]);
        }
    }
}

fn check_layout(kernel: &Kernel, module: &naga::Module, variable: &naga::GlobalVariable) {
    let naga::TypeInner::Struct { members, span } = &module.types[variable.ty].inner else {
        panic!("{}: the parameters are not a struct", kernel.name)
    };
    assert_eq!(*span as usize, kernel.params.size, "{}: size of the parameters", kernel.name);
    let theirs: Vec<(&str, usize)> = members.iter().map(|m| (m.name.as_deref().unwrap(), m.offset as usize)).collect();
    let ours: Vec<(&str, usize)> = kernel.params.scalars().into_iter().map(|(name, at, _)| (name, at)).collect();
    assert_eq!(ours, theirs, "{}: fields of the parameters", kernel.name);
}

/// Every way in which the cases specialise a shader, for hardware, too, which nobody may have here.
#[test]
fn every_shader_translates_to_spirv_msl_and_hlsl() {
    for kernel in ALL {
        for class in [Class::Hardware, Class::Software] {
            for launch in launches(kernel, class) {
                translates(kernel, &launch);
            }
        }
    }
}

fn translates(kernel: &Kernel, launch: &Launch) {
    let (module, info) = parsed(kernel, launch);
    let constants = launch.overrides.iter().map(|&(name, value)| (name.to_owned(), f64::from(value))).collect();
    let (module, info) = naga::back::pipeline_constants::process_overrides(&module, &info, None, &constants).unwrap();
    let shared = module.global_variables.iter().filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup);
    let shared: u32 = shared.map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx())).sum();
    // What every WebGPU device has.
    assert!(shared <= 16_384, "{}: {shared} bytes of workgroup memory in {launch:?}", kernel.name);
    let entry =
        naga::back::spv::PipelineOptions { shader_stage: naga::ShaderStage::Compute, entry_point: "main".into() };
    spv::write_vec(&module, &info, &spv::Options::default(), Some(&entry))
        .unwrap_or_else(|e| panic!("{} to SPIR-V: {e}", kernel.name));
    let options = msl::Options { fake_missing_bindings: true, lang_version: (2, 4), ..Default::default() };
    msl::write_string(&module, &info, &options, &msl::PipelineOptions::default())
        .unwrap_or_else(|e| panic!("{} to MSL: {e}", kernel.name));
    let options = hlsl::Options {
        fake_missing_bindings: true,
        special_constants_binding: Some(hlsl::BindTarget::default()),
        ..Default::default()
    };
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &hlsl::PipelineOptions::default())
        .write(&module, &info, None)
        .unwrap_or_else(|e| panic!("{} to HLSL: {e}", kernel.name));
    assert!(text.contains("main"), "{}", kernel.name);
}

/// The launches of a kernel's cases that differ in more than the number of workgroups.
fn launches(kernel: &Kernel, class: Class) -> Vec<Launch> {
    let mut launches: Vec<Launch> = Vec::new();
    for case in (kernel.cases)() {
        let launch = Launch { groups: 1, ..(kernel.launch)(&case.params, class) };
        if !launches.contains(&launch) {
            launches.push(launch);
        }
    }
    launches
}

fn parsed(kernel: &Kernel, launch: &Launch) -> (naga::Module, naga::valid::ModuleInfo) {
    let source = launch.source(kernel);
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{}:\n{}", kernel.name, e.emit_to_string(&source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}: {}", kernel.name, e.emit_to_string(&source)));
    (module, info)
}

/// Sizes of a convolution: batch, channels, height, width, kernel, stride, dilation, padding.
type Geometry = ([usize; 4], [usize; 2], [usize; 2], [usize; 2], [i32; 2]);

fn geometries() -> impl Strategy<Value = Geometry> {
    let pair = |range: std::ops::RangeInclusive<usize>| [range.clone(), range];
    let images = [1..=3usize, 1..=5, 1..=33, 1..=33];
    (images, pair(1..=7), pair(1..=3), pair(1..=2), [-1..=4i32, -1..=4])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// The tuned twins of the convolutions agree with plain loops for any sizes.
    #[test]
    fn convolutions_of_any_geometry_agree_with_plain_loops(
        ([batch, channels, height, width], kernel, stride, dilation, pad) in geometries(),
        outputs in 1..=6usize,
        accumulate in 0..=1u32,
    ) {
        let extent = |size: usize, axis: usize| {
            let padded = size as i64 + 2 * i64::from(pad[axis]);
            let span = (dilation[axis] * (kernel[axis] - 1) + 1) as i64;
            (padded >= span).then(|| ((padded - span) / stride[axis] as i64 + 1) as usize)
        };
        let (Some(out_height), Some(out_width)) = (extent(height, 0), extent(width, 1)) else { return Ok(()) };
        let n = |v: usize| v as u32;
        let (x, taps) = (batch * channels * height * width, kernel[0] * kernel[1]);
        let y = batch * channels * out_height * out_width;
        let window = conv::Window {
            height: n(height), width: n(width), out_height: n(out_height), out_width: n(out_width),
            kernel_rows: n(kernel[0]), kernel_columns: n(kernel[1]), stride_rows: n(stride[0]),
            stride_columns: n(stride[1]), dilation_rows: n(dilation[0]), dilation_columns: n(dilation[1]),
            pad_top: pad[0], pad_left: pad[1],
        };
        let params = depthwise::Params {
            batch: n(batch), channels: n(channels), window, accumulate, ..Default::default()
        };
        let w = channels * taps;
        agree(&depthwise::FORWARD, &params, [x, w], y)?;
        agree(&depthwise::BACKWARD_INPUT, &params, [w, y], x)?;
        agree(&depthwise::BACKWARD_WEIGHT, &params, [x, y], w)?;
        let params = conv::Params {
            batch: n(batch), inputs: n(channels), outputs: n(outputs), groups: 1, window, accumulate,
            ..Default::default()
        };
        let (w, y) = (outputs * channels * taps, batch * outputs * out_height * out_width);
        agree_with(&conv::FORWARD, &params, &[x, w, outputs], y)?;
        agree(&conv::BACKWARD_INPUT, &params, [w, y], x)?;
        agree(&conv::BACKWARD_WEIGHT, &params, [x, y], w)?;
    }
}

/// What the spaces allow at most: rows and columns of a window, and the stride; dilation is 2 there.
const LARGEST: usize = 31;
const FARTHEST: usize = 4;

/// Windows with their middle on a pixel, as the spaces' operations have them: batch, channels, height, width;
/// kernel; stride; dilation.
type Window = ([usize; 4], [usize; 2], usize, [usize; 2]);

fn windows() -> impl Strategy<Value = Window> {
    let odd = || (0..=LARGEST / 2).prop_map(|half| 2 * half + 1);
    ([1..=2usize, 1..=2, 1..=14, 1..=14], [odd(), odd()], 1..=FARTHEST, [1..=3usize, 1..=3])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(80) })]

    /// So do they for windows up to the largest, larger than the image or not, with groups; and so do banks and pools.
    #[test]
    fn windows_up_to_the_largest_agree_with_plain_loops(
        ([batch, channels, height, width], kernel, stride, dilation) in windows(),
        second in (0..=LARGEST / 2).prop_map(|half| 2 * half + 1),
        [groups, each, shared, normalised, accumulate] in [1..=2usize, 1..=2, 0..=1, 0..=1, 0..=1],
    ) {
        let n = |v: usize| v as u32;
        let out = |size: usize| (size - 1) / stride + 1;
        let pad = |axis: usize| n(dilation[axis] * (kernel[axis] - 1) / 2);
        let (pixels, out_pixels, taps) = (height * width, out(height) * out(width), kernel[0] * kernel[1]);
        let window = conv::Window {
            height: n(height), width: n(width), out_height: n(out(height)), out_width: n(out(width)),
            kernel_rows: n(kernel[0]), kernel_columns: n(kernel[1]), stride_rows: n(stride), stride_columns: n(stride),
            dilation_rows: n(dilation[0]), dilation_columns: n(dilation[1]), pad_top: pad(0) as i32,
            pad_left: pad(1) as i32,
        };
        let params = depthwise::Params {
            batch: n(batch), channels: n(channels), window, accumulate: n(accumulate), ..Default::default()
        };
        let (x, y, w) = (batch * channels * pixels, batch * channels * out_pixels, channels * taps);
        agree(&depthwise::FORWARD, &params, [x, w], y)?;
        agree(&depthwise::BACKWARD_INPUT, &params, [w, y], x)?;
        agree(&depthwise::BACKWARD_WEIGHT, &params, [x, y], w)?;

        let (inputs, outputs) = (groups * channels, groups * each);
        let params = conv::Params {
            batch: n(batch), inputs: n(inputs), outputs: n(outputs), groups: n(groups), window,
            accumulate: n(accumulate), ..Default::default()
        };
        let (x, y, w) = (batch * inputs * pixels, batch * outputs * out_pixels, outputs * channels * taps);
        agree_with(&conv::FORWARD, &params, &[x, w, outputs], y)?;
        agree(&conv::BACKWARD_INPUT, &params, [w, y], x)?;
        agree(&conv::BACKWARD_WEIGHT, &params, [x, y], w)?;

        // Of the first kind `each` branches, of the second one.
        let branches = each + 1;
        let own = if shared == 1 { 1 } else { branches };
        let first = each * channels * kernel[0] * kernel[0];
        let params = filter_bank::Params {
            weight1: n(first), batch: n(batch), channels: n(channels), height: n(height), width: n(width),
            out_height: n(out(height)), out_width: n(out(width)), stride: n(stride), in_channels: n(own * channels),
            out_channels: n(branches * channels), branches0: n(each), branches1: 1, kernel0: n(kernel[0]),
            kernel1: n(second), dilation0: n(dilation[0]), dilation1: n(dilation[1]), shared_input: n(shared),
            norm: n(normalised * own * channels), accumulate: n(accumulate), ..Default::default()
        };
        let (x, y, w) = (batch * own * channels * pixels, batch * branches * channels * out_pixels, first + channels * second * second);
        let saved = 2 * own * channels;
        agree_with(&filter_bank::FORWARD, &params, &[x, w, saved, 1], y)?;
        agree_with(&filter_bank::BACKWARD_INPUT, &params, &[x, w, saved, 1, y], x)?;
        agree_with(&filter_bank::BACKWARD_WEIGHT, &params, &[x, y, saved, 1], w)?;

        let params = pool::Params {
            planes: n(channels), height: n(height), width: n(width), out_height: n(out(height)), out_width: n(out(width)),
            kernel: n(second), stride: n(stride), padding: n(second / 2), accumulate: n(accumulate), ..Default::default()
        };
        let (x, y) = (channels * pixels, channels * out_pixels);
        agree_with(&pool::AVG_FORWARD, &params, &[x], y)?;
        agree_with(&pool::AVG_BACKWARD, &params, &[y], x)?;
        // The indices of the maxima are those that the forward pass finds.
        let case = Case::new("", &params).noise(x, 0).result(y).result(y);
        let [twin, reference] = [pool::MAX_FORWARD.twin, pool::MAX_FORWARD.reference].map(|f| outputs_of(&case, f));
        prop_assert_eq!(&twin, &reference);
        let case = Case::new("", &params).words(&twin[1]).noise(y, 1).result(x);
        compare(&pool::MAX_BACKWARD, &case)?;
    }
}

fn agree<P: bytemuck::Pod>(
    kernel: &Kernel,
    params: &P,
    inputs: [usize; 2],
    output: usize,
) -> Result<(), TestCaseError> {
    agree_with(kernel, params, &inputs, output)
}

fn agree_with<P: bytemuck::Pod>(
    kernel: &Kernel,
    params: &P,
    inputs: &[usize],
    output: usize,
) -> Result<(), TestCaseError> {
    let case =
        inputs.iter().enumerate().fold(Case::new("", params), |case, (i, &n)| case.noise(n, i as u64)).result(output);
    compare(kernel, &case)
}

fn outputs_of(case: &Case, f: fn(&mut Call<'_>)) -> Vec<Vec<u32>> {
    let mut outputs = case.outputs.clone();
    let inputs = case.inputs.iter().map(Vec::as_slice).collect();
    f(&mut Call::new(&case.params, inputs, outputs.iter_mut().map(Vec::as_mut_slice).collect()));
    outputs
}

/// Holds a twin's first output to the reference's.
fn compare(kernel: &Kernel, case: &Case) -> Result<(), TestCaseError> {
    let run = |f| -> Vec<f32> { outputs_of(case, f).swap_remove(0).into_iter().map(f32::from_bits).collect() };
    let (twin, reference) = (run(kernel.twin), run(kernel.reference));
    // A single sum may cancel to almost nothing: errors count against results of size one at least.
    let norm = reference.iter().map(|v| v * v).sum::<f32>().max(reference.len() as f32).sqrt();
    let error = twin.iter().zip(&reference).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    prop_assert!(error <= 2e-6 * norm, "{}: relative error {:e}", kernel.name, error / norm);
    Ok(())
}

#[test]
fn each_kernel_says_its_formula_as_its_shader_does() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    for kernel in ALL {
        let file = std::fs::read_to_string(folder.join(format!("{}.wgsl", kernel.name))).unwrap();
        let beginning = file.lines().next().unwrap().trim_start_matches("//").trim();
        let formula = kernel.formula();
        // A sentence may end within the line, or go on behind it.
        let common = formula.chars().zip(beginning.chars()).take_while(|(a, b)| a == b).count();
        let shortest = formula.chars().count().min(beginning.chars().count());
        assert!(common >= 12 && common + 1 >= shortest, "{}: `{formula}`, `{beginning}`", kernel.name);
        assert!(!formula.contains("//") && !formula.contains('\n'), "{}: {formula}", kernel.name);
    }
}
