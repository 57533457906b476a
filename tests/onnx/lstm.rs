//! ONNX's LSTM by the kernel of the controller, step by step. Gates come as i, o, f, c and are taken as i, f, o, c; a bias is one
//! more input, which is 1; backwards means that steps are given in the other order.

use super::agree;
use super::common::devices;
use super::operation::{Attributes, Bench, Numbers, computed, told};
use cellwright::autograd::{Var, ops};
use cellwright::device::Device;
use cellwright::export::onnx::proto::NodeProto;
use cellwright::nn::Array;
use cellwright::random::Random;
use pollster::block_on;

/// All states h, the last h, the last c, where ONNX has them.
pub fn lstm(
    mut bench: Bench<'_>,
    attributes: &Attributes<'_>,
    inputs: &[Option<Numbers>],
) -> Result<Vec<Vec<f32>>, String> {
    for attribute in &attributes.0.attribute {
        if !["hidden_size", "direction", "layout"].contains(&attribute.name.as_str()) {
            return Err(format!("has its own {}", attribute.name));
        }
    }
    let input = |index: usize| inputs.get(index).and_then(Option::as_ref);
    let (Some(x), Some(w), Some(r)) = (input(0), input(1), input(2)) else { return Err("lacks weights".into()) };
    if input(4).is_some() {
        return Err("has sequences of several lengths".into());
    }
    let rows_first = attributes.int("layout", 0) == 1;
    // Steps first, or directions first.
    let ordered = |x: &Numbers| if rows_first { x.turned(&[1, 0, 2]) } else { x.clone() };
    let x = ordered(x);
    let (&[steps, batch, features], &[directions, gates, _]) = (&x.shape[..], &w.shape[..]) else {
        return Err("has arrays of other dimensions".into());
    };
    let units = gates / 4;
    let backwards = match attributes.text("direction").as_deref() {
        None | Some("forward") => vec![false],
        Some("reverse") => vec![true],
        _ => vec![false, true],
    };
    let state_of = |index: usize, direction: usize| match input(index) {
        Some(state) => ordered(state).values[direction * batch * units..][..batch * units].to_vec(),
        None => vec![0.0; batch * units],
    };
    // For each direction the state after each step, in the order in which the steps are.
    let mut states: Vec<Vec<Var>> = Vec::new();
    for (direction, backwards) in backwards.iter().enumerate() {
        let row = |gate: usize| [0, 2, 1, 3][gate / units] * units + gate % units;
        let bias = |gate: usize| match input(3) {
            Some(b) => b.values[direction * 2 * gates + gate] + b.values[(direction * 2 + 1) * gates + gate],
            None => 0.0,
        };
        let mut of_x = Vec::new();
        let mut of_h = Vec::new();
        for gate in (0..gates).map(row) {
            of_x.extend_from_slice(&w.values[(direction * gates + gate) * features..][..features]);
            of_x.push(bias(gate));
            of_h.extend_from_slice(&r.values[(direction * gates + gate) * units..][..units]);
        }
        let of_x = bench.var(&Numbers { shape: vec![gates, features + 1], values: of_x })?;
        let of_h = bench.var(&Numbers { shape: vec![gates, units], values: of_h })?;
        let begin = [state_of(5, direction), state_of(6, direction)].concat();
        let mut state = bench.var(&Numbers { shape: vec![2, batch, units], values: begin })?;
        let mut after = Vec::new();
        let mut order: Vec<usize> = (0..steps).collect();
        if *backwards {
            order.reverse();
        }
        for step in order {
            let rows = x.values[step * batch * features..][..batch * features].chunks_exact(features);
            let values = rows.flat_map(|row| row.iter().copied().chain([1.0]).collect::<Vec<f32>>()).collect();
            let step = bench.var(&Numbers { shape: vec![batch, features + 1], values })?;
            state = ops::lstm(&mut bench.tape, &step, &state, [&of_x, &of_h]).map_err(told)?;
            after.push(state.clone());
        }
        if *backwards {
            after.reverse();
        }
        states.push(after);
    }
    let device = bench.device;
    device.run(&bench.tape.finish()).map_err(told)?;
    let read = |state: &Var| block_on(state.tensor().read(device)).map_err(told);
    let mut all = Vec::new();
    for step in 0..steps {
        for states in &states {
            all.extend_from_slice(&read(&states[step])?[..batch * units]);
        }
    }
    let mut last = [Vec::new(), Vec::new()];
    for (states, backwards) in states.iter().zip(&backwards) {
        let end = if *backwards { states.first() } else { states.last() };
        let end = read(end.ok_or("has no steps")?)?;
        last[0].extend_from_slice(&end[..batch * units]);
        last[1].extend_from_slice(&end[batch * units..]);
    }
    let all = Numbers { shape: vec![steps, directions, batch, units], values: all };
    let [h, c] = last.map(|values| Numbers { shape: vec![directions, batch, units], values });
    Ok(match rows_first {
        true => vec![all.turned(&[2, 0, 1, 3]).values, h.turned(&[1, 0, 2]).values, c.turned(&[1, 0, 2]).values],
        false => vec![all.values, h.values, c.values],
    })
}

