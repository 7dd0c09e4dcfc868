#!/usr/bin/env python3
"""The nets of `vitrine bench nn` in PyTorch, to compare with.

    nn_torch.py [--threads 1] [--seconds 4] [--only NAME] [--layout auto] [--check]

needs nothing but `pip install torch numpy` (figures so far: 2.11.0). It prints one JSON object,
{"event": "result", ..., "rows": [...]}; a line a row goes to the standard error meanwhile.

What is measured
----------------
A row is a training step or a forward pass on fixed random data, in f32.

* cpu_ms         processor time a step of the whole process (all threads), median over blocks of
                 steps that last 0.1 s, or over steps where these last longer
* best_cpu_ms    its minimum: the figure to trust when other programs run
* wall_ms        elapsed time, median; best_wall_ms its minimum
* gflops         `flops` / cpu_ms, where `flops` counts 2 for each multiply-add of the
                 convolutions, linear maps and matrix products, zeros of the padding included, and
                 nothing else. Backward counts the gradient of the weights and the gradient of the
                 input, each as much as forward; the gradient of the data is not needed and not
                 counted. So training counts 3 x forward - the first layer (exceptions are noted).
* per_cpu_second samples, or network evaluations, for a second of processor time, from cpu_ms
* layout         "contiguous" or "channels_last": both run in turn, the faster one is reported

Blocks, because Linux brings the time of a thread that runs on another core up to date only at that
core's timer tick: around a step of a millisecond, the time of the second thread would be missing.

With two threads and other programs running, OpenMP's threads spin while they wait for one that has
lost its core, and that is processor time. `OMP_WAIT_POLICY=passive nn_torch.py --threads 2` lets
them sleep; `omp_wait_policy` in the result says which it was.

Eager PyTorch as people use it: the default Adam and AdamW (a loop over the tensors on the CPU; not
`fused=True`), `zero_grad(set_to_none=True)`, ReLU in place, `inference_mode` for evaluation, no
`torch.compile`, glibc's malloc as it comes. A step is zero_grad, forward, loss, backward, optimiser
(as far as the row has them). Steps are run in rounds of about 200 at most, each on a newly built
net after 3 steps that are not counted, so that neither a net that has learned its noise by heart
nor denormal moments of Adam are measured. 16 batches take turns.

The nets
--------
FLOP figures are for ONE sample, forward. [C, H, W] are shapes without the batch. "conv k" is a
k x k convolution, stride 1, padding (k-1)/2, with bias. Linear maps have a bias.

lenet_300_100_train: batch 60, cross-entropy (mean, class indices), Adam 1.2e-3
    linear 784 -> 300, ReLU                                      470,400
    linear 300 -> 100, ReLU                                       60,000
    linear 100 -> 10                                               2,000
                                                       forward   532,400

conv2_28_train | conv2_32_train: batch 60, cross-entropy, Adam 2e-4.  C = 1, S = 28 | C = 3, S = 32
    conv 3 C -> 64 [64, S, S], ReLU                              903,168 |   3,538,944
    conv 3 64 -> 64, ReLU                                     57,802,752 |  75,497,472
    max pool 2, stride 2 [64, S/2, S/2], flattened
    linear 12544 | 16384 -> 256, ReLU                          6,422,528 |   8,388,608
    linear 256 -> 256, ReLU                                      131,072
    linear 256 -> 10                                               5,120
                                                       forward 65,264,640 | 87,561,216

conv4_28_train | conv4_32_train: batch 60, cross-entropy, Adam 3e-4
    conv 3 C -> 64, ReLU; conv 3 64 -> 64, ReLU; max pool 2       as above
    conv 3 64 -> 128 [128, S/2, S/2], ReLU                    28,901,376 |  37,748,736
    conv 3 128 -> 128, ReLU                                   57,802,752 |  75,497,472
    max pool 2 [128, S/4, S/4], flattened
    linear 6272 | 8192 -> 256, ReLU                            3,211,264 |   4,194,304
    linear 256 -> 256, ReLU; linear 256 -> 10                    136,192
                                                      forward 148,757,504 | 196,613,120

muzero_32x2_6x7: planes of 6 x 7, 7 actions, support of 21, residual block = conv 3 32 -> 32, ReLU,
conv 3 32 -> 32, + its input, ReLU (batch norm is folded into the convolutions)
  g, dynamics:
    state [32, 6, 7] and 7 planes, of which plane number `action` is all ones: [39, 6, 7]
    conv 3 39 -> 32, ReLU                                        943,488
    2 residual blocks                                          3,096,576
    reward: conv 1 32 -> 4, ReLU, flattened 168; linear 168 -> 21         10,752 + 7,056
    next state: (s - min) / max(max - min, 1e-5), min and max over the sample's 1344 numbers; the
    gradient goes through min and max too (shared evenly where several numbers are equal)
                                                             g 4,057,872
  f, prediction:
    policy: conv 1 32 -> 4, ReLU, flattened; linear 168 -> 7              10,752 + 2,352
    value: conv 1 32 -> 4, ReLU, flattened; linear 168 -> 21              10,752 + 7,056
                                                             f    30,912
  h, representation:
    conv 3 3 -> 32, ReLU                                          72,576
    2 residual blocks, scaled as above                         3,096,576
                                                             h 3,169,152
muzero_32x2_6x7_eval_b1 | b16 | b64: one g, then one f of the new state, from a state and integer
    actions to three tensors of logits                     g + f 4,088,784
muzero_32x2_6x7_train_b128: batch 128; h, f; then 5 times: half the gradient (x/2 + detach(x)/2), g,
    f. Softmax cross-entropy with soft targets (mean over the batch) of policy and value at step 0
    with weight 1, of policy, value and reward at steps 1 to 5 with weight 1/5 each. AdamW 1e-3,
    weight decay 1e-4.                            h + 6 f + 5 g 23,643,984

conv3x3_64_64px: batch 1, conv 3 64 -> 64 on [64, 64, 64], forward only      301,989,888
conv3x3_64_64px_train: the same with the gradients of input, weight and bias for a given gradient
    of the output; no optimiser; counts 3 x forward

stylegan2_lite_64_train: batch 8, latent [64]; forward, L1 loss (mean) to a fixed target, backward;
no optimiser. Every parameter gets a gradient, the constant too; the latent does not.
    style: linear 64 -> 128, LeakyReLU 0.2                        16,384
           linear 128 -> 128, LeakyReLU 0.2                       32,768
    constant [128, 4, 4]
    modulated convolution I -> O of x with style w: s = linear 128 -> I of w (bias starts at 1);
        y = conv 3 (x * s), no bias;  y * rsqrt(s^2 . sum over the kernel of W^2 + 1e-8);
        + bias; LeakyReLU 0.2.  FLOP: 256 I, 18 I O H W, and 2 I O for the product of s^2 and W^2
    4 stages, each: nearest x 2, modulated A, modulated B (s is applied before the upsampling,
    which is the same and cheaper):
     A 128 -> 128, B 128 -> 128 at  8 x  8      2 x (32,768 + 18,874,368 + 32,768)
     A 128 ->  64 at 16 x 16                        32,768 + 37,748,736 + 16,384
     B  64 ->  64                                   16,384 + 18,874,368 +  8,192
     A  64 ->  64, B  64 ->  64 at 32 x 32      2 x (16,384 + 75,497,472 +  8,192)
     A  64 ->  32 at 64 x 64                        16,384 + 150,994,944 + 4,096
     B  32 ->  32                                    8,192 + 75,497,472 +  2,048
    conv 1 32 -> 3 [3, 64, 64]                    786,432
                                                forward 472,979,456

FLOP a row (`--check` compares these with torch.utils.flop_counter, which watches a real step):
    lenet_300_100_train            67,608,000
    conv2_28_train             11,693,445,120
    conv2_32_train             15,548,682,240
    conv4_28_train             26,722,160,640
    conv4_32_train             35,178,024,960
    muzero_32x2_6x7_eval_b1         4,088,784
    muzero_32x2_6x7_eval_b16       65,420,544
    muzero_32x2_6x7_eval_b64      261,682,176
    muzero_32x2_6x7_train_b128  9,070,000,128
    conv3x3_64_64px               301,989,888
    conv3x3_64_64px_train         905,969,664
    stylegan2_lite_64_train    11,351,375,872
"""
import argparse
import json
import os
import platform
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

