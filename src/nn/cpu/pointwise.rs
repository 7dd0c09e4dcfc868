//! Functions of one number, vectorised, with their derivatives.
//!
//! [`exp`] is the polynomial of [`super::silu_times`] without its branches. The error function is
//! Njuffa's pair of polynomials (Stack Overflow 35148198, at most 1 unit in the last place off);
//! the hyperbolic tangent near zero is that of Moshier's Cephes library.
#![expect(
    clippy::inline_always,
    reason = "code is compiled for the vectors of its caller only when inlined"
)]

use super::exp::{C1, C2, C3, C4, C5, LN2_HIGH, LN2_LOW, LOG2_E, ROUNDER};
use super::lanes::vectorise;
use crate::nn::ops::Activation;

/// A function that is applied to every number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// `max(x, 0)`.
    Relu,
    /// `x` above zero, below it `x` times the slope.
    LeakyRelu(f32),
    /// `x / (1 + exp(-x))`.
    Silu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// `x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))`.
    GeluTanh,
    /// `x/2 (1 + erf(x / sqrt(2)))`.
    GeluErf,
    /// `ln(1 + exp(x))`.
    Softplus,
}

impl Function {
    /// Whether [`derive()`] wants the function's output, rather than its argument.
    #[must_use]
    pub fn saves_output(self) -> bool {
        matches!(
            self,
            Self::Relu | Self::LeakyRelu(_) | Self::Sigmoid | Self::Tanh
        )
    }
}

/// `e^x` to within 2.5e-7 of its value; zero below -104, infinite above 89.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    // Written so that what is not a number stays so.
    let x = if x < -104.0 { -104.0 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let z = x.mul_add(LOG2_E, ROUNDER);
    let n = z - ROUNDER;
    let b = (-n).mul_add(LN2_LOW, (-n).mul_add(LN2_HIGH, x));
    let u = b * b;
    let j = C5
        .mul_add(b, C4)
        .mul_add(u, C3.mul_add(b, C2))
        .mul_add(u, C1 * b);
    // 2^n in two factors, since one does not reach the smallest and largest numbers.
    let n = z.to_bits().wrapping_sub(ROUNDER.to_bits()).cast_signed();
    let half = n >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned());
    let first = power(half);
    j.mul_add(first, first) * power(n.wrapping_sub(half))
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
#[must_use]
pub fn tanh(x: f32) -> f32 {
    let z = x * x;
    let near = (-5.704_988_7e-3_f32)
        .mul_add(z, 2.063_908_8e-2)
        .mul_add(z, -5.373_971_6e-2)
        .mul_add(z, 1.333_144_2e-1)
        .mul_add(z, -3.333_328e-1)
        .mul_add(z * x, x);
    let far = (1.0 - 2.0 / (exp(2.0 * x.abs()) + 1.0)).copysign(x);
    if x.abs() < 0.625 { near } else { far }
}

/// The error function.
#[inline(always)]
#[must_use]
pub fn erf(x: f32) -> f32 {
    let t = x.abs();
    let s = x * x;
    let power = (-1.728_534_7e-5_f32)
        .mul_add(t, 3.831_971_3e-4)
        .mul_add(s, (-3.883_964_4e-3_f32).mul_add(t, 2.425_462_2e-2))
        .mul_add(t, -1.067_778_8e-1)
        .mul_add(t, -6.348_467e-1)
        .mul_add(t, -1.287_175_1e-1)
        .mul_add(t, -t);
    let far = (1.0 - exp(power)).copysign(x);
    let near = (-5.967_617e-4_f32)
        .mul_add(s, 4.991_194_2e-3)
        .mul_add(s, -2.676_813_5e-2)
        .mul_add(s, 1.128_199_25e-1)
        .mul_add(s, -3.761_253_4e-1)
        .mul_add(s, 1.283_791_7e-1)
        .mul_add(x, x);
    if t > 0.927_734_4 { far } else { near }
}

