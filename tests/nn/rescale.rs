//! Rescaling: against closed forms, candle's own operations, finite differences, and for any number
//! of threads.

use candle_core::{Device, Tensor};
use vitrine::nn::ops::{
    Activation, add_activate, demodulation, min_max_scale, scale_gradient, scale_planes,
    with_portable,
};
use vitrine::rng::Rng;

use crate::tensors::{
    ACTIVATIONS, Forward, assert_close, assert_threads_change_nothing, check_differences, random,
    values, with_gradients,
};

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::from_slice(values, shape, &Device::Cpu).expect("the shape fits")
}

/// Operations with arguments of random shapes.
fn cases(rng: &mut Rng) -> Vec<(String, Box<Forward<'static>>, Vec<Tensor>)> {
    let mut cases: Vec<(String, Box<Forward<'static>>, Vec<Tensor>)> = Vec::new();
    for round in 0..6 {
        let [n, c, h, w] = [
            1 + rng.below(7),
            1 + rng.below(20),
            2 + rng.below(9),
            1 + rng.below(9),
        ];
        let x = random(&[n, c, h, w], rng);
        let act = ACTIVATIONS[round % 4];
        cases.push((
            format!("min-max {:?}", x.dims()),
            Box::new(|t| min_max_scale(&t[0], 1e-5)),
            vec![x.clone()],
        ));
        cases.push((
            format!("scaled gradient {:?}", x.dims()),
            Box::new(|t| scale_gradient(&t[0], 0.5)),
            vec![x.clone()],
        ));
        cases.push((
            format!("sum {:?} {act:?}", x.dims()),
            Box::new(move |t| add_activate(&t[0], &t[1], act)),
            vec![x.clone(), random(&[n, c, h, w], rng)],
        ));
        cases.push((
            format!("planes {:?} {act:?}", x.dims()),
            Box::new(move |t| scale_planes(&t[0], &t[1], None, act)),
            vec![x.clone(), random(&[n, c], rng)],
        ));
        cases.push((
            format!("planes with terms {:?} {act:?}", x.dims()),
            Box::new(move |t| scale_planes(&t[0], &t[1], Some(&t[2]), act)),
            vec![x, random(&[n, c], rng), random(&[c], rng)],
        ));
        let kernel = [9, 1, 4][round % 3];
        cases.push((
            format!("demodulation {n} {c} {h} {kernel}"),
            Box::new(|t| demodulation(&t[0], &t[1], 1e-3)),
            vec![random(&[h, c, kernel], rng), random(&[n, c], rng)],
        ));
    }
    cases
}

#[test]
fn they_agree_with_their_portable_twins() {
    let mut rng = Rng::new(1);
    for (name, f, arguments) in cases(&mut rng) {
        let g = random(f(&arguments).expect("computes").dims(), &mut rng);
        let ours = with_gradients(&*f, &arguments, &g);
        let theirs = with_portable(|| with_gradients(&*f, &arguments, &g));
        for (i, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_close(&format!("{name}, {i}"), ours, theirs, 2e-5);
        }
    }
}

#[test]
fn their_gradients_agree_with_finite_differences() {
    let mut rng = Rng::new(2);
    for (name, f, arguments) in cases(&mut rng) {
        // Its gradient is not that of its result, and kinks make differences coarse.
        if name.starts_with("scaled") || name.contains("elu") {
            continue;
        }
        check_differences(&name, &*f, &arguments, [1e-3, 1e-2], &mut rng);
    }
}

#[test]
fn equal_extremes_share_the_gradient() {
    // y = (x - 1) / 4; the gradient 4 of the first 1 flows to itself and to the extremes.
    let x = tensor(&[1.0, 1.0, 3.0, 5.0], &[1, 4]);
    let g = tensor(&[0.0, 0.0, 4.0, 0.0], &[1, 4]);
    let found = with_gradients(&|t| min_max_scale(&t[0], 1e-5), &[x], &g);
    assert_eq!(values(&found[0]), [0.0, 0.0, 0.5, 1.0]);
    // To the minimum: -4/4 for the difference, 4 * 0.5 / 4 for the span, in two halves.
    assert_eq!(values(&found[1]), [-0.25, -0.25, 1.0, -0.5]);

    // A flat example: the span is held at eps, and what is left is the mean's removal.
    let x = tensor(&[2.0, 2.0], &[1, 2]);
    let g = tensor(&[1.0, 0.0], &[1, 2]);
    let found = with_gradients(&|t| min_max_scale(&t[0], 0.5), &[x], &g);
    assert_eq!(values(&found[0]), [0.0, 0.0]);
    assert_eq!(values(&found[1]), [1.0, -1.0]);
}

#[test]
fn only_the_gradient_is_scaled() {
    let x = tensor(&[1.0, -2.0], &[2]);
    let g = tensor(&[3.0, 4.0], &[2]);
    let found = with_gradients(
        &|t| scale_gradient(&t[0], 0.5),
        std::slice::from_ref(&x),
        &g,
    );
    assert_eq!(values(&found[0]), values(&x));
    assert_eq!(values(&found[1]), [1.5, 2.0]);
}

#[test]
fn demodulated_kernels_have_norm_one() {
    let mut rng = Rng::new(3);
    let (w, s) = (random(&[5, 7, 9], &mut rng), random(&[2, 7], &mut rng));
    let norms = values(&demodulation(&w, &s, 0.0).expect("computes"));
    let (w, s) = (values(&w), values(&s));
    for (i, norm) in norms.into_iter().enumerate() {
        let (example, output) = (i / 5, i % 5);
        let square: f32 = (0..63)
            .map(|k| (w[output * 63 + k] * s[example * 7 + k / 9] * norm).powi(2))
            .sum();
        assert!((square - 1.0).abs() < 1e-5, "{square}");
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    assert_threads_change_nothing(|| {
        let mut rng = Rng::new(4);
        let x = random(&[128, 32, 6, 7], &mut rng);
        let g = random(x.dims(), &mut rng);
        let factors = random(&[128, 32], &mut rng);
        let act = Activation::Silu;
        let mut found = with_gradients(
            &|t| min_max_scale(&t[0], 1e-5),
            std::slice::from_ref(&x),
            &g,
        );
        let arguments = [x.clone(), factors, random(&[32], &mut rng)];
        let planes = |t: &[Tensor]| scale_planes(&t[0], &t[1], Some(&t[2]), act);
        found.extend(with_gradients(&planes, &arguments, &g));
        let sum = |t: &[Tensor]| add_activate(&t[0], &t[0], act);
        found.extend(with_gradients(&sum, &[x], &g));
        let arguments = [
            random(&[128, 128, 3, 3], &mut rng),
            random(&[8, 128], &mut rng),
        ];
        let g = random(&[8, 128], &mut rng);
        let norms = |t: &[Tensor]| demodulation(&t[0], &t[1], 1e-8);
        found.extend(with_gradients(&norms, &arguments, &g));
        found
    });
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let mut rng = Rng::new(5);
    let x = random(&[2, 3, 4, 4], &mut rng);
    assert!(min_max_scale(&random(&[4], &mut rng), 1e-5).is_err());
    assert!(add_activate(&x, &random(&[2, 3, 4, 5], &mut rng), Activation::None).is_err());
    assert!(scale_planes(&x, &random(&[3], &mut rng), None, Activation::None).is_err());
    let factors = random(&[2, 3], &mut rng);
    let terms = random(&[4], &mut rng);
    assert!(scale_planes(&x, &factors, Some(&terms), Activation::None).is_err());
    assert!(demodulation(&random(&[5, 4, 3, 3], &mut rng), &factors, 1e-8).is_err());
}
