//! Convolutions and linear maps: against `PyTorch`'s numbers, against candle's own operations,
//! against finite differences, and for any number of threads.

use std::collections::HashMap;

use candle_core::{Device, Tensor};
use serde_json::Value;
use vitrine::nn::ops::{
    Activation, Conv2dOptions, conv_transpose2d, conv2d, linear, masked_linear, portable,
};
use vitrine::rng::Rng;

use crate::tensors::{
    self, ACTIVATIONS, assert_close, assert_threads_change_nothing, random, values,
};

/// An operation of `x`, `w` and perhaps `b`.
type Map<'a> = dyn Fn(&Tensor, &Tensor, Option<&Tensor>) -> candle_core::Result<Tensor> + 'a;

/// The result, and what `x`, `w` and `b` get of an upstream gradient `g`.
fn with_gradients(
    f: &Map<'_>,
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    g: &Tensor,
) -> Vec<Tensor> {
    let arguments: Vec<Tensor> = [Some(x), Some(w), b]
        .into_iter()
        .flatten()
        .cloned()
        .collect();
    tensors::with_gradients(&|t| f(&t[0], &t[1], t.get(2)), &arguments, g)
}

/// As the fixtures name it, which is as serde does.
fn activation(name: &Value) -> Activation {
    serde_json::from_value(name.clone()).expect("an activation")
}

/// A random shape, as `(x, w, options, transposed)`.
fn random_case(rng: &mut Rng) -> ([usize; 4], [usize; 4], Conv2dOptions, bool) {
    loop {
        let transposed = rng.below(3) == 0;
        let groups = [1, 1, 1, 2, 3][rng.below(5)];
        let channels = [1, 1, 2, 3, 5, 8, 9, 17];
        let (inputs, outputs) = (channels[rng.below(8)], channels[rng.below(8)]);
        let side = |rng: &mut Rng| 1 + rng.below(11);
        let kernel = [1 + rng.below(5), 1 + rng.below(5)];
        let stride = [1 + rng.below(3), 1 + rng.below(3)];
        let upsample = if transposed {
            1
        } else {
            [1, 1, 2, 3][rng.below(4)]
        };
        let options = Conv2dOptions {
            stride,
            padding: [rng.below(4), rng.below(4)],
            groups,
            upsample,
            output_padding: if transposed {
                stride.map(|s| rng.below(s))
            } else {
                [0, 0]
            },
        };
        let size = [side(rng), side(rng)];
        let batch = 1 + rng.below(19);
        let x = [batch, inputs * groups, size[0], size[1]];
        let w = if transposed {
            [inputs * groups, outputs, kernel[0], kernel[1]]
        } else {
            [outputs * groups, inputs, kernel[0], kernel[1]]
        };
        let fits = (0..2).all(|i| {
            if transposed {
                let full = (size[i] - 1) * stride[i] + kernel[i] + options.output_padding[i];
                full > 2 * options.padding[i]
            } else {
                size[i] * upsample + 2 * options.padding[i] >= kernel[i]
            }
        });
        // candle's own gradient of a strided convolution fails where the kernel leaves rows over.
        if fits {
            return (x, w, options, transposed);
        }
    }
}