BATCHES = 16
WARM_UP = 3
ROUND = 200
BLOCK = 0.1  # seconds


def relu():
    return nn.ReLU(inplace=True)


def conv(inputs, outputs, kernel=3):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)


def conv_flops(inputs, outputs, kernel, pixels):
    return 2 * inputs * outputs * kernel * kernel * pixels


class Row:
    """A step to be timed: `step(i)` on batch i, `flops` and `samples` for one step."""

    def __init__(self, step, samples, flops):
        self.step, self.samples, self.flops = step, samples, flops


# Classifiers


def lenet():
    net = nn.Sequential(
        nn.Linear(784, 300), relu(), nn.Linear(300, 100), relu(), nn.Linear(100, 10))
    layers = [2 * 784 * 300, 2 * 300 * 100, 2 * 100 * 10]
    return net, layers


def conv_net(stages, channels, size):
    """Conv-2 or Conv-4 of Frankle and Carbin, and the FLOP of its layers."""
    modules, layers = [], []
    for width in stages:
        for _ in range(2):
            modules += [conv(channels, width), relu()]
            layers.append(conv_flops(channels, width, 3, size * size))
            channels = width
        modules.append(nn.MaxPool2d(2))
        size //= 2
    flat = channels * size * size
    modules += [nn.Flatten(), nn.Linear(flat, 256), relu(), nn.Linear(256, 256), relu(),
                nn.Linear(256, 10)]
    layers += [2 * flat * 256, 2 * 256 * 256, 2 * 256 * 10]
    return nn.Sequential(*modules), layers


