//! A mixed operation of all eight DARTS primitives at stride 2, forward and backward, against values that PyTorch
//! computed in float64: part of `tests/golden/operations.safetensors`, whose README says how they were made.

use super::comparison::{Check, Failure, norm};
use crate::autograd::{Tape, ops};
use crate::device::Device;
use crate::graph::{Candidate, Choice, Features, Graph, Op, Options};
use crate::network::{Choices, Network, Pass, architecture_weights};
use crate::nn::{Array, Value, from_safetensors};
use crate::space::SpaceError;
use crate::space::darts::{Primitive, Variant};
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap};

pub(super) const VALUES: &[u8] = include_bytes!("mixed.safetensors");

/// Largest relative error of results.
const RESULT: f64 = 1e-5;
/// Largest error of a gradient, relative to its own norm and to that of all.
const GRADIENT: [f64; 2] = [1e-4, 1e-7];
/// Where the mixed operation stands in the network.
const ROOT: &str = "root";

/// Fused and plain.
pub(super) async fn check(device: &Device) -> Vec<Check> {
    let mut checks = Vec::new();
    for (fusion, name) in [(true, "golden mixed operation, fused"), (false, "golden mixed operation, plain")] {
        let mut check = Check::new(name);
        checks.push(match run(device, fusion, &mut check).await {
            Ok(()) => check,
            Err(failure) => Check::failed(name, &failure),
        });
    }
    checks
}

/// The arrays of [`VALUES`].
struct Golden(BTreeMap<String, Array>);

impl Golden {
    fn array(&self, name: &str) -> Result<&Array, Failure> {
        self.0.get(name).ok_or_else(|| Failure::Lacking(name.to_owned()))
    }

    fn get(&self, name: &str) -> Result<&[f32], Failure> {
        match &self.array(name)?.value {
            Value::F32(values) => Ok(values),
            Value::I64(_) => Err(Failure::Lacking(name.to_owned())),
        }
    }

    fn tensor(&self, device: &Device, name: &str) -> Result<Tensor, Failure> {
        Ok(Tensor::from_values(device, self.get(name)?, &self.array(name)?.shape)?)
    }
}

/// One choice among all primitives.
fn graph(image: Features) -> Result<Graph, SpaceError> {
    let candidate = |(k, primitive): (usize, Primitive)| {
        let mut graph = Graph::new(&[image]);
        let node = primitive.append(&mut graph, &format!("{ROOT}._ops.{k}"), 0, 2, Variant::Search)?;
        graph.output("y", node);
        Ok(Candidate { label: primitive.to_string(), graph })
    };
    let candidates = Primitive::DARTS.into_iter().enumerate().map(candidate).collect::<Result<_, SpaceError>>()?;
    let choice = Choice::new("alpha", 0, Options::Operations(candidates));
    let mut graph = Graph::new(&[image]);
    let node = graph.push(ROOT, Op::Choice(choice), &[0])?;
    graph.output("y", node);
    Ok(graph)
}

async fn run(device: &Device, fusion: bool, check: &mut Check) -> Result<(), Failure> {
    let golden = Golden(from_safetensors(VALUES)?.0);
    let &[_, channels, height, width] = golden.array("x")?.shape.as_slice() else {
        return Err(Failure::Lacking("x".into()));
    };
    let space = |error: SpaceError| Failure::Search(error.into());
    let graph = graph(Features::new(channels, height, width)).map_err(space)?;
    let tables = graph.tables().map_err(|error| space(error.into()))?;
    let mut network = Network::with_fusion(device, graph, 0, fusion)?;
    let weight =
        |(name, array): (&String, &Array)| Some((format!("{ROOT}.{}", name.strip_prefix("weight/")?), array.clone()));
    network.load(&golden.0.iter().filter_map(weight).collect())?;

    let mut tape = Tape::new(device);
    let x = tape.leaf(golden.tensor(device, "x")?);
    let alphas = architecture_weights(device, &tables, 0.0, 0)?;
    alphas.values().write(device, golden.get("alpha")?)?;
    let alpha = alphas.var(&mut tape, 0, true)?;
    let mixed = HashMap::from([("alpha".to_owned(), ops::softmax(&mut tape, &alpha)?)]);
    let pass = Pass { training: true, gradients: true, choices: Choices::Mixed(&mixed), ..Pass::evaluation() };
    let y = network.forward(&mut tape, &x, &pass)?.swap_remove(0);
    // What it holds would keep the tape.
    drop(mixed);
    let gradients = tape.backward(&y, Some(golden.tensor(device, "dy")?))?;
    device.run(&tape.finish())?;

    check.close("y", &y.tensor().read(device).await?, golden.get("y")?, RESULT);
    let dx = match x.id().and_then(|id| gradients[id].as_ref()) {
        Some(dx) => dx.read(device).await?,
        None => Vec::new(),
    };
    let mut pairs = vec![("dx".to_owned(), dx, golden.get("dx")?)];
    pairs.push(("gradient of α".to_owned(), alphas.gradients().read(device).await?, golden.get("dalpha")?));
    let flat = network.parameters().gradients().read(device).await?;
    for (name, _, values) in network.parameters().split(&flat) {
        let own = name.strip_prefix(ROOT).unwrap_or(name).trim_start_matches('.');
        let expected = golden.get(&format!("dweight/{own}"))?;
        pairs.push((format!("gradient of {own}"), values.to_vec(), expected));
    }
    let all = pairs.iter().map(|(_, _, expected)| norm(expected).powi(2)).sum::<f64>().sqrt();
    for (name, got, expected) in pairs {
        let most = GRADIENT[0] * norm(expected) + GRADIENT[1] * all + 1e-12;
        check.within(&name, &got, expected, most);
    }
    Ok(())
}