#[test]
fn random_shapes_agree_with_the_portable_twin() {
    let mut rng = Rng::new(1);
    for case in 0..150 {
        let (x, w, options, transposed) = random_case(&mut rng);
        let act = ACTIVATIONS[case % 4];
        let outputs = if transposed {
            w[1] * options.groups
        } else {
            w[0]
        };
        let (x, w) = (random(&x, &mut rng), random(&w, &mut rng));
        let b = (rng.below(2) == 0).then(|| random(&[outputs], &mut rng));
        let fast: Box<Map<'_>> = if transposed {
            Box::new(|x, w, b| conv_transpose2d(x, w, b, options, act))
        } else {
            Box::new(|x, w, b| conv2d(x, w, b, options, act))
        };
        let slow: Box<Map<'_>> = if transposed {
            Box::new(|x, w, b| portable::conv::conv_transpose2d(x, w, b, options, act))
        } else {
            // One stride for both sides is candle's own path, whose gradient is refused for some
            // shapes; the general one is always right.
            Box::new(|x, w, b| portable::conv::conv2d(x, w, b, options, act))
        };
        let g = random(fast(&x, &w, b.as_ref()).expect("computes").dims(), &mut rng);
        let name = format!(
            "{case}: x {:?} w {:?} {options:?} {act:?}",
            x.dims(),
            w.dims()
        );
        let ours = with_gradients(&*fast, &x, &w, b.as_ref(), &g);
        let theirs = with_gradients(&*slow, &x, &w, b.as_ref(), &g);
        for ((ours, theirs), what) in ours.iter().zip(&theirs).zip(["y", "dx", "dw", "db"]) {
            assert_close(&format!("{name} {what}"), ours, theirs, 2e-5);
        }
    }
}

/// Shapes with enough channels and tiles for Winograd's way, and some that just miss it.
#[test]
fn many_channels_agree_with_the_portable_twin() {
    let mut rng = Rng::new(8);
    let cases = [
        // batch, inputs, outputs, height, width, padding, groups, upsample
        (3, 48, 64, 13, 29, 1, 1, 1),
        (1, 64, 33, 30, 31, 0, 1, 1),
        (12, 32, 64, 7, 7, 2, 1, 1),
        (40, 96, 32, 4, 3, 1, 1, 1),
        (2, 128, 128, 14, 16, 1, 2, 1),
        (2, 64, 64, 8, 9, 1, 1, 2),
        (9, 64, 40, 5, 50, 1, 1, 1),
    ];
    for (i, (batch, inputs, outputs, height, width, padding, groups, upsample)) in
        cases.into_iter().enumerate()
    {
        let act = ACTIVATIONS[i % 4];
        let options = Conv2dOptions {
            groups,
            upsample,
            ..Conv2dOptions::padded(padding)
        };
        let x = random(&[batch, inputs, height, width], &mut rng);
        let w = random(&[outputs, inputs / groups, 3, 3], &mut rng);
        let b = random(&[outputs], &mut rng);
        let fast = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| conv2d(x, w, b, options, act);
        let slow = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
            portable::conv::conv2d(x, w, b, options, act)
        };
        let g = random(fast(&x, &w, Some(&b)).expect("computes").dims(), &mut rng);
        let ours = with_gradients(&fast, &x, &w, Some(&b), &g);
        let theirs = with_gradients(&slow, &x, &w, Some(&b), &g);
        // A number near a kink may fall on either side of it, so its gradient may differ.
        let smooth = matches!(act, Activation::None | Activation::Silu);
        for ((ours, theirs), what) in ours.iter().zip(&theirs).zip(["y", "dx", "dw", "db"]) {
            if smooth || what == "y" {
                assert_close(&format!("case {i} {what}"), ours, theirs, 2e-5);
            }
        }
    }
}

fn check_differences(name: &str, f: &Map<'_>, arguments: &[Tensor; 3], rng: &mut Rng) {
    let f = |t: &[Tensor]| f(&t[0], &t[1], t.get(2));
    tensors::check_differences(name, &f, arguments, [2e-3, 2e-3], rng);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let mut rng = Rng::new(2);
    // ReLU's kinks make differences coarse; its gradient is compared with the twin and PyTorch.
    for (case, act) in [Activation::None, Activation::Silu]
        .into_iter()
        .cycle()
        .take(24)
        .enumerate()
    {
        let (x, w, options, transposed) = random_case(&mut rng);
        let outputs = if transposed {
            w[1] * options.groups
        } else {
            w[0]
        };
        let (x, w, b) = (
            random(&x, &mut rng),
            random(&w, &mut rng),
            random(&[outputs], &mut rng),
        );
        // Sums of size one: the difference's step is then small for the activation.
        let taps = w.elem_count() / if transposed { outputs } else { w.dims()[0] };
        let w = (w / (taps as f64).sqrt()).expect("scales");
        let name = format!(
            "{case}: x {:?} w {:?} {options:?} {act:?}",
            x.dims(),
            w.dims()
        );
        if transposed {
            let f = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
                conv_transpose2d(x, w, b, options, act)
            };
            check_differences(&name, &f, &[x, w, b], &mut rng);
        } else {
            let f = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| conv2d(x, w, b, options, act);
            check_differences(&name, &f, &[x, w, b], &mut rng);
        }
        let (x, w, b) = (
            random(&[7, 13], &mut rng),
            random(&[5, 13], &mut rng),
            random(&[5], &mut rng),
        );
        let f = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| linear(x, w, b, act);
        check_differences("linear", &f, &[x, w, b], &mut rng);
    }
}

