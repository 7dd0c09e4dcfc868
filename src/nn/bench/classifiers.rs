//! The lottery tickets' nets: LeNet-300-100, Conv-2 and Conv-4 (Frankle and Carbin 2019), on
//! batches of 60, with Adam.

use candle_core::Tensor;

use super::{BATCHES, Row, conv_flops, integers, linear_flops, normal, params};
use crate::error::Result;
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::pool::{Window, max_pool2d};
use crate::nn::ops::{Activation, loss::cross_entropy};
use crate::nn::optim::{Optimizer, OptimizerConfig};
use crate::nn::{Params, Scope};
use crate::rng::Rng;

const BATCH: usize = 60;
const CLASSES: usize = 10;

struct Net {
    /// Pairs of convolutions, a max pooling after each.
    stages: Vec<[Conv2d; 2]>,
    linears: Vec<Linear>,
    /// Of one sample, layer by layer.
    flops: Vec<usize>,
}

impl Net {
    fn new(scope: &mut Scope, mut inputs: usize, hidden: &[usize]) -> Result<Self> {
        let (mut linears, mut flops) = (Vec::new(), Vec::new());
        for (i, &outputs) in hidden.iter().chain([&CLASSES]).enumerate() {
            let layer = Linear::new(&mut scope.scope(format!("linear{i}")), inputs, outputs)?;
            linears.push(if i < hidden.len() {
                layer.with(Activation::Relu)
            } else {
                layer
            });
            flops.push(linear_flops(inputs, outputs));
            inputs = outputs;
        }
        Ok(Self {
            stages: Vec::new(),
            linears,
            flops,
        })
    }

    fn convolutional(
        scope: &mut Scope,
        widths: &[usize],
        mut channels: usize,
        mut size: usize,
    ) -> Result<Self> {
        let (mut stages, mut flops) = (Vec::new(), Vec::new());
        for (stage, &width) in widths.iter().enumerate() {
            let mut conv = |i: usize, inputs: usize| -> Result<Conv2d> {
                flops.push(conv_flops(inputs, width, 3, size * size));
                let name = format!("conv{stage}_{i}");
                Ok(Conv2d::new(&mut scope.scope(name), inputs, width, 3)?.with(Activation::Relu))
            };
            stages.push([conv(0, channels)?, conv(1, width)?]);
            channels = width;
            size /= 2;
        }
        let rest = Self::new(scope, channels * size * size, &[256, 256])?;
        flops.extend(&rest.flops);
        Ok(Self {
            stages,
            flops,
            ..rest
        })
    }

    fn forward(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = images.clone();
        for [first, second] in &self.stages {
            x = second.forward(&first.forward(&x)?)?;
            x = max_pool2d(&x, Window::square(2, 2, 0))?;
        }
        x = x.flatten_from(1)?;
        for layer in &self.linears {
            x = layer.forward(&x)?;
        }
        Ok(x)
    }
}

pub(super) fn lenet(rng: &Rng) -> Result<Row> {
    let mut params = params(rng);
    let net = Net::new(&mut params.root(), 784, &[300, 100])?;
    row(net, params, &[784], 1.2e-3, rng)
}

pub(super) fn conv_net(
    widths: &[usize],
    channels: usize,
    size: usize,
    learning_rate: f64,
    rng: &Rng,
) -> Result<Row> {
    let mut params = params(rng);
    let net = Net::convolutional(&mut params.root(), widths, channels, size)?;
    row(net, params, &[channels, size, size], learning_rate, rng)
}

fn row(net: Net, params: Params, shape: &[usize], learning_rate: f64, rng: &Rng) -> Result<Row> {
    let mut rng = rng.split("data");
    let shape = [&[BATCH], shape].concat();
    let batches = (0..BATCHES)
        .map(|_| {
            Ok((
                normal(&shape, &mut rng)?,
                integers(BATCH, CLASSES, &mut rng)?,
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    let mut optimizer = Optimizer::new(OptimizerConfig::adam(learning_rate));
    // The gradient of the data is not needed.
    let flops = BATCH * (3 * net.flops.iter().sum::<usize>() - net.flops[0]);
    let step = move |i: usize| {
        let (images, labels) = &batches[i % BATCHES];
        let loss = cross_entropy(&net.forward(images)?, labels, 0.0)?;
        optimizer.step(&params, &loss.backward()?)?;
        Ok(())
    };
    Ok(Row {
        step: Box::new(step),
        samples: BATCH,
        flops: flops as u64,
    })
}
