#!/usr/bin/env python3
"""Writes conv.safetensors: convolutions and linear maps with their gradients, by PyTorch.

    pip install torch==2.11.0 numpy safetensors
    make_conv.py

Every case NAME has the tensors `case/NAME/x`, `w`, `b` (where there is a bias), `g` (the gradient
that arrives from above), `y`, `dx`, `dw`, `db`, all f32. The metadata `cases` is a JSON list of
{name, op, stride, padding, output_padding, groups, bias, activation}; `activation` is written as
serde writes `nn::ops::Activation`.

    op                x                     w
    conv2d            [N, C, H, W]          [O, C / groups, kh, kw]
    upsample_conv2d   the same; every pixel becomes 2 x 2 first, dx is that of the small image
    conv_transpose2d  [N, C, H, W]          [C, O / groups, kh, kw]
    linear            [..., I]              [O, I]

y = activation(op(x, w) + b), and the gradients are those of sum(y * g).

Inputs are rounded to f32, all else is computed in f64 and rounded once, so the numbers are right
to half a unit in the last place. PyTorch's f32 kernels, which are other code, must agree.
Inputs are drawn again while a value before a ReLU lies so close to zero that rounding could put it
on the other side; exactly zero, as in rows that see only padding, is allowed and counts as below.
"""
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

LIMIT = 300_000
RELU, LEAKY, SILU = "Relu", {"LeakyRelu": 0.2}, "Silu"
ACTIVATIONS = {
    "None": lambda x: x,
    "Relu": F.relu,
    "LeakyRelu": lambda x: F.leaky_relu(x, 0.2),
    "Silu": F.silu,
}


def case(name, op, x, w, bias=True, act="None", stride=1, padding=0, output_padding=0, groups=1):
    return dict(name=name, op=op, x=x, w=w, bias=bias, activation=act, stride=stride,
                padding=padding, output_padding=output_padding, groups=groups)


def conv(name, x, w, **options):
    return case(name, "conv2d", x, w, **options)


def transpose(name, x, w, **options):
    return case(name, "conv_transpose2d", x, w, **options)


