//! Every operation of `nn::ops` against `PyTorch`, finite differences and its portable twin.
//!
//! `tests/data/nn/make_ops.py` made the fixtures; `cases.rs` lists the operations.

use std::collections::{BTreeSet, HashMap};

use candle_core::{DType, Device, Result, Tensor, Var};
use vitrine::nn::ops::pool::{Window, avg_pool2d, max_pool2d};
use vitrine::nn::ops::{
    Activation, batch_norm, dropout, embedding, loss, norm, pointwise, resample, softmax,
};
use vitrine::rng::Rng;

use crate::cases::{self, Body, Case};

type Fixtures = HashMap<String, Tensor>;

fn fixtures() -> Fixtures {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/nn/ops.safetensors");
    candle_core::safetensors::load(path, &Device::Cpu).expect("the fixtures load")
}

/// The arguments of a case: floating point numbers as `dtype`, whole numbers as `u32`.
fn arguments(case: &Case, fixtures: &Fixtures, dtype: DType) -> Vec<Tensor> {
    let get = |name: &&str| {
        let tensor = &fixtures[&format!("{}/{name}", case.name)];
        let dtype = if tensor.dtype() == DType::I64 {
            DType::U32
        } else {
            dtype
        };
        tensor.to_dtype(dtype).expect("converts")
    };
    case.vars.iter().chain(case.extras).map(get).collect()
}

/// The result, and the gradient of every variable of `sum(result * upstream)`.
fn gradients(
    body: Body,
    vars: usize,
    args: &[Tensor],
    upstream: Option<&Tensor>,
) -> Result<(Tensor, Vec<Tensor>)> {
    let mut args = args.to_vec();
    for arg in &mut args[..vars] {
        *arg = Var::from_tensor(arg)?.as_tensor().clone();
    }
    let y = body(&args)?;
    let loss = match upstream {
        Some(upstream) => y.mul(upstream)?.sum_all()?,
        None => y.sqr()?.sum_all()?,
    };
    let grads = loss.backward()?;
    let found = args[..vars].iter().map(|arg| {
        let grad = grads.get(arg).expect("every variable has a gradient");
        assert_eq!(grad.dims(), arg.dims());
        grad.clone()
    });
    Ok((y.detach(), found.collect()))
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.flatten_all().expect("flattens");
    let flat = flat.to_dtype(DType::F64).expect("converts");
    flat.to_vec1().expect("reads")
}

#[track_caller]
fn assert_close(got: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(got.dims(), expected.dims(), "{what}");
    let (got, expected) = (numbers(got), numbers(expected));
    let size = expected.iter().fold(1.0_f64, |size, x| size.max(x.abs()));
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let off = (got - expected).abs();
        assert!(
            off <= tolerance * size,
            "{what}[{i}]: {got}, expected {expected}"
        );
    }
}

#[test]
fn the_fixtures_and_the_cases_are_the_same_set() {
    let fixtures = fixtures();
    let stored: BTreeSet<&str> = fixtures
        .keys()
        .filter_map(|key| key.split('/').next())
        .collect();
    let cases = cases::all();
    let tested: BTreeSet<&str> = cases.iter().map(|case| case.name).collect();
    assert_eq!(stored, tested);
}

#[test]
fn results_and_gradients_are_those_of_pytorch() {
    let fixtures = fixtures();
    for case in cases::all() {
        let args = arguments(&case, &fixtures, DType::F32);
        let upstream = &fixtures[&format!("{}/grad", case.name)];
        for (body, which) in [(case.fast, "fast"), (case.portable, "portable")] {
            let what = format!("{} ({which})", case.name);
            let (y, grads) = gradients(body, case.vars.len(), &args, Some(upstream)).expect(&what);
            assert_close(&y, &fixtures[&format!("{}/y", case.name)], 3e-6, &what);
            for (name, grad) in case.vars.iter().zip(&grads) {
                let expected = &fixtures[&format!("{}/d_{name}", case.name)];
                assert_close(grad, expected, 1e-5, &format!("{what}, gradient of {name}"));
            }
        }
    }
}

