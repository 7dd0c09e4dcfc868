//! What a search through the generator costs.

use std::time::Duration;

use candle_core::{Tensor, Var};

use super::net::Generator;
use crate::demos::pulse::backdrop::NUMBERS;
use crate::error::{Error, Result};
use crate::nn::cpu::process_cpu_time;
use crate::rng::Rng;

/// Pixels in a side of the small picture that is searched for.
const LOW: usize = 16;

/// The processor time of so many steps of a search for one face: forward, shrinking, distance, and
/// backward to a latent for each layer; no optimiser. `benches/faces_torch.py` does the same.
///
/// # Errors
/// When the device fails.
pub fn search_time(net: &Generator, steps: usize, rng: &mut Rng) -> Result<Duration> {
    let (net, device) = (net.detached(), net.device());
    let latent = net.sizes().latent;
    let mut normal = |shape: &[usize]| {
        let count = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|_| rng.normal() as f32).collect();
        Tensor::from_vec(values, shape, &device)
    };
    let latents = (0..net.layers())
        .map(|_| Ok(Var::from_tensor(&normal(&[1, latent])?)?))
        .collect::<Result<Vec<_>>>()?;
    let scene = Var::from_tensor(&normal(&[1, NUMBERS])?)?;
    let target = normal(&[1, 3, LOW, LOW])?;
    let given: Vec<Tensor> = latents.iter().map(|var| var.as_tensor().clone()).collect();
    let one = || {
        let picture = net.place(&net.synthesize(&given)?, scene.as_tensor())?;
        let factor = net.sizes().size / LOW;
        let small = picture.reshape((3, LOW, factor, LOW, factor))?;
        let small = small.mean(4)?.mean(2)?.unsqueeze(0)?;
        let gradients = (small - &target)?.sqr()?.mean_all()?.backward()?;
        if latents.iter().any(|var| gradients.get(var).is_none()) {
            return Err(Error::Input("a latent has no gradient".into()));
        }
        Ok(())
    };
    for _ in 0..3 {
        one()?;
    }
    let before = process_cpu_time();
    for _ in 0..steps {
        one()?;
    }
    Ok(process_cpu_time().saturating_sub(before))
}
