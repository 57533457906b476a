//! Convolutions that are trained by low-rank factors once the search has warmed up (Hu et al. 2022, "LoRA: low-rank adaptation of large
//! language models", as composed with gradient-based search): W + (BA)/r, W frozen.
//!
//! A weight of shape `[outputs, inputs / groups, k, k]` is the matrix `[outputs / groups · k, inputs · k]` of the same elements; A is
//! `[r·k, inputs · k]`, B `[outputs / groups · k, r·k]`. The network always sees the whole weight, which lies where it did: behind each step
//! it is put together anew. Its gradient G gives those of the factors, ∇A = BᵀG/r and ∇B = GAᵀ/r.

use super::parts::Lora;
use super::{BilevelConfig, SearchError};
use crate::device::{Device, Recorder, Recording};
use crate::estimate::{Scalars, Supernet};
use crate::graph::{Conv, Graph, Op};
use crate::kernels::{elementwise, matmul, reduce};
use crate::network::Footprint;
use crate::nn::Parameters;
use crate::optim::{Sgd, SgdConfig};
use crate::random::Random;
use crate::state::{State, StateError};
use crate::tensor::{Error, Tensor};
use std::ops::Range;

/// Streams of the run's seed: of first factors, and of toggling.
const FACTORS: u64 = 0xB120 << 48;
const TOGGLED: u64 = 0xB121 << 48;

/// A convolution and its factors.
#[derive(Clone, Debug)]
struct Layer {
    /// Where its weight lies among all.
    weight: Range<usize>,
    /// Where its factors lie among theirs.
    a: Range<usize>,
    b: Range<usize>,
    rows: usize,
    columns: usize,
    inner: usize,
    /// Whether its factors are trained, and not its weight.
    by_factors: bool,
}

/// The factors of all convolutions.
#[derive(Debug)]
pub(super) struct LowRank {
    rank: usize,
    seed: u64,
    layers: Vec<Layer>,
    /// Whether the warm-up is over.
    begun: bool,
    factors: Tensor,
    /// The frozen weights W.
    frozen: Tensor,
    /// BA, where the weights lie; zero elsewhere.
    products: Tensor,
    /// Gradients of all weights that are trained as they are, then those of the factors.
    gradients: Tensor,
    /// Those of the factors, times r.
    raw: Tensor,
    /// Without momentum.
    whole: Sgd,
    parts: Sgd,
}

impl LowRank {
    /// Before the warm-up. `graph` is the supernet's, before anything in it was fused.
    pub fn new(
        supernet: &Supernet,
        graph: &Graph,
        rank: usize,
        config: &BilevelConfig,
        seed: u64,
    ) -> Result<Self, SearchError> {
        let device = supernet.device();
        let parameters = supernet.network().parameters();
        let mut layers = Vec::new();
        let mut count = 0;
        for (name, conv) in convolutions(graph) {
            let Some(index) = parameters.find(&format!("{name}.weight")) else { continue };
            let [high, wide] = conv.kernel;
            let (rows, columns) = (conv.outputs / conv.groups * high, conv.inputs * wide);
            let inner = rank * high.max(wide);
            let a = count..count + inner * columns;
            let b = a.end..a.end + rows * inner;
            count = b.end;
            layers.push(Layer { weight: parameters.place(index), a, b, rows, columns, inner, by_factors: false });
        }
        let all = parameters.values().count();
        let zeros = |count: usize| Tensor::zeros(device, &[count]);
        let sgd = SgdConfig { momentum: 0.0, nesterov: false, ..config.sgd };
        Ok(Self {
            rank,
            seed,
            layers,
            begun: false,
            factors: zeros(count)?,
            frozen: zeros(all)?,
            products: zeros(all)?,
            gradients: zeros(all + count)?,
            raw: zeros(count)?,
            whole: Sgd::new(device, all, sgd)?,
            parts: Sgd::new(device, count, sgd)?,
        })
    }