/// Compares the slope along a random direction with a central difference of step `h`.
fn check_slopes(case: &Case, body: Body, args: &[Tensor], h: f64, tolerance: f64, rng: &mut Rng) {
    let name = case.name;
    let y = body(args).expect(name);
    let upstream: Vec<f64> = (0..y.elem_count()).map(|_| rng.normal()).collect();
    let as_tensor = |values: Vec<f64>, like: &Tensor| {
        let tensor = Tensor::from_vec(values, like.shape(), &Device::Cpu).expect("makes a tensor");
        tensor.to_dtype(like.dtype()).expect("converts")
    };
    let weights = as_tensor(upstream, &y);
    let upstream = numbers(&weights);
    let (_, grads) = gradients(body, case.vars.len(), args, Some(&weights)).expect(name);
    for (at, grad) in grads.iter().enumerate() {
        for _ in 0..2 {
            let direction: Vec<f64> = (0..grad.elem_count()).map(|_| rng.normal()).collect();
            let direction = as_tensor(direction, &args[at]);
            let slope: f64 = numbers(grad)
                .iter()
                .zip(numbers(&direction))
                .map(|(g, d)| g * d)
                .sum();
            let loss = |step: f64| -> f64 {
                let mut moved = args.to_vec();
                let by = (&direction * step).expect("scales");
                moved[at] = moved[at].add(&by).expect("adds");
                let y = body(&moved).expect(name);
                numbers(&y).iter().zip(&upstream).map(|(y, u)| y * u).sum()
            };
            let difference = (loss(h) - loss(-h)) / (2.0 * h);
            let size = numbers(grad).iter().map(|g| g * g).sum::<f64>().sqrt();
            assert!(
                (slope - difference).abs() <= tolerance * (size + 0.1),
                "{name}, {}: slope {slope}, difference {difference}, size {size}",
                case.vars[at]
            );
        }
    }
}

#[test]
fn gradients_are_the_slopes_of_the_results() {
    let fixtures = fixtures();
    let mut rng = Rng::new(1);
    for case in cases::all().iter().filter(|case| case.smooth) {
        let args = arguments(case, &fixtures, DType::F32);
        check_slopes(case, case.fast, &args, 5e-4, 1e-2, &mut rng);
        let args = arguments(case, &fixtures, DType::F64);
        check_slopes(case, case.portable, &args, 1e-6, 1e-6, &mut rng);
    }
}

/// Random arguments of the large shapes of a case.
fn large_arguments(case: &Case) -> Vec<Tensor> {
    let mut rng = Rng::new(2).split(case.name);
    let names = case.vars.iter().chain(case.extras);
    let make = |(name, shape): (&&str, &&[usize])| {
        let count = shape.iter().product();
        if matches!(*name, "classes" | "ids") {
            let ids: Vec<u32> = (0..count).map(|_| rng.below(300) as u32).collect();
            return Tensor::from_vec(ids, *shape, &Device::Cpu).expect("makes a tensor");
        }
        let positive = matches!(*name, "var" | "soft" | "weights");
        let value = |x: f64| if positive { x.abs() + 0.1 } else { x };
        let values: Vec<f32> = (0..count).map(|_| value(rng.normal()) as f32).collect();
        Tensor::from_vec(values, *shape, &Device::Cpu).expect("makes a tensor")
    };
    names.zip(case.large).map(make).collect()
}

#[test]
fn the_portable_bodies_agree_on_large_tensors() {
    for case in cases::all().iter().filter(|case| !case.large.is_empty()) {
        let args = large_arguments(case);
        let y = (case.fast)(&args).expect(case.name);
        // Not the squares: their sum does not depend on what a norm is applied to.
        let weights: Vec<f32> = (0..y.elem_count()).map(|i| (i as f32).sin()).collect();
        let weights = Tensor::from_vec(weights, y.shape(), &Device::Cpu).expect("a tensor");
        let run = |body| gradients(body, case.vars.len(), &args, Some(&weights)).expect(case.name);
        let (fast, twin) = (run(case.fast), run(case.portable));
        assert_close(&fast.0, &twin.0, 1e-5, case.name);
        for ((got, expected), name) in fast.1.iter().zip(&twin.1).zip(case.vars) {
            assert_close(
                got,
                expected,
                5e-5,
                &format!("{}, gradient of {name}", case.name),
            );
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for case in cases::all().iter().filter(|case| !case.large.is_empty()) {
        let args = large_arguments(case);
        let with_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads start").install(|| {
                let (y, grads) =
                    gradients(case.fast, case.vars.len(), &args, None).expect(case.name);
                let tensors = std::iter::once(&y).chain(&grads);
                tensors
                    .flat_map(|t| numbers(t).into_iter().map(f64::to_bits))
                    .collect::<Vec<_>>()
            })
        };
        let one = with_threads(1);
        for threads in [2, 5] {
            assert!(
                with_threads(threads) == one,
                "{} with {threads} threads",
                case.name
            );
        }
    }
}

