use super::*;
use crate::kernels::activation;

fn wait<T>(pending: impl Future<Output = T>) -> T {
    pollster::block_on(pending)
}

/// The CPU, and the software driver where there is one.
fn devices() -> Vec<Device> {
    let mut devices = vec![Device::cpu()];
    match wait(Device::open(&Selector::Software)) {
        Ok(device) => devices.push(device),
        Err(error) => skipped(&format!("on a software driver: {error}")),
    }
    devices
}

fn relu(recorder: &mut Recorder, x: &Buffer, y: &Buffer, count: usize) -> Result<(), Error> {
    let params = activation::Forward { count: count as u32, function: activation::RELU, ..Default::default() };
    let whole = |buffer| Binding { buffer, offset: 0, elements: count };
    recorder.dispatch(&activation::FORWARD, &params, &[whole(x)], &[whole(y)])
}

fn words(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn a_recording_runs_as_often_as_wanted_in_order() {
    for device in devices() {
        let x = device.zeros(4).unwrap();
        let mut recorder = Recorder::new(&device);
        let scratch = recorder.allocate(4).unwrap();
        let y = device.zeros(4).unwrap();
        relu(&mut recorder, &x, &scratch, 4).unwrap();
        recorder.copy(&scratch, 0, &y, 0, 4).unwrap();
        recorder.upload(&scratch, 1, &words(&[9.0])).unwrap();
        recorder.copy(&scratch, 1, &y, 3, 1).unwrap();
        recorder.clear(&y, 0, 1).unwrap();
        let recording = recorder.finish();
        for input in [[1.0, -2.0, 3.0, -4.0], [-1.0, 2.0, -3.0, 4.0]] {
            device.write(&x, 0, &words(&input)).unwrap();
            device.run(&recording).unwrap();
            let got = wait(device.read(&y, 0, 4)).unwrap();
            assert_eq!(got, words(&[0.0, f32::max(input[1], 0.0), f32::max(input[2], 0.0), 9.0]), "{}", device.name());
        }
    }
}

#[test]
fn a_recording_keeps_what_it_binds() {
    for device in devices() {
        let y = device.zeros(4).unwrap();
        let recording = {
            let mut recorder = Recorder::new(&device);
            let x = device.upload(&words(&[1.0, 2.0, 3.0, 4.0])).unwrap();
            relu(&mut recorder, &x, &y, 4).unwrap();
            recorder.finish()
        };
        // Nobody holds x any more, yet its memory must not be given to others.
        let others: Vec<Buffer> = (0..4).map(|_| device.upload(&words(&[9.0; 4])).unwrap()).collect();
        device.run(&recording).unwrap();
        assert_eq!(wait(device.read(&y, 0, 4)).unwrap(), words(&[1.0, 2.0, 3.0, 4.0]), "{}", device.name());
        drop(others);
        let before = device.usage().leased();
        drop(recording);
        assert!(device.usage().leased() < before, "{}: the memory should come back", device.name());
    }
}

#[test]
fn a_buffer_that_is_written_is_bound_nowhere_else() {
    for device in devices() {
        let x = device.zeros(4).unwrap();
        let mut recorder = Recorder::new(&device);
        recorder.set_scope("cells.0");
        let error = relu(&mut recorder, &x, &x, 4).unwrap_err();
        let expected =
            Error::Aliased { kernel: "activation_forward", scope: "cells.0".into(), binding: "y", other: "x" };
        assert_eq!(error, expected);
    }
}

#[test]
fn freed_scratch_serves_later_commands_of_the_recording_and_nobody_else() {
    for device in devices() {
        let recorder = Recorder::new(&device);
        let first = recorder.allocate(1000).unwrap();
        let before = device.usage().current();
        drop(first);
        let second = recorder.allocate(1000).unwrap();
        assert_eq!(device.usage().current(), before, "the second buffer reuses the first one's memory");
        drop(second);
        let recording = recorder.finish();
        let other = device.zeros(1000).unwrap();
        assert!(device.usage().current() > before, "what a recording used must not serve anybody else");
        drop((recording, other));
        device.trim();
        assert_eq!(device.usage().current(), 0);
        assert_eq!(device.usage().leased(), 0);
        assert!(device.usage().peak() >= before);
    }
}

#[test]
fn limits_are_refused_with_the_numbers() {
    for device in devices() {
        let small = wait(device.with_limits(|l| {
            l.workgroups = 3;
            l.buffer_bytes = 1 << 20;
            l.binding_bytes = 1 << 19;
            l.memory_bytes = Some(1 << 21);
        }))
        .unwrap();
        let asked = 4 * (1 << 19);
        assert_eq!(
            small.zeros(1 << 19).unwrap_err(),
            Error::Limit { what: "bytes of one buffer", asked, limit: 1 << 20 }
        );
        let x = small.zeros(1 << 18).unwrap();
        let y = small.zeros(1 << 18).unwrap();
        assert_eq!(small.zeros(1024).unwrap_err(), Error::OutOfMemory { asked: 4096, in_use: 1 << 21 });
        let mut recorder = Recorder::new(&small);
        let error = relu(&mut recorder, &x, &y, 8).unwrap_err();
        assert_eq!(error, Error::Limit { what: "bytes of one binding", asked: 1 << 20, limit: 1 << 19 });
        drop(x);
        // The memory that nobody uses any more makes room for other sizes.
        let x = small.zeros(1 << 15).unwrap();
        let out = small.zeros(1 << 15).unwrap();
        let error = relu(&mut recorder, &x, &out, 1 << 15).unwrap_err();
        assert!(matches!(error, Error::Limit { what: "workgroups of one dispatch", limit: 27, .. }), "{error}");
    }
}

#[test]
fn a_line_of_workgroups_is_folded_into_a_box() {
    for device in devices() {
        let small = wait(device.with_limits(|l| l.workgroups = 7)).unwrap();
        let count = 340 * 1024 - 5;
        let x = small.upload(&words(&noise(count, 1))).unwrap();
        let y = small.zeros(count).unwrap();
        let mut recorder = Recorder::new(&small);
        relu(&mut recorder, &x, &y, count).unwrap();
        small.run(&recorder.finish()).unwrap();
        let got = wait(small.read(&y, 0, count)).unwrap();
        let expected: Vec<u32> = noise(count, 1).iter().map(|v| v.max(0.0).to_bits()).collect();
        assert_eq!(got, expected);
    }
}

/// y = x + 1, one element a workgroup.
static INCREMENT: Kernel = Kernel {
    name: "increment",
    source: "@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
    let i = linear(group, groups);
    if (i < p.count) { y[p.y + i] = x[p.x + i] + 1.0; }
}",
    params: activation::Forward::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |params, _| Launch {
        groups: bytemuck::pod_read_unaligned::<activation::Forward>(params).count.into(),
        ..Launch::default()
    },
    flops: |_| 0,
    twin: |call| {
        let x = call.input(0);
        call.output(0).iter_mut().zip(x).for_each(|(y, x)| *y = x + 1.0);
    },
    reference: |_| (),
    cases: Vec::new,
    benches: Vec::new,
};

