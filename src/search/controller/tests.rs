//! The controller against the arithmetic of its paper, in float64, for questions of every form.

use super::*;
use crate::device::Selector;
use crate::space::find;
use std::collections::HashMap;

fn wait<T>(future: impl Future<Output = T>) -> T {
    pollster::block_on(future)
}

fn devices() -> Vec<Device> {
    let software = wait(Device::open(&Selector::Software))
        .inspect_err(|e| crate::device::skipped(&format!("on a software driver: {e}")));
    std::iter::once(Device::cpu()).chain(software).collect()
}

/// Questions, options of each decision, and settings: two cells of two nodes, four layers with skips, and a plain list.
fn forms() -> [(Vec<Question>, Vec<usize>, ControllerConfig); 3] {
    let small = |config: ControllerConfig| ControllerConfig { units: 5, samples: 3, ..config };
    let (mut cells, mut of_cells) = (Vec::new(), Vec::new());
    for cell in 0..2 {
        cells.push(Question::Cell { inputs: 2 });
        for node in 0..2 {
            // Asked as input, input, operation, operation; answered as input, operation, input, operation.
            let first = of_cells.len();
            cells.extend([0, 2].map(|place| Question::State { decision: first + place }));
            let bias = if cell == 0 { vec![0.25, 0.25, -0.25] } else { Vec::new() };
            cells.extend([1, 3].map(|place| Question::Option {
                decision: first + place,
                vocabulary: 0,
                bias: bias.clone(),
            }));
            cells.push(Question::Node);
            of_cells.extend([2 + node, 3, 2 + node, 3]);
        }
    }
    let (mut layers, mut of_layers) = (Vec::new(), Vec::new());
    for layer in 0..4 {
        layers.push(Question::Option { decision: of_layers.len(), vocabulary: 0, bias: Vec::new() });
        let first = of_layers.len() + 1;
        layers.push(Question::Skips { decisions: first..first + layer });
        of_layers.push(6);
        of_layers.extend(vec![2; layer]);
    }
    let plain = [(0, 4), (1, 9), (0, 4), (2, 2)];
    let options = plain.iter().map(|&(_, count)| count).collect();
    let plain = plain.iter().enumerate();
    let plain =
        plain.map(|(decision, &(vocabulary, _))| Question::Option { decision, vocabulary, bias: Vec::new() }).collect();
    [
        (cells, of_cells, small(ControllerConfig::default())),
        (layers, of_layers, small(ControllerConfig::for_networks())),
        (plain, options, small(ControllerConfig::nas_bench_201())),
    ]
}

// --- the reference: one architecture, plain loops, float64 ---------------------------------------------------

type Values = HashMap<String, Vec<f64>>;

struct Reference<'a> {
    values: &'a Values,
    config: &'a ControllerConfig,
    h: Vec<f64>,
    c: Vec<f64>,
    /// −log p, entropy, and the mean penalty of skips.
    totals: [f64; 3],
}