#[test]
fn transposed_arguments_and_gradients_are_understood() {
    let fixtures = fixtures();
    for case in cases::all() {
        let args = arguments(&case, &fixtures, DType::F32);
        let vars = case.vars.len();
        let (y, plain) = gradients(case.fast, vars, &args, None).expect(case.name);
        if args[0].rank() < 2 || y.rank() < 2 {
            continue;
        }
        let turn = |t: &Tensor| -> Result<Tensor> {
            let (a, b) = (t.rank() - 2, t.rank() - 1);
            t.transpose(a, b)?.contiguous()?.transpose(a, b)
        };
        // Leaves that lie transposed, and an upstream gradient that does.
        let mut turned = args.clone();
        turned[0] = turn(&args[0]).expect("turns");
        let x = Var::from_tensor(&turned[0]).expect("makes a variable");
        turned[0] = turn(x.as_tensor()).expect("turns");
        assert!(args[0].dims().iter().rev().take(2).any(|&n| n == 1) || !turned[0].is_contiguous());
        let y = (case.fast)(&turned).expect(case.name);
        let last = y.rank() - 1;
        let loss = y
            .transpose(last - 1, last)
            .and_then(|y| y.sqr()?.sum_all())
            .expect("sums");
        let grads = loss.backward().expect(case.name);
        let grad = grads.get(x.as_tensor()).expect("has a gradient");
        assert_close(grad, &plain[0], 1e-6, case.name);
    }
}

#[test]
fn running_statistics_are_those_of_pytorch() {
    let fixtures = fixtures();
    for case in cases::all() {
        let Some(expected) = fixtures.get(&format!("{}/new_mean", case.name)) else {
            continue;
        };
        let get = |name: &str| &fixtures[&format!("{}/{name}", case.name)];
        let (_, statistics) =
            batch_norm::batch_norm(get("x"), None, 1e-5, Activation::None).expect("normalises");
        let (mean, var) = statistics
            .blend(get("mean"), get("var"), 0.1)
            .expect("blends");
        assert_close(&mean, expected, 1e-6, case.name);
        assert_close(&var, get("new_var"), 1e-6, case.name);
    }
}

#[test]
fn dropout_keeps_the_right_share_and_is_its_own_gradient() {
    let x = Var::ones(100_003, DType::F32, &Device::Cpu).expect("makes a variable");
    for rate in [0.1, 0.5, 0.9] {
        let y = dropout::dropout(&x, rate, &mut Rng::new(3)).expect("drops");
        let again = dropout::dropout(&x, rate, &mut Rng::new(3)).expect("drops");
        let other = dropout::dropout(&x, rate, &mut Rng::new(4)).expect("drops");
        assert_eq!(numbers(&y), numbers(&again), "same seed");
        assert_ne!(numbers(&y), numbers(&other), "other seed");
        let kept = numbers(&y).iter().filter(|y| **y != 0.0).count() as f64 / 100_003.0;
        // Five standard deviations of a share of 100,003 draws.
        assert!((kept - (1.0 - rate)).abs() < 5.0 * (rate * (1.0 - rate) / 1e5).sqrt());
        let neighbours = numbers(&y)
            .windows(2)
            .filter(|w| w[0] != 0.0 && w[1] != 0.0)
            .count();
        assert!((neighbours as f64 / 100_003.0 - (1.0 - rate).powi(2)).abs() < 0.008);
        let grads = y
            .sum_all()
            .and_then(|sum| sum.backward())
            .expect("goes backward");
        let grad = grads.get(&x).expect("has a gradient");
        assert_eq!(numbers(grad), numbers(&y), "the slope is the factor");
        let double = x.as_tensor().to_dtype(DType::F64).expect("converts");
        let twin = dropout::dropout(&double, rate, &mut Rng::new(3)).expect("drops");
        assert_eq!(numbers(&twin), numbers(&y), "portable");
    }
    let same = dropout::dropout(&x, 0.0, &mut Rng::new(3)).expect("drops");
    assert_eq!(numbers(&same), numbers(&x));
    assert!(dropout::dropout(&x, 1.0, &mut Rng::new(3)).is_err());
}

