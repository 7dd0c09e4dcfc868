//! Every operation with its variants, as the fixtures name them.

use candle_core::{Result, Tensor};
use vitrine::nn::ops::pointwise::{self, Function};
use vitrine::nn::ops::pool::{self, Window};
use vitrine::nn::ops::{
    Activation, batch_norm, embedding, loss, norm, portable, resample, softmax,
};

/// A body of an operation: its variables, then what gets no gradient.
pub type Body = fn(&[Tensor]) -> Result<Tensor>;

/// An operation with fixed settings.
pub struct Case {
    /// Its name in the fixtures.
    pub name: &'static str,
    /// The variables, in order.
    pub vars: &'static [&'static str],
    /// The other arguments.
    pub extras: &'static [&'static str],
    /// The body that is chosen here, on the processor.
    pub fast: Body,
    /// The body put together from candle's operations.
    pub portable: Body,
    /// Shapes of all arguments that are large enough for several threads; empty if there is no
    /// need, because another case takes the same way.
    pub large: &'static [&'static [usize]],
    /// Whether a small step in any direction changes the result smoothly.
    pub smooth: bool,
}

const EPS: f64 = 1e-5;
const RELU: Activation = Activation::Relu;
const LEAKY: Activation = Activation::LeakyRelu(0.2);
const SILU: Activation = Activation::Silu;
const NONE: Activation = Activation::None;

const X: &[&str] = &["x"];
const AFFINE: &[&str] = &["x", "weight", "bias"];
const RUNNING: &[&str] = &["mean", "var"];

const PLANES: &[&[usize]] = &[&[6, 5, 50, 60], &[5], &[5]];
const COLUMNS: &[&[usize]] = &[&[700, 130], &[130], &[130]];
const RUN_PLANES: &[&[usize]] = &[&[6, 5, 50, 60], &[5], &[5], &[5], &[5]];
const RUN_COLUMNS: &[&[usize]] = &[&[700, 130], &[130], &[130], &[130], &[130]];
const ONE: &[&[usize]] = &[&[3, 5, 71, 83]];
const ROWS: &[&[usize]] = &[&[301, 333]];

fn case(
    name: &'static str,
    vars: &'static [&'static str],
    extras: &'static [&'static str],
    large: &'static [&'static [usize]],
    (fast, portable): (Body, Body),
) -> Case {
    Case {
        name,
        vars,
        extras,
        fast,
        portable,
        large,
        smooth: !name.ends_with("_ties"),
    }
}

macro_rules! pointwise {
    ($name:literal, $function:expr) => {
        case(
            $name,
            X,
            &[],
            ONE,
            (
                |t| pointwise::function(&t[0], $function),
                |t| portable::function(&t[0], $function),
            ),
        )
    };
}

macro_rules! batch_norm {
    ($name:literal, $large:expr, $act:expr) => {
        case(
            $name,
            AFFINE,
            &[],
            $large,
            (
                |t| Ok(batch_norm::batch_norm(&t[0], Some((&t[1], &t[2])), EPS, $act)?.0),
                |t| Ok(portable::batch_norm(&t[0], Some((&t[1], &t[2])), EPS, $act)?.0),
            ),
        )
    };
}

macro_rules! batch_norm_eval {
    ($name:literal, $large:expr, $act:expr) => {
        case(
            $name,
            AFFINE,
            RUNNING,
            $large,
            (
                |t| {
                    let affine = Some((&t[1], &t[2]));
                    batch_norm::batch_norm_eval(&t[0], (&t[3], &t[4]), affine, EPS, $act)
                },
                |t| {
                    let affine = Some((&t[1], &t[2]));
                    portable::batch_norm_eval(&t[0], (&t[3], &t[4]), affine, EPS, $act)
                },
            ),
        )
    };
}

macro_rules! group_norm {
    ($name:literal, $act:expr) => {
        case(
            $name,
            AFFINE,
            &[],
            &[&[5, 6, 70, 61], &[6], &[6]],
            (
                |t| norm::group_norm(&t[0], 3, Some((&t[1], &t[2])), EPS, $act),
                |t| portable::group_norm(&t[0], 3, Some((&t[1], &t[2])), EPS, $act),
            ),
        )
    };
}

macro_rules! pools {
    ($max:literal, $avg:literal, $window:expr) => {
        [
            case(
                $max,
                X,
                &[],
                ONE,
                (
                    |t| pool::max_pool2d(&t[0], $window),
                    |t| portable::max_pool2d(&t[0], $window),
                ),
            ),
            case(
                $avg,
                X,
                &[],
                ONE,
                (
                    |t| pool::avg_pool2d(&t[0], $window),
                    |t| portable::avg_pool2d(&t[0], $window),
                ),
            ),
        ]
    };
}