#[test]
fn more_than_65535_workgroups_run() {
    for device in devices() {
        let count = 65_536 + 17;
        let x = device.upload(&words(&noise(count, 1))).unwrap();
        let y = device.zeros(count).unwrap();
        let mut recorder = Recorder::new(&device);
        let params = activation::Forward { count: count as u32, ..Default::default() };
        let whole = |buffer| Binding { buffer, offset: 0, elements: count };
        recorder.dispatch(&INCREMENT, &params, &[whole(&x)], &[whole(&y)]).unwrap();
        device.run(&recorder.finish()).unwrap();
        let expected: Vec<f32> = noise(count, 1).iter().map(|v| v + 1.0).collect();
        assert_eq!(wait(device.read(&y, 0, count)).unwrap(), words(&expected), "{}", device.name());
    }
}

#[test]
fn a_tensor_over_the_default_binding_limit_works_where_the_adapter_allows() {
    for device in devices() {
        let count = (129 << 20) / 4;
        if device.limits().binding_bytes < 4 * count as u64 {
            let binds = device.limits().binding_bytes;
            skipped(&format!("on {}: binds at most {binds} bytes", device.name()));
            continue;
        }
        let x = device.zeros(count).unwrap();
        device.write(&x, count - 1, &words(&[5.0])).unwrap();
        let y = device.zeros(count).unwrap();
        let mut recorder = Recorder::new(&device);
        relu(&mut recorder, &x, &y, count).unwrap();
        device.run(&recorder.finish()).unwrap();
        assert_eq!(wait(device.read(&y, count - 1, 1)).unwrap(), words(&[5.0]));
    }
}