CASES = [
    # Kernels from 1 to 7, square and not, strides 1 to 3, padding 0 to 2.
    conv("k1", (1, 5, 3, 5), (17, 5, 1, 1), act=RELU),
    conv("k1_wide", (1, 16, 3, 5), (17, 16, 1, 1), bias=False),
    conv("k1_s2", (1, 16, 3, 7), (5, 16, 1, 1), stride=2),
    conv("k1_p1", (1, 3, 4, 3), (5, 3, 1, 1), padding=1, act=RELU),
    conv("k2", (1, 3, 5, 4), (16, 3, 2, 2), act=SILU),
    conv("k2_s2", (3, 3, 5, 6), (5, 3, 2, 2), stride=2, act=LEAKY),
    conv("k3", (1, 5, 5, 7), (3, 5, 3, 3)),
    conv("k3_p1", (3, 3, 3, 3), (16, 3, 3, 3), padding=1, act=RELU),
    conv("k3_p1_board", (1, 16, 6, 7), (6, 16, 3, 3), padding=1, act=RELU),
    conv("k3_p1_odd_channels", (1, 17, 5, 3), (3, 17, 3, 3), padding=1, bias=False),
    conv("k3_p1_one_channel", (1, 1, 7, 19), (3, 1, 3, 3), padding=1, act=LEAKY),
    conv("k3_p1_to_one_channel", (1, 16, 3, 5), (1, 16, 3, 3), padding=1, act=SILU),
    conv("k3_p2", (1, 3, 4, 5), (5, 3, 3, 3), padding=2),
    conv("k3_s2_p1", (3, 5, 5, 7), (3, 5, 3, 3), stride=2, padding=1, act=LEAKY),
    conv("k3_s2_p1_even", (1, 5, 6, 8), (3, 5, 3, 3), stride=2, padding=1),
    conv("k3_s3", (1, 3, 7, 13), (5, 3, 3, 3), stride=3, act=SILU),
    conv("k3_s3_p1", (3, 1, 8, 11), (3, 1, 3, 3), stride=3, padding=1, bias=False),
    conv("k3_rest_unseen", (1, 3, 8, 6), (3, 3, 3, 3), stride=3),
    conv("k4_p1", (1, 3, 5, 7), (5, 3, 4, 4), padding=1, act=RELU),
    conv("k4_s2_p1", (3, 3, 4, 6), (3, 3, 4, 4), stride=2, padding=1, act=LEAKY),
    conv("k5_p2", (1, 3, 7, 5), (3, 3, 5, 5), padding=2, act=SILU),
    conv("k5_s2_p2", (3, 1, 9, 7), (3, 1, 5, 5), stride=2, padding=2),
    conv("k5_s3_p2", (1, 3, 10, 8), (3, 3, 5, 5), stride=3, padding=2, bias=False, act=RELU),
    conv("k7_s2_p2", (1, 3, 9, 7), (2, 3, 7, 7), stride=2, padding=2, act=RELU),
    conv("k7", (3, 1, 8, 9), (3, 1, 7, 7)),
    conv("k1x3", (1, 3, 5, 7), (5, 3, 1, 3), act=LEAKY),
    conv("k1x3_p1", (3, 3, 4, 5), (3, 3, 1, 3), padding=1, bias=False, act=RELU),
    conv("k3x1_p1", (1, 5, 5, 6), (3, 5, 3, 1), padding=1, act=SILU),
    conv("k3x1_s2", (3, 3, 7, 5), (5, 3, 3, 1), stride=2),
    conv("k2x5_p2", (1, 3, 4, 5), (5, 3, 2, 5), padding=2, act=RELU),
    # Small and thin images.
    conv("image_1x1", (3, 5, 1, 1), (16, 5, 1, 1), act=SILU),
    conv("image_1x1_k3_p1", (3, 3, 1, 1), (5, 3, 3, 3), padding=1, act=LEAKY),
    conv("width_1_k3_p1", (1, 3, 9, 1), (5, 3, 3, 3), padding=1, act=RELU),
    conv("height_1_k3_p1", (1, 3, 1, 21), (5, 3, 3, 3), padding=1),
    conv("kernel_of_image", (3, 3, 4, 5), (3, 3, 4, 5), act=RELU),
    conv("row_of_33", (1, 1, 3, 33), (3, 1, 3, 3), padding=1, act=RELU),
    # Groups and depthwise.
    conv("groups_2_k3_p1", (3, 6, 3, 3), (10, 3, 3, 3), padding=1, groups=2, act=RELU),
    conv("groups_2_k1", (1, 10, 3, 5), (6, 5, 1, 1), groups=2, bias=False),
    conv("groups_2_k3_s2_p1", (1, 6, 5, 7), (4, 3, 3, 3), stride=2, padding=1, groups=2, act=SILU),
    conv("depthwise_k3_p1", (3, 5, 5, 3), (5, 1, 3, 3), padding=1, groups=5, act=RELU),
    conv("depthwise_17_k3_s2_p1", (1, 17, 3, 5), (17, 1, 3, 3), stride=2, padding=1, groups=17,
         act=SILU),
    conv("depthwise_k5_p2", (1, 3, 3, 19), (3, 1, 5, 5), padding=2, groups=3, bias=False),
    conv("depthwise_twice_k3_p1", (3, 3, 3, 4), (6, 1, 3, 3), padding=1, groups=3, act=LEAKY),
    conv("depthwise_twice_k4_s2", (1, 5, 8, 7), (10, 1, 4, 4), stride=2, groups=5),
    conv("depthwise_k7_s3_p2", (1, 3, 11, 9), (3, 1, 7, 7), stride=3, padding=2, groups=3),
    # Transposed.
    transpose("t_k4_s2_p1", (3, 5, 3, 2), (5, 2, 4, 4), stride=2, padding=1, act=LEAKY),
    transpose("t_k4_s2_p1_odd_channels", (1, 17, 2, 3), (17, 2, 4, 4), stride=2, padding=1,
              bias=False),
    transpose("t_k2_s2", (1, 16, 3, 2), (16, 3, 2, 2), stride=2, act=RELU),
    transpose("t_k3", (1, 3, 5, 4), (3, 5, 3, 3), act=SILU),
    transpose("t_k3_p1", (3, 5, 4, 3), (5, 3, 3, 3), padding=1, bias=False, act=RELU),
    transpose("t_k3_s2_p1_op1", (3, 3, 3, 2), (3, 3, 3, 3), stride=2, padding=1,
              output_padding=1, act=RELU),
    transpose("t_k5_s3_p2_op2", (1, 3, 3, 4), (3, 3, 5, 5), stride=3, padding=2,
              output_padding=2),
    transpose("t_k1_s2", (1, 3, 3, 2), (3, 5, 1, 1), stride=2),
    transpose("t_k2x5", (1, 3, 4, 3), (3, 3, 2, 5), act=LEAKY),
    transpose("t_image_1x1", (3, 5, 1, 1), (5, 3, 4, 4), act=RELU),
    transpose("t_groups_2_k4_s2_p1", (1, 6, 3, 5), (6, 2, 4, 4), stride=2, padding=1, groups=2,
              act=SILU),
    transpose("t_depthwise_k3_s2_p1_op1", (1, 5, 3, 4), (5, 1, 3, 3), stride=2, padding=1,
              output_padding=1, groups=5),
    # Upsampled first.
    case("up_k3_p1", "upsample_conv2d", (3, 5, 2, 3), (3, 5, 3, 3), padding=1, act=LEAKY),
    case("up_k3_p1_no_bias", "upsample_conv2d", (1, 3, 5, 2), (5, 3, 3, 3), padding=1, bias=False),
    case("up_k1", "upsample_conv2d", (1, 5, 3, 4), (3, 5, 1, 1), act=SILU),
    case("up_image_1x1_k3_p1", "upsample_conv2d", (3, 3, 1, 1), (5, 3, 3, 3), padding=1, act=RELU),
    # Linear.
    case("linear_1_1", "linear", (1, 1), (1, 1)),
    case("linear_7_5", "linear", (3, 7), (5, 7), act=RELU),
    case("linear_17_33", "linear", (3, 17), (33, 17), act=SILU),
    case("linear_33_1", "linear", (5, 33), (1, 33), act=LEAKY),
    case("linear_1_17", "linear", (9, 1), (17, 1), act=RELU),
    case("linear_50_7", "linear", (1, 50), (7, 50), bias=False, act=RELU),
    case("linear_16_16", "linear", (8, 16), (16, 16)),
    case("linear_13_19", "linear", (17, 13), (19, 13), act=LEAKY),
    case("linear_of_sequences", "linear", (2, 3, 11), (6, 11), act=SILU),
]


