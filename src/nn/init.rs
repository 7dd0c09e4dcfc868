//! What weights are before training.
//!
//! The numbers of a weight come from a stream of random numbers that belongs to its full name (see
//! [`Params`](super::Params)), so adding a layer does not shift those of another.
//!
//! Shapes are `PyTorch`'s: `[out]`, `[out, in]` or `[out, in, kernel…]`; the fan in is the count of
//! inputs of one output, `in * kernel…`, the fan out `out * kernel…`.
//!
//! Sources: Glorot and Bengio 2010, eq. 12 and 16; He et al. 2015, eq. 10 and 14; Ramanujan et al.
//! 2020, section 4 (signed constant).

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::rng::Rng;

/// The gain for a layer that a `ReLU` follows, the square root of 2.
pub const RELU_GAIN: f64 = std::f64::consts::SQRT_2;

/// How random weights are distributed around 0, given their standard deviation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distribution {
    /// Gaussian.
    Normal,
    /// Uniform within the square root of 3 times the standard deviation.
    Uniform,
}

/// Which side of a layer keeps its variance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fan {
    /// The activations' variance is kept.
    In,
    /// The gradients' variance is kept.
    Out,
}

/// What a weight is before training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Init {
    /// One number everywhere.
    Constant(f32),
    /// Uniform in `[-bound, bound)`.
    Uniform {
        /// The largest magnitude.
        bound: f64,
    },
    /// Gaussian around 0.
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Standard deviation `gain * sqrt(2 / (fan_in + fan_out))`.
    Glorot {
        /// The shape of the distribution.
        distribution: Distribution,
        /// 1 for a linear layer.
        gain: f64,
    },
    /// Standard deviation `gain / sqrt(fan)`.
    Kaiming {
        /// The shape of the distribution.
        distribution: Distribution,
        /// Which fan.
        fan: Fan,
        /// [`RELU_GAIN`] before a `ReLU`, 1 for a linear layer.
        gain: f64,
    },
    /// `gain / sqrt(fan)` with a random sign.
    SignedConstant {
        /// Which fan.
        fan: Fan,
        /// [`RELU_GAIN`] before a `ReLU`; over `sqrt(k)` where only a share `k` is kept.
        gain: f64,
    },
}

impl Init {
    /// Zero everywhere.
    pub const ZEROS: Self = Self::Constant(0.0);
    /// One everywhere.
    pub const ONES: Self = Self::Constant(1.0);
    /// Kaiming's normal distribution before a `ReLU`, by the fan in.
    pub const KAIMING_NORMAL: Self = Self::Kaiming {
        distribution: Distribution::Normal,
        fan: Fan::In,
        gain: RELU_GAIN,
    };
    /// Kaiming's uniform distribution before a `ReLU`, by the fan in.
    pub const KAIMING_UNIFORM: Self = Self::Kaiming {
        distribution: Distribution::Uniform,
        fan: Fan::In,
        gain: RELU_GAIN,
    };
    /// Glorot's normal distribution for a linear layer.
    pub const GLOROT_NORMAL: Self = Self::Glorot {
        distribution: Distribution::Normal,
        gain: 1.0,
    };
    /// Glorot's uniform distribution for a linear layer.
    pub const GLOROT_UNIFORM: Self = Self::Glorot {
        distribution: Distribution::Uniform,
        gain: 1.0,
    };
    /// What `PyTorch` gives the weights of `Linear` and `Conv2d`: uniform within
    /// `1 / sqrt(fan_in)`.
    pub const PYTORCH: Self = Self::Kaiming {
        distribution: Distribution::Uniform,
        fan: Fan::In,
        gain: 0.577_350_269_189_625_8, // sqrt(1 / 3)
    };

    /// The numbers of a weight of this shape, row by row.
    ///
    /// # Errors
    /// When the shape has no fans (fewer than two dimensions, or an empty one) and they are needed.
    pub fn values(self, shape: &[usize], rng: &mut Rng) -> Result<Vec<f32>> {
        let count = shape.iter().product();
        let mut draw = |distribution, std: f64| -> Vec<f32> {
            let one = |rng: &mut Rng| match distribution {
                Distribution::Normal => std * rng.normal(),
                Distribution::Uniform => std * 3.0_f64.sqrt() * (2.0 * rng.uniform() - 1.0),
            };
            (0..count).map(|_| one(rng) as f32).collect()
        };
        Ok(match self {
            Self::Constant(value) => vec![value; count],
            Self::Uniform { bound } => draw(Distribution::Uniform, bound / 3.0_f64.sqrt()),
            Self::Normal { std } => draw(Distribution::Normal, std),
            Self::Glorot { distribution, gain } => {
                let (fan_in, fan_out) = fans(shape)?;
                draw(distribution, gain * (2.0 / (fan_in + fan_out)).sqrt())
            }
            Self::Kaiming {
                distribution,
                fan,
                gain,
            } => draw(distribution, gain / chosen_fan(shape, fan)?.sqrt()),
            Self::SignedConstant { fan, gain } => {
                let size = (gain / chosen_fan(shape, fan)?.sqrt()) as f32;
                let sign = |rng: &mut Rng| if rng.below(2) == 0 { size } else { -size };
                (0..count).map(|_| sign(rng)).collect()
            }
        })
    }
}