/// `ln(1 + e^x)`.
#[inline(always)]
#[must_use]
pub fn softplus(x: f32) -> f32 {
    // ln(1 + e) = 2 atanh(e / (2 + e)), whose series is short because e <= 1.
    let e = exp(-x.abs());
    let s = e / (2.0 + e);
    let q = s * s;
    let series = (1.0_f32 / 15.0)
        .mul_add(q, 1.0 / 13.0)
        .mul_add(q, 1.0 / 11.0)
        .mul_add(q, 1.0 / 9.0)
        .mul_add(q, 1.0 / 7.0)
        .mul_add(q, 1.0 / 5.0)
        .mul_add(q, 1.0 / 3.0)
        .mul_add(q, 1.0);
    (2.0 * s).mul_add(series, if x < 0.0 { 0.0 } else { x })
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    if x < 0.0 { 0.0 } else { x }
}

#[inline(always)]
fn leaky_relu(x: f32, slope: f32) -> f32 {
    if x < 0.0 { x * slope } else { x }
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

/// The derivative of `x / (1 + e^-x)`.
#[inline(always)]
#[must_use]
pub fn silu_derivative(x: f32) -> f32 {
    let s = sigmoid(x);
    s.mul_add(x * (1.0 - s), s)
}

/// `sqrt(2 / pi)`.
const GELU_SCALE: f32 = 0.797_884_6;
const GELU_CUBE: f32 = 0.044_715;

#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    let inner = GELU_SCALE * x * (x * x).mul_add(GELU_CUBE, 1.0);
    0.5 * x * (1.0 + tanh(inner))
}

#[inline(always)]
fn gelu_tanh_derivative(x: f32) -> f32 {
    let square = x * x;
    let t = tanh(GELU_SCALE * x * square.mul_add(GELU_CUBE, 1.0));
    let slope = GELU_SCALE * square.mul_add(3.0 * GELU_CUBE, 1.0);
    (0.5 * x * slope).mul_add(t.mul_add(-t, 1.0), 0.5 * (1.0 + t))
}

#[inline(always)]
fn gelu_erf(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

#[inline(always)]
fn gelu_erf_derivative(x: f32) -> f32 {
    /// `1 / sqrt(2 pi)`.
    const DENSITY: f32 = 0.398_942_3;
    let below = 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
    (x * DENSITY).mul_add(exp(-0.5 * x * x), below)
}

#[inline(always)]
fn map(x: &[f32], out: &mut [f32], f: impl Fn(f32) -> f32) {
    vectorise(
        #[inline(always)]
        move || {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(x);
            }
        },
    );
}

#[inline(always)]
fn change(values: &mut [f32], f: impl Fn(f32) -> f32) {
    vectorise(
        #[inline(always)]
        move || {
            for value in values {
                *value = f(*value);
            }
        },
    );
}

#[inline(always)]
fn map2(saved: &[f32], grad: &[f32], out: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    vectorise(
        #[inline(always)]
        move || {
            for ((out, &saved), &grad) in out.iter_mut().zip(saved).zip(grad) {
                *out = f(saved, grad);
            }
        },
    );
}

#[inline(always)]
fn change2(grad: &mut [f32], saved: &[f32], f: impl Fn(f32, f32) -> f32) {
    vectorise(
        #[inline(always)]
        move || {
            for (grad, &saved) in grad.iter_mut().zip(saved) {
                *grad = f(saved, *grad);
            }
        },
    );
}

/// `out = f(x)`; as many numbers as the shorter has.
pub fn apply(function: Function, x: &[f32], out: &mut [f32]) {
    match function {
        Function::Relu => map(x, out, relu),
        Function::LeakyRelu(slope) => map(
            x,
            out,
            #[inline(always)]
            move |x| leaky_relu(x, slope),
        ),
        Function::Silu => map(x, out, silu),
        Function::Sigmoid => map(x, out, sigmoid),
        Function::Tanh => map(x, out, tanh),
        Function::GeluTanh => map(x, out, gelu_tanh),
        Function::GeluErf => map(x, out, gelu_erf),
        Function::Softplus => map(x, out, softplus),
    }
}

/// `out = f'(x) grad`, where `saved` is `f(x)` if [`Function::saves_output`], else `x`.
pub fn derive(function: Function, saved: &[f32], grad: &[f32], out: &mut [f32]) {
    match function {
        Function::Relu => map2(saved, grad, out, relu_grad),
        Function::LeakyRelu(slope) => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            move |y, g| leaky_relu_grad(y, g, slope),
        ),
        Function::Silu => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            |x, g| g * silu_derivative(x),
        ),
        Function::Sigmoid => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            |y, g| g * (y * (1.0 - y)),
        ),
        Function::Tanh => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            |y, g| g * y.mul_add(-y, 1.0),
        ),
        Function::GeluTanh => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            |x, g| g * gelu_tanh_derivative(x),
        ),
        Function::GeluErf => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            |x, g| g * gelu_erf_derivative(x),
        ),
        Function::Softplus => map2(
            saved,
            grad,
            out,
            #[inline(always)]
            |x, g| g * sigmoid(x),
        ),
    }
}

