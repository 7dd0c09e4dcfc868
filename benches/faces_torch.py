#!/usr/bin/env python3
"""What 100 search steps through the generator of faces cost in PyTorch.

The twin of `vitrine pulse bench`'s row of the generator: the same layers and sizes (64 pixels:
latents of 512 numbers for 8 layers; 128 pixels: for 10), weights frozen, one face before a backdrop,
forward, shrinking to 16 pixels, squared distance, backward to the latents; no optimiser. Prints
processor time of all threads: the median and the least of the repetitions, in both layouts.

    pip install torch && python3 benches/faces_torch.py --threads 1
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

LATENT, PICTURES, BASE, LOW, PLANES, GREY = 512, 256, 32, 16, 4, 0.437
CHANNELS = (96, 64, 48, 24)


class Modulated(nn.Module):
    def __init__(self, inputs, outputs, kernel=3, color=False):
        super().__init__()
        self.color = color
        self.style = nn.Linear(LATENT, inputs)
        nn.init.ones_(self.style.bias)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel) * 0.1)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, w):
        style = self.style(w)
        x = x * style[:, :, None, None]
        if self.color:
            return F.conv2d(x, self.weight, self.bias)
        x = F.conv2d(x, self.weight, padding=1)
        norms = style.square() @ self.weight.square().sum((2, 3)).T
        x = x * (torch.rsqrt(norms + 1e-8) * 2 ** 0.5)[:, :, None, None]
        return F.leaky_relu_(x + self.bias[:, None, None], 0.2)


class Generator(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.coefficients = nn.Linear(LATENT, PICTURES)
        self.pictures = nn.Linear(PICTURES, PLANES * BASE * BASE)
        a, b = CHANNELS[:2]
        self.first = nn.ModuleList([Modulated(4 * PLANES, a), Modulated(a, a), Modulated(a, a)])
        stages = [nn.ModuleList([Modulated(a + PLANES, b), Modulated(b, b), Modulated(b, PLANES, 1, True)])]
        for i in range(1, {64: 2, 128: 3}[size]):
            a, b = CHANNELS[i], CHANNELS[i + 1]
            stages.append(nn.ModuleList(
                [Modulated(a, 4 * b), Modulated(b, b), Modulated(b, PLANES, 1, True)]))
        self.stages = nn.ModuleList(stages)
        self.layers = 4 + 2 * len(stages)

    def forward(self, latents):
        w = iter(latents)
        picture = self.pictures(self.coefficients(next(w))).view(-1, PLANES, BASE, BASE)
        centred = picture * 4 - 2
        x = F.pixel_unshuffle(centred, 2)
        for layer in self.first:
            x = layer(x, next(w))
        for at, (first, second, color) in enumerate(self.stages):
            if at == 0:
                x = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), centred], 1)
                x = first(x, next(w))
            else:
                picture = F.interpolate(picture, scale_factor=2, mode="bilinear")
                x = F.pixel_shuffle(first(x, next(w)), 2)
            latent = next(w)
            x = second(x, latent)
            picture = picture + color(x, latent)
        return picture


def measure(size, steps, layout):
    net = Generator(size).requires_grad_(False).to(memory_format=layout)
    latents = [torch.randn(1, LATENT, requires_grad=True) for _ in range(net.layers)]
    target = torch.randn(1, 3, LOW, LOW)
    behind = torch.rand(1, 3, size, size)

    def step():
        for latent in latents:
            latent.grad = None
        person = net(latents)
        placed = person[:, :3] + (1 - person[:, 3:]) * (behind - GREY)
        small = F.avg_pool2d(placed, size // LOW)
        F.mse_loss(small, target).backward()

    for _ in range(3):
        step()
    start = time.process_time()
    for _ in range(steps):
        step()
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--repetitions", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    layouts = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    rows = []
    for size in (64, 128):
        for name, layout in layouts.items():
            times = [measure(size, args.steps, layout) for _ in range(args.repetitions)]
            rows.append({"size": size, "layout": name, "steps": args.steps,
                         "cpu_seconds": statistics.median(times), "best": min(times)})
    print(json.dumps({"event": "result", "torch": torch.__version__, "threads": args.threads,
                      "rows": rows}))


if __name__ == "__main__":
    main()
