//! What the tests of operations share.

use candle_core::{Device, Result, Tensor, Var};
use vitrine::nn::ops::Activation;
use vitrine::rng::Rng;

/// An operation of any number of arguments.
pub type Forward<'a> = dyn Fn(&[Tensor]) -> Result<Tensor> + 'a;

pub const ACTIVATIONS: [Activation; 4] = [
    Activation::None,
    Activation::Relu,
    Activation::LeakyRelu(0.2),
    Activation::Silu,
];

pub fn random(shape: &[usize], rng: &mut Rng) -> Tensor {
    let count = shape.iter().product();
    let values: Vec<f32> = (0..count).map(|_| rng.normal() as f32).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).expect("the shape fits")
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor
        .flatten_all()
        .and_then(|t| t.to_vec1())
        .expect("f32 on the processor")
}

fn dot(a: &Tensor, b: &Tensor) -> f64 {
    let pairs = values(a).into_iter().zip(values(b));
    pairs.map(|(a, b)| f64::from(a) * f64::from(b)).sum()
}

/// The result, and the gradient of each argument for an upstream gradient `g`.
pub fn with_gradients(f: &Forward<'_>, arguments: &[Tensor], g: &Tensor) -> Vec<Tensor> {
    let vars: Vec<Var> = arguments
        .iter()
        .map(|t| Var::from_tensor(t).expect("a variable"))
        .collect();
    let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let y = f(&tensors).expect("computes");
    let loss = (&y * g).and_then(|y| y.sum_all()).expect("a scalar");
    let gradients = loss.backward().expect("goes back");
    let of = |var: &Var| gradients.get(var).expect("every variable has one").clone();
    [y.clone()].into_iter().chain(vars.iter().map(of)).collect()
}

/// Compares with a tolerance in units of the greatest number, or of one.
#[track_caller]
pub fn assert_close(name: &str, ours: &Tensor, theirs: &Tensor, tolerance: f32) {
    assert_eq!(ours.dims(), theirs.dims(), "{name}: shape");
    assert_numbers_close(name, &values(ours), &values(theirs), tolerance);
}

/// As [`assert_close`], of numbers.
#[track_caller]
pub fn assert_numbers_close(name: &str, ours: &[f32], theirs: &[f32], tolerance: f32) {
    assert_eq!(ours.len(), theirs.len(), "{name}: size");
    let scale = theirs.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * scale,
            "{name}[{i}]: {a} is not {b}"
        );
    }
}

/// Compares every argument's gradient along a random direction `d` with `f(v + h d) - f(v - h d)`
/// over `2 h`; sums in f64, the tolerance in units of the gradient's length, or of one.
#[track_caller]
pub fn check_differences(
    name: &str,
    f: &Forward<'_>,
    arguments: &[Tensor],
    [h, tolerance]: [f64; 2],
    rng: &mut Rng,
) {
    let g = random(f(arguments).expect("computes").dims(), rng);
    let gradients = with_gradients(f, arguments, &g);
    for (which, gradient) in gradients[1..].iter().enumerate() {
        let direction = random(gradient.dims(), rng);
        let moved = |h: f64| {
            let mut moved = arguments.to_vec();
            let step = (&direction * h).expect("scales");
            moved[which] = (&moved[which] + step).expect("one shape");
            dot(&f(&moved).expect("computes"), &g)
        };
        let numeric = (moved(h) - moved(-h)) / (2.0 * h);
        let ours = dot(gradient, &direction);
        let size = dot(gradient, gradient).sqrt().max(1.0);
        assert!(
            (numeric - ours).abs() < tolerance * size,
            "{name}, argument {which}: {ours}, not {numeric}"
        );
    }
}

/// Runs with one, two and five threads and compares every bit.
#[track_caller]
pub fn assert_threads_change_nothing(run: impl Fn() -> Vec<Tensor> + Sync) {
    let bits = |threads: usize| -> Vec<Vec<u32>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let found = pool.build().expect("a pool").install(&run);
        let bits = |t: &Tensor| values(t).into_iter().map(f32::to_bits).collect();
        found.iter().map(bits).collect()
    };
    let one = bits(1);
    assert!(!one.is_empty(), "there is something to compare");
    assert!(one == bits(2), "two threads");
    assert!(one == bits(5), "five threads");
}