impl Reference<'_> {
    fn times(&self, matrix: &str, x: &[f64]) -> Vec<f64> {
        self.values[matrix].chunks(x.len()).map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum()).collect()
    }

    fn step(&mut self, x: &[f64]) {
        let (of_x, of_h, units) = (self.times("lstm.input", x), self.times("lstm.state", &self.h), self.h.len());
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        for u in 0..units {
            let sum = |gate: usize| of_x[gate * units + u] + of_h[gate * units + u];
            self.c[u] = sigmoid(sum(1)) * self.c[u] + sigmoid(sum(0)) * sum(3).tanh();
            self.h[u] = sigmoid(sum(2)) * self.c[u].tanh();
        }
    }

    /// vᵀ·tanh(W₁h_j + W₂h) of each key.
    fn scores(&self, keys: &[Vec<f64>]) -> Vec<f64> {
        let query = self.times("attention.query", &self.h);
        let score = |key: &Vec<f64>| {
            let terms = self.values["attention.vector"].iter().zip(key.iter().zip(&query));
            terms.map(|(v, (k, q))| v * (k + q).tanh()).sum()
        };
        keys.iter().map(score).collect()
    }

    fn decide(&mut self, logits: &[f64], answer: usize) {
        let sum: f64 = logits.iter().map(|l| l.exp()).sum();
        let p: Vec<f64> = logits.iter().map(|l| l.exp() / sum).collect();
        self.totals[0] -= p[answer].ln();
        self.totals[1] -= match self.config.entropy {
            Entropy::Distribution => p.iter().map(|p| p * p.ln()).sum(),
            Entropy::Choice => p[answer] * p[answer].ln(),
        };
    }

    fn run(&mut self, questions: &[Question], answers: &[usize]) {
        let (tanh, temperature) = (f64::from(self.config.tanh), f64::from(self.config.temperature));
        let start = self.values["start"].clone();
        let units = start.len();
        let (mut keys, mut anchors): (Vec<Vec<f64>>, Vec<Vec<f64>>) = Default::default();
        let mut input = start.clone();
        for question in questions {
            match question {
                Question::Cell { inputs } => {
                    (keys, anchors) = Default::default();
                    for _ in 0..*inputs {
                        self.step(&start);
                        keys.push(self.times("attention.key", &self.h));
                        anchors.push(vec![0.0; units]);
                    }
                    input = start.clone();
                }
                Question::State { decision } => {
                    self.step(&input);
                    let logits: Vec<f64> = self.scores(&keys).iter().map(|s| tanh * (s / temperature).tanh()).collect();
                    self.decide(&logits, answers[*decision]);
                    input = anchors[answers[*decision]].clone();
                }
                Question::Option { decision, vocabulary, bias } => {
                    self.step(&input);
                    let mut scores = self.times(&format!("options.{vocabulary}.head.weight"), &self.h);
                    if let Some(learned) = self.values.get(&format!("options.{vocabulary}.head.bias")) {
                        scores.iter_mut().zip(learned).for_each(|(s, b)| *s += b);
                    }
                    let reach = tanh / f64::from(self.config.operation_tanh_reduce);
                    let mut logits: Vec<f64> = scores.iter().map(|s| reach * (s / temperature).tanh()).collect();
                    logits.iter_mut().zip(bias).for_each(|(l, &b)| *l += f64::from(b));
                    self.decide(&logits, answers[*decision]);
                    let embeddings = &self.values[&format!("options.{vocabulary}.embedding")];
                    input = embeddings[answers[*decision] * units..][..units].to_vec();
                }
                Question::Node => {
                    self.step(&input);
                    keys.push(self.times("attention.key", &self.h));
                    anchors.push(self.h.clone());
                    input = start.clone();
                }
                Question::Skips { decisions } => {
                    self.step(&input);
                    let answers = &answers[decisions.clone()];
                    input = if answers.is_empty() { start.clone() } else { vec![0.0; units] };
                    let scores = self.scores(&keys);
                    for ((score, &answer), anchor) in scores.iter().zip(answers).zip(&anchors) {
                        let l = tanh * (score / temperature).tanh();
                        self.decide(&[-l, l], answer);
                        for (s, target) in [(-l, 1.0 - self.config.skip_target), (l, self.config.skip_target)] {
                            let sigmoid = 1.0 / (1.0 + (-s).exp());
                            self.totals[2] += sigmoid * (sigmoid / f64::from(target)).ln();
                        }
                        let share = answer as f64 / (1.0 + answers.iter().sum::<usize>() as f64);
                        input.iter_mut().zip(anchor).for_each(|(x, a)| *x += share * a);
                    }
                    keys.push(self.times("attention.key", &self.h));
                    anchors.push(self.h.clone());
                }
            }
        }
    }
}

fn reference(values: &Values, config: &ControllerConfig, questions: &[Question], answers: &[usize]) -> [f64; 3] {
    let zeros = vec![0.0; config.units];
    let mut run = Reference { values, config, h: zeros.clone(), c: zeros, totals: [0.0; 3] };
    run.run(questions, answers);
    run.totals
}

/// A controller with weights so large that its answers differ, and these weights.
fn controller(device: &Device, form: &(Vec<Question>, Vec<usize>, ControllerConfig)) -> (Controller, Values) {
    let (questions, options, config) = form;
    let controller = Controller::of_questions(device, questions, options, config.clone(), 5).unwrap();
    let flat = crate::device::noise(controller.parameters.values().count(), 8);
    controller.parameters.values().write(device, &flat).unwrap();
    let values = controller.parameters.split(&flat);
    let values = values.map(|(name, _, v)| (name.to_owned(), v.iter().map(|&v| v.into()).collect())).collect();
    (controller, values)
}