def classifier(net, layers, shape, rate, layout):
    batch = 60
    net = net.to(memory_format=layout)
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    images = [torch.randn(batch, *shape) for _ in range(BATCHES)]
    if len(shape) == 3:
        images = [image.contiguous(memory_format=layout) for image in images]
    labels = [torch.randint(10, (batch,)) for _ in range(BATCHES)]

    def step(i):
        optimiser.zero_grad(set_to_none=True)
        F.cross_entropy(net(images[i % BATCHES]), labels[i % BATCHES]).backward()
        optimiser.step()

    return Row(step, batch, batch * (3 * sum(layers) - layers[0]))


# MuZero

WIDTH, BOARD, ACTIONS, SUPPORT, UNROLL = 32, (6, 7), 7, 21, 5
PIXELS = BOARD[0] * BOARD[1]
BLOCK_FLOPS = 2 * conv_flops(WIDTH, WIDTH, 3, PIXELS)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = conv(WIDTH, WIDTH), conv(WIDTH, WIDTH)

    def forward(self, x):
        return F.relu_(self.second(F.relu_(self.first(x))).add_(x))


class Head(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv, self.linear = conv(WIDTH, 4, 1), nn.Linear(4 * PIXELS, outputs)

    def forward(self, x):
        return self.linear(F.relu_(self.conv(x)).flatten(1))


def head_flops(outputs):
    return conv_flops(WIDTH, 4, 1, PIXELS) + 2 * 4 * PIXELS * outputs


def scaled(state):
    flat = state.flatten(1)
    if torch.is_grad_enabled():
        low, high = flat.amin(1), flat.amax(1)
    else:  # one pass, but without a derivative in PyTorch
        low, high = torch.aminmax(flat, dim=1)
    low, high = low[:, None, None, None], high[:, None, None, None]
    return (state - low) / (high - low).clamp(min=1e-5)


class MuZero(nn.Module):
    h_flops = conv_flops(3, WIDTH, 3, PIXELS) + 2 * BLOCK_FLOPS
    g_flops = (conv_flops(WIDTH + ACTIONS, WIDTH, 3, PIXELS) + 2 * BLOCK_FLOPS
               + head_flops(SUPPORT))
    f_flops = head_flops(ACTIONS) + head_flops(SUPPORT)

    def __init__(self):
        super().__init__()
        self.represent = nn.Sequential(conv(3, WIDTH), relu(), Block(), Block())
        self.dynamics = nn.Sequential(conv(WIDTH + ACTIONS, WIDTH), relu(), Block(), Block())
        self.reward, self.policy, self.value = Head(SUPPORT), Head(ACTIONS), Head(SUPPORT)
        planes = torch.eye(ACTIONS)[:, :, None, None].expand(-1, -1, *BOARD)
        self.register_buffer("planes", planes.contiguous())

    def h(self, observation):
        return scaled(self.represent(observation))

    def g(self, state, action):
        state = self.dynamics(torch.cat([state, self.planes[action]], 1))
        return self.reward(state), scaled(state)

    def f(self, state):
        return self.policy(state), self.value(state)


def muzero_eval(batch, layout):
    net = MuZero().to(memory_format=layout).eval()
    states = [torch.rand(batch, WIDTH, *BOARD).contiguous(memory_format=layout)
              for _ in range(BATCHES)]
    actions = [torch.randint(ACTIONS, (batch,)) for _ in range(BATCHES)]

    def step(i):
        with torch.inference_mode():
            reward, state = net.g(states[i % BATCHES], actions[i % BATCHES])
            return reward, *net.f(state)

    return Row(step, batch, batch * (net.g_flops + net.f_flops))


def muzero_train(batch, layout):
    net = MuZero().to(memory_format=layout)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=1e-4)

    def targets(outputs):
        return torch.randn(UNROLL + 1, batch, outputs).softmax(-1)

    data = [(torch.rand(batch, 3, *BOARD).contiguous(memory_format=layout),
             torch.randint(ACTIONS, (UNROLL, batch)),
             targets(ACTIONS), targets(SUPPORT), targets(SUPPORT)) for _ in range(BATCHES)]

    def step(i):
        observation, actions, policies, values, rewards = data[i % BATCHES]
        optimiser.zero_grad(set_to_none=True)
        state = net.h(observation)
        policy, value = net.f(state)
        loss = F.cross_entropy(policy, policies[0]) + F.cross_entropy(value, values[0])
        for k in range(UNROLL):
            state = 0.5 * state + 0.5 * state.detach()
            reward, state = net.g(state, actions[k])
            policy, value = net.f(state)
            loss = loss + (F.cross_entropy(policy, policies[k + 1])
                           + F.cross_entropy(value, values[k + 1])
                           + F.cross_entropy(reward, rewards[k + 1])) / UNROLL
        loss.backward()
        optimiser.step()

    forward = net.h_flops + (UNROLL + 1) * net.f_flops + UNROLL * net.g_flops
    return Row(step, batch, batch * (3 * forward - conv_flops(3, WIDTH, 3, PIXELS)))