macro_rules! upsample {
    ($name:literal, $function:ident, $factor:literal) => {
        case(
            $name,
            X,
            &[],
            ONE,
            (
                |t| resample::$function(&t[0], $factor),
                |t| portable::$function(&t[0], $factor),
            ),
        )
    };
}

macro_rules! shuffle {
    ($name:literal, $factor:literal) => {
        case(
            $name,
            X,
            &[],
            &[&[2, 36, 41, 37]],
            (
                |t| resample::pixel_shuffle(&t[0], $factor),
                |t| portable::pixel_shuffle(&t[0], $factor),
            ),
        )
    };
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut cases = vec![
        pointwise!("relu", Function::Relu),
        pointwise!("leaky_relu", Function::LeakyRelu(0.2)),
        pointwise!("silu", Function::Silu),
        pointwise!("sigmoid", Function::Sigmoid),
        pointwise!("tanh", Function::Tanh),
        pointwise!("gelu", Function::GeluTanh),
        pointwise!("gelu_erf", Function::GeluErf),
        pointwise!("softplus", Function::Softplus),
    ];
    cases.extend(batch_norms());
    cases.extend(norms());
    cases.extend(pooling());
    cases.extend(resampling());
    cases.extend(losses());
    cases
}

fn batch_norms() -> Vec<Case> {
    vec![
        batch_norm!("batch_norm_planes", PLANES, NONE),
        batch_norm!("batch_norm_planes_relu", PLANES, RELU),
        batch_norm!("batch_norm_planes_leaky", PLANES, LEAKY),
        batch_norm!("batch_norm_planes_silu", PLANES, SILU),
        batch_norm!("batch_norm_columns", COLUMNS, NONE),
        batch_norm!("batch_norm_columns_relu", COLUMNS, RELU),
        batch_norm!("batch_norm_columns_leaky", COLUMNS, LEAKY),
        batch_norm!("batch_norm_columns_silu", COLUMNS, SILU),
        batch_norm_eval!("batch_norm_eval_planes", RUN_PLANES, NONE),
        batch_norm_eval!("batch_norm_eval_planes_relu", RUN_PLANES, RELU),
        batch_norm_eval!("batch_norm_eval_planes_leaky", RUN_PLANES, LEAKY),
        batch_norm_eval!("batch_norm_eval_planes_silu", RUN_PLANES, SILU),
        batch_norm_eval!("batch_norm_eval_columns", RUN_COLUMNS, NONE),
        batch_norm_eval!("batch_norm_eval_columns_relu", RUN_COLUMNS, RELU),
        batch_norm_eval!("batch_norm_eval_columns_leaky", RUN_COLUMNS, LEAKY),
        batch_norm_eval!("batch_norm_eval_columns_silu", RUN_COLUMNS, SILU),
        case(
            "batch_norm_plain",
            X,
            &[],
            &[],
            (
                |t| Ok(batch_norm::batch_norm(&t[0], None, EPS, NONE)?.0),
                |t| Ok(portable::batch_norm(&t[0], None, EPS, NONE)?.0),
            ),
        ),
    ]
}

fn norms() -> Vec<Case> {
    vec![
        group_norm!("group_norm", NONE),
        group_norm!("group_norm_relu", RELU),
        group_norm!("group_norm_leaky", LEAKY),
        group_norm!("group_norm_silu", SILU),
        case(
            "group_norm_plain",
            X,
            &[],
            &[&[700, 130]],
            (
                |t| norm::group_norm(&t[0], 2, None, EPS, NONE),
                |t| portable::group_norm(&t[0], 2, None, EPS, NONE),
            ),
        ),
        case(
            "layer_norm",
            AFFINE,
            &[],
            &[&[301, 333], &[333], &[333]],
            (
                |t| norm::layer_norm(&t[0], 1, Some((&t[1], &t[2])), EPS),
                |t| portable::layer_norm(&t[0], 1, Some((&t[1], &t[2])), EPS),
            ),
        ),
        case(
            "layer_norm_two",
            AFFINE,
            &[],
            &[&[9, 7, 40, 50], &[40, 50], &[40, 50]],
            (
                |t| norm::layer_norm(&t[0], 2, Some((&t[1], &t[2])), EPS),
                |t| portable::layer_norm(&t[0], 2, Some((&t[1], &t[2])), EPS),
            ),
        ),
        case(
            "layer_norm_plain",
            X,
            &[],
            &[],
            (
                |t| norm::layer_norm(&t[0], 1, None, EPS),
                |t| portable::layer_norm(&t[0], 1, None, EPS),
            ),
        ),
        case(
            "rms_norm",
            &["x", "weight"],
            &[],
            &[&[301, 333], &[333]],
            (
                |t| norm::rms_norm(&t[0], &t[1], EPS),
                |t| portable::rms_norm(&t[0], &t[1], EPS),
            ),
        ),
    ]
}

