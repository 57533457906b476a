//! One mixed edge of DARTS (16 images of 16×32×32, eight primitives) in burn on wgpu: forward, and backward to
//! its input, weights and architecture weights. Prints JSON.

use burn::backend::wgpu::{RuntimeOptions, WgpuDevice, graphics::AutoGraphicsApi, init_setup};
use burn::backend::{Autodiff, Wgpu};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::module::{avg_pool2d, max_pool2d};
use burn::tensor::{Distribution, Tensor};
use std::time::Instant;

const BATCH: usize = 16;
const CHANNELS: usize = 16;
const SIZE: usize = 32;
const TURNS: usize = 9;

/// ReLU, depthwise and pointwise convolution, batch norm.
#[derive(Module, Debug)]
struct Separable<B: Backend> {
    depthwise: Conv2d<B>,
    pointwise: Conv2d<B>,
    norm: BatchNorm<B>,
}

impl<B: Backend> Separable<B> {
    fn new(kernel: usize, dilation: usize, device: &B::Device) -> Self {
        let padding = dilation * (kernel - 1) / 2;
        let depthwise = Conv2dConfig::new([CHANNELS, CHANNELS], [kernel, kernel])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
            .with_dilation([dilation, dilation])
            .with_groups(CHANNELS)
            .with_bias(false);
        Self {
            depthwise: depthwise.init(device),
            pointwise: Conv2dConfig::new([CHANNELS, CHANNELS], [1, 1]).with_bias(false).init(device),
            norm: BatchNormConfig::new(CHANNELS).init(device),
        }
    }

    fn forward(&self, x: Tensor<B, 4>) -> Tensor<B, 4> {
        self.norm.forward(self.pointwise.forward(self.depthwise.forward(relu(x))))
    }
}

#[derive(Module, Debug)]
struct Edge<B: Backend> {
    convolutions: Vec<Vec<Separable<B>>>,
    norms: Vec<BatchNorm<B>>,
}

impl<B: Backend> Edge<B> {
    fn new(device: &B::Device) -> Self {
        let stages = [vec![(3, 1); 2], vec![(5, 1); 2], vec![(3, 2)], vec![(5, 2)]];
        let stage = |&(kernel, dilation): &(usize, usize)| Separable::new(kernel, dilation, device);
        Self {
            convolutions: stages.iter().map(|s| s.iter().map(stage).collect()).collect(),
            norms: (0..2).map(|_| BatchNormConfig::new(CHANNELS).init(device)).collect(),
        }
    }

    fn forward(&self, x: Tensor<B, 4>, alpha: Tensor<B, 1>) -> Tensor<B, 4> {
        let weights = softmax(alpha, 0);
        let weight = |option: usize| weights.clone().slice([option..option + 1]).reshape([1, 1, 1, 1]);
        let max = max_pool2d(x.clone(), [3, 3], [1, 1], [1, 1], [1, 1], false);
        let average = avg_pool2d(x.clone(), [3, 3], [1, 1], [1, 1], false, false);
        // Option 0 is zero: it takes part in the softmax only.
        let mut y = self.norms[0].forward(max) * weight(1);
        y = y + self.norms[1].forward(average) * weight(2) + x.clone() * weight(3);
        for (option, stages) in self.convolutions.iter().enumerate() {
            let value = stages.iter().fold(x.clone(), |x, stage| stage.forward(x));
            y = y + value * weight(4 + option);
        }
        y
    }
}

fn main() {
    type B = Autodiff<Wgpu>;
    let start = Instant::now();
    // The software driver calls itself a CPU; on a machine with a GPU this would be WgpuDevice::default().
    let device = WgpuDevice::Cpu;
    init_setup::<AutoGraphicsApi>(&device, RuntimeOptions::default());
    let edge: Edge<B> = Edge::new(&device);
    let shape = [BATCH, CHANNELS, SIZE, SIZE];
    let noise = Distribution::Uniform(-1.0, 1.0);
    let x = Tensor::<B, 4>::random(shape, noise, &device).require_grad();
    let alpha = Tensor::<B, 1>::zeros([8], &device).require_grad();
    let dy = Tensor::<B, 4>::random(shape, noise, &device);
    let turn = || {
        let start = Instant::now();
        let gradients = (edge.forward(x.clone(), alpha.clone()) * dy.clone()).sum().backward();
        // Reading waits for everything.
        let read: f32 = alpha.grad(&gradients).expect("a gradient").sum().into_scalar();
        assert!(read.is_finite() && x.grad(&gradients).is_some());
        <B as AutodiffBackend>::InnerBackend::sync(&device).expect("the device to finish");
        start.elapsed().as_secs_f64() * 1e3
    };
    turn();
    let ready = start.elapsed().as_secs_f64() * 1e3;
    for _ in 0..3 {
        turn();
    }
    let mut times: Vec<f64> = (0..TURNS).map(|_| turn()).collect();
    times.sort_by(f64::total_cmp);
    println!("{{\"version\": \"0.21.0\", \"ready_ms\": {ready}, \"median_ms\": {}}}", times[TURNS / 2]);
}