# One convolution


def single_conv(train, layout):
    net = conv(64, 64).to(memory_format=layout)
    x = torch.randn(1, 64, 64, 64).contiguous(memory_format=layout)
    upstream = torch.randn(1, 64, 64, 64).contiguous(memory_format=layout)
    flops = conv_flops(64, 64, 3, 64 * 64)

    def forward(_):
        with torch.inference_mode():
            return net(x)

    def both(_):
        net.zero_grad(set_to_none=True)
        x.grad = None
        net(x).backward(upstream)

    if train:
        x.requires_grad_()
        return Row(both, 1, 3 * flops)
    return Row(forward, 1, flops)


# StyleGAN2-lite

LATENT, STYLE = 64, 128
CHANNELS = (128, 128, 64, 64, 32)


class Modulated(nn.Module):
    def __init__(self, inputs, outputs, up):
        super().__init__()
        self.up = up
        self.style = nn.Linear(STYLE, inputs)
        nn.init.ones_(self.style.bias)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(1, outputs, 1, 1))

    def forward(self, x, w):
        style = self.style(w)
        x = x * style[:, :, None, None]
        if self.up:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
        x = F.conv2d(x, self.weight, padding=1)
        norms = style.square() @ self.weight.square().sum((2, 3)).T
        x = x * torch.rsqrt(norms + 1e-8)[:, :, None, None] + self.bias
        return F.leaky_relu_(x, 0.2)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.style = nn.Sequential(nn.Linear(LATENT, STYLE), nn.LeakyReLU(0.2, inplace=True),
                                   nn.Linear(STYLE, STYLE), nn.LeakyReLU(0.2, inplace=True))
        self.constant = nn.Parameter(torch.randn(1, CHANNELS[0], 4, 4))
        pairs = list(zip(CHANNELS[:-1], CHANNELS[1:]))
        self.convs = nn.ModuleList(
            conv for i, o in pairs for conv in (Modulated(i, o, True), Modulated(o, o, False)))
        self.rgb = conv(CHANNELS[-1], 3, 1)
        self.first_flops = 2 * LATENT * STYLE
        self.flops = self.first_flops + 2 * STYLE * STYLE
        for stage, (i, o) in enumerate(pairs):
            for i in (i, o):
                pixels = (8 << stage) ** 2
                self.flops += 2 * STYLE * i + conv_flops(i, o, 3, pixels) + 2 * i * o
        self.flops += conv_flops(CHANNELS[-1], 3, 1, 64 * 64)

    def forward(self, z):
        w = self.style(z)
        x = self.constant.expand(z.shape[0], -1, -1, -1)
        for layer in self.convs:
            x = layer(x, w)
        return self.rgb(x)


def stylegan(batch, layout):
    net = Generator().to(memory_format=layout)
    latents = [torch.randn(batch, LATENT) for _ in range(BATCHES)]
    target = torch.randn(batch, 3, 64, 64).contiguous(memory_format=layout)

    def step(i):
        net.zero_grad(set_to_none=True)
        F.l1_loss(net(latents[i % BATCHES]), target).backward()

    return Row(step, batch, batch * (3 * net.flops - net.first_flops))


def conv_row(stages, channels, size, rate):
    def build(layout):
        return classifier(*conv_net(stages, channels, size), (channels, size, size), rate, layout)
    return build