def activation_name(activation):
    return activation if isinstance(activation, str) else next(iter(activation))


def before_activation(case, x, w, b):
    op, options = case["op"], dict(stride=case["stride"], padding=case["padding"],
                                   groups=case["groups"])
    if op == "conv2d":
        return F.conv2d(x, w, b, **options)
    if op == "upsample_conv2d":
        return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), w, b, **options)
    if op == "conv_transpose2d":
        return F.conv_transpose2d(x, w, b, output_padding=case["output_padding"], **options)
    return F.linear(x, w, b)


def outputs(case):
    """Channels that come out, the length of the bias."""
    w = case["w"]
    return w[1] * case["groups"] if case["op"] == "conv_transpose2d" else w[0]


def results(case, inputs, g, dtype):
    """y and the gradients, computed in `dtype`."""
    inputs = {key: value.to(dtype).requires_grad_() for key, value in inputs.items()}
    z = before_activation(case, inputs["x"], inputs["w"], inputs.get("b"))
    y = ACTIVATIONS[activation_name(case["activation"])](z)
    (y * g.to(dtype)).sum().backward()
    return {"y": y.detach(), **{f"d{key}": value.grad for key, value in inputs.items()}}


def draw(case, generator):
    """Inputs whose values before the activation are zero, or well away from it."""
    while True:
        w = torch.randn(case["w"], generator=generator)
        fan_in = w[0].numel()
        inputs = {"x": torch.randn(case["x"], generator=generator), "w": w * fan_in**-0.5}
        if case["bias"]:
            inputs["b"] = 0.5 * torch.randn(outputs(case), generator=generator)
        z = before_activation(case, *(inputs.get(key) for key in "xwb")).abs()
        if "elu" not in activation_name(case["activation"]) or not ((z > 0) & (z < 1e-4)).any():
            return inputs, torch.randn(z.shape, generator=generator)


def main():
    tensors, described = {}, []
    for number, case in enumerate(CASES):
        inputs, g = draw(case, torch.Generator().manual_seed(1000 + number))
        exact = results(case, inputs, g, torch.float64)
        for key, value in results(case, inputs, g, torch.float32).items():
            torch.testing.assert_close(value.double(), exact[key], rtol=1e-5, atol=1e-5)
        for key, value in {**inputs, "g": g, **exact}.items():
            tensors[f"case/{case['name']}/{key}"] = value.float().contiguous()
        described.append({key: value for key, value in case.items() if key not in "xw"})
    assert len({case["name"] for case in CASES}) == len(CASES), "two cases of one name"
    path = pathlib.Path(__file__).with_name("conv.safetensors")
    save_file(tensors, path, {"cases": json.dumps(described, separators=(",", ":"))})
    size = path.stat().st_size
    print(f"{len(CASES)} cases, {size} bytes")
    for case in described:
        count = sum(t.nbytes for key, t in tensors.items() if f"/{case['name']}/" in key)
        print(f"{count:8} {case['name']}")
    assert size <= LIMIT, f"more than {LIMIT} bytes"


if __name__ == "__main__":
    main()
