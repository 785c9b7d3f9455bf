"""The optimizer of both trainings, and its learning rate over a run."""

import math
from collections.abc import Collection, Iterable

import torch
from torch import nn


def optimizer_from_parameters(
    trained: Iterable[nn.Parameter], decayed: Iterable[nn.Parameter], *, weight_decay: float
) -> torch.optim.Optimizer:
    """AdamW over ``trained``; those among ``decayed`` have weight decay."""
    with_decay = {id(parameter) for parameter in decayed}
    groups: tuple[list[nn.Parameter], list[nn.Parameter]] = ([], [])
    for parameter in trained:
        groups[id(parameter) not in with_decay].append(parameter)
    return torch.optim.AdamW(
        [{"params": groups[0], "weight_decay": weight_decay}, {"params": groups[1], "weight_decay": 0.0}]
    )


def take_step(
    optimizer: torch.optim.Optimizer, loss: torch.Tensor, trained: Collection[nn.Parameter], *, rate: float
) -> None:
    """Move the trained parameters down the gradient of ``loss``, whose norm is cut off at 5."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(trained, 5.0)
    optimizer.step()


def learning_rate(step: int, *, steps: int, peak: float, warmup: int) -> float:
    """Rate of a step: a linear rise over ``warmup`` steps, then half a cosine down to 0 (Loshchilov, Hutter 2017).

    Args:
        step: counts from 0.
        steps: of the whole run.
        peak: the largest rate.
        warmup: steps of the rise.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1.0 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))