#[test]
fn wrong_shapes_are_refused_with_a_reason() {
    let t = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).expect("zeros");
    let ids = |ids: &[i64]| Tensor::new(ids, &Device::Cpu).expect("ids");
    let none = Activation::None;
    let (planes, three) = (t(&[2, 3, 4, 5]), t(&[3]));
    let refused = |result: Result<Tensor>, reason: &str| {
        let text = result.expect_err(reason).to_string();
        assert!(text.contains(reason), "{text}");
    };
    refused(
        norm::layer_norm(&planes, 5, None, 1e-5),
        "last 5 dimensions",
    );
    refused(
        norm::layer_norm(&planes, 1, Some((&three, &three)), 1e-5),
        "of shape [5]",
    );
    refused(norm::rms_norm(&planes, &three, 1e-5), "of shape [5]");
    refused(norm::group_norm(&planes, 2, None, 1e-5, none), "2 groups");
    let batch = |x: &Tensor| batch_norm::batch_norm(x, None, 1e-5, none).map(|found| found.0);
    refused(batch(&t(&[1, 3])), "more than one number");
    refused(batch(&three), "[batch, channels, ..]");
    refused(max_pool2d(&planes, Window::square(6, 1, 0)), "does not fit");
    refused(avg_pool2d(&planes, Window::square(2, 0, 0)), "not 0");
    refused(max_pool2d(&planes, Window::square(2, 1, 2)), "at most half");
    refused(
        avg_pool2d(&three, Window::square(2, 2, 0)),
        "[batch, channels, height, width]",
    );
    refused(resample::upsample_nearest2d(&planes, 0), "upsampling by 0");
    refused(resample::pixel_shuffle(&planes, 2), "3 channels");
    refused(softmax::softmax(&t(&[0])), "shape [0]");
    let logits = t(&[2, 3]);
    refused(
        loss::cross_entropy(&logits, &ids(&[0, 3]), 0.0),
        "from 0 to 2, not 3",
    );
    refused(loss::cross_entropy(&logits, &ids(&[0, -1]), 0.0), "not -1");
    refused(loss::cross_entropy(&logits, &ids(&[0]), 0.0), "2 rows");
    refused(
        loss::cross_entropy(&logits, &ids(&[0, 1]), 1.5),
        "between 0 and 1",
    );
    refused(loss::cross_entropy(&logits, &t(&[2]), 0.0), "whole numbers");
    refused(
        loss::soft_cross_entropy(&logits, &three, None),
        "targets of that shape",
    );
    refused(
        loss::soft_cross_entropy(&logits, &logits, Some(&three)),
        "2 rows",
    );
    refused(
        embedding::embedding(&logits, &ids(&[2])),
        "from 0 to 1, not 2",
    );
}

#[test]
fn what_is_not_a_number_is_not_hidden() {
    let x = Tensor::new(&[[[[1.0_f32, f32::NAN], [0.0, 2.0]]]], &Device::Cpu).expect("a tensor");
    let pooled = max_pool2d(&x, Window::square(2, 2, 0)).expect("pools");
    assert!(numbers(&pooled)[0].is_nan());
    let padded = max_pool2d(&x, Window::square(2, 1, 1)).expect("pools");
    assert!(numbers(&padded)[4].is_nan());
    let relu = pointwise::relu(&x).expect("rectifies");
    assert!(numbers(&relu)[1].is_nan());
    let soft = softmax::softmax(&x).expect("normalises");
    assert!(numbers(&soft)[0].is_nan());
}