#[test]
fn the_first_value_that_is_not_finite_is_named() {
    for device in devices() {
        let x = device.upload(&words(&[1.0, f32::INFINITY])).unwrap();
        let mut recorder = Recorder::new(&device);
        let (a, b) = (recorder.allocate(2).unwrap(), recorder.allocate(2).unwrap());
        recorder.set_scope("fine");
        relu(&mut recorder, &x, &a, 1).unwrap();
        recorder.set_scope("cells.1");
        relu(&mut recorder, &x, &b, 2).unwrap();
        let recording = recorder.finish();
        let found = wait(device.first_not_finite(&recording)).unwrap();
        assert_eq!(found, Some(("activation_forward", "cells.1".to_owned())));
    }
}

#[test]
fn a_lost_device_is_an_error_at_every_later_call() {
    for device in devices().into_iter().filter(Device::is_gpu) {
        let x = device.zeros(4).unwrap();
        let mut recorder = Recorder::new(&device);
        let y = recorder.allocate(4).unwrap();
        relu(&mut recorder, &x, &y, 4).unwrap();
        let recording = recorder.finish();
        device.lose();
        assert!(matches!(device.run(&recording), Err(Error::Lost { .. })));
        assert!(matches!(wait(device.read(&x, 0, 4)), Err(Error::Lost { .. })));
        assert!(matches!(device.zeros(1 << 16), Err(Error::Lost { .. })));
    }
}

#[test]
fn a_shader_that_does_not_compile_is_an_error() {
    static BROKEN: Kernel = Kernel {
        name: "broken",
        source: "this is not WGSL",
        params: activation::Forward::LAYOUT,
        inputs: &["x"],
        outputs: &["y"],
        launch: |_, _| Launch { groups: 1, ..Launch::default() },
        flops: |_| 0,
        twin: |_| (),
        reference: |_| (),
        cases: Vec::new,
        benches: Vec::new,
    };
    for device in devices().into_iter().filter(Device::is_gpu) {
        let (x, y) = (device.zeros(4).unwrap(), device.zeros(4).unwrap());
        let mut recorder = Recorder::new(&device);
        let whole = |buffer| Binding { buffer, offset: 0, elements: 4 };
        recorder.dispatch(&BROKEN, &activation::Forward::default(), &[whole(&x)], &[whole(&y)]).unwrap();
        let error = device.run(&recorder.finish()).unwrap_err();
        assert!(matches!(&error, Error::Refused { what, .. } if what == "kernel `broken`"), "{error}");
        assert!(device.zeros(4).is_ok(), "a refused shader does not spoil the device");
    }
    let error = wait(check_kernel(&Device::cpu(), &BROKEN)).unwrap_err();
    assert!(matches!(error, Disagreement::NoCases { .. }));
}

#[test]
fn every_command_is_timed() {
    for device in devices() {
        let x = device.zeros(1 << 16).unwrap();
        let mut recorder = Recorder::new(&device);
        let y = recorder.allocate(1 << 16).unwrap();
        relu(&mut recorder, &x, &y, 1 << 16).unwrap();
        recorder.clear(&y, 0, 16).unwrap();
        let timings = wait(device.profile(&recorder.finish())).unwrap();
        assert_eq!(timings.iter().map(|t| t.kernel).collect::<Vec<_>>(), ["activation_forward", "clear"]);
        assert!(timings[0].nanoseconds > 0.0, "{}", device.name());
        assert_eq!((timings[0].flops, timings[0].bytes), (1 << 16, 1 << 19));
    }
}

#[test]
fn choices_that_name_nothing_say_what_to_do() {
    let error = wait(Device::open(&"no such adapter".parse().unwrap())).unwrap_err();
    assert!(error.to_string().contains("no device or adapter called `no such adapter` found"), "{error}");
    let error = wait(Device::open(&Selector::Number(99))).unwrap_err();
    assert!(error.to_string().contains("adapter number 99"), "{error}");
}