ROWS = {
    "lenet_300_100_train": lambda layout: classifier(*lenet(), (784,), 1.2e-3, layout),
    "conv2_28_train": conv_row((64,), 1, 28, 2e-4),
    "conv2_32_train": conv_row((64,), 3, 32, 2e-4),
    "conv4_28_train": conv_row((64, 128), 1, 28, 3e-4),
    "conv4_32_train": conv_row((64, 128), 3, 32, 3e-4),
    "muzero_32x2_6x7_eval_b1": lambda layout: muzero_eval(1, layout),
    "muzero_32x2_6x7_eval_b16": lambda layout: muzero_eval(16, layout),
    "muzero_32x2_6x7_eval_b64": lambda layout: muzero_eval(64, layout),
    "muzero_32x2_6x7_train_b128": lambda layout: muzero_train(128, layout),
    "conv3x3_64_64px": lambda layout: single_conv(False, layout),
    "conv3x3_64_64px_train": lambda layout: single_conv(True, layout),
    "stylegan2_lite_64_train": lambda layout: stylegan(8, layout),
}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


# Measuring


def run_round(row, seconds, times):
    """Adds (CPU, wall) seconds a step of each block to `times`, until time or steps are up."""
    for i in range(WARM_UP):
        row.step(i)
    i, end = 0, time.perf_counter() + seconds
    while i < ROUND:
        first, wall, cpu = i, time.perf_counter(), time.process_time()
        while i == first or time.perf_counter() < wall + BLOCK:
            row.step(WARM_UP + i)
            i += 1
        cpu = time.process_time() - cpu
        now = time.perf_counter()
        times.append((cpu / (i - first), (now - wall) / (i - first)))
        if now > end:
            break


def measure(name, layouts, seconds):
    """Rounds of the layouts in turn, so that both meet the same disturbances."""
    times = {layout: [] for layout in layouts}
    end = time.perf_counter() + seconds
    seed = 0
    while time.perf_counter() < end or seed < 2:
        for layout in layouts:
            torch.manual_seed(seed)
            row = ROWS[name](LAYOUTS[layout])
            run_round(row, seconds / (3 * len(layouts)), times[layout])
        seed += 1
    layout = min(layouts, key=lambda key: min(times[key]))
    cpu, wall = zip(*times[layout])
    seconds_a_step = statistics.median(cpu)
    return {
        "name": name,
        "cpu_ms": round(1e3 * seconds_a_step, 4),
        "best_cpu_ms": round(1e3 * min(cpu), 4),
        "wall_ms": round(1e3 * statistics.median(wall), 4),
        "best_wall_ms": round(1e3 * min(wall), 4),
        "gflops": round(row.flops / seconds_a_step / 1e9, 3),
        "per_cpu_second": round(row.samples / seconds_a_step, 2),
        "flops": row.flops,
        "samples": row.samples,
        "layout": layout,
        "blocks": len(cpu),
    }


def check(name):
    """Compares the formula and the table above with what PyTorch counts in a real step."""
    from torch.utils.flop_counter import FlopCounterMode
    row = ROWS[name](torch.contiguous_format)
    counter = FlopCounterMode(display=False)
    with counter:
        row.step(0)
    counted, table = counter.get_total_flops(), f"{name} ".ljust(28)
    good = counted == row.flops and any(
        line.split() == [name, f"{row.flops:,}"] for line in __doc__.splitlines())
    print(f"{table}{row.flops:>16,}{counted:>16,}  {'ok' if good else 'DIFFERS'}")
    return good


def main():
    parser = argparse.ArgumentParser(description="the nets of `vitrine bench nn` in PyTorch")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4, help="for each row")
    parser.add_argument("--only", choices=ROWS, metavar="NAME", help="one row")
    parser.add_argument("--layout", choices=["auto", *LAYOUTS], default="auto")
    parser.add_argument("--check", action="store_true", help="only compare the FLOP formulas")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.set_num_interop_threads(1)
    names = [args.only] if args.only else list(ROWS)
    if args.check:
        sys.exit(not all([check(name) for name in names]))
    rows = []
    for name in names:
        layouts = list(LAYOUTS) if args.layout == "auto" else [args.layout]
        if name.startswith("lenet"):
            layouts = ["contiguous"]
        row = measure(name, layouts, args.seconds)
        print(f"{name:28} {row['cpu_ms']:10.3f} ms  best {row['best_cpu_ms']:10.3f} ms"
              f" {row['gflops']:8.1f} GFLOP/s  {row['layout']}", file=sys.stderr, flush=True)
        rows.append(row)
    print(json.dumps({
        "event": "result",
        "library": f"torch {torch.__version__}",
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "threads": args.threads,
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "default"),
        "rows": rows,
    }))


if __name__ == "__main__":
    main()
