"""Makes ops.safetensors: inputs, outputs and gradients of PyTorch's operations.

    python make_ops.py            # torch 2.11.0, CPU, one thread

Each case has its inputs (`case/x`, `case/weight`, ..), an upstream gradient `case/grad`, the output
`case/y` and the gradient of every variable (`case/d_x`, ..). `tests/nn/ops.rs` runs the same cases.
Sizes are odd on purpose: not multiples of a vector, ones, and equal numbers under a max pool.
"""

import json
import pathlib
import struct

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(20)
tensors = {}


def case(name, fn, variables, **extras):
    leaves = {k: v.clone().requires_grad_() for k, v in variables.items()}
    y = fn(*leaves.values(), *extras.values())
    grad = torch.randn(y.shape)
    y.backward(grad)
    tensors[f"{name}/y"] = y
    tensors[f"{name}/grad"] = grad
    for k, v in leaves.items():
        tensors[f"{name}/{k}"] = v
        tensors[f"{name}/d_{k}"] = v.grad
    for k, v in extras.items():
        tensors[f"{name}/{k}"] = v


def away_from_zero(x):
    return x + 0.1 * x.sign()


def kinked(name):
    return name.endswith(("_relu", "_leaky"))


def draw(name, make, fn):
    """Arguments of a norm. None of its results is near a kink, where a difference is no slope."""
    while True:
        args = make()
        if not kinked(name) or fn(*args.values()).abs().min() > 0.006:
            return args


def affine(n):
    return {"weight": 1 + 0.3 * torch.randn(n), "bias": 0.5 * torch.randn(n)}


POINTWISE = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "silu": F.silu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_erf": F.gelu,
    "softplus": F.softplus,
}
for name, fn in POINTWISE.items():
    case(name, fn, {"x": away_from_zero(3 * torch.randn(3, 37))})

ACTS = {"": lambda x: x, "_relu": F.relu, "_leaky": lambda x: F.leaky_relu(x, 0.2), "_silu": F.silu}

for suffix, act in ACTS.items():
    for kind, shape in {"planes": (5, 3, 4, 7), "columns": (9, 21)}.items():
        offset = torch.arange(shape[1]).view(1, -1, *[1] * (len(shape) - 2))
        make = lambda: {"x": 2 * torch.randn(shape) + offset, **affine(shape[1])}
        mean, var = torch.randn(shape[1]), 0.5 + torch.rand(shape[1])
        name = f"batch_norm_{kind}{suffix}"
        fn = lambda x, w, b: F.batch_norm(x, None, None, w, b, True)
        args = draw(name, make, fn)
        case(name, lambda x, w, b: act(fn(x, w, b)), args)
        running = mean.clone(), var.clone()
        F.batch_norm(args["x"], *running, training=True, momentum=0.1)
        tensors |= {f"{name}/mean": mean, f"{name}/var": var}
        tensors |= {f"{name}/new_mean": running[0], f"{name}/new_var": running[1]}
        name = f"batch_norm_eval_{kind}{suffix}"
        fn = lambda x, w, b: F.batch_norm(x, mean, var, w, b, False)
        args = draw(name, make, fn)
        case(name, lambda x, w, b, mean, var: act(fn(x, w, b)), args, mean=mean, var=var)
    name = f"group_norm{suffix}"
    fn = lambda x, w, b: F.group_norm(x, 3, w, b)
    args = draw(name, lambda: {"x": 2 * torch.randn(2, 6, 5, 7) + 1, **affine(6)}, fn)
    case(name, lambda x, w, b: act(fn(x, w, b)), args)
case("batch_norm_plain", lambda x: F.batch_norm(x, None, None, training=True), {"x": torch.randn(3, 2, 1, 2)})
case("group_norm_plain", lambda x: F.group_norm(x, 2), {"x": torch.randn(3, 10)})

case("layer_norm", lambda x, w, b: F.layer_norm(x, (37,), w, b), {"x": torch.randn(19, 37) + 1, **affine(37)})
case("layer_norm_two", lambda x, w, b: F.layer_norm(x, (4, 5), w, b), {"x": torch.randn(2, 3, 4, 5), **affine((4, 5))})
case("layer_norm_plain", lambda x: F.layer_norm(x, (3,)), {"x": torch.randn(5, 3)})
case("rms_norm", lambda x, w: F.rms_norm(x, (37,), w, eps=1e-5), {"x": torch.randn(5, 37), "weight": affine(37)["weight"]})