#[test]
fn samples_have_the_probability_and_entropy_of_the_paper() {
    for device in devices() {
        for form in forms() {
            let (mut controller, values) = controller(&device, &form);
            let (questions, options, config) = &form;
            let mut met = std::collections::HashSet::new();
            for sample in (0..4).flat_map(|_| wait(controller.sample()).unwrap()) {
                let answers = &sample.architecture.answers;
                assert!(answers.iter().zip(options).all(|(answer, count)| answer < count), "{answers:?}");
                let [surprise, entropy, _] = reference(&values, config, questions, answers);
                let off = (sample.log_probability + surprise).abs().max((sample.entropy - entropy).abs());
                assert!(off < 2e-5 * surprise, "{}: {sample:?}, not {surprise} and {entropy}", device.name());
                met.insert(sample.architecture);
            }
            assert!(met.len() > 6, "{}: {met:?}", device.name());
        }
    }
}

#[test]
fn the_gradient_is_that_of_reinforce() {
    for device in devices() {
        for form in forms() {
            let form = (form.0, form.1, ControllerConfig { rate: 0.0, entropy_weight: 0.01, ..form.2 });
            let (mut controller, values) = controller(&device, &form);
            let (questions, _, config) = &form;
            let samples = wait(controller.sample()).unwrap();
            let rewards = [0.9, 0.2, 0.6];
            let learned = wait(controller.learn(&samples, &rewards)).unwrap();

            // What is descended, with the baseline after each sample and rewards as constants.
            let (mut baseline, mut advantages) = (0.0, Vec::new());
            for (sample, reward) in samples.iter().zip(rewards) {
                let reward = reward + 0.01 * reference(&values, config, questions, &sample.architecture.answers)[1];
                baseline -= 0.01 * (baseline - reward);
                advantages.push(reward - baseline);
            }
            assert!((learned.baseline - baseline).abs() < 1e-7, "{learned:?} {baseline}");
            let layers =
                questions.iter().filter(|q| matches!(q, Question::Skips { decisions } if !decisions.is_empty()));
            let of_skips = f64::from(config.skip_weight) / layers.count().max(1) as f64;
            let loss = |values: &Values| -> f64 {
                let one = |(sample, advantage): (&Sample, &f64)| {
                    let [surprise, _, penalty] = reference(values, config, questions, &sample.architecture.answers);
                    surprise * advantage + of_skips * penalty
                };
                samples.iter().zip(&advantages).map(one).sum::<f64>() / 3.0
            };
            let flat = wait(controller.parameters.gradients().read(&device)).unwrap();
            for (name, _, got) in controller.parameters.split(&flat) {
                let difference = |at: usize| {
                    let [up, down] = [1e-5, -1e-5].map(|step| {
                        let mut changed = values.clone();
                        changed.get_mut(name).unwrap()[at] += step;
                        loss(&changed)
                    });
                    (up - down) / 2e-5
                };
                let expected: Vec<f64> = (0..got.len()).map(difference).collect();
                let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
                let error = norm(&mut got.iter().zip(&expected).map(|(&g, e)| f64::from(g) - e));
                let size = norm(&mut expected.iter().copied());
                // What is answered last is fed to nobody.
                assert!(size > 1e-6 || name == "options.2.embedding", "{name}");
                assert!(error < 2e-5 * size.max(0.1), "{}, {name}: {error} of {size}", device.name());
            }
            let unmoved = wait(controller.parameters.read(&device)).unwrap();
            assert!(
                controller
                    .parameters
                    .split(&unmoved)
                    .all(|(name, _, v)| { v.iter().zip(&values[name]).all(|(&got, &was)| f64::from(got) == was) })
            );
        }
    }
}