#[test]
fn linear_maps_agree_with_the_portable_twin() {
    let mut rng = Rng::new(3);
    let shapes = [
        ([1, 1], 1),
        ([3, 5], 7),
        ([60, 784], 300),
        ([64, 100], 10),
        ([2, 33], 17),
    ];
    for (x_shape, outputs) in shapes {
        for act in ACTIVATIONS {
            let x = random(&x_shape, &mut rng);
            let w = random(&[outputs, x_shape[1]], &mut rng);
            let b = random(&[outputs], &mut rng);
            let g = random(&[x_shape[0], outputs], &mut rng);
            let mask: Vec<f32> = (0..w.elem_count()).map(|_| rng.below(2) as f32).collect();
            let mask = Tensor::from_vec(mask, w.shape(), &Device::Cpu).expect("fits");
            for b in [None, Some(&b)] {
                let ours = with_gradients(&|x, w, b| linear(x, w, b, act), &x, &w, b, &g);
                let slow = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
                    portable::linear::linear(x, w, b, act)
                };
                let theirs = with_gradients(&slow, &x, &w, b, &g);
                let masked =
                    with_gradients(&|x, w, b| masked_linear(x, w, &mask, b, act), &x, &w, b, &g);
                let slow = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
                    portable::linear::linear(x, &(w * &mask)?, b, act)
                };
                let also = with_gradients(&slow, &x, &w, b, &g);
                for (ours, theirs) in ours.iter().zip(&theirs).chain(masked.iter().zip(&also)) {
                    assert_close(
                        &format!("{x_shape:?} to {outputs} {act:?}"),
                        ours,
                        theirs,
                        2e-5,
                    );
                }
            }
        }
    }
}

