use super::*;
use crate::device::{Call, Case, Launch};
use crate::kernels;
use crate::params;

params! {
    pub struct Params {
        pub count: u32,
    }
}

fn doubled(call: &mut Call<'_>) {
    let x = call.input(0);
    call.output(0).iter_mut().zip(x).for_each(|(y, x)| *y = 2.0 * x);
}

/// Wrong by a tenth, from the third element on.
fn wrong(call: &mut Call<'_>) {
    doubled(call);
    call.output(0).iter_mut().skip(2).for_each(|y| *y *= 1.1);
}

/// What a driver that computes wrong results looks like.
static WRONG: Kernel = Kernel {
    name: "doubled_wrongly",
    source: "",
    params: Params::LAYOUT,
    inputs: &["x"],
    outputs: &["y"],
    launch: |_, _| Launch::linear(1, 64),
    flops: |_| 1,
    twin: wrong,
    reference: doubled,
    cases: || {
        let case = |count: usize| Case::new(format!("{count} values"), &Params { count: count as u32 });
        [2, 3, 100].map(|count| case(count).noise(count, 1).result(count)).to_vec()
    },
    benches: Vec::new,
};

fn checked(kernels: &[&'static Kernel]) -> Report {
    pollster::block_on(check(&Device::cpu(), kernels, |_, _, _| ()))
}

#[test]
fn a_kernel_that_computes_wrong_results_is_named_with_the_size_of_each_difference() {
    let mut seen = Vec::new();
    let kernels = [&kernels::activation::FORWARD, &WRONG, &kernels::elementwise::ADD];
    let report = pollster::block_on(check(&Device::cpu(), &kernels, |name, done, of| {
        assert_eq!(of, 5);
        seen.push((name.to_owned(), done));
    }));
    assert!(!report.agrees());
    let [before, found, after] = report.kernels.as_slice() else { panic!("{report:?}") };
    assert!(before.differences.is_empty() && after.differences.is_empty() && after.compared > 0, "{report:?}");
    assert_eq!((found.name.as_str(), found.compared, found.differences.len()), ("doubled_wrongly", 3, 2));
    for (difference, count) in found.differences.iter().zip(["3 values", "100 values"]) {
        let error = difference.error.unwrap();
        assert!((0.01..=0.1001).contains(&error), "{error}");
        assert_eq!(difference.allowed, Some(1e-5));
        assert!(
            difference.message.contains("`doubled_wrongly`") && difference.message.contains(count),
            "{difference:?}"
        );
    }
    assert_eq!(seen[1], ("doubled_wrongly".to_owned(), 1));
    assert_eq!(seen.last().unwrap(), &("search step".to_owned(), 4));
}

#[test]
fn the_cpu_agrees_with_the_golden_values_and_its_fused_step_with_the_plain_one() {
    let report = checked(&[]);
    assert!(report.agrees(), "{report:#?}");
    // y, dx, α and twelve weights.
    assert_eq!(report.golden.iter().map(|check| check.compared).collect::<Vec<_>>(), [17, 17], "{report:#?}");
    assert_eq!(report.step.iter().map(|check| check.compared).collect::<Vec<_>>(), [9]);
}

#[test]
fn the_values_inside_the_program_are_those_of_the_tests() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/operations.safetensors");
    let all = crate::nn::from_safetensors(&std::fs::read(path).unwrap()).unwrap().0;
    let ours = crate::nn::from_safetensors(golden::VALUES).unwrap().0;
    assert_eq!(ours.len(), all.keys().filter(|name| name.starts_with("mixed/stride2/")).count());
    for (name, array) in ours {
        assert_eq!(array, all[&format!("mixed/stride2/{name}")], "{name}");
    }
}

/// Rounding differs from device to device; were a ReLU's argument as good as 0, one device would let a gradient pass
/// and another would not.
#[test]
fn changes_in_the_last_bits_of_the_images_change_nothing_that_counts() {
    let step = |salt: u64| {
        let change = |pixels: &mut [f32]| {
            let mut random = crate::random::Random::new(salt, 1);
            pixels.iter_mut().for_each(|pixel| *pixel *= 1.0 + random.range(-2e-6, 2e-6));
        };
        let change: &dyn Fn(&mut [f32]) = if salt == 0 { &|_| () } else { &change };
        pollster::block_on(step::step(&Device::cpu(), true, step::SEED, change)).unwrap()
    };
    let expected = step(0);
    for salt in 1..=8 {
        let check = step::compared("changed", &step(salt), &expected);
        assert!(check.differences.is_empty(), "{:?}", check.differences);
    }
}

#[test]
fn a_step_of_another_seed_differs() {
    let step = |seed| pollster::block_on(step::step(&Device::cpu(), false, seed, |_| ())).unwrap();
    let check = step::compared("another", &step(step::SEED + 1), &step(step::SEED));
    assert!(check.differences.len() >= 7, "{:?}", check.differences);
    assert!(check.differences.iter().all(|difference| difference.error.unwrap() > 1e-4), "{:?}", check.differences);
}
