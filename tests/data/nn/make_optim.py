"""Makes optim.safetensors: what PyTorch's optimisers, clipping, schedules and weight averaging do.

    python tests/data/nn/make_optim.py

needs torch and safetensors; the stored file was made with torch 2.11.0 on a CPU. Gradients are
random numbers that are stored too, so that nothing but the optimiser is compared. Their sizes vary
from step to step, so that clipping sets in at some steps only.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

STEPS = 50
SHAPES = {"bias": (11,), "layer.weight": (7, 5)}
CASES = {
    "sgd": (torch.optim.SGD, dict(lr=0.05)),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.05, momentum=0.9)),
    "sgd_nesterov_decay": (
        torch.optim.SGD,
        dict(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    "adam": (torch.optim.Adam, dict(lr=0.01)),
    "adam_decay": (torch.optim.Adam, dict(lr=0.01, betas=(0.5, 0.99), eps=1e-3, weight_decay=0.1)),
    "adamw": (torch.optim.AdamW, dict(lr=0.01, weight_decay=0.1)),
    "adam_clip_norm": (torch.optim.Adam, dict(lr=0.01)),
    "sgd_clip_value": (torch.optim.SGD, dict(lr=0.05, momentum=0.9)),
    "adamw_one_cycle": (torch.optim.AdamW, dict(lr=0.01, weight_decay=0.1)),
}

torch.manual_seed(0)
torch.set_num_threads(1)
out = {}
start = {name: torch.randn(shape) for name, shape in SHAPES.items()}
sizes = torch.linspace(0.05, 1.5, STEPS)[torch.randperm(STEPS)]
gradients = {
    name: torch.stack([torch.randn(shape) * size for size in sizes])
    for name, shape in SHAPES.items()
}
for name in SHAPES:
    out[f"start/{name}"] = start[name]
    out[f"gradient/{name}"] = gradients[name]


def run(case, make, options):
    weights = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
    optimizer = make(weights.values(), foreach=False, **options)
    schedule = None
    if case == "adamw_one_cycle":
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, max_lr=0.01, total_steps=STEPS + 1, cycle_momentum=False
        )
    norms = []
    for step in range(STEPS):
        for name, weight in weights.items():
            weight.grad = gradients[name][step].clone()
        if case == "adam_clip_norm":
            norms.append(torch.nn.utils.clip_grad_norm_(weights.values(), 2.0, foreach=False))
        if case == "sgd_clip_value":
            torch.nn.utils.clip_grad_value_(weights.values(), 0.4)
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if step + 1 in (1, 10, STEPS):
            for name, weight in weights.items():
                out[f"{case}/{step + 1}/{name}"] = weight.detach().clone()
    for name, weight in weights.items():
        for key, value in optimizer.state[weight].items():
            if value is not None and value.dim() > 0:
                out[f"{case}/state/{name}/{key}"] = value.clone()
    if norms:
        out[f"{case}/norms"] = torch.stack(norms)


for case, (make, options) in CASES.items():
    run(case, make, options)

# The average of weights that move by the gradients.
average = start["layer.weight"].clone()
for step in range(STEPS):
    torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)([average], [gradients["layer.weight"][step]], step)
out["ema"] = average


def rates(make):
    """The factors of the learning rate over 60 steps, in double precision."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = make(optimizer)
    seen = []
    for _ in range(60):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if getattr(schedule, "total_steps", 61) > schedule.last_epoch + 1:
            schedule.step()
    return torch.tensor(seen, dtype=torch.float64)


S = torch.optim.lr_scheduler
out["schedule/cosine"] = rates(
    lambda o: S.SequentialLR(
        o,
        [S.CosineAnnealingLR(o, T_max=40, eta_min=0.1), S.ConstantLR(o, factor=0.1, total_iters=99)],
        milestones=[40],
    )
)
out["schedule/milestones"] = rates(lambda o: S.MultiStepLR(o, milestones=[10, 25, 50], gamma=0.3))
out["schedule/polynomial"] = rates(lambda o: S.PolynomialLR(o, total_iters=45, power=2.0))
out["schedule/linear"] = rates(lambda o: S.PolynomialLR(o, total_iters=60, power=1.0))
out["schedule/one_cycle"] = rates(lambda o: S.OneCycleLR(o, max_lr=1.0, total_steps=50, pct_start=0.3))
out["schedule/warmup_milestones"] = rates(
    lambda o: S.SequentialLR(
        o,
        [
            S.LinearLR(o, start_factor=1 / 8, end_factor=1.0, total_iters=7),
            S.MultiStepLR(o, milestones=[5, 30], gamma=0.1),
        ],
        milestones=[8],
    )
)

out = {name: value.contiguous() for name, value in out.items()}
save_file(out, Path(__file__).with_name("optim.safetensors"))