fn chosen_fan(shape: &[usize], fan: Fan) -> Result<f64> {
    let (fan_in, fan_out) = fans(shape)?;
    Ok(match fan {
        Fan::In => fan_in,
        Fan::Out => fan_out,
    })
}

/// The fan in and the fan out of a weight `[out, in, kernel…]`.
fn fans(shape: &[usize]) -> Result<(f64, f64)> {
    match shape {
        [out, inputs, kernel @ ..] if shape.iter().all(|&n| n > 0) => {
            let taps: usize = kernel.iter().product();
            Ok(((inputs * taps) as f64, (out * taps) as f64))
        }
        _ => Err(Error::Input(format!(
            "a weight of shape {shape:?} has no fan in and fan out: give it another initial value"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Distribution, Fan, Init, RELU_GAIN};
    use crate::rng::Rng;

    /// 64 outputs, 16 inputs, 5 by 5: fan in 400, fan out 1600.
    const SHAPE: [usize; 4] = [64, 16, 5, 5];

    fn draw(init: Init) -> Vec<f64> {
        let values = init.values(&SHAPE, &mut Rng::new(9)).expect("has fans");
        values.into_iter().map(f64::from).collect()
    }

    /// The mean, the standard deviation and the kurtosis, by which a normal (3) and a uniform
    /// distribution (1.8) are told apart.
    fn moments(values: &[f64]) -> (f64, f64, f64) {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let central = |power| values.iter().map(|x| (x - mean).powi(power)).sum::<f64>() / n;
        let variance = central(2);
        (mean, variance.sqrt(), central(4) / (variance * variance))
    }

    #[test]
    fn deviations_are_those_of_the_papers() {
        let kaiming = |distribution, fan| Init::Kaiming {
            distribution,
            fan,
            gain: RELU_GAIN,
        };
        for (init, std, kurtosis) in [
            (Init::KAIMING_NORMAL, (2.0_f64 / 400.0).sqrt(), 3.0),
            (
                kaiming(Distribution::Normal, Fan::Out),
                (2.0_f64 / 1600.0).sqrt(),
                3.0,
            ),
            (Init::KAIMING_UNIFORM, (2.0_f64 / 400.0).sqrt(), 1.8),
            (Init::GLOROT_NORMAL, (2.0_f64 / 2000.0).sqrt(), 3.0),
            (Init::GLOROT_UNIFORM, (2.0_f64 / 2000.0).sqrt(), 1.8),
            (Init::Normal { std: 0.3 }, 0.3, 3.0),
            (Init::Uniform { bound: 0.3 }, 0.3 / 3.0_f64.sqrt(), 1.8),
        ] {
            let (mean, deviation, fourth) = moments(&draw(init));
            // 25,600 numbers: four standard errors.
            assert!(mean.abs() < 4.0 * std / 160.0, "{init:?}: mean {mean}");
            assert!(
                (deviation / std - 1.0).abs() < 0.02,
                "{init:?}: {deviation}"
            );
            assert!((fourth - kurtosis).abs() < 0.15, "{init:?}: {fourth}");
        }
    }

    #[test]
    fn uniform_numbers_stay_within_their_bound_and_reach_it() {
        for (init, bound) in [
            (Init::PYTORCH, 1.0 / 20.0),
            (Init::KAIMING_UNIFORM, (6.0_f64 / 400.0).sqrt()),
            (Init::GLOROT_UNIFORM, (6.0_f64 / 2000.0).sqrt()),
            (Init::Uniform { bound: 0.25 }, 0.25),
        ] {
            let values = draw(init);
            let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(largest <= bound * (1.0 + 1e-6), "{init:?}: {largest}");
            assert!(largest > bound * 0.999, "{init:?}: {largest}");
        }
    }

    #[test]
    fn a_signed_constant_has_one_magnitude_and_both_signs() {
        let fan = Fan::In;
        let values = draw(Init::SignedConstant {
            fan,
            gain: RELU_GAIN,
        });
        let size = (2.0_f64 / 400.0).sqrt();
        assert!(values.iter().all(|x| (x.abs() - size).abs() < 1e-8));
        let positive = values.iter().filter(|x| **x > 0.0).count();
        // 25,600 coins: four standard deviations are 320.
        assert!(positive.abs_diff(12_800) < 320, "{positive}");
    }

    #[test]
    fn a_weight_without_fans_needs_another_initial_value() {
        for shape in [&[8][..], &[], &[0, 3]] {
            let drawn = Init::KAIMING_NORMAL.values(shape, &mut Rng::new(1));
            assert!(drawn.is_err(), "{shape:?}");
        }
        let bias = Init::ONES.values(&[3], &mut Rng::new(1)).expect("no fans");
        assert_eq!(bias, [1.0; 3]);
    }
}