    /// Ends the warm-up, or toggles, if it is time to in this epoch. Says whether the step has to be recorded anew.
    pub async fn begin_epoch(
        &mut self,
        device: &Device,
        parameters: &Parameters,
        rule: &Lora,
        epoch: u32,
    ) -> Result<bool, SearchError> {
        let Lora::LowRank { from, toggles, probability, .. } = rule else { return Ok(false) };
        if epoch >= *from && !self.begun {
            self.begin(device, parameters).await?;
            return Ok(true);
        }
        if !self.begun || epoch <= *from || !toggles.contains(&epoch) {
            return Ok(false);
        }
        let mut random = Random::new(self.seed, TOGGLED + u64::from(epoch));
        let turned: Vec<bool> = self.layers.iter().map(|_| f64::from(random.uniform()) < *probability).collect();
        let values = parameters.read(device).await?;
        let factors = self.factors.read(device).await?;
        let mut frozen = self.frozen.read(device).await?;
        for (layer, _) in self.layers.iter_mut().zip(turned).filter(|(_, turned)| *turned) {
            layer.by_factors = !layer.by_factors;
            // What was merged is W + BA/r: W is what is left without it.
            if layer.by_factors {
                let product = layer.product(&factors);
                for ((frozen, value), product) in
                    frozen[layer.weight.clone()].iter_mut().zip(&values[layer.weight.clone()]).zip(product)
                {
                    *frozen = (f64::from(*value) - product / self.rank as f64) as f32;
                }
            }
        }
        self.frozen.write(device, &frozen)?;
        self.products.write(device, &vec![0.0; self.products.count()])?;
        Ok(true)
    }

    /// A uniform within ±1/√(its columns), B zero: W is what it was.
    async fn begin(&mut self, device: &Device, parameters: &Parameters) -> Result<(), SearchError> {
        let mut factors = vec![0.0; self.factors.count()];
        let mut random = Random::new(self.seed, FACTORS);
        for layer in &mut self.layers {
            let bound = 1.0 / (layer.columns.max(1) as f32).sqrt();
            factors[layer.a.clone()].iter_mut().for_each(|value| *value = random.range(-bound, bound));
            layer.by_factors = true;
        }
        self.factors.write(device, &factors)?;
        self.frozen.write(device, &parameters.read(device).await?)?;
        self.begun = true;
        Ok(())
    }

    /// Whether the warm-up is over.
    pub fn begun(&self) -> bool {
        self.begun
    }

    /// Records the step of what is trained: factors, and weights that have none at work.
    pub fn record(&self, supernet: &Supernet, recorder: Recorder) -> Result<Recording, Error> {
        let parameters = supernet.network().parameters();
        let (values, gradients) = (parameters.values(), parameters.gradients());
        let all = values.count();
        let mut recorder = supernet.record_weight_pass(recorder)?;
        recorder.set_scope("low-rank factors");
        let own = self.gradients.view(all, &[self.factors.count()]);
        super::alpha::copy(&mut recorder, gradients, &self.gradients.view(0, &[all]))?;
        recorder.clear(self.raw.buffer(), self.raw.at() as usize, self.raw.count())?;
        for layer in self.layers.iter().filter(|layer| layer.by_factors) {
            recorder.clear(
                self.gradients.buffer(),
                self.gradients.at() as usize + layer.weight.start,
                layer.weight.len(),
            )?;
            layer.record_gradients(&mut recorder, &self.factors, gradients, &self.raw)?;
        }
        scale(&mut recorder, &self.raw, &own, 1.0 / self.rank as f32, false)?;

        recorder.set_scope("weight step");
        let (norm, guards) = (supernet.scalars().one(Scalars::NORM), supernet.scalars().guards());
        crate::autograd::ops::record_reduce(&mut recorder, reduce::NORM, &self.gradients, &norm)?;
        let (step, everything) = (supernet.step(), supernet.network().whole());
        let trained = self.trained(everything.clone());
        self.whole.record(&mut recorder, values, &self.gradients, &trained.parameters, step, &norm, &guards)?;
        let parts: Vec<Range<usize>> =
            self.layers.iter().filter(|layer| layer.by_factors).map(|layer| layer.a.start..layer.b.end).collect();
        self.parts.record(&mut recorder, &self.factors, &own, &parts, step, &norm, &guards)?;
        for layer in self.layers.iter().filter(|layer| layer.by_factors) {
            layer.record_product(&mut recorder, &self.factors, &self.products)?;
            let place = |flat: &Tensor| flat.view(layer.weight.start, &[layer.weight.len()]);
            super::alpha::copy(&mut recorder, &place(&self.frozen), &place(values))?;
        }
        scale(&mut recorder, &self.products, values, 1.0 / self.rank as f32, true)?;
        supernet.network().statistics().record_update(&mut recorder, &everything.statistics, &guards)?;
        Ok(recorder.finish())
    }

    /// What is trained as it is.
    fn trained(&self, whole: Footprint) -> Footprint {
        let by_factors = self.layers.iter().filter(|layer| layer.by_factors);
        whole.without(by_factors.map(|layer| layer.weight.clone()).collect())
    }

