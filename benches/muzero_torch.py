#!/usr/bin/env python3
"""The networks of `vitrine muzero bench` in PyTorch, to compare with.

    muzero_torch.py [--threads 1] [--seconds 4] [--batch 1,16,64] [--layout auto]

needs nothing but `pip install torch numpy` (figures so far: 2.11.0). It prints one JSON object,
{"event": "result", ..., "batches": [...]}.

One evaluation is one g and one f of the state it gives, for Connect Four with 32 channels and 2
blocks, as `vitrine muzero bench` builds them:

  g: state [32, 6, 7] and a plane with ones in the column of the action; conv 3 33 -> 32, + state,
     ReLU; 2 residual blocks (conv 3, ReLU, conv 3, + input, ReLU); scaled to 0..1 over the sample
  f: policy: conv 1 32 -> 8, ReLU, linear 336 -> 7
     value:  conv 1 32 -> 8, ReLU, linear 336 -> 64, ReLU, linear 64 -> 3

What is counted is the network alone: the states go in as one tensor and the logits are left where
they are. `vitrine muzero bench` counts the whole search, which also gathers and stores states,
walks the tree and reads the logits: the comparison favours PyTorch.

* evaluations_per_cpu_second  evaluations for a second of processor time of the whole process,
                              median over blocks of 0.1 s
* best_...                    the best block: the figure to trust when other programs run

Eager PyTorch as people use it: `inference_mode`, no `torch.compile`; "contiguous" and
"channels_last" both run in turn, the faster one is reported.
"""

import argparse
import json
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

ROWS, COLUMNS, CHANNELS, BLOCKS, ACTIONS, BINS = 6, 7, 32, 2, 7, 3
HEAD, HIDDEN = 8, 64
EPSILON = 1e-5


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.second = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)

    def forward(self, x):
        return F.relu_(self.second(F.relu_(self.first(x))) + x)


class Nets(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(CHANNELS + 1, CHANNELS, 3, padding=1)
        self.blocks = nn.Sequential(*[Block() for _ in range(BLOCKS)])
        places = HEAD * ROWS * COLUMNS
        self.policy_conv = nn.Conv2d(CHANNELS, HEAD, 1)
        self.policy = nn.Linear(places, ACTIONS)
        self.value_conv = nn.Conv2d(CHANNELS, HEAD, 1)
        self.value = nn.Sequential(
            nn.Linear(places, HIDDEN), nn.ReLU(inplace=True), nn.Linear(HIDDEN, BINS)
        )
        planes = torch.zeros(ACTIONS, 1, ROWS, COLUMNS)
        for action in range(ACTIONS):
            planes[action, 0, :, action] = 1
        self.register_buffer("planes", planes)

    def forward(self, states, actions):
        x = self.conv(torch.cat([states, self.planes[actions]], 1))
        x = self.blocks(F.relu_(x + states))
        flat = x.flatten(1)
        low = flat.amin(1).view(-1, 1, 1, 1)
        high = flat.amax(1).view(-1, 1, 1, 1)
        state = (x - low) / (high - low).clamp_min(EPSILON)
        policy = self.policy(F.relu_(self.policy_conv(state)).flatten(1))
        value = self.value(F.relu_(self.value_conv(state)).flatten(1))
        return state, policy, value


def measure(batch, layout, seconds):
    torch.manual_seed(0)
    nets = Nets().eval()
    states = torch.rand(batch, CHANNELS, ROWS, COLUMNS)
    actions = torch.randint(0, ACTIONS, (batch,))
    if layout == "channels_last":
        nets = nets.to(memory_format=torch.channels_last)
        states = states.contiguous(memory_format=torch.channels_last)
    speeds = []
    with torch.inference_mode():
        for _ in range(10):
            nets(states, actions)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            wall, cpu, count = time.perf_counter(), time.process_time(), 0
            while time.perf_counter() - wall < 0.1:
                nets(states, actions)
                count += batch
            speeds.append(count / (time.process_time() - cpu))
    return speeds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=4.0, help="for each batch")
    parser.add_argument("--batch", default="1,16,64")
    parser.add_argument("--layout", default="auto", choices=["auto", "contiguous", "channels_last"])
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    layouts = ["contiguous", "channels_last"] if args.layout == "auto" else [args.layout]
    rows = []
    for batch in map(int, args.batch.split(",")):
        found = {name: measure(batch, name, args.seconds / len(layouts)) for name in layouts}
        layout = max(layouts, key=lambda name: statistics.median(found[name]))
        row = {
            "batch": batch,
            "evaluations_per_cpu_second": statistics.median(found[layout]),
            "best_evaluations_per_cpu_second": max(found[layout]),
            "layout": layout,
        }
        rows.append(row)
        print(f"batch {batch:3}: {row['evaluations_per_cpu_second']:7.0f}", file=sys.stderr)
    print(
        json.dumps(
            {
                "event": "result",
                "torch": torch.__version__,
                "threads": args.threads,
                "batches": rows,
            }
        )
    )


if __name__ == "__main__":
    main()