#[test]
fn one_seed_gives_the_same_bits_and_another_seed_others() {
    for device in devices() {
        let run = |seed: u64| {
            let space = find("nas-bench-201").unwrap();
            let config = ControllerConfig::nas_bench_201();
            let mut controller = Controller::new(&device, space.as_ref(), config, seed).unwrap();
            let mut written = Vec::new();
            for _ in 0..3 {
                let samples = wait(controller.sample()).unwrap();
                let rewards: Vec<f64> = samples.iter().map(|s| s.architecture.answers[0] as f64).collect();
                wait(controller.learn(&samples, &rewards)).unwrap();
                written.extend(samples);
            }
            let weights = wait(controller.parameters.values().read_words(&device)).unwrap();
            (written, weights, controller.baseline())
        };
        let (first, again, other) = (run(1), run(1), run(2));
        assert!(first == again, "{}", device.name());
        assert!(first.0 != other.0 && first.1 != other.1);
    }
}

#[test]
fn what_is_rewarded_becomes_probable() {
    for form in forms() {
        // As published, logits of operations of cells reach ±0.44 only, and those that begin at 10 hardly move.
        let wide = ControllerConfig { tanh: 2.5, operation_tanh_reduce: 1.0, bias: vec![0.0], ..form.2 };
        let config = ControllerConfig { samples: 10, units: 16, rate: 2e-2, skip_weight: 0.0, ..wide };
        let mut controller = Controller::of_questions(&Device::cpu(), &form.0, &form.1, config, 3).unwrap();
        // The last decision should be answered by 1.
        let mut share = Vec::new();
        for _ in 0..60 {
            let samples = wait(controller.sample()).unwrap();
            let right = |sample: &Sample| f64::from(u8::from(sample.architecture.answers.last() == Some(&1)));
            let rewards: Vec<f64> = samples.iter().map(right).collect();
            share.push(wait(controller.learn(&samples, &rewards)).unwrap().reward);
        }
        let (before, after) = (share[..10].iter().sum::<f64>() / 10.0, share[50..].iter().sum::<f64>() / 10.0);
        assert!(after > before + 0.1, "{before} {after} ({:?})", form.0.first());
    }
}

#[test]
fn every_space_can_be_asked() {
    for name in crate::space::names() {
        let space = find(name).unwrap();
        let config = ControllerConfig { samples: 2, ..ControllerConfig::nas_bench_201() };
        let mut controller = Controller::new(&Device::cpu(), space.as_ref(), config, 1).unwrap();
        for sample in wait(controller.sample()).unwrap() {
            sample.architecture.check(name, &space.decisions()).unwrap();
        }
    }
}

#[test]
fn what_cannot_be_used_is_refused() {
    let device = Device::cpu();
    let of = |config: ControllerConfig| {
        let [_, _, (questions, options, _)] = forms();
        Controller::of_questions(&device, &questions, &options, config, 0)
    };
    let error = of(ControllerConfig { temperature: 0.0, ..Default::default() }).unwrap_err().to_string();
    assert!(error.contains("temperature"), "{error}");
    let error = Controller::of_questions(&device, &[], &[3], ControllerConfig::default(), 0).unwrap_err().to_string();
    assert!(error.contains("cannot ask this space") && error.contains("decision 0"), "{error}");
    let mut controller = of(ControllerConfig::default()).unwrap();
    let samples = wait(controller.sample()).unwrap();
    let error = wait(controller.learn(&samples, &[0.0])).unwrap_err().to_string();
    assert!(error.contains("10 samples"), "{error}");
    let error = wait(controller.learn(&samples, &[f64::NAN; 10])).unwrap_err();
    assert!(matches!(&error, SearchError::NotFinite { .. }), "{error}");
    assert_eq!(controller.baseline(), 0.0);
}

#[test]
fn a_batch_is_one_recording_of_a_few_dispatches_an_answer() {
    for (questions, options, config) in &forms() {
        let dispatches = |samples: usize| {
            let config = ControllerConfig { samples, ..config.clone() };
            let controller = Controller::of_questions(&Device::cpu(), questions, options, config, 1).unwrap();
            controller.recordings().map(Recording::dispatches)
        };
        let [sampling, learning] = dispatches(10);
        println!("{} questions: {sampling} dispatches to sample, {learning} to learn", questions.len());
        assert_eq!(dispatches(1), [sampling, learning], "however many rows there are");
        assert!(sampling <= 9 * questions.len() && learning <= 4 * sampling, "{sampling} {learning}");
    }
}
