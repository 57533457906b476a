//! What must hold for every kernel, written once: the registry and `shaders/` list the same names,
//! each shader translates for every back end, its parameters and bindings are what the Rust side
//! declares, and device, twin and reference agree.
//!
//! The device is `CELLWRIGHT_DEVICE` (default: the CPU, and a software driver where there is one).

use cellwright::device::{Choice, Class, Device, Kernel, check_kernel};
use cellwright::kernels::ALL;
use naga::back::{hlsl, msl, spv};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use std::collections::BTreeSet;

fn devices() -> Vec<Device> {
    let open = |choice: Choice| pollster::block_on(Device::open(&choice));
    match std::env::var("CELLWRIGHT_DEVICE") {
        Ok(name) => vec![open(name.parse().unwrap()).unwrap()],
        Err(_) => {
            let mut devices = vec![Device::cpu()];
            match open(Choice::Software) {
                Ok(device) => devices.push(device),
                Err(error) => eprintln!("SKIPPED on a software driver: {error}"),
            }
            devices
        }
    }
}

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
        let small = pollster::block_on(device.with_limits(|l| l.workgroups = 7)).unwrap();
        let failures: Vec<String> = ALL
            .iter()
            .filter_map(|kernel| pollster::block_on(check_kernel(&small, kernel)).err())
            .map(|failure| failure.to_string())
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

#[test]
fn parameters_and_bindings_are_the_shaders_own() {
    for kernel in ALL {
        let (module, _) = parsed(kernel, Class::Hardware);
        let mut bindings: Vec<(u32, &naga::GlobalVariable)> =
            module.global_variables.iter().filter_map(|(_, v)| v.binding.as_ref().map(|b| (b.binding, v))).collect();
        bindings.sort_by_key(|(binding, _)| *binding);
        let expected = 1 + kernel.inputs.len() + kernel.outputs.len();
        assert_eq!(bindings.len(), expected, "{}", kernel.name);
        for (place, (binding, variable)) in bindings.iter().enumerate() {
            assert_eq!(*binding as usize, place, "{}: bindings are numbered in order", kernel.name);
            if place == 0 {
                assert_eq!(variable.space, naga::AddressSpace::Uniform, "{}", kernel.name);
                check_params(kernel, &module, variable);
                continue;
            }
            let written = place > kernel.inputs.len();
            let name = kernel.inputs.iter().chain(kernel.outputs).nth(place - 1).unwrap();
            assert_eq!(variable.name.as_deref(), Some(*name), "{}", kernel.name);
            let naga::AddressSpace::Storage { access } = variable.space else {
                panic!("{}: `{name}` is not a storage buffer", kernel.name)
            };
            assert_eq!(access.contains(naga::StorageAccess::STORE), written, "{}: access of `{name}`", kernel.name);
        }
    }
}

fn check_params(kernel: &Kernel, module: &naga::Module, variable: &naga::GlobalVariable) {
    let naga::TypeInner::Struct { members, span } = &module.types[variable.ty].inner else {
        panic!("{}: the parameters are not a struct", kernel.name)
    };
    assert_eq!(*span as usize, kernel.params.size, "{}: size of the parameters", kernel.name);
    let theirs: Vec<(String, usize, &str)> = members
        .iter()
        .map(|m| {
            let type_name = match module.types[m.ty].inner {
                naga::TypeInner::Scalar(naga::Scalar::U32) => "u32",
                naga::TypeInner::Scalar(naga::Scalar::I32) => "i32",
                naga::TypeInner::Scalar(naga::Scalar::F32) => "f32",
                _ => "other",
            };
            // A name that WGSL reserves ends in an underscore there.
            (m.name.as_deref().unwrap().trim_end_matches('_').to_owned(), m.offset as usize, type_name)
        })
        .collect();
    let ours: Vec<(String, usize, &str)> =
        kernel.params.fields.iter().map(|&(name, offset, ty)| (name.to_owned(), offset, ty)).collect();
    assert_eq!(ours, theirs, "{}: fields of the parameters", kernel.name);
}

#[test]
fn every_shader_translates_to_spirv_msl_and_hlsl() {
    for kernel in ALL {
        for class in [Class::Hardware, Class::Software] {
            let (module, info) = parsed(kernel, class);
            let launch = launch(kernel, class);
            let constants = launch.overrides.iter().map(|&(name, value)| (name.to_owned(), f64::from(value))).collect();
            let (module, info) =
                naga::back::pipeline_constants::process_overrides(&module, &info, None, &constants).unwrap();
            let entry = naga::back::spv::PipelineOptions {
                shader_stage: naga::ShaderStage::Compute,
                entry_point: "main".into(),
            };
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
    }
}

fn launch(kernel: &Kernel, class: Class) -> cellwright::device::Launch {
    (kernel.launch)(&(kernel.cases)()[0].params, class)
}

fn parsed(kernel: &Kernel, class: Class) -> (naga::Module, naga::valid::ModuleInfo) {
    let source = launch(kernel, class).source(kernel);
    let module = naga::front::wgsl::parse_str(&source)
        .unwrap_or_else(|e| panic!("{}:\n{}", kernel.name, e.emit_to_string(&source)));
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap_or_else(|e| panic!("{}: {}", kernel.name, e.emit_to_string(&source)));
    (module, info)
}