/// An LSTM by plain loops, in the order of ONNX's documents: gates i, o, f, c of `w · x + r · h + both biases`.
fn plain(x: &[f32], w: &[f32], r: &[f32], b: &[f32], [features, units]: [usize; 2]) -> Vec<f32> {
    let gates = 4 * units;
    let (mut h, mut c) = (vec![0f64; units], vec![0f64; units]);
    let mut all = Vec::new();
    for x in x.chunks_exact(features) {
        let gate = |gate: usize| {
            let of_x = (0..features).map(|k| f64::from(w[gate * features + k]) * f64::from(x[k])).sum::<f64>();
            let of_h = (0..units).map(|k| f64::from(r[gate * units + k]) * h[k]).sum::<f64>();
            of_x + of_h + f64::from(b[gate]) + f64::from(b[gates + gate])
        };
        let sum: Vec<f64> = (0..gates).map(gate).collect();
        let sigmoid = |v: f64| 1.0 / (1.0 + (-v).exp());
        for unit in 0..units {
            let [i, o, f, g] = [0, 1, 2, 3].map(|kind| sum[kind * units + unit]);
            c[unit] = sigmoid(f) * c[unit] + sigmoid(i) * g.tanh();
            h[unit] = sigmoid(o) * c[unit].tanh();
        }
        all.extend(h.iter().map(|&v| v as f32));
    }
    all
}

#[test]
fn an_lstm_of_onnx_is_the_cell_of_the_controller() {
    let (steps, features, units) = (3, 2, 5);
    let mut draw = Random::new(4, 0);
    let mut array = |shape: &[usize]| Array::f32(shape, (0..shape.iter().product()).map(|_| draw.normal()).collect());
    let (x, w) = (array(&[steps, 1, features]), array(&[1, 4 * units, features]));
    let (r, b) = (array(&[1, 4 * units, units]), array(&[1, 8 * units]));
    let numbers = |array: &Array| Numbers::of(array).unwrap().values;
    let right = plain(&numbers(&x), &numbers(&w), &numbers(&r), &numbers(&b), [features, units]);
    let node = NodeProto { op_type: "LSTM".into(), ..Default::default() };
    for device in devices() {
        let made = computed(&device, &node, &[Some(&x), Some(&w), Some(&r), Some(&b)]).unwrap();
        agree(&made[0], &right, device.name());
        agree(&made[1], &right[(steps - 1) * units..], device.name());
    }
    let peepholes = [Some(&x), Some(&w), Some(&r), None, None, None, None, Some(&b)];
    assert_eq!(computed(&Device::cpu(), &node, &peepholes).unwrap_err(), "has peepholes");
}