    /// Its state.
    pub async fn save(&self, device: &Device) -> Result<State, StateError> {
        let mut state = State::of("low-rank factors");
        state.set("begun", self.begun)?;
        state.set("by factors", self.layers.iter().map(|layer| layer.by_factors).collect::<Vec<_>>())?;
        state.keep("factors", device, &self.factors).await?;
        state.keep("frozen", device, &self.frozen).await?;
        Ok(state)
    }

    /// Goes on from a state.
    pub fn restore(&mut self, device: &Device, state: &State) -> Result<(), StateError> {
        state.check("low-rank factors")?;
        self.begun = state.get("begun")?;
        let by_factors: Vec<bool> = state.get("by factors")?;
        if by_factors.len() != self.layers.len() {
            return Err(state.wrong("by factors", format!("there are {} convolutions", self.layers.len())));
        }
        self.layers.iter_mut().zip(by_factors).for_each(|(layer, by_factors)| layer.by_factors = by_factors);
        state.write("factors", device, &self.factors)?;
        state.write("frozen", device, &self.frozen)
    }
}

impl Layer {
    /// ∇A·r = BᵀG and ∇B·r = GAᵀ.
    fn record_gradients(
        &self,
        recorder: &mut Recorder,
        factors: &Tensor,
        gradients: &Tensor,
        raw: &Tensor,
    ) -> Result<(), Error> {
        let Self { weight, a, b, rows, columns, inner, .. } = self;
        let (a, b) = (a.start as u32, b.start as u32);
        let whole = gradients.at() + weight.start as u32;
        let of_a = matmul::Params {
            a: factors.at() + b,
            b: whole,
            c: raw.at() + a,
            transpose_a: 1,
            ..shape(*inner, *columns, *rows)
        };
        let of_b = matmul::Params {
            a: whole,
            b: factors.at() + a,
            c: raw.at() + b,
            transpose_b: 1,
            ..shape(*rows, *inner, *columns)
        };
        let bindings = [factors.binding(), gradients.binding(), gradients.binding()];
        recorder.dispatch(&matmul::MATMUL, &of_a, &bindings, &[raw.binding()])?;
        let bindings = [gradients.binding(), factors.binding(), gradients.binding()];
        Ok(recorder.dispatch(&matmul::MATMUL, &of_b, &bindings, &[raw.binding()])?)
    }

    /// BA.
    fn record_product(&self, recorder: &mut Recorder, factors: &Tensor, products: &Tensor) -> Result<(), Error> {
        let params = matmul::Params {
            a: factors.at() + self.b.start as u32,
            b: factors.at() + self.a.start as u32,
            c: products.at() + self.weight.start as u32,
            ..shape(self.rows, self.columns, self.inner)
        };
        let bindings = [factors.binding(), factors.binding(), factors.binding()];
        Ok(recorder.dispatch(&matmul::MATMUL, &params, &bindings, &[products.binding()])?)
    }

    /// The same on the host.
    fn product(&self, factors: &[f32]) -> Vec<f64> {
        let (a, b) = (&factors[self.a.clone()], &factors[self.b.clone()]);
        let entry = |at: usize| {
            let (row, column) = (at / self.columns, at % self.columns);
            let pairs = (0..self.inner).map(|i| (b[row * self.inner + i], a[i * self.columns + column]));
            pairs.map(|(b, a)| f64::from(b) * f64::from(a)).sum()
        };
        (0..self.rows * self.columns).map(entry).collect()
    }
}

/// A product of `rows` × `inner` and `inner` × `columns`, overwriting.
fn shape(rows: usize, columns: usize, inner: usize) -> matmul::Params {
    matmul::Params {
        a: 0,
        b: 0,
        bias: 0,
        c: 0,
        rows: rows as u32,
        columns: columns as u32,
        inner: inner as u32,
        transpose_a: 0,
        transpose_b: 0,
        has_bias: 0,
        accumulate: 0,
    }
}

fn scale(recorder: &mut Recorder, x: &Tensor, y: &Tensor, factor: f32, adds: bool) -> Result<(), Error> {
    let params = elementwise::Scale { x: x.at(), y: y.at(), count: x.count() as u32, factor, accumulate: adds.into() };
    Ok(recorder.dispatch(&elementwise::SCALE, &params, &[x.binding()], &[y.binding()])?)
}

/// Names of all convolutions, those of options too.
fn convolutions(graph: &Graph) -> Vec<(String, Conv)> {
    let mut found = Vec::new();
    for node in &graph.nodes {
        if let Op::Conv(conv) = &node.op {
            found.push((node.name.clone(), conv.clone()));
        }
        found.extend(node.op.inner().into_iter().flat_map(|(_, graph)| convolutions(graph)));
    }
    found
}