fn pooling() -> Vec<Case> {
    const OBLONG: Window = Window {
        kernel: [2, 4],
        stride: [1, 3],
        padding: [0, 2],
    };
    const LINE: Window = Window {
        kernel: [1, 2],
        stride: [1, 1],
        padding: [0, 0],
    };
    let mut cases = Vec::new();
    cases.extend(pools!(
        "max_pool_halving",
        "avg_pool_halving",
        Window::square(2, 2, 0)
    ));
    cases.extend(pools!(
        "max_pool_three",
        "avg_pool_three",
        Window::square(3, 2, 1)
    ));
    cases.extend(pools!(
        "max_pool_dense",
        "avg_pool_dense",
        Window::square(3, 1, 1)
    ));
    cases.extend(pools!("max_pool_oblong", "avg_pool_oblong", OBLONG));
    cases.extend(pools!("max_pool_line", "avg_pool_line", LINE));
    let [ties, _] = pools!("max_pool_halving_ties", "", Window::square(2, 2, 0));
    cases.push(ties);
    let [ties, _] = pools!("max_pool_three_ties", "", Window::square(3, 2, 1));
    cases.push(ties);
    cases.push(case(
        "global_avg_pool",
        X,
        &[],
        ONE,
        (
            |t| pool::global_avg_pool(&t[0]),
            |t| portable::global_avg_pool(&t[0]),
        ),
    ));
    cases
}

fn resampling() -> Vec<Case> {
    vec![
        upsample!("upsample_nearest_2", upsample_nearest2d, 2),
        upsample!("upsample_nearest_2_thin", upsample_nearest2d, 2),
        upsample!("upsample_nearest_3", upsample_nearest2d, 3),
        upsample!("upsample_nearest_3_thin", upsample_nearest2d, 3),
        upsample!("upsample_bilinear_2", upsample_bilinear2d, 2),
        upsample!("upsample_bilinear_2_thin", upsample_bilinear2d, 2),
        upsample!("upsample_bilinear_3", upsample_bilinear2d, 3),
        upsample!("upsample_bilinear_3_thin", upsample_bilinear2d, 3),
        shuffle!("pixel_shuffle", 2),
        shuffle!("pixel_shuffle_3", 3),
    ]
}

macro_rules! of_rows {
    ($name:literal, $function:ident) => {
        case(
            $name,
            X,
            &[],
            ROWS,
            (
                |t| softmax::$function(&t[0]),
                |t| portable::$function(&t[0]),
            ),
        )
    };
}

fn losses() -> Vec<Case> {
    const CLASSES: &[&[usize]] = &[&[301, 333], &[301]];
    vec![
        of_rows!("softmax", softmax),
        of_rows!("softmax_one", softmax),
        of_rows!("log_softmax", log_softmax),
        of_rows!("log_softmax_one", log_softmax),
        case(
            "cross_entropy",
            X,
            &["classes"],
            CLASSES,
            (
                |t| loss::cross_entropy(&t[0], &t[1], 0.0),
                |t| portable::cross_entropy(&t[0], &t[1], 0.0),
            ),
        ),
        case(
            "cross_entropy_smooth",
            X,
            &["classes"],
            CLASSES,
            (
                |t| loss::cross_entropy(&t[0], &t[1], 0.1),
                |t| portable::cross_entropy(&t[0], &t[1], 0.1),
            ),
        ),
        case(
            "soft_cross_entropy",
            X,
            &["soft"],
            &[&[301, 333], &[301, 333]],
            (
                |t| loss::soft_cross_entropy(&t[0], &t[1], None),
                |t| portable::soft_cross_entropy(&t[0], &t[1], None),
            ),
        ),
        case(
            "soft_cross_entropy_weighted",
            X,
            &["soft", "weights"],
            &[&[301, 333], &[301, 333], &[301]],
            (
                |t| loss::soft_cross_entropy(&t[0], &t[1], Some(&t[2])),
                |t| portable::soft_cross_entropy(&t[0], &t[1], Some(&t[2])),
            ),
        ),
        case(
            "mse_loss",
            &["x", "target"],
            &[],
            &[],
            (
                |t| loss::mse_loss(&t[0], &t[1]),
                |t| loss::mse_loss(&t[0], &t[1]),
            ),
        ),
        case(
            "embedding",
            &["table"],
            &["ids"],
            &[&[700, 130], &[40, 50]],
            (
                |t| embedding::embedding(&t[0], &t[1]),
                |t| portable::embedding(&t[0], &t[1]),
            ),
        ),
    ]
}