#[test]
fn three_dimensions_are_rows_too() {
    let mut rng = Rng::new(4);
    let (x, w) = (random(&[2, 3, 5], &mut rng), random(&[4, 5], &mut rng));
    let y = linear(&x, &w, None, Activation::Relu).expect("computes");
    let flat = linear(
        &x.reshape((6, 5)).expect("fits"),
        &w,
        None,
        Activation::Relu,
    )
    .expect("computes");
    assert_eq!(y.dims(), [2, 3, 4]);
    assert_eq!(values(&y), values(&flat));
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    assert_threads_change_nothing(|| {
        let mut rng = Rng::new(5);
        let mut found = Vec::new();
        let cases = [
            ([60, 3, 28, 28], [64, 3, 3, 3], 1, 1),
            ([1, 64, 64, 64], [64, 64, 3, 3], 1, 1),
            ([9, 32, 16, 16], [64, 32, 4, 4], 1, 2),
            ([8, 48, 20, 20], [48, 1, 3, 3], 48, 1),
        ];
        for (x, w, groups, stride) in cases {
            let options = Conv2dOptions {
                stride: [stride; 2],
                groups,
                ..Conv2dOptions::padded(1)
            };
            let (x, w) = (random(&x, &mut rng), random(&w, &mut rng));
            let b = random(&[w.dims()[0]], &mut rng);
            let f = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| {
                conv2d(x, w, b, options, Activation::LeakyRelu(0.2))
            };
            let g = random(f(&x, &w, Some(&b)).expect("computes").dims(), &mut rng);
            found.extend(with_gradients(&f, &x, &w, Some(&b), &g));
        }
        for (rows, inputs, outputs) in [(60, 784, 300), (60, 12544, 256), (512, 512, 512)] {
            let x = random(&[rows, inputs], &mut rng);
            let w = random(&[outputs, inputs], &mut rng);
            let b = random(&[outputs], &mut rng);
            let g = random(&[rows, outputs], &mut rng);
            let f = |x: &Tensor, w: &Tensor, b: Option<&Tensor>| linear(x, w, b, Activation::Silu);
            found.extend(with_gradients(&f, &x, &w, Some(&b), &g));
        }
        found
    });
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let mut rng = Rng::new(6);
    let (x, w) = (
        random(&[1, 3, 4, 4], &mut rng),
        random(&[2, 3, 5, 5], &mut rng),
    );
    let options = Conv2dOptions::default();
    assert!(
        conv2d(&x, &w, None, options, Activation::None).is_err(),
        "the kernel is too large"
    );
    assert!(conv2d(&x, &w, None, Conv2dOptions::padded(1), Activation::None).is_ok());
    let w = random(&[2, 4, 3, 3], &mut rng);
    assert!(
        conv2d(&x, &w, None, options, Activation::None).is_err(),
        "four inputs"
    );
    let b = random(&[3], &mut rng);
    let w = random(&[2, 3, 3, 3], &mut rng);
    assert!(
        conv2d(&x, &w, Some(&b), options, Activation::None).is_err(),
        "three biases"
    );
    let x = random(&[2, 3], &mut rng);
    assert!(linear(&x, &random(&[2, 4], &mut rng), None, Activation::None).is_err());
}

/// The cases that `tests/data/nn/make_conv.py` wrote.
#[test]
fn results_and_gradients_equal_pytorch() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/nn/conv.safetensors"
    );
    let bytes = std::fs::read(path).expect("the fixture is there");
    let (_, header) = safetensors::SafeTensors::read_metadata(&bytes).expect("a sound file");
    let metadata = header.metadata().as_ref().expect("metadata");
    let cases: Vec<Value> = serde_json::from_str(&metadata["cases"]).expect("JSON");
    let tensors: HashMap<String, Tensor> =
        candle_core::safetensors::load(path, &Device::Cpu).expect("loads");
    assert!(cases.len() > 30, "there are {} cases", cases.len());
    for case in &cases {
        let name = case["name"].as_str().expect("a name");
        let tensor = |what: &str| tensors.get(&format!("case/{name}/{what}"));
        let need = |what: &str| tensor(what).unwrap_or_else(|| panic!("{name} has no {what}"));
        let act = activation(&case["activation"]);
        let pair = |key: &str, default: usize| match &case[key] {
            Value::Array(both) => [0, 1].map(|i| both[i].as_u64().expect("a number") as usize),
            one => [one.as_u64().map_or(default, |n| n as usize); 2],
        };
        let options = Conv2dOptions {
            stride: pair("stride", 1),
            padding: pair("padding", 0),
            groups: pair("groups", 1)[0],
            upsample: if case["op"] == "upsample_conv2d" {
                2
            } else {
                1
            },
            output_padding: pair("output_padding", 0),
        };
        let f: Box<Map<'_>> = match case["op"].as_str().expect("an operation") {
            "linear" => Box::new(|x, w, b| linear(x, w, b, act)),
            "conv_transpose2d" => Box::new(|x, w, b| conv_transpose2d(x, w, b, options, act)),
            "conv2d" | "upsample_conv2d" => Box::new(|x, w, b| conv2d(x, w, b, options, act)),
            other => panic!("no operation {other}"),
        };
        let ours = with_gradients(&*f, need("x"), need("w"), tensor("b"), need("g"));
        for (ours, what) in ours.iter().zip(["y", "dx", "dw", "db"]) {
            assert_close(&format!("{name} {what}"), ours, need(what), 1e-5);
        }
    }
}
