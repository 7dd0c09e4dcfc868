//! One convolution of 64 channels by 3 x 3 on 64 x 64 pixels, batch 1.

use std::hint::black_box;

use candle_core::{CpuStorage, CustomOp1, Layout, Shape, Tensor, Var};

use super::{Row, conv_flops, normal, params};
use crate::error::Result;
use crate::nn::layers::Conv2d;
use crate::rng::Rng;

const CHANNELS: usize = 64;
const SIZE: usize = 64;

fn flops() -> u64 {
    conv_flops(CHANNELS, CHANNELS, 3, SIZE * SIZE) as u64
}

fn image(rng: &mut Rng) -> Result<Tensor> {
    normal(&[1, CHANNELS, SIZE, SIZE], rng)
}

pub(super) fn forward(rng: &Rng) -> Result<Row> {
    let net = Conv2d::new(&mut params(rng).root(), CHANNELS, CHANNELS, 3)?.detached();
    let x = image(&mut rng.split("data"))?;
    let step = move |_| {
        black_box(net.forward(&x)?);
        Ok(())
    };
    Ok(Row {
        step: Box::new(step),
        samples: 1,
        flops: flops(),
    })
}

pub(super) fn train(rng: &Rng) -> Result<Row> {
    let net = Conv2d::new(&mut params(rng).root(), CHANNELS, CHANNELS, 3)?;
    let mut rng = rng.split("data");
    let x = Var::from_tensor(&image(&mut rng)?)?;
    let upstream = image(&mut rng)?;
    let step = move |_| {
        let y = net.forward(&x)?;
        let loss = y.apply_op1(Upstream(upstream.clone()))?;
        black_box(loss.backward()?);
        Ok(())
    };
    Ok(Row {
        step: Box::new(step),
        samples: 1,
        flops: 3 * flops(),
    })
}

/// Stands for a loss of which only the gradient matters, and that is given.
struct Upstream(Tensor);

impl CustomOp1 for Upstream {
    fn name(&self) -> &'static str {
        "upstream"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> candle_core::Result<(CpuStorage, Shape)> {
        Ok((CpuStorage::F32(vec![0.0]), ().into()))
    }

    fn bwd(&self, _: &Tensor, _: &Tensor, _: &Tensor) -> candle_core::Result<Option<Tensor>> {
        Ok(Some(self.0.clone()))
    }
}
