//! Gradients of what a controller is made of.

use super::*;
use ops::Decide;

#[test]
fn a_step_of_an_lstm() {
    let inputs = [values(&[3, 2], 1), values(&[2, 3, 4], 2), values(&[16, 2], 3), values(&[16, 4], 4)];
    check(&inputs, |tape, v| ops::lstm(tape, &v[0], &v[1], [&v[2], &v[3]]));
    // Twice, with the same weights: gradients of h and c, and of weights from two steps.
    let inputs = [values(&[3, 4], 1), inputs[1].clone(), values(&[16, 4], 3), inputs[3].clone()];
    check(&inputs, |tape, v| {
        let weights = [&v[2], &v[3]];
        let once = ops::lstm(tape, &v[0], &v[1], weights)?;
        let h = ops::part(tape, &once, 0, &[3, 4])?;
        let twice = ops::lstm(tape, &h, &once, weights)?;
        // What is read of the middle state flows back beside what the second step sends.
        ops::add(tape, &twice, &once)
    });
    // Nothing flows to a state that wants no gradient.
    let device = Device::cpu();
    let start = Tensor::from_values(&device, &noise(24, 9), &[2, 3, 4]).unwrap();
    let inputs = [inputs[0].clone(), inputs[2].clone(), inputs[3].clone()];
    let from_start = |tape: &mut Tape, v: &[Var]| ops::lstm(tape, &v[0], &Var::constant(start.clone()), [&v[1], &v[2]]);
    wait(check_gradients(&device, &inputs, from_start, 3e-3)).unwrap();
}

#[test]
fn states_are_collected_scored_and_recalled() {
    let inputs = [values(&[2, 3], 1), values(&[2, 3], 2), values(&[2, 3], 3), values(&[3], 4)];
    check(&inputs, |tape, v| {
        let memory = Tensor::scratch(tape.recorder(), &[3, 2, 3])?;
        let one = ops::append(tape, None, &memory, &v[0])?;
        let first = ops::additive_attention(tape, &one, &v[2], &v[3])?;
        let two = ops::append(tape, Some(&one), &memory, &v[1])?;
        let second = ops::additive_attention(tape, &two, &v[2], &v[3])?;
        // All scores in one row after another: [2, 1] and [2, 2].
        let weights = Tensor::from_values(tape.device(), &[0.0, 1.0, 0.25, 0.5], &[2, 2])?;
        let recalled = ops::recall(tape, &weights, &two)?;
        let (first, second) = (ops::sum(tape, &first)?, ops::scale(tape, &second, 0.7)?);
        let (second, third) = (ops::sum(tape, &second)?, ops::multiply(tape, &recalled, &v[2])?);
        let third = ops::sum(tape, &third)?;
        let both = ops::add(tape, &first, &second)?;
        ops::add(tape, &both, &third)
    });
    check(&[values(&[3, 4], 1)], |tape, v| ops::part(tape, &v[0], 4, &[2, 2]));
}

/// What was decided, without the entropy, which has no gradient.
fn without_entropy(tape: &mut Tape, totals: &Var) -> Result<Var, Error> {
    let rows = totals.shape()[0];
    let mask = Tensor::from_values(tape.device(), &[1.0, 0.0, 1.0].repeat(rows), &[rows, 3])?;
    ops::multiply(tape, totals, &Var::constant(mask))
}

#[test]
fn decisions() {
    let range = |salt| (noise(12, salt).iter().map(|v| 2.0 * v).collect(), vec![3, 4]);
    let inputs = [range(1), values(&[3, 3], 2), range(3)];
    check(&inputs, |tape, v| {
        let device = tape.device().clone();
        let words = |words: &[u32]| Tensor::from_words(&device, words, &[words.len()]);
        let (options, layers) = (words(&[2, 0, 3])?, words(&[0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0])?);
        let answers = [Tensor::zeros(&device, &[3])?, Tensor::zeros(&device, &[12])?];
        let bias = Tensor::from_values(&device, &[0.5, 0.0, -0.25, 1.0], &[4])?;
        let decide = Decide {
            picks: &options,
            drawn: false,
            answers: &answers[0],
            slope: 0.7,
            reach: 1.1,
            entropy_of_choice: false,
        };
        let one = ops::choose(tape, &v[0], Some(&bias), &v[1], decide)?;
        let two = ops::choose(tape, &v[0], None, &one.totals, decide)?;
        let decide = Decide { picks: &layers, answers: &answers[1], reach: 1.5, entropy_of_choice: true, ..decide };
        let three = ops::skips(tape, &v[2], &two.totals, [0.6, 0.4], decide)?;
        without_entropy(tape, &three.totals)
    });
}

#[test]
fn uniform_numbers_draw_in_proportion_and_given_answers_count_the_same() {
    for device in devices() {
        let rows = 1000;
        let scores = [0.9f32, -0.3, 0.1].repeat(rows);
        let uniform: Vec<u32> = (0..rows).map(|i| ((i as f32 + 0.5) / rows as f32).to_bits()).collect();
        let run = |drawn: bool, picks: &[u32]| {
            let mut tape = Tape::new(&device);
            let scores = Var::constant(Tensor::from_values(&device, &scores, &[rows, 3]).unwrap());
            let totals = Var::constant(Tensor::zeros(&device, &[rows, 3]).unwrap());
            let picks = Tensor::from_words(&device, picks, &[rows]).unwrap();
            let answers = Tensor::zeros(&device, &[rows]).unwrap();
            let decide =
                Decide { picks: &picks, drawn, answers: &answers, slope: 1.0, reach: 2.0, entropy_of_choice: false };
            let made = ops::choose(&mut tape, &scores, None, &totals, decide).unwrap();
            device.run(&tape.finish()).unwrap();
            (wait(answers.read_words(&device)).unwrap(), wait(made.totals.tensor().read(&device)).unwrap())
        };
        let (answers, totals) = run(true, &uniform);
        let logits = [0.9f64, -0.3, 0.1].map(|s| 2.0 * s.tanh());
        let sum: f64 = logits.iter().map(|l| l.exp()).sum();
        let probabilities = logits.map(|l| l.exp() / sum);
        for (option, p) in probabilities.iter().enumerate() {
            let share = answers.iter().filter(|&&a| a == option as u32).count() as f64 / rows as f64;
            assert!((share - p).abs() < 2e-3, "{}: {share} for {p}", device.name());
        }
        let entropy: f64 = -probabilities.iter().map(|p| p * p.ln()).sum::<f64>();
        for (row, &answer) in answers.iter().enumerate() {
            assert!((f64::from(totals[3 * row]) + probabilities[answer as usize].ln()).abs() < 1e-5);
            assert!((f64::from(totals[3 * row + 1]) - entropy).abs() < 1e-5);
        }
        assert_eq!(run(false, &answers), (answers, totals), "{}", device.name());
    }
}
