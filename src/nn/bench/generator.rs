//! A small `StyleGAN2` of 64 x 64 pixels (Karras et al. 2020) without noise and discriminator.

use candle_core::Tensor;
use std::hint::black_box;

use super::{BATCHES, Row, conv_flops, linear_flops, normal, params};
use crate::error::Result;
use crate::nn::layers::{Conv2d, Linear};
use crate::nn::ops::Activation;
use crate::nn::{Init, ModulatedConv2d, Scope};
use crate::rng::Rng;

const LATENT: usize = 64;
const STYLE: usize = 128;
/// Of the constant and of each stage.
const CHANNELS: [usize; 5] = [128, 128, 64, 64, 32];
const LEAKY: Activation = Activation::LeakyRelu(0.2);

type TensorResult = candle_core::Result<Tensor>;

struct Generator {
    style: [Linear; 2],
    constant: Tensor,
    convolutions: Vec<ModulatedConv2d>,
    rgb: Conv2d,
    /// Of one sample.
    flops: usize,
}

impl Generator {
    fn new(scope: &mut Scope) -> Result<Self> {
        let mut convolutions = Vec::new();
        let mut flops = linear_flops(LATENT, STYLE) + linear_flops(STYLE, STYLE);
        for (stage, pair) in CHANNELS.windows(2).enumerate() {
            let pixels = (8 << stage) * (8 << stage);
            for (i, inputs) in pair.iter().copied().enumerate() {
                let name = format!("conv{stage}_{i}");
                let (outputs, upsample) = (pair[1], 2 - i);
                let scope = &mut scope.scope(name);
                let normal = Init::Normal { std: 1.0 };
                let mut layer = ModulatedConv2d::new(scope, STYLE, [inputs, outputs], 3, normal)?;
                layer.options.upsample = upsample;
                convolutions.push(layer.with(LEAKY));
                flops += linear_flops(STYLE, inputs)
                    + conv_flops(inputs, outputs, 3, pixels)
                    + linear_flops(inputs, outputs);
            }
        }
        flops += conv_flops(CHANNELS[4], 3, 1, 64 * 64);
        let first = Linear::new(&mut scope.scope("style0"), LATENT, STYLE)?;
        let second = Linear::new(&mut scope.scope("style1"), STYLE, STYLE)?;
        let normal = Init::Normal { std: 1.0 };
        Ok(Self {
            style: [first.with(LEAKY), second.with(LEAKY)],
            constant: scope.param("constant", &[1, CHANNELS[0], 4, 4], normal)?,
            convolutions,
            rgb: Conv2d::new(&mut scope.scope("rgb"), CHANNELS[4], 3, 1)?,
            flops,
        })
    }

    fn forward(&self, z: &Tensor) -> TensorResult {
        let w = self.style[1].forward(&self.style[0].forward(z)?)?;
        let (_, channels, height, width) = self.constant.dims4()?;
        let shape = (z.dims()[0], channels, height, width);
        let mut x = self.constant.broadcast_as(shape)?;
        for layer in &self.convolutions {
            x = layer.forward(&x, &w)?;
        }
        self.rgb.forward(&x)
    }
}

/// Forward, the mean distance to a fixed picture, backward; no optimiser.
pub(super) fn train(batch: usize, rng: &Rng) -> Result<Row> {
    let mut params = params(rng);
    let net = Generator::new(&mut params.root())?;
    let mut rng = rng.split("data");
    let latents = (0..BATCHES)
        .map(|_| normal(&[batch, LATENT], &mut rng))
        .collect::<Result<Vec<_>>>()?;
    let target = normal(&[batch, 3, 64, 64], &mut rng)?;
    // The gradient of the latent is not needed.
    let flops = batch * (3 * net.flops - linear_flops(LATENT, STYLE));
    let step = move |i: usize| {
        let picture = net.forward(&latents[i % BATCHES])?;
        let loss = (picture - &target)?.abs()?.mean_all()?;
        black_box(loss.backward()?);
        Ok(())
    };
    Ok(Row {
        step: Box::new(step),
        samples: batch,
        flops: flops as u64,
    })
}