/// The gradient before a rectifier from that after it and the output.
#[inline(always)]
#[must_use]
pub fn relu_grad(y: f32, grad: f32) -> f32 {
    if y > 0.0 { grad } else { 0.0 }
}

/// The gradient before a leaky rectifier from that after it and the output.
#[inline(always)]
#[must_use]
pub fn leaky_relu_grad(y: f32, grad: f32, slope: f32) -> f32 {
    if y > 0.0 { grad } else { grad * slope }
}

/// Applies an activation in place, on this thread.
pub fn activate(values: &mut [f32], act: Activation) {
    match act {
        Activation::None => {}
        Activation::Relu => change(values, relu),
        Activation::LeakyRelu(slope) => change(
            values,
            #[inline(always)]
            move |x| leaky_relu(x, slope),
        ),
        Activation::Silu => change(values, silu),
    }
}

/// Turns the gradient of an activation's output into that of its argument, in place, on this
/// thread. `saved` is the output for `Relu` and `LeakyRelu` and the argument for `Silu`; it is not
/// looked at for `None`.
pub fn activation_backward(grad: &mut [f32], saved: &[f32], act: Activation) {
    match act {
        Activation::None => {}
        Activation::Relu => change2(grad, saved, relu_grad),
        Activation::LeakyRelu(slope) => change2(
            grad,
            saved,
            #[inline(always)]
            move |y, g| leaky_relu_grad(y, g, slope),
        ),
        Activation::Silu => change2(
            grad,
            saved,
            #[inline(always)]
            |x, g| g * silu_derivative(x),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Function, activate, activation_backward, apply, derive, exp, gelu_erf, gelu_tanh,
        leaky_relu, relu, sigmoid, silu, softplus, tanh,
    };
    use crate::nn::ops::Activation;

    /// The error function from its series (small) or continued fraction (large), in `f64`.
    fn erf_exact(x: f64) -> f64 {
        let root_pi = std::f64::consts::PI.sqrt();
        if x.abs() > 2.5 {
            let q = 0.5 / (x * x);
            let fraction = (1..80).rev().fold(1.0, |f, n| 1.0 + f64::from(n) * q / f);
            let tail = (-x * x).exp() / (x.abs() * root_pi * fraction);
            return x.signum() * (1.0 - tail);
        }
        let (mut term, mut sum, mut n) = (x, x, 0.0);
        while term.abs() > 1e-18 * sum.abs() {
            n += 1.0;
            term *= -x * x / n;
            sum += term / (2.0 * n + 1.0);
        }
        sum * 2.0 / root_pi
    }

    fn exact(function: Function, x: f64) -> f64 {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        match function {
            Function::Relu => x.max(0.0),
            Function::LeakyRelu(slope) => x.max(0.0) + f64::from(slope) * x.min(0.0),
            Function::Silu => x * sigmoid(x),
            Function::Sigmoid => sigmoid(x),
            Function::Tanh => x.tanh(),
            Function::GeluTanh => {
                let scale = (2.0 / std::f64::consts::PI).sqrt();
                0.5 * x * (1.0 + (scale * (x + 0.044_715 * x * x * x)).tanh())
            }
            Function::GeluErf => 0.5 * x * (1.0 + erf_exact(x / 2.0_f64.sqrt())),
            Function::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        }
    }

    const ALL: [Function; 8] = [
        Function::Relu,
        Function::LeakyRelu(0.2),
        Function::Silu,
        Function::Sigmoid,
        Function::Tanh,
        Function::GeluTanh,
        Function::GeluErf,
        Function::Softplus,
    ];

    /// 4,001 arguments, so no multiple of a vector's width.
    fn arguments(scale: f32) -> Vec<f32> {
        (-2000..=2000).map(|i| i as f32 * scale).collect()
    }

    #[test]
    fn the_exponential_is_exact_to_two_units_in_the_last_place() {
        for x in arguments(0.0437) {
            let (got, exact) = (f64::from(exp(x)), f64::from(x).exp());
            if exact > f64::from(f32::MIN_POSITIVE) {
                assert!((got / exact - 1.0).abs() < 2.5e-7, "e^{x} = {got}");
            } else {
                assert!((got - exact).abs() < 2e-45, "e^{x} = {got}");
            }
        }
        assert_eq!(exp(f32::NEG_INFINITY).to_bits(), 0);
        assert!(exp(f32::INFINITY).is_infinite() && exp(f32::NAN).is_nan());
    }

    #[test]
    fn functions_are_what_their_formulas_say() {
        for function in ALL {
            for scale in [1e-6, 1e-3, 0.01, 0.04] {
                let x = arguments(scale);
                let mut out = vec![0.0; x.len()];
                apply(function, &x, &mut out);
                for (&x, &got) in x.iter().zip(&out) {
                    let exact = exact(function, f64::from(x));
                    let off = (f64::from(got) - exact).abs();
                    // A gelu below zero is a difference of nearly equal numbers.
                    let size = exact.abs() + f64::from(x.abs()) * 0.5;
                    assert!(off <= 4e-7 * size + 1e-38, "{function:?}({x}) = {got}");
                }
            }
        }
    }

    #[test]
    fn derivatives_are_those_of_the_formulas() {
        for function in ALL {
            let x: Vec<f32> = arguments(0.005).into_iter().filter(|x| *x != 0.0).collect();
            let mut y = vec![0.0; x.len()];
            apply(function, &x, &mut y);
            let saved = if function.saves_output() { &y } else { &x };
            let (grad, mut out) = (vec![-1.5; x.len()], vec![0.0; x.len()]);
            derive(function, saved, &grad, &mut out);
            for (&x, &got) in x.iter().zip(&out) {
                let (x, h) = (f64::from(x), 1e-6);
                let slope = (exact(function, x + h) - exact(function, x - h)) / (2.0 * h);
                let off = (f64::from(got) + 1.5 * slope).abs();
                assert!(off < 2e-6, "{function:?}'({x}): {got}, {slope}");
            }
        }
    }

    #[test]
    fn activations_are_the_functions_in_place() {
        let pairs = [
            (Activation::Relu, Function::Relu),
            (Activation::LeakyRelu(0.2), Function::LeakyRelu(0.2)),
            (Activation::Silu, Function::Silu),
        ];
        let x = arguments(0.01);
        for (act, function) in pairs {
            let (mut y, mut grad) = (x.clone(), vec![0.7; x.len()]);
            activate(&mut y, act);
            let mut expected = vec![0.0; x.len()];
            apply(function, &x, &mut expected);
            assert_eq!(y, expected, "{act:?}");
            let saved = if function.saves_output() { &y } else { &x };
            derive(function, saved, &vec![0.7; x.len()], &mut expected);
            activation_backward(&mut grad, saved, act);
            assert_eq!(grad, expected, "{act:?}");
        }
        let mut same = x.clone();
        activate(&mut same, Activation::None);
        activation_backward(&mut same, &[], Activation::None);
        assert_eq!(same, x);
    }

    #[test]
    fn a_lone_number_has_the_bits_of_a_vector() {
        let x = arguments(0.02);
        let singly = |x: f32, function| match function {
            Function::Relu => relu(x),
            Function::LeakyRelu(slope) => leaky_relu(x, slope),
            Function::Silu => silu(x),
            Function::Sigmoid => sigmoid(x),
            Function::Tanh => tanh(x),
            Function::GeluTanh => gelu_tanh(x),
            Function::GeluErf => gelu_erf(x),
            Function::Softplus => softplus(x),
        };
        for function in ALL {
            let mut out = vec![0.0; x.len()];
            apply(function, &x, &mut out);
            for (&x, y) in x.iter().zip(out) {
                // Outside `vectorise`, so compiled for the narrowest machine.
                let one = singly(std::hint::black_box(x), function);
                assert_eq!(y.to_bits(), one.to_bits(), "{function:?}({x})");
            }
        }
    }

    #[test]
    fn what_is_not_a_number_stays_so() {
        for function in ALL {
            let mut out = [0.0];
            apply(function, &[f32::NAN], &mut out);
            assert!(out[0].is_nan(), "{function:?}");
        }
    }
}