WINDOWS = {
    "halving": ((2, 3, 6, 7), dict(kernel_size=2, stride=2)),
    "three": ((2, 2, 7, 9), dict(kernel_size=3, stride=2, padding=1)),
    "dense": ((1, 3, 5, 19), dict(kernel_size=3, stride=1, padding=1)),
    "oblong": ((2, 2, 8, 11), dict(kernel_size=(2, 4), stride=(1, 3), padding=(0, 2))),
    "line": ((2, 3, 1, 5), dict(kernel_size=(1, 2), stride=(1, 1))),
}
for name, (shape, window) in WINDOWS.items():
    case(f"max_pool_{name}", lambda x: F.max_pool2d(x, **window), {"x": torch.randn(shape)})
    case(f"avg_pool_{name}", lambda x: F.avg_pool2d(x, **window), {"x": torch.randn(shape)})
for name in ("halving", "three"):
    shape, window = WINDOWS[name]
    case(f"max_pool_{name}_ties", lambda x: F.max_pool2d(x, **window), {"x": torch.randint(-1, 2, shape).float()})
case("global_avg_pool", lambda x: x.mean((2, 3)), {"x": torch.randn(2, 3, 5, 7)})

for factor in (2, 3):
    for mode in ("nearest", "bilinear"):
        for kind, shape in {"": (2, 3, 4, 5), "_thin": (1, 2, 1, 3)}.items():
            more = {} if mode == "nearest" else {"align_corners": False}
            fn = lambda x: F.interpolate(x, scale_factor=factor, mode=mode, **more)
            case(f"upsample_{mode}_{factor}{kind}", fn, {"x": torch.randn(shape)})
case("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), {"x": torch.randn(2, 12, 3, 5)})
case("pixel_shuffle_3", lambda x: F.pixel_shuffle(x, 3), {"x": torch.randn(1, 18, 2, 3)})

for kind, shape in {"": (4, 37), "_one": (3, 1)}.items():
    case(f"softmax{kind}", lambda x: F.softmax(x, -1), {"x": 4 * torch.randn(shape)})
    case(f"log_softmax{kind}", lambda x: F.log_softmax(x, -1), {"x": 4 * torch.randn(shape)})

classes = torch.randint(0, 17, (5,))
case("cross_entropy", F.cross_entropy, {"x": 4 * torch.randn(5, 17)}, classes=classes)
case(
    "cross_entropy_smooth",
    lambda x, t: F.cross_entropy(x, t, label_smoothing=0.1),
    {"x": 4 * torch.randn(5, 17)},
    classes=classes,
)
soft = F.softmax(2 * torch.randn(5, 17), -1)
case("soft_cross_entropy", F.cross_entropy, {"x": 4 * torch.randn(5, 17)}, soft=soft)
case(
    "soft_cross_entropy_weighted",
    lambda x, t, w: (F.cross_entropy(x, t, reduction="none") * w).mean(),
    {"x": 4 * torch.randn(5, 17)},
    soft=soft,
    weights=torch.rand(5) + 0.2,
)
case("mse_loss", F.mse_loss, {"x": torch.randn(5, 7), "target": torch.randn(5, 7)})
case(
    "embedding",
    lambda table, ids: F.embedding(ids, table),
    {"table": torch.randn(9, 5)},
    ids=torch.tensor([[0, 8, 3, 3], [3, 1, 8, 0]]),
)

DTYPES = {torch.float32: "F32", torch.int64: "I64"}
header, data = {}, b""
for name, tensor in sorted(tensors.items()):
    raw = tensor.detach().contiguous().numpy().tobytes()
    header[name] = {
        "dtype": DTYPES[tensor.dtype],
        "shape": list(tensor.shape),
        "data_offsets": [len(data), len(data) + len(raw)],
    }
    data += raw
head = json.dumps(header, separators=(",", ":")).encode()
head += b" " * (-len(head) % 8)
out = pathlib.Path(__file__).parent / "ops.safetensors"
out.write_bytes(struct.pack("<Q", len(head)) + head + data)
print(f"{len(tensors)} tensors, {out.stat().st_size} bytes, torch {torch.__version__}")
